//! The file of a recording: nobody else may read it, and it is whole or not there.
//!
//! Steps go to a file beside it as they come, so that no session has to fit into memory; its
//! opening is only known at the end. It never replaces a file that somebody made before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;

/// A session that is being written.
#[derive(Debug)]
pub struct SessionFile {
    path: PathBuf,
    steps: BufWriter<File>,
}

impl SessionFile {
    /// Begins it.
    ///
    /// # Errors
    /// When there is such a file already, or none can be made there.
    pub fn create(path: &Path) -> io::Result<SessionFile> {
        if path.exists() {
            let problem = "there is such a file already; choose another name";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
        }
        Ok(SessionFile {
            steps: BufWriter::new(private(&beside(path, "steps"))?),
            path: path.to_owned(),
        })
    }

    /// Adds steps.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, steps: &str) -> io::Result<()> {
        self.steps.write_all(steps.as_bytes())
    }

    /// Puts the opening before the steps, and gives the file its name.
    ///
    /// # Errors
    /// When that cannot be done; the steps stay in the file beside it.
    pub fn finish(mut self, opening: &str) -> io::Result<()> {
        self.steps.flush()?;
        let steps = beside(&self.path, "steps");
        let whole = beside(&self.path, "whole");
        let mut file = private(&whole)?;
        file.write_all(opening.as_bytes())?;
        io::copy(&mut File::open(&steps)?, &mut file)?;
        fs::rename(&whole, &self.path)?;
        fs::remove_file(&steps)
    }
}

/// A file of this name and one word more.
fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    PathBuf::from(name)
}

/// A new file that only its owner may read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}
