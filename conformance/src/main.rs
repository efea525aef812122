//! `touchstone`: puts any memcached on trial.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use conformance::baseline::Baseline;
use conformance::check::Trial;
use conformance::liars::{self, Liar};
use conformance::selftest::selftest;
use conformance::serve::Service;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::verdict::Report;
use conformance::{cases, explain, list, report};
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
    /// Play the law's examples against a target, our own server where none is named, and say which
    /// rules hold
    Check(Check),
    /// Print the law: one line a rule
    List {
        /// A table instead: what each chapter holds
        #[arg(long, conflicts_with = "json")]
        table: bool,
        /// JSON instead: one object a rule
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
    /// Put the model, or a liar, on a TCP port of this machine
    Serve(Serve),
}

#[derive(Args)]
struct Check {
    /// Try the law's own model
    #[arg(long, conflicts_with_all = ["spawn", "liar"])]
    model: bool,
    /// Try a server that is known to be wrong
    #[arg(long, value_name = "NAME", value_parser = liar, conflicts_with = "spawn")]
    liar: Option<&'static Liar>,
    /// Start this command for each exchange; `{port}` stands for the port
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,
    /// Follow this dialect
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// Accept the failures that this TOML file lists, each with a reason
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the failures into the baseline; each new one waits there for its reason
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    /// Also write a report: text, json, junit, md or github, and where to; `-` is standard output
    #[arg(long, value_name = "FORM=FILE", value_delimiter = ',', value_parser = report_to)]
    report: Vec<(Form, PathBuf)>,
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

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
    Junit,
    Md,
    Github,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("served").required(true))]
struct Serve {
    /// Serve the law's own model
    #[arg(long, group = "served")]
    model: bool,
    /// Serve one that is known to be wrong; `touchstone selftest` names them
    #[arg(long, value_name = "NAME", value_parser = liar, group = "served")]
    liar: Option<&'static Liar>,
    /// The habits it follows
    #[arg(long, default_value = "law", value_parser = dialect)]
    dialect: Dialect,
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 11211)]
    port: u16,
}

fn liar(name: &str) -> Result<&'static Liar, String> {
    liars::named(name).ok_or_else(|| {
        let names: Vec<&str> = liars::liars().map(|liar| liar.name).collect();
        format!("there are {}", names.join(", "))
    })
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::shipped(name)
        .ok_or_else(|| format!("there are {}", Dialect::shipped_names().join(", ")))
}

fn report_to(argument: &str) -> Result<(Form, PathBuf), String> {
    let (form, file) = argument.split_once('=').ok_or("write FORM=FILE")?;
    let form = Form::from_str(form, false)
        .map_err(|_| format!("`{form}` is not text, json, junit, md or github"))?;
    Ok((form, PathBuf::from(file)))
}

/// Exits with what a trial means: 0 conforms, 1 violates, 3 nothing was tried, 4 the target died,
/// 5 the dialect or the baseline is stale; and 2 when the command line makes no sense.
fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            eprintln!("touchstone: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<u8, String> {
    let exchanges = cases::all().map_err(|error| error.to_string())?;
    match command {
        Command::Check(arguments) => return check(arguments, &exchanges),
        Command::List { table: true, .. } => print!("{}", list::table(&exchanges)),
        Command::List { json: true, .. } => println!("{}", list::json(&exchanges)),
        Command::List { .. } => print!("{}", list::rules()),
        Command::Explain { rule } => {
            let text = explain::explain(&rule, &exchanges)
                .ok_or_else(|| format!("no rule `{rule}`; `touchstone list` prints them all"))?;
            print!("{text}");
        }
        Command::Selftest => {
            let jobs = std::thread::available_parallelism().map_or(2, usize::from);
            let result = selftest(&exchanges, jobs);
            print!("{result}");
            return Ok(u8::from(!result.succeeds()));
        }
        Command::Serve(arguments) => serve(arguments)?,
    }
    Ok(0)
}

fn serve(arguments: Serve) -> Result<(), String> {
    let lie = arguments.liar.map(|liar| liar.lie);
    let service = Service::bind(arguments.port, lie, arguments.dialect)?;
    let port = service.port().map_err(|error| error.to_string())?;
    let what = arguments.liar.map_or("the model", |liar| liar.name);
    println!("{what} listens on 127.0.0.1:{port}");
    service.run().map_err(|error| error.to_string())
}

fn check(arguments: Check, exchanges: &[Exchange]) -> Result<u8, String> {
    let baseline = match &arguments.baseline {
        Some(file) => read_baseline(file, arguments.update_baseline)?,
        None => Baseline::default(),
    };
    let target = match (arguments.spawn, arguments.liar) {
        (Some(command), _) => Target::Spawn(command),
        (None, Some(liar)) => Target::Liar(liar),
        (None, None) if arguments.model => Target::Model(Box::new(arguments.dialect.clone())),
        (None, None) => Target::Embedded,
    };
    let trial = Trial {
        target,
        dialect: arguments.dialect,
        baseline,
        shape: arguments.shape,
        select: arguments.select,
        jobs: usize::from(arguments.jobs),
    };
    let report = trial.run(exchanges);
    print!("{}", report::text(&report, arguments.all));
    for (form, file) in &arguments.report {
        write_to(file, &shown(&report, *form))?;
    }
    if let (true, Some(file)) = (arguments.update_baseline, &arguments.baseline) {
        write_to(file, &trial.baseline.updated(&report))?;
    }
    Ok(report.conclusion().exit_code())
}

fn read_baseline(file: &PathBuf, may_be_new: bool) -> Result<Baseline, String> {
    if may_be_new && !file.exists() {
        return Ok(Baseline::default());
    }
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Baseline::parse(&text).map_err(|problem| format!("{}: {problem}", file.display()))
}

fn shown(report: &Report<'_>, form: Form) -> String {
    match form {
        Form::Text => report::text(report, true),
        Form::Json => report::json(report),
        Form::Junit => report::junit(report),
        Form::Md => report::markdown(report),
        Form::Github => report::github(report),
    }
}

fn write_to(file: &PathBuf, text: &str) -> Result<(), String> {
    if file.as_os_str() == "-" {
        println!("{text}");
        return Ok(());
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
