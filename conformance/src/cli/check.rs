//! `touchstone check`: one target on trial.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use conformance::baseline::{Baseline, today};
use conformance::capability;
use conformance::cases::Case;
use conformance::check::Trial;
use conformance::elect::elect;
use conformance::faults;
use conformance::interrupt;
use conformance::report::site::data::Tried;
use conformance::report::site::{Page, Site};
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::terms::{Terms, selects};
use conformance::verdict::Report;
use conformance::{progress, report};
use spec::exchange::Exchange;
use spec::{Dialect, Level, REQUIREMENTS};

use super::target::Chosen;
use super::{dialect, matrix, read, say};

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone check                               our own server, in this process
  touchstone check storage.cas 'meta.*'          only these rules of it
  touchstone check 127.0.0.1:11211               one that runs: only our own keys are touched
  touchstone check tls:cache.example:11211 --tls-ca ca.pem --level must
  touchstone check --spawn 'memcached -p {port}' --dialect memcached-1.6.45
  touchstone check --spawn './mine {port}' --without binary,udp --report junit=out.xml
  touchstone check --spawn './mine {port}' --keep failures
                                                 and then, one at a time:
  touchstone replay failures/storage.set.stored.exchange --spawn './mine {port}'

What is printed fits one page: the chapters, then the failures, the most basic first (--all shows
every one). First comes what broke a MUST, then a SHOULD; within these what stores, reads and
deletes comes first, binary and authentication last. A failure is cut down to what it needs.

Exit codes, the first that applies:
  2  the command line makes no sense
  4  the target cannot be reached, or died
  1  a MUST is broken; with --strict, anything differs
  5  the dialect or the baseline excuses what holds
  3  nothing or too little was tried, or a verdict is unknown
  0  it conforms, as far as the last line says it was tried

Too little is less than half of what was asked for (--without says what is not), and all that is
cut short: by --budget, --fail-fast or Ctrl-C, which cleans up first; a second Ctrl-C ends it at
once.";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Check {
    #[command(flatten)]
    chosen: Chosen,
    /// What to hold it to: a dialect that ships (law, memcached-1.6.45, memcached-1.6.18), a file
    /// that holds one, or auto, which finds out what the target elected
    #[arg(long, default_value = "law", value_parser = habits)]
    dialect: Habits,
    /// Accept the failures that this TOML file lists, each with a reason
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the failures into the baseline; each new one waits there for its reason
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    /// Also write a report: text, json, junit, md or github, and the file where to, `-` is
    /// standard output; or html, and a directory
    #[arg(long, value_name = "FORM=FILE", value_delimiter = ',', value_parser = report_to)]
    report: Vec<(Form, PathBuf)>,
    /// How the clients' bytes are cut into writes: as they stand, byte by byte, or joined, with
    /// those of neighbouring cases as well
    #[arg(long, value_enum, default_value_t)]
    shape: Shape,
    /// How many exchanges are played at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Show every chapter and every failure, not only one page
    #[arg(long)]
    all: bool,
    /// Write the shortest failure of each broken rule into this directory: RULE.exchange for
    /// `touchstone replay`, and RULE.sh, one line of printf and nc
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Only rules of this level and those above it
    #[arg(long, default_value = "may", value_parser = level)]
    level: Level,
    /// What the target is known not to have: meta, cas, touch, gat, arithmetic, append, flush,
    /// statistics, binary, udp, authentication
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = without)]
    without: Vec<String>,
    /// Stop after so long: `60s`, `5m`; what was not tried by then is skipped
    #[arg(long, value_name = "TIME", value_parser = budget)]
    budget: Option<Duration>,
    /// Stop when a MUST is broken, or anything with --strict; what was not tried by then is skipped
    #[arg(long)]
    fail_fast: bool,
    /// Allow no skip: what is not tried or not supported is no success
    #[arg(long)]
    certify: bool,
    /// Take a SHOULD or a MAY that does not hold for a violation: whoever upgrades memcached and
    /// holds the new one to the old one's dialect learns of everything that clients can see
    #[arg(long)]
    strict: bool,
    /// What to try: a server that runs, as HOST:PORT, unix:PATH or tls:HOST:PORT; and which rules,
    /// by the beginning of a name or a pattern: storage.cas, 'meta.*'
    #[arg(value_name = "TARGET|RULE")]
    words: Vec<String>,
}

/// What a target is held to.
#[derive(Clone)]
enum Habits {
    Of(Dialect),
    /// Whatever it turns out to have elected.
    Auto,
}

