//! `touchstone compare`: two reports side by side.

use std::path::{Path, PathBuf};

use clap::Args;
use conformance::compare::{Findings, compare};
use conformance::report::read::Report;

use super::{read, say};

/// What the help says below the options.
const LESSON: &str = "\
A rule is broken that held and does not now, fixed the other way round; lost is one that held and
was not tried now, so that nobody knows; gone, one that did not hold; new, one not tried before.

Exit codes, the first that applies:
  2  a file is no report
  1  a rule is broken
  3  a rule is lost
  0  whatever held still holds";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Compare {
    /// The report from before: `touchstone check --report json=FILE`
    #[arg(value_name = "REPORT")]
    before: PathBuf,
    /// The report from after
    #[arg(value_name = "REPORT")]
    after: PathBuf,
}

impl Compare {
    /// Prints which rules were fixed, broken, lost, new or gone; the exit code is the help's.
    pub(super) fn run(&self) -> Result<u8, String> {
        let comparison = compare(&findings(&self.before)?, &findings(&self.after)?);
        say::text(&comparison);
        Ok(comparison.exit_code())
    }
}

fn findings(file: &Path) -> Result<Findings, String> {
    read(file, |text| Findings::of(&Report::read(text)?))
}
