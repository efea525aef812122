//! `touchstone storm`: many clients at once on few keys, judged for linearizability.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::time::Duration;

use clap::Args;
use conformance::storm::{Outcome, Plan, storm};
use conformance::target::address::{Address, Trust, Wire};
use conformance::target::process::Process;
use spec::Dialect;

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone storm --spawn 'memcached -p {port}'
  touchstone storm --spawn 'memcached -m 2 -p {port}' --forgets
  touchstone storm 127.0.0.1:11211 --seconds 30    somebody's cache: only our own keys, no flush

Exit codes: 0 an order explains every reply; 1 none does; 3 unknown, or nothing was judged;
4 the server cannot be reached, or closed a connection.";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Storm {
    /// A server that runs: HOST:PORT, unix:PATH or tls:HOST:PORT (any certificate will do)
    #[arg(required_unless_present = "spawn", conflicts_with = "spawn")]
    target: Option<String>,
    /// Start this command; `{port}` stands for the port
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,
    /// So many clients at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=100))]
    clients: u16,
    /// For so long
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// What the requests are made of; any number where none is given
    #[arg(long)]
    seed: Option<u64>,
    /// Excuse the deviations of this dialect: one that ships, or a file that holds one
    #[arg(long, default_value = "law", value_parser = super::dialect)]
    dialect: Dialect,
    /// Bring the server short of memory; its items may vanish then, but never come back
    #[arg(long)]
    forgets: bool,
    /// Flush a server that we did not start: everything in it is lost
    #[arg(long)]
    allow_flush: bool,
}

impl Storm {
    /// Storms it; the number is the exit code.
    pub(super) fn run(self) -> Result<u8, String> {
        let random = RandomState::new().hash_one(std::process::id());
        let seed = self.seed.unwrap_or(random % 1_000_000);
        let is_ours = self.spawn.is_some();
        let plan = Plan {
            clients: self.clients,
            time: Duration::from_secs(self.seconds),
            seed,
            prefix: format!("storm{:x}:", random >> 32),
            // Nobody knows what else happens to somebody's cache.
            forgets: self.forgets || !is_ours,
            dialect: self.dialect.clone(),
            fills: self.forgets,
            flushes: is_ours || self.allow_flush,
        };
        let result = match (&self.spawn, &self.target) {
            (Some(command), _) => Process::start(command, "")
                .map_err(io::Error::other)
                .and_then(|mut process| {
                    let wire = || Ok(Box::new(process.connect()?) as Box<dyn Wire>);
                    let mut outcome = storm(&plan, wire)?;
                    outcome.broken.extend(process.died());
                    Ok(outcome)
                }),
            (_, Some(place)) => {
                let address = Address::parse(place, &Trust::Anybody)?;
                storm(&plan, || address.connect())
            }
            _ => return Err("there is nothing to storm".to_owned()),
        };
        Ok(match result {
            Ok(outcome) => report(&plan, &outcome),
            Err(problem) => {
                eprintln!("touchstone: {problem}");
                4
            }
        })
    }
}

fn report(plan: &Plan, outcome: &Outcome) -> u8 {
    println!(
        "{} clients, seed {}: {} operations in {} rounds, judged in {:.2} s",
        plan.clients,
        plan.seed,
        outcome.operations,
        outcome.rounds,
        outcome.judged.as_secs_f64()
    );
    for (deviation, rounds) in &outcome.excused {
        println!("{rounds} rounds are explained only by {deviation}");
    }
    for problem in &outcome.broken {
        println!("BROKEN {problem}");
    }
    if let Some(refuted) = &outcome.refuted {
        println!(
            "NOT LINEARIZABLE after {:.1} s: {} ({:?})\n    {}",
            outcome.took.as_secs_f64(),
            refuted.rule.name,
            refuted.rule.level,
            refuted.rule.sentence
        );
        print!("{}: {}", refuted.key, refuted.witness);
        return 1;
    }
    if !outcome.broken.is_empty() {
        return 4;
    }
    if outcome.unknown > 0 || outcome.operations == 0 {
        println!("UNKNOWN: {} keys could not be judged", outcome.unknown);
        return 3;
    }
    println!("linearizable: for each key there is an order that explains every reply");
    0
}
