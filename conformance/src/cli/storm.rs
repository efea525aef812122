//! `touchstone storm`: many clients at once on few keys, judged for linearizability.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use conformance::report::site::History;
use conformance::storm::racy::{self, RACES, Race};
use conformance::storm::{Outcome, Plan, storm};
use conformance::target::address::{Address, Trust, Wire};
use conformance::target::process::Process;
use spec::Dialect;

use super::say;

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone storm --spawn 'memcached -p {port}'
  touchstone storm --spawn 'memcached -m 16 -p {port}' --forgets
  touchstone storm --spawn 'memcached -p {port}' --dialect memcached-1.6.18
  touchstone storm 127.0.0.1:11211 --seconds 30    somebody's cache: only our own keys, no flush
  touchstone storm --racy loses-updates            what it looks like when one is found
  touchstone storm --selftest                      whether it finds every race there should be

The clients share nine keys: values that grow, counters about to gain a digit, and logs to which
all append. Some speak text, some meta commands and some binary, as far as the server does. In some
rounds what is stored expires, and a server that we started dumps its keys meanwhile. Every request
is taken down with the moments of its sending and its answer. Where no order of them explains every
answer, the few requests that show it are drawn, a line each, time to the right.

A server that we did not start is somebody's cache: only keys on a prefix of our own go there, with
an expiry, and whatever vanishes is no fault of it. Only --allow-flush flushes it.

Exit codes, the first that applies:
  2  the command line makes no sense
  1  no order explains the replies
  4  the server cannot be reached, or closed a connection
  3  unknown: a key could not be judged, or there was nothing to judge
  0  an order explains every reply, with what the dialect excuses";

/// How long the server that loses no race is stormed.
const BRIEF: Duration = Duration::from_secs(4);

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Storm {
    /// A server that runs: HOST:PORT, unix:PATH or tls:HOST:PORT (any certificate will do)
    #[arg(required_unless_present_any = ["spawn", "racy", "selftest"], conflicts_with = "spawn")]
    target: Option<String>,
    /// Start this command; `{port}` stands for the port
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,
    /// A server of ours that loses one race on purpose
    #[arg(long, value_name = "RACE", value_parser = race, conflicts_with_all = ["spawn", "target"])]
    racy: Option<Race>,
    /// Storm every such server, and one that loses none: the former must be refuted, the latter not
    #[arg(long, conflicts_with_all = ["spawn", "target", "racy"])]
    selftest: bool,
    /// So many clients at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=100))]
    clients: u16,
    /// For so long
    #[arg(long, default_value_t = 10, value_parser = super::number)]
    seconds: u64,
    /// What the requests are made of; any number where none is given
    #[arg(long, value_parser = super::number)]
    seed: Option<u64>,
    /// Excuse the deviations of this dialect: one that ships, or a file that holds one
    #[arg(long, default_value = "law", value_parser = super::dialect)]
    dialect: Dialect,
    /// Bring the server short of memory; its items may vanish then, but never come back
    #[arg(long)]
    forgets: bool,
    /// Write what it came to, and the lanes where there are such, into this file, for
    /// `touchstone matrix --history`
    #[arg(long, value_name = "FILE", conflicts_with = "selftest")]
    save: Option<PathBuf>,
    /// Flush a server that we did not start: everything in it is lost
    #[arg(long)]
    allow_flush: bool,
}

impl Storm {
    /// Storms it; the number is the exit code.
    pub(super) fn run(self) -> Result<u8, String> {
        let random = RandomState::new().hash_one(std::process::id());
        let seed = self.seed.unwrap_or(random % 1_000_000);
        let is_ours = self.target.is_none();
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
            expires: self.racy.is_none() && !self.selftest,
            disturbs: self.spawn.is_some(),
        };
        if self.selftest {
            return selftest(&plan).map_err(|error| error.to_string());
        }
        let result = match (&self.spawn, &self.target, self.racy) {
            (_, _, Some(race)) => outcome_of(race, &plan),
            (Some(command), ..) => Process::start(command, "")
                .map_err(io::Error::other)
                .and_then(|mut process| {
                    let wire = || Ok(Box::new(process.connect()?) as Box<dyn Wire>);
                    let mut outcome = storm(&plan, wire)?;
                    outcome.broken.extend(process.died());
                    Ok(outcome)
                }),
            (_, Some(place), _) => {
                let address = Address::parse(place, &Trust::Anybody)?;
                storm(&plan, || address.connect()).map_err(|error| {
                    let reached = format!("{address} cannot be reached: {error}");
                    io::Error::new(error.kind(), reached)
                })
            }
            _ => return Err("there is nothing to storm".to_owned()),
        };
        Ok(match result {
            Ok(outcome) => {
                self.keep(&outcome)?;
                report(&plan, &outcome)
            }
            Err(problem) => {
                say::problem(&problem);
                4
            }
        })
    }
}

