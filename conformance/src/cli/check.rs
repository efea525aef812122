//! `touchstone check`: one target on trial.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use conformance::baseline::Baseline;
use conformance::check::Trial;
use conformance::faults;
use conformance::liars::Liar;
use conformance::report;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::verdict::Report;
use spec::Dialect;
use spec::exchange::Exchange;

use super::{dialect, liar};

#[derive(Args)]
pub(super) struct Check {
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

impl Check {
    /// Plays, prints, and tells the exit code.
    pub(super) fn run(self, exchanges: &[Exchange]) -> Result<u8, String> {
        let baseline = match &self.baseline {
            Some(file) => read_baseline(file, self.update_baseline)?,
            None => Baseline::default(),
        };
        let target = match (self.spawn, self.liar) {
            (Some(command), _) => Target::Spawn(command),
            (None, Some(liar)) => Target::Liar(liar),
            (None, None) if self.model => Target::Model(Box::new(self.dialect.clone())),
            (None, None) => Target::Embedded,
        };
        let trial = Trial {
            target,
            dialect: self.dialect,
            baseline,
            shape: self.shape,
            select: self.select,
            jobs: usize::from(self.jobs),
        };
        let report = trial.run(exchanges, &faults::all());
        print!("{}", report::text(&report, self.all));
        for (form, file) in &self.report {
            write_to(file, &shown(&report, *form))?;
        }
        if let (true, Some(file)) = (self.update_baseline, &self.baseline) {
            write_to(file, &trial.baseline.updated(&report))?;
        }
        Ok(report.conclusion().exit_code())
    }
}

fn report_to(argument: &str) -> Result<(Form, PathBuf), String> {
    let (form, file) = argument.split_once('=').ok_or("write FORM=FILE")?;
    let form = Form::from_str(form, false)
        .map_err(|_| format!("`{form}` is not text, json, junit, md or github"))?;
    Ok((form, PathBuf::from(file)))
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
