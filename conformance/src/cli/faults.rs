//! `touchstone faults`: everything that a server must stand, in one table.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use conformance::faults::matrix::shown::json;
use conformance::faults::matrix::{Cell, Matrix, Subject};
use conformance::faults::table::Table;
use conformance::interrupt;
use conformance::target::Target;
use conformance::target::certificate::Certificate;
use conformance::target::place::{is_said, over};
use conformance::terms::any_seed;
use spec::Dialect;
use spec::exchange::Exchange;

use super::say;

/// What the help says below the options.
const LESSON: &str = "\
Examples:
  touchstone faults                              touchstoned and the memcached in PATH, over TCP,
                                                 UNIX sockets and TLS
  touchstone faults --spawn './mine {port}' --spawn './mine --socket {socket}'
  touchstone faults --spawn './mine {port}' --only 10,84,endless-line,CVE-2011-4971
  touchstone faults --report json=faults.json

Each case is told of as soon as it is known what came of it on a server. In the end it is a row of
a table: what is done, and for each server and way to reach it what came of it. While it is done
another client asks on, and must be answered within a second; how long it waited is shown as well.
Afterwards the server must have given back the descriptors, and the memory but for its items. What
cannot be tried says why. A server that runs already is somebody's cache, and nothing of this
is done to it.

A command is held to the dialect of the memcached that it says it is (`-V`), and else to the law.

Exit codes, the first that applies:
  2  the command line makes no sense
  4  a server cannot be started
  1  a case is broken
  3  nothing was tried, or the trial was interrupted
  0  every case that could be tried is held, or known of that memcached";

/// Stands for a file with a certificate and its key, made for the trial.
const CERTIFICATE: &str = "{certificate}";

#[derive(Args)]
#[command(after_help = LESSON)]
pub(super) struct Faults {
    /// Start this command, once for each thing that is done to it; `{port}` stands for the port,
    /// `{socket}` for a UNIX socket, `{tls-port}` for a port where it speaks TLS, `{certificate}`
    /// for a PEM file with a certificate and its key. May be repeated
    #[arg(long, value_name = "COMMAND")]
    spawn: Vec<String>,
    /// Hold all of them to this dialect: one that ships, or a file that holds one
    #[arg(long, value_parser = super::dialect)]
    dialect: Option<Dialect>,
    /// Only these: numbers of cases, vulnerabilities, faults, rules
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How many are done at once, each to a server of its own
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Makes the order; chosen at random and printed where it is not given
    #[arg(long, value_parser = super::number)]
    seed: Option<u64>,
    /// Also write everything to this file: `json=FILE`
    #[arg(long, value_name = "json=FILE", value_parser = report_to)]
    report: Option<PathBuf>,
}