/// How many failures are made as short as they can be where only a page of them is shown.
const ON_A_PAGE: usize = 5;

impl Habits {
    /// The word that asks for it.
    fn name(&self) -> String {
        match self {
            Habits::Of(dialect) => dialect.name().to_owned(),
            Habits::Auto => "auto".to_owned(),
        }
    }
}

/// What the target is that cannot be reached.
const UNREACHABLE: u8 = 4;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
    Junit,
    Md,
    Github,
    Html,
}

impl Check {
    /// Plays, prints, and tells the exit code.
    pub(super) fn run(self, exchanges: &[Exchange]) -> Result<u8, String> {
        let accepted = match &self.baseline {
            Some(file) => read_baseline(file, self.update_baseline, exchanges)?,
            None => Baseline::default(),
        };
        let seed = self.chosen.seed();
        let select = self.selection()?;
        let terms = Terms {
            level: self.level,
            without: self.without.clone(),
            seed,
            budget: self.budget,
            fail_fast: self.fail_fast,
            certify: self.certify,
            strict: self.strict,
            watched: progress::is_watched(),
        };
        let target = self.target(seed)?;
        self.can_write()?;
        interrupt::finish_first();
        let arguments = self.arguments(&target);
        let jobs = usize::from(self.jobs);
        let (dialect, elected) = match &self.dialect {
            Habits::Of(dialect) => (dialect.clone(), Vec::new()),
            Habits::Auto => {
                if let Err(problem) = target.answers() {
                    say::problem(&problem);
                    return Ok(UNREACHABLE);
                }
                let election = elect(&target, exchanges, jobs);
                (election.dialect, election.elected)
            }
        };
        let trial = Trial {
            target: target.held_to(&dialect),
            dialect,
            baseline: accepted.clone().on(&today()),
            shape: self.shape,
            select,
            jobs,
            terms,
        };
        let mut report = trial.run(exchanges, &faults::all());
        report.elected = elected;
        report.arguments = arguments;
        let whole = self.all || self.keep.is_some() || !self.report.is_empty();
        trial.shorten(&mut report, if whole { usize::MAX } else { ON_A_PAGE });
        let is_drawn = self.chosen.seed.is_none() && trial.target.is_real();
        if is_drawn && report.unreachable.is_none() {
            say!("seed {seed}");
        }
        self.tell(&report, exchanges)?;
        let updated = accepted.updated(&report).filter(|_| self.update_baseline);
        if let (Some(updated), Some(file)) = (updated, &self.baseline) {
            write_to(file, &updated)?;
        }
        Ok(report.conclusion().exit_code())
    }
}

impl Check {
    /// Whether there will be room for what is asked for: better told before a trial than after it.
    fn can_write(&self) -> Result<(), String> {
        let named = |file: &Path, error| format!("{}: {error}", file.display());
        if let Some(folder) = &self.keep {
            fs::create_dir_all(folder).map_err(|error| named(folder, error))?;
        }
        let (sites, files): (Vec<_>, Vec<_>) = self
            .report
            .iter()
            .partition(|(form, _)| *form == Form::Html);
        for (_, folder) in sites {
            fs::create_dir_all(folder).map_err(|error| named(folder, error))?;
        }
        for (_, file) in files.into_iter().filter(|(_, file)| !is_output(file)) {
            let opened = fs::OpenOptions::new().append(true).create(true).open(file);
            opened.map_err(|error| named(file, error))?;
        }
        Ok(())
    }

    /// Prints the report, and writes what else was asked for.
    fn tell(&self, report: &Report<'_>, exchanges: &[Exchange]) -> Result<(), String> {
        let text = report::text(report, self.all);
        match progress::may_colour() {
            true => say::text(report::coloured(&text)),
            false => say::text(&text),
        }
        if let Some(folder) = &self.keep {
            keep(folder, report)?;
        }
        for (form, file) in &self.report {
            match form {
                Form::Html => matrix::write(file, &site(report, exchanges)?)?,
                form => write_to(file, &shown(report, *form))?,
            }
        }
        Ok(())
    }

    /// The arguments that try the same target in the same way, each with a space behind it. No
    /// baseline is among them: what it excuses is to be seen again as it is.
    fn arguments(&self, target: &Target) -> String {
        let mut arguments = self.chosen.arguments(target);
        let mut add = |name: &str, value: &str| {
            arguments.push_str(&format!("--{name} {} ", report::shell(value)));
        };
        if self.dialect.name() != "law" {
            add("dialect", &self.dialect.name());
        }
        let shape = self.shape.to_possible_value();
        if let Some(shape) = shape.filter(|_| self.shape != Shape::default()) {
            add("shape", shape.get_name());
        }
        arguments
    }

