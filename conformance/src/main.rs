//! `touchstone`: puts any memcached on trial.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use conformance::check::Trial;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::{cases, list, report};
use spec::Dialect;
use spec::exchange::Exchange;

/// Puts any memcached on trial, by the executable standard of memcached.
#[derive(Parser)]
#[command(name = "touchstone", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play the law's examples against a target and say which rules hold
    Check(Check),
    /// Print the law: one line a rule
    List {
        /// A table instead: what each chapter holds
        #[arg(long)]
        table: bool,
    },
}

#[derive(Args)]
struct Check {
    /// Try the law's own model
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
    /// How many exchanges are played at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Show every failure, not only the most basic
    #[arg(long)]
    all: bool,
    /// Only rules whose names begin so: `storage.cas`
    #[arg(value_name = "RULE")]
    select: Vec<String>,
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::shipped(name)
        .ok_or_else(|| format!("there are {}", Dialect::shipped_names().join(", ")))
}

/// Exits with what a trial means: 0 conforms, 1 violates, 3 nothing was tried, 4 the target died, 5 the
/// dialect is stale; and 2 when the command line makes no sense.
fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let exchanges = match cases::all() {
        Ok(exchanges) => exchanges,
        Err(error) => {
            eprintln!("touchstone: {error}");
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Check(arguments) => run_check(arguments, &exchanges),
        Command::List { table: true } => {
            print!("{}", list::table(&exchanges));
            ExitCode::SUCCESS
        }
        Command::List { table: false } => {
            print!("{}", list::rules());
            ExitCode::SUCCESS
        }
    }
}

fn run_check(arguments: Check, exchanges: &[Exchange]) -> ExitCode {
    let Check {
        model: _,
        spawn,
        dialect,
        shape,
        jobs,
        all,
        select,
    } = arguments;
    let target = spawn.map_or_else(|| Target::Model(Box::new(dialect.clone())), Target::Spawn);
    let trial = Trial {
        target,
        dialect,
        shape,
        select,
        jobs: usize::from(jobs),
    };
    let report = trial.run(exchanges);
    print!("{}", report::text(&report, all));
    ExitCode::from(report.conclusion().exit_code())
}
