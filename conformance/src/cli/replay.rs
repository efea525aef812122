//! `touchstone replay`: a file of exchanges against a target.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use conformance::baseline::Baseline;
use conformance::cases::Case;
use conformance::check::Trial;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::{replay, report};
use spec::Dialect;

use super::dialect;

#[derive(Args)]
pub(super) struct Replay {
    /// The file: exchanges in the notation of `spec/README.md`
    file: PathBuf,
    /// Play it on the law's own model
    #[arg(long, conflicts_with = "spawn")]
    model: bool,
    /// Start this command for each exchange; `{port}` stands for the port
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,
    /// Follow this dialect
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// How the clients' bytes are cut into writes
    #[arg(long, value_enum, default_value_t)]
    shape: Shape,
}

impl Replay {
    /// Plays, prints the differences, and tells the exit code.
    pub(super) fn run(self) -> Result<u8, String> {
        let file = self.file.display().to_string();
        let text = fs::read_to_string(&self.file).map_err(|error| format!("{file}: {error}"))?;
        let exchanges = replay::read(&file, &text).map_err(|error| error.to_string())?;
        let target = match self.spawn {
            Some(command) => Target::Spawn(command),
            None if self.model => Target::Model(Box::new(self.dialect.clone())),
            None => Target::Embedded,
        };
        let trial = Trial {
            target,
            dialect: self.dialect,
            baseline: Baseline::default(),
            shape: self.shape,
            select: Vec::new(),
            jobs: 16,
            ..Trial::default()
        };
        let report = trial.run(&exchanges, &[]);
        print!("{}", report::text(&report, true));
        for judged in &report.judged {
            if let (Some(failure), Case::Exchange(exchange)) = (&judged.failure, judged.case) {
                let rules = replay::rules_at(exchange, failure.line, &trial.dialect);
                println!("{file}:{}: {}", failure.line, rules.join(", "));
            }
        }
        Ok(report.conclusion().exit_code())
    }
}
