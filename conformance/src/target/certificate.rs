//! A certificate for servers that are started for a trial, made on the spot and gone with it.
//!
//! Nobody believes it: who is started by us is believed anyway.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use rcgen::generate_simple_self_signed;

/// A PEM file with a certificate and its key, as long as this is kept.
#[derive(Debug)]
pub struct Certificate(PathBuf);

impl Certificate {
    /// Makes one, and writes it.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn write() -> io::Result<Certificate> {
        let name = format!("touchstone-{}.pem", process::id());
        let file = std::env::temp_dir().join(name);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = generate_simple_self_signed(names).map_err(io::Error::other)?;
        fs::write(&file, made.cert.pem() + &made.signing_key.serialize_pem())?;
        Ok(Certificate(file))
    }

    /// Where it is.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.0
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // Who has taken it away has done what there is to do.
        let _ = fs::remove_file(&self.0);
    }
}
