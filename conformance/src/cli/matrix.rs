//! `touchstone matrix`: reports side by side, as a site.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use conformance::report::site::data::Tried;
use conformance::report::site::{Explored, History, LiarRow, Page, Site};
use conformance::selftest::selftest;
use spec::exchange::Exchange;

use super::read;

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone check --spawn 'memcached -p {port}' --report json=memcached.json
  touchstone check --spawn './mine {port}' --report json=mine.json
  touchstone matrix memcached.json mine.json --out site
  touchstone matrix today/mine.json --before yesterday/mine.json --out site
  touchstone explore --spawn './mine {port}' --budget 60s --save explored/mine.json
  touchstone matrix mine.json --explored explored/mine.json --out site

The site needs no network and no server: open site/index.html. The name of a report's file, without
its ending, is what the implementation is called. badges/NAME.svg is a badge for its README.";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Matrix {
    /// The reports: `touchstone check --report json=NAME.json`
    #[arg(value_name = "REPORT", required = true)]
    reports: Vec<PathBuf>,
    /// Where to: a directory, which is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// An earlier report of one of them, under the same name: what changed is a page
    #[arg(long, value_name = "REPORT")]
    before: Vec<PathBuf>,
    /// What exploring one of them reached: `touchstone explore --save NAME.json`, of the same name
    #[arg(long, value_name = "FILE")]
    explored: Vec<PathBuf>,
    /// What storms came to: `touchstone storm --save FILE`
    #[arg(long, value_name = "FILE")]
    history: Vec<PathBuf>,
    /// Also put the suite itself on trial, as `touchstone selftest` does, and show who caught whom
    #[arg(long)]
    liars: bool,
}

impl Matrix {
    /// Reads, writes, and says where it is.
    pub(super) fn run(&self, exchanges: &[Exchange]) -> Result<u8, String> {
        let all = |files: &[PathBuf]| -> Result<Vec<Tried>, String> {
            files.iter().map(|file| tried(file)).collect()
        };
        let tried = all(&self.reports)?;
        for (place, one) in tried.iter().enumerate() {
            if tried
                .iter()
                .skip(place + 1)
                .any(|other| other.name == one.name)
            {
                return Err(format!("two reports are called `{}`; rename one", one.name));
            }
        }
        let site = Site {
            before: all(&self.before)?,
            explored: self.explored(&tried)?,
            tried,
            histories: self.histories()?,
            liars: if self.liars {
                liars(exchanges)
            } else {
                Vec::new()
            },
            exchanges: exchanges.to_vec(),
        };
        write(&self.out, &site.pages())?;
        Ok(0)
    }

    /// What is of none of the reports would stand nowhere, and nobody would know.
    fn explored(&self, tried: &[Tried]) -> Result<Vec<Explored>, String> {
        let one = |file: &PathBuf| {
            let name = stem(file);
            if !tried.iter().any(|tried| tried.name == name) {
                return Err(format!(
                    "no report is called `{name}`, as {} is",
                    file.display()
                ));
            }
            read(file, |text| Explored::read(&name, text))
        };
        self.explored.iter().map(one).collect()
    }

    fn histories(&self) -> Result<Vec<History>, String> {
        let files = self.history.iter();
        files.map(|file| read(file, History::read)).collect()
    }
}

fn tried(file: &Path) -> Result<Tried, String> {
    read(file, |text| Tried::read(&stem(file), text))
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn liars(exchanges: &[Exchange]) -> Vec<LiarRow> {
    let jobs = std::thread::available_parallelism().map_or(2, usize::from);
    LiarRow::all(&selftest(exchanges, jobs))
}

/// Writes the pages, and says where they are and how much they take.
pub(super) fn write(folder: &Path, pages: &[Page]) -> Result<(), String> {
    let mut bytes = 0;
    for page in pages {
        let text = page.written();
        bytes += text.len();
        let file = folder.join(&page.path);
        let named = |error| format!("{}: {error}", file.display());
        fs::create_dir_all(file.parent().unwrap_or(folder)).map_err(named)?;
        fs::write(&file, text.as_bytes()).map_err(named)?;
    }
    say!(
        "{} pages, {} KiB: {}",
        pages.len(),
        bytes / 1024,
        folder.join("index.html").display()
    );
    Ok(())
}