impl Storm {
    /// Writes what it came to, where that was asked for.
    fn keep(&self, outcome: &Outcome) -> Result<(), String> {
        let Some(file) = &self.save else {
            return Ok(());
        };
        let raced = RACES
            .iter()
            .find(|(_, race)| Some(race) == self.racy.as_ref());
        let raced = raced.map(|(name, _)| format!("a server that {name}"));
        let target = self.spawn.clone().or(self.target.clone()).or(raced);
        let history = History::of(target.unwrap_or_default(), outcome);
        fs::write(file, history.written()).map_err(|error| format!("{}: {error}", file.display()))
    }
}

fn race(name: &str) -> Result<Race, String> {
    let named = RACES.iter().find(|(known, _)| *known == name);
    named.map(|(_, race)| *race).ok_or_else(|| {
        let names: Vec<&str> = RACES.iter().map(|(name, _)| *name).collect();
        format!("there are {}", names.join(", "))
    })
}

fn outcome_of(race: Race, plan: &Plan) -> io::Result<Outcome> {
    let place = racy::start(race)?.to_string();
    let address = Address::parse(&place, &Trust::Anybody).map_err(io::Error::other)?;
    storm(plan, || address.connect())
}

/// Storms the servers that lose a race, and the one that does not.
fn selftest(plan: &Plan) -> io::Result<u8> {
    let mut holes = 0;
    for (name, race) in RACES {
        let outcome = outcome_of(race, plan)?;
        let took = outcome.took.as_secs_f64();
        let found = match &outcome.refuted {
            Some(refuted) => refuted.rule.name,
            None => "NOT FOUND",
        };
        holes += u8::from(outcome.refuted.is_none());
        let operations = outcome.operations;
        say!("{name:<18} {took:>5.1} s {operations:>8} operations  {found}");
    }
    let brief = Plan {
        time: plan.time.min(BRIEF),
        ..plan.clone()
    };
    let outcome = outcome_of(Race::None, &brief)?;
    let found = report(&brief, &outcome);
    say!("{} races, {holes} not found", RACES.len());
    Ok(if holes == 0 { found } else { 1 })
}

fn report(plan: &Plan, outcome: &Outcome) -> u8 {
    say!(
        "{} clients, seed {}: {} operations in {} rounds, judged in {:.2} s",
        plan.clients,
        plan.seed,
        outcome.operations,
        outcome.rounds,
        outcome.judged.as_secs_f64()
    );
    let (spoken, disturbed) = (&outcome.spoken, outcome.disturbed);
    say!(
        "spoken: {spoken:?}; items expired in {} rounds; {} dumps and {} moves of pages meanwhile",
        outcome.fleeting,
        disturbed.dumps,
        disturbed.moves
    );
    for (deviation, rounds) in &outcome.excused {
        say!("{rounds} rounds are explained only by {deviation}");
    }
    for problem in &outcome.broken {
        say!("BROKEN {problem}");
    }
    if let Some(refuted) = &outcome.refuted {
        say!(
            "NOT LINEARIZABLE after {:.1} s: {} ({:?})\n    {}",
            outcome.took.as_secs_f64(),
            refuted.rule.name,
            refuted.rule.level,
            refuted.rule.sentence
        );
        say::text(format_args!("{}: {}", refuted.key, refuted.witness));
        return 1;
    }
    if !outcome.broken.is_empty() {
        return 4;
    }
    if outcome.unknown > 0 || outcome.operations == 0 {
        say!("UNKNOWN: {} keys could not be judged", outcome.unknown);
        return 3;
    }
    say!("linearizable: for each key there is an order that explains every reply");
    0
}
