//! `touchstone explore`: one target, and histories that nobody wrote.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use conformance::explore::Exploration;
use conformance::explore::exhaust::DEPTH_MAX;
use conformance::explore::part::{Merged, Part};
use conformance::{progress, report};
use spec::Dialect;

use super::check::{budget, keep};
use super::target::Chosen;
use super::{dialect, number, say};

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone explore --budget 60s                our own server, in this process
  touchstone explore --exhaustive 3              every sequence of up to three commands
  touchstone explore --full --shard 0/20 --save 0.json
                                                 a twentieth of all up to four; `touchstone merge`
                                                 puts the parts together
  touchstone explore --spawn 'memcached -p {port}' --dialect memcached-1.6.18 --budget 60s
  touchstone explore 127.0.0.1:11211 --histories 100
                                                 one that runs: only our own keys are touched
  touchstone explore --spawn './mine {port}' --seed 7 --keep failures
                                                 and then, one at a time:
  touchstone replay failures/storage.set.stored.exchange --spawn './mine {port}'

A history is up to 200 requests of four clients, two of which speak binary, about three keys. Where
the clock is ours, time passes. What differs is cut down until nothing of it can go.

Exit codes, the first that applies:
  2  the command line makes no sense
  1  something was answered otherwise than the law rules
  4  the target cannot be reached, or died
  3  nothing was played, or something was answered otherwise once and never again
  0  all was answered as the law rules";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Explore {
    /// What to explore: a server that runs, as HOST:PORT, unix:PATH or tls:HOST:PORT; our own
    /// server, in this process, where none is named
    target: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
    /// Follow this dialect
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// Stop after so long: `60s`, `5m`; without it, and without --histories, there is no end
    #[arg(long, value_name = "TIME", value_parser = budget)]
    budget: Option<Duration>,
    /// Stop after so many histories
    #[arg(long, value_name = "N", value_parser = number)]
    histories: Option<u64>,
    /// Instead: every sequence of up to so many commands of a small alphabet
    #[arg(long, value_name = "DEPTH", value_parser = clap::value_parser!(u8).range(1..=3))]
    exhaustive: Option<u8>,
    /// Instead: every sequence of up to four of them, which takes an hour in this process, and days
    /// elsewhere
    #[arg(long, conflicts_with = "exhaustive")]
    full: bool,
    /// Play only one part of as many: `0/4` is the first of four
    #[arg(long, value_name = "K/N", default_value = "0/1", value_parser = shard)]
    shard: (u64, u64),
    /// Go on until so many failures by different rules are found
    #[arg(long, value_name = "N", default_value_t = 1)]
    failures: usize,
    /// Write each failure into this directory: RULE.exchange for `touchstone replay`, and RULE.sh
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Write what was found into this file, for `touchstone merge`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Name the rules that no history reached
    #[arg(long)]
    unreached: bool,
}

impl Explore {
    /// Plays, prints, and tells the exit code.
    #[expect(clippy::disallowed_methods, reason = "it says how long it took")]
    pub(super) fn run(self) -> Result<u8, String> {
        let seed = self.chosen.seed();
        let target = self.chosen.target(self.target.as_deref(), seed)?;
        let arguments = self.chosen.arguments(&target);
        let exploration = Exploration {
            target: target.held_to(&self.dialect),
            dialect: self.dialect.clone(),
            seed,
            shard: self.shard,
            budget: self.budget,
            histories_max: self.histories.unwrap_or(u64::MAX),
            failures_max: self.failures.max(1),
        };
        say!("{}, held to {}", exploration.target, self.dialect.name());
        let depth = self.exhaustive.or(self.full.then_some(DEPTH_MAX));
        let began = Instant::now();
        let found = match depth {
            Some(depth) => exploration.exhaust(depth),
            None => exploration.run(),
        };
        let took = began.elapsed();
        let mut report = found.report(&exploration, arguments.clone());
        report.again = Some(self.again(&arguments, seed));
        let told = found.failures.iter().map(|failed| failed.told(&report));
        let told: Vec<String> = told.collect();
        for failure in &told {
            match progress::may_colour() {
                true => say!("\n{}", report::coloured(failure)),
                false => say!("\n{failure}"),
            }
        }
        if let Some(folder) = self.keep.as_ref().filter(|_| !found.failures.is_empty()) {
            keep(folder, &report)?;
        }
        let part = Part::new(&exploration, depth, &found, &told, took);
        for once in &part.unrepeated {
            say!("\n{once}");
        }
        if let Some(file) = &self.save {
            let written = fs::write(file, part.text());
            written.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let merged = Merged::new(vec![part])?;
        say::text(&merged);
        if self.unreached {
            say!("not reached: {}", merged.unreached().join(", "));
        }
        Ok(found.exit_code())
    }

    /// The command line that finds the same again.
    fn again(&self, arguments: &str, seed: u64) -> String {
        let mut command = format!("touchstone explore {arguments}");
        if self.dialect.name() != "law" {
            let name = report::shell(self.dialect.name());
            command.push_str(&format!("--dialect {name} "));
        }
        let (nth, of) = self.shard;
        if of > 1 {
            command.push_str(&format!("--shard {nth}/{of} "));
        }
        match self.exhaustive {
            Some(depth) => command.push_str(&format!("--exhaustive {depth}")),
            None if self.full => command.push_str("--full"),
            None => command.push_str(&format!("--seed {seed}")),
        }
        command
    }
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let numbers = text.split_once('/');
    let numbers = numbers.and_then(|(nth, of)| nth.parse().ok().zip(of.parse().ok()));
    numbers
        .filter(|(nth, of)| nth < of)
        .ok_or_else(|| "a part is `0/4`, `1/4`, `2/4` or `3/4`".to_owned())
}
