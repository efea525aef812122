//! The command line: what `touchstone` can be told.
//!
//! One file for each command that takes more than a word. Nothing here judges anything.

#[macro_use]
pub(crate) mod say;

mod check;
mod compare;
mod explore;
mod faults;
mod matrix;
mod merge;
mod record;
mod replay;
mod serve;
mod soak;
mod storm;
mod target;

use std::fmt::Display;
use std::path::Path;
use std::{fs, io};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use conformance::liars::{self, Liar};
use conformance::selftest::selftest;
use conformance::{cases, explain, list};
use spec::Dialect;

/// Puts any memcached on trial, by the executable standard of memcached.
#[derive(Parser)]
#[command(name = "touchstone", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play the law's examples against a target, our own server where none is named, and say which
    /// rules hold
    Check(check::Check),
    /// Play histories that nobody wrote against a target, made at random or all up to a length, and
    /// show the shortest that is answered otherwise than the law rules
    Explore(explore::Explore),
    /// Print the law: one line a rule
    List {
        /// A table instead: what each chapter holds
        #[arg(long, conflicts_with = "json")]
        table: bool,
        /// JSON instead: an array with one object a rule: `rule`, `level`, `chapter`, `file`,
        /// `line`, `sentence`, `exchanges` in the law, `cases` beside it. Alternatives (`or`) and
        /// deviations (`but`) are no rules, and not in it
        #[arg(long)]
        json: bool,
    },
    /// Print one rule with its examples
    Explain {
        /// Its name: `storage.cas.exists`
        rule: String,
    },
    /// Try whether the suite can fail: every liar must be caught by the rule one would expect
    Selftest,
    /// Stand between clients and a server, write down what they say, and judge it
    Record(record::Record),
    /// Play a file of exchanges again: a recorded session, a failure that was kept
    Replay(replay::Replay),
    /// Say which rules were fixed or broken from one JSON report to another
    Compare(compare::Compare),
    /// Do everything to servers that strains them, and say in one table what they stand
    Faults(faults::Faults),
    /// Show reports of several implementations, or of one, as a site of static pages
    Matrix(matrix::Matrix),
    /// Put parts of one exploration, played on several machines, together
    Merge(merge::Merge),
    /// Let many clients loose on few keys at once, and judge whether any order explains the replies
    Storm(storm::Storm),
    /// Do everything at once for long, with a fault every ten seconds, and say what came of it
    Soak(soak::Soak),
    /// Put the model, a liar or a lawful adversary on a TCP port of this machine
    Serve(serve::Serve),
}

/// Does what it is told; the number is the exit code.
pub(crate) fn run(arguments: Arguments) -> Result<u8, String> {
    let exchanges = cases::all().map_err(|error| error.to_string())?;
    match arguments.command {
        Command::Check(check) => return check.run(&exchanges),
        Command::Explore(explore) => return explore.run(),
        Command::Faults(faults) => return faults.run(&exchanges),
        Command::Matrix(matrix) => return matrix.run(&exchanges),
        Command::Merge(merge) => return merge.run(),
        Command::List { table: true, .. } => say::text(list::table(&exchanges)),
        Command::List { json: true, .. } => say!("{}", list::json(&exchanges)),
        Command::List { .. } => say::text(list::rules()),
        Command::Explain { rule } => {
            let text = explain::explain(&rule, &exchanges)
                .ok_or_else(|| format!("no rule `{rule}`; `touchstone list` prints them all"))?;
            say::text(&text);
        }
        Command::Selftest => {
            let jobs = std::thread::available_parallelism().map_or(2, usize::from);
            let result = selftest(&exchanges, jobs);
            say::text(&result);
            return Ok(u8::from(!result.succeeds()));
        }
        Command::Record(record) => return record.run(),
        Command::Replay(replay) => return replay.run(),
        Command::Compare(compare) => return compare.run(),
        Command::Soak(soak) => return soak.run(),
        Command::Storm(storm) => return storm.run(),
        Command::Serve(serve) => serve.run()?,
    }
    Ok(0)
}

/// What is wrong with a command line, and what is accepted instead.
pub(crate) fn in_one_line(refused: &clap::Error) -> String {
    let missing = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let said = match refused.kind() {
        kind if kind == missing => "no command is given".to_owned(),
        _ => refused.render().to_string(),
    };
    let lines = said.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let mut line = String::new();
    for part in lines {
        match line.chars().last() {
            None => {}
            Some(':') => line.push(' '),
            Some(_) => line.push_str("; "),
        }
        line.push_str(part.strip_prefix("error: ").unwrap_or(part));
    }
    if [ErrorKind::InvalidSubcommand, missing].contains(&refused.kind()) {
        let command = Arguments::command();
        let names: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        line.push_str(&format!("; there are {}", names.join(", ")));
    }
    line.push_str("; see --help");
    line
}

fn liar(name: &str) -> Result<&'static Liar, String> {
    liars::named(name).ok_or_else(|| {
        let names: Vec<&str> = liars::liars().map(|liar| liar.name).collect();
        format!("there are {}", names.join(", "))
    })
}

/// A whole number, as clap would read it: what is none is told what is.
fn number(text: &str) -> Result<u64, String> {
    let number = text.parse();
    number.map_err(|_| format!("a whole number, 0 to {}", u64::MAX))
}

/// What is made of a file's text. A problem says in which file.
fn read<T, P: Display>(file: &Path, make: impl FnOnce(&str) -> Result<T, P>) -> Result<T, String> {
    let named = |problem: &dyn Display| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file).map_err(|error| named(&error))?;
    make(&text).map_err(|problem| named(&problem))
}

/// A dialect that ships, or a file that holds one.
fn dialect(name: &str) -> Result<Dialect, String> {
    if let Some(shipped) = Dialect::shipped(name) {
        return Ok(shipped);
    }
    let text = fs::read_to_string(name).map_err(|error| {
        let names = Dialect::shipped_names().join(", ");
        match error.kind() {
            io::ErrorKind::NotFound => format!("there are {names}, and no file is called so"),
            _ => format!("there are {names}, and {name} cannot be read: {error}"),
        }
    })?;
    Dialect::parse(name, &text).map_err(|error| format!("{name}: {error}"))
}
