//! `touchstone merge`: parts of one exploration, played apart, as one result.

use std::path::PathBuf;

use clap::Args;
use conformance::explore::part::{Merged, Part};

use super::{read, say};

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
        let parts = self.parts.iter().map(|file| read(file, Part::read));
        let parts: Result<Vec<Part>, String> = parts.collect();
        let merged = Merged::new(parts?)?;
        for told in merged.failures().values() {
            say!("\n{told}");
        }
        for once in merged.unrepeated() {
            say!("\n{once}");
        }
        say::text(&merged);
        if self.unreached {
            say!("not reached: {}", merged.unreached().join(", "));
        }
        Ok(merged.exit_code())
    }
}