    /// The rules that were asked for.
    fn selection(&self) -> Result<Vec<String>, String> {
        let rules = self.words.iter().filter(|word| !word.contains(':'));
        let rules: Vec<String> = rules.cloned().collect();
        let unknown = rules.iter().find(|rule| {
            !REQUIREMENTS
                .iter()
                .any(|requirement| selects(rule, requirement))
        });
        match unknown {
            Some(rule) => Err(format!(
                "no rule is called or begins `{rule}` (`touchstone list` prints them), and a \
                 target is HOST:PORT, unix:PATH or tls:HOST:PORT"
            )),
            None => Ok(rules),
        }
    }

    /// What is to be tried, which no rule's name can be: it has a colon.
    fn target(&self, seed: u64) -> Result<Target, String> {
        let mut places = self.words.iter().filter(|word| word.contains(':'));
        let place = places.next();
        if let (Some(one), Some(other)) = (place, places.next()) {
            return Err(format!("`{one}` and `{other}` are two targets; name one"));
        }
        self.chosen.target(place.map(String::as_str), seed)
    }
}

fn habits(name: &str) -> Result<Habits, String> {
    match name {
        "auto" => Ok(Habits::Auto),
        name => dialect(name)
            .map(Habits::Of)
            .map_err(|problem| problem.replacen("there are ", "there are auto, ", 1)),
    }
}

fn level(word: &str) -> Result<Level, String> {
    match word {
        "must" => Ok(Level::Must),
        "should" => Ok(Level::Should),
        "may" => Ok(Level::May),
        _ => Err("a level is must, should or may".to_owned()),
    }
}

fn without(name: &str) -> Result<String, String> {
    let names = capability::names();
    match names.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("one can be without {}", names.join(", "))),
    }
}

pub(super) fn budget(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(['s', 'm']).len());
    let seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        _ => 0,
    };
    let budget = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds));
    let budget = budget.filter(|budget| *budget > 0);
    budget
        .map(Duration::from_secs)
        .ok_or_else(|| "a time is `60s` or `5m`".to_owned())
}

fn report_to(argument: &str) -> Result<(Form, PathBuf), String> {
    let (form, file) = argument.split_once('=').ok_or("write FORM=FILE")?;
    let form = Form::from_str(form, false)
        .map_err(|_| format!("`{form}` is not text, json, junit, md, github or html"))?;
    Ok((form, PathBuf::from(file)))
}

fn read_baseline(
    file: &Path,
    may_be_new: bool,
    exchanges: &[Exchange],
) -> Result<Baseline, String> {
    if may_be_new && !file.exists() {
        return Ok(Baseline::default());
    }
    read(file, |text| {
        let baseline = Baseline::parse(text).map_err(|problem| problem.to_string())?;
        let faults = faults::all().into_iter().map(Case::Fault);
        let cases = exchanges.iter().map(Case::Exchange).chain(faults);
        match baseline.stranger(cases) {
            Some(case) => Err(format!(
                "there is no case `{case}`; a report names each by its file and line"
            )),
            None => Ok(baseline),
        }
    })
}

fn shown(report: &Report<'_>, form: Form) -> String {
    match form {
        Form::Text => report::text(report, true),
        Form::Json | Form::Html => report::json(report),
        Form::Junit => report::junit(report),
        Form::Md => report::markdown(report),
        Form::Github => report::github(report),
    }
}

/// The report as a site of its own.
fn site(report: &Report<'_>, exchanges: &[Exchange]) -> Result<Vec<Page>, String> {
    let site = Site {
        tried: vec![Tried::read("this target", &report::json(report))?],
        exchanges: exchanges.to_vec(),
        ..Site::default()
    };
    Ok(site.pages())
}

/// Writes the failures as files, and says where they are.
pub(super) fn keep(folder: &Path, report: &Report<'_>) -> Result<(), String> {
    let files = report::kept(report);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for file in &files {
        write_to(&folder.join(&file.name), &file.text)?;
    }
    if let Some(first) = files.first() {
        let first = folder.join(&first.name);
        say!(
            "kept {} files; for example: touchstone replay {}",
            files.len(),
            first.display()
        );
    }
    Ok(())
}

/// Whether this file is standard output.
fn is_output(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn write_to(file: &Path, text: &str) -> Result<(), String> {
    if is_output(file) {
        say!("{text}");
        return Ok(());
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
