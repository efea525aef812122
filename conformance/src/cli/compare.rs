//! `touchstone compare`: two reports side by side.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use conformance::compare::{Findings, compare};

use super::say;

#[derive(Args)]
pub(super) struct Compare {
    /// The report from before: `touchstone check --report json=FILE`
    #[arg(value_name = "REPORT")]
    before: PathBuf,
    /// The report from after
    #[arg(value_name = "REPORT")]
    after: PathBuf,
}

impl Compare {
    /// Prints which rules were fixed, broken, new or gone; 1 when one was broken.
    pub(super) fn run(&self) -> Result<u8, String> {
        let comparison = compare(&read(&self.before)?, &read(&self.after)?);
        say::text(&comparison);
        Ok(comparison.exit_code())
    }
}

fn read(file: &Path) -> Result<Findings, String> {
    let named = |problem: String| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
    Findings::read(&text).map_err(named)
}
