//! `touchstone`: puts any memcached on trial.
//!
//! What it can be told is in `cli/`, one file a command; what it does is in the library.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::say;

/// Exits with what a trial means: 0 conforms, 1 violates, 3 nothing was tried, 4 the target died,
/// 5 the dialect or the baseline is stale; and 2 when the command line makes no sense.
fn main() -> ExitCode {
    let done = match cli::Arguments::try_parse() {
        Ok(arguments) => cli::run(arguments),
        Err(told) if !told.use_stderr() => {
            say::text(told.render());
            Ok(0)
        }
        Err(refused) => Err(cli::in_one_line(&refused)),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            say::problem(problem);
            ExitCode::from(2)
        }
    }
}