impl Faults {
    /// Does it all, prints the table, and tells the exit code.
    pub(super) fn run(self, exchanges: &[Exchange]) -> Result<u8, String> {
        let table = self.table()?;
        let certificate =
            Certificate::write().map_err(|error| format!("a certificate: {error}"))?;
        let commands = match self.spawn.is_empty() {
            true => usual()?,
            false => self.spawn.clone(),
        };
        let file = certificate.file().to_string_lossy();
        let commands = commands
            .into_iter()
            .map(|command| command.replace(CERTIFICATE, &file));
        let commands: Vec<String> = commands.collect();
        let subjects: Vec<Subject> = commands
            .iter()
            .map(|command| self.subject(command))
            .collect::<Result<_, _>>()?;
        if let Some(file) = &self.report {
            // Better told before a trial than after it.
            let opened = fs::OpenOptions::new().append(true).create(true).open(file);
            opened.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        interrupt::finish_first();
        let seed = self.seed.unwrap_or_else(any_seed);
        say!("seed {seed}");
        let how = (usize::from(self.jobs), seed);
        let matrix = Matrix::of(table, subjects, exchanges, how, |subject, row, cell| {
            let (name, over, case) = (&subject.name, subject.over, row.name());
            say!("{:<8} {case:>16} {} ({name} {over})", cell.word(), row.says);
        });
        say!("");
        say::text(&matrix);
        if let Some(file) = &self.report {
            let named = |error| format!("{}: {error}", file.display());
            fs::write(file, json(&matrix)).map_err(named)?;
        }
        let is_missing = matrix
            .columns
            .iter()
            .any(|column| column.unreachable.is_some());
        Ok(match matrix.worst() {
            _ if is_missing => 4,
            Some(Cell::Broken) => 1,
            None | Some(Cell::Untried | Cell::Test | Cell::Lacking) => 3,
            _ if interrupt::was_heard() => 3,
            Some(Cell::Held | Cell::Known) => 0,
        })
    }

    /// The cases that were asked for.
    fn table(&self) -> Result<Table, String> {
        let mut table = Table::shipped();
        if self.only.is_empty() {
            return Ok(table);
        }
        for only in &self.only {
            let mut rows = table.rows();
            let is_shown = rows.any(|row| {
                row.name() == *only || row.rules.contains(only) || row.faults.contains(only)
            });
            if !is_shown {
                return Err(format!(
                    "no case, vulnerability, fault or rule of them is `{only}`"
                ));
            }
        }
        for rows in [&mut table.cases, &mut table.vulnerabilities] {
            rows.retain_mut(|row| {
                if self.only.contains(&row.name()) {
                    return true;
                }
                row.rules.retain(|rule| self.only.contains(rule));
                row.faults.retain(|fault| self.only.contains(fault));
                !row.rules.is_empty() || !row.faults.is_empty()
            });
        }
        Ok(table)
    }

    fn subject(&self, command: &str) -> Result<Subject, String> {
        is_said(command)?;
        let name = said_name(command);
        let dialect = self.dialect.clone();
        Ok(Subject {
            over: over(command),
            target: Target::Spawn(command.to_owned()),
            dialect: dialect.unwrap_or_else(|| own_dialect(command)),
            name,
        })
    }
}

/// Our server: beside this program, or else in PATH.
pub(super) fn ours() -> String {
    let beside = env::current_exe().map(|own| own.with_file_name("touchstoned"));
    let beside = beside.ok().filter(|daemon| daemon.exists());
    beside.map_or("touchstoned".to_owned(), |path| path.display().to_string())
}

/// The dialect of the memcached that a command says it is, or else the law.
pub(super) fn own_dialect(command: &str) -> Dialect {
    Dialect::shipped(&said_name(command).replace(' ', "-")).unwrap_or_default()
}

/// Our server and the memcached in PATH, over all that both of them speak.
fn usual() -> Result<Vec<String>, String> {
    let programs = [ours(), "memcached".to_owned()];
    for program in &programs {
        if Command::new(program).arg("-V").output().is_err() {
            return Err(format!(
                "there is no `{program}`; name what to try (--spawn)"
            ));
        }
    }
    let tls = format!("-Z -o ssl_chain_cert={CERTIFICATE},ssl_key={CERTIFICATE}");
    let ways = [
        "-l 127.0.0.1 -p {port}".to_owned(),
        "-s {socket}".to_owned(),
        format!("-l 127.0.0.1 -p {{tls-port}} {tls}"),
    ];
    let commands = programs.iter().flat_map(|program| {
        ways.iter()
            .map(move |way| format!("{program} -u root {way}"))
    });
    Ok(commands.collect())
}

/// What the program of a command calls itself: the last line of `-V`, or else its file's name.
fn said_name(command: &str) -> String {
    let program = command.split_whitespace().next().unwrap_or_default();
    let file = Path::new(program).file_name().unwrap_or_default();
    let said = Command::new(program).arg("-V").output().ok();
    let said = said.filter(|said| said.status.success());
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let line = said.as_deref().and_then(|said| said.trim().lines().last());
    // A program that takes no `-V` may say anything.
    let is_name = |line: &&str| line.split(' ').count() == 2 && line.len() <= 40;
    let line = line.filter(is_name).map(str::to_owned);
    line.unwrap_or_else(|| file.to_string_lossy().into_owned())
}

fn report_to(argument: &str) -> Result<PathBuf, String> {
    let file = argument.strip_prefix("json=");
    file.map(PathBuf::from)
        .ok_or_else(|| "write json=FILE".to_owned())
}
