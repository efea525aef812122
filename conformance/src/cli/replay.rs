//! `touchstone replay`: a file of exchanges against a target.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use conformance::baseline::Baseline;
use conformance::cases::Case;
use conformance::check::Trial;
use conformance::target::shape::Shape;
use conformance::terms::Terms;
use conformance::{interrupt, replay, report};
use spec::Dialect;

use super::target::Chosen;
use super::{dialect, say};

#[derive(Args)]
pub(super) struct Replay {
    /// The file: exchanges in the notation of `spec/README.md`
    file: PathBuf,
    /// What to play it to: a server that runs, as HOST:PORT, unix:PATH or tls:HOST:PORT; our own
    /// server, in this process, where none is named
    target: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
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
        let seed = self.chosen.seed();
        let target = self.chosen.target(self.target.as_deref(), seed)?;
        let trial = Trial {
            target: target.held_to(&self.dialect),
            dialect: self.dialect,
            baseline: Baseline::default(),
            shape: self.shape,
            select: Vec::new(),
            jobs: 16,
            terms: Terms {
                seed,
                ..Terms::default()
            },
        };
        interrupt::finish_first();
        let report = trial.run(&exchanges, &[]);
        say::text(report::text(&report, true));
        for judged in &report.judged {
            if let (Some(failure), Case::Exchange(exchange)) = (&judged.failure, judged.case) {
                let rules = replay::rules_at(exchange, failure.line, &trial.dialect);
                say!("{file}:{}: {}", failure.line, rules.join(", "));
            }
        }
        Ok(report.conclusion().exit_code())
    }
}
