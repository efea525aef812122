//! `touchstone merge`: parts of one exploration, played apart, as one result.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use conformance::explore::part::{Merged, Part};

use super::say;

#[derive(Args)]
pub(super) struct Merge {
    /// What each part found: `touchstone explore --shard K/N --save FILE`
    #[arg(value_name = "FILE", required = true)]
    parts: Vec<PathBuf>,
    /// Name the rules that no part reached
    #[arg(long)]
    unreached: bool,
}

impl Merge {
    /// Prints the failures and the sums of all parts; 3 where one is missing.
    pub(super) fn run(&self) -> Result<u8, String> {
        let parts: Result<Vec<Part>, String> = self.parts.iter().map(|file| read(file)).collect();
        let merged = Merged::new(parts?)?;
        for told in merged.failures().values() {
            say!("\n{told}");
        }
        say::text(&merged);
        if self.unreached {
            say!("not reached: {}", merged.unreached().join(", "));
        }
        Ok(merged.exit_code())
    }
}

fn read(file: &Path) -> Result<Part, String> {
    let named = |problem: String| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
    Part::read(&text).map_err(named)
}
