//! `touchstone`: puts any memcached on trial.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use conformance::check::check;
use conformance::target::Target;
use spec::Dialect;
use spec::exchange::examples;

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
    Check {
        /// Start this command for each exchange; `{port}` stands for the port
        #[arg(long, value_name = "COMMAND")]
        spawn: Option<String>,
        /// Follow this dialect: law, memcached-1.6.45, memcached-1.6.18
        #[arg(long, default_value = "law")]
        dialect: String,
        /// How many exchanges are played at once
        #[arg(long, default_value_t = 8)]
        jobs: usize,
        /// Only rules whose names begin so: `storage.cas`
        select: Vec<String>,
    },
}

fn main() -> ExitCode {
    let Command::Check {
        spawn,
        dialect,
        jobs,
        select,
    } = Arguments::parse().command;
    let Some(dialect) = Dialect::shipped(&dialect) else {
        eprintln!(
            "touchstone: no dialect `{dialect}`; there are {:?}",
            Dialect::shipped_names()
        );
        return ExitCode::from(2);
    };
    let exchanges = match examples() {
        Ok(exchanges) => exchanges,
        Err(error) => {
            eprintln!("touchstone: {error}");
            return ExitCode::from(2);
        }
    };
    let target = spawn.map_or_else(|| Target::Model(Box::new(dialect.clone())), Target::Spawn);
    let report = check(&exchanges, &target, &dialect, &select, jobs);
    for problem in &report.problems {
        println!("{problem}");
    }
    println!(
        "{} passed, {} failed as the dialect says, {} problems",
        report.passed,
        report.excused,
        report.problems.len()
    );
    if !report.problems.is_empty() {
        ExitCode::from(1)
    } else if report.passed == 0 {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    }
}
