//! Every case done to one or more servers over one or more ways to reach them.
//!
//! What shows a case is done once for each server and way, however many cases it shows. Nothing is
//! left out in silence: what was not tried says why. How it is printed is in `matrix/shown.rs`.

pub mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use spec::exchange::Exchange;
use spec::{Dialect, Kind, REQUIREMENTS, Requirement, Standing};

use super::table::{Row, Table};
use super::{Fault, Tried, Waits, beside, is_patient, named, tried};
use crate::capability::Capabilities;
use crate::cases::Case;
use crate::interrupt;
use crate::schedule::{self, Turn};
use crate::target::{Outcome, Target};
use crate::verdict::{Judged, Verdict};

/// A server, and one way to reach it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is called: its name and its version.
    pub name: String,
    /// How it is reached: `tcp`, `unix`, `tls`.
    pub over: &'static str,
    /// What starts it.
    pub target: Target,
    /// What it is held to.
    pub dialect: Dialect,
}

/// What came of one exchange or fault on one server.
#[derive(Debug)]
pub struct Finding {
    /// What it shows: the name of a rule or of a fault.
    pub shows: &'static str,
    /// Where it stands.
    pub place: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was expected and what came, what excuses it, or why it was not tried.
    pub why: String,
    /// How long the innocent client waited.
    pub waits: Waits,
}

/// What came of all of it on one server.
#[derive(Debug)]
pub struct Column {
    /// The server.
    pub subject: Subject,
    /// Why nothing was tried, where nothing was.
    pub unreachable: Option<String>,
    /// What came of each.
    pub findings: Vec<Finding>,
}

/// What a case came to on one server, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Something was not as it must be.
    Broken,
    /// Something is not as it must be, as its dialect says, or the law only observes it.
    Known,
    /// All that could be tried is as it must be.
    Held,
    /// Nothing could be tried, or was.
    Untried,
    /// A test of the repository shows it, and nothing else.
    Test,
    /// Nobody shows it.
    Lacking,
}

impl Cell {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Cell::Broken => "BROKEN",
            Cell::Known => "known",
            Cell::Held => "held",
            Cell::Untried => "untried",
            Cell::Test => "test",
            Cell::Lacking => "nobody",
        }
    }
}

/// The cases, and what came of them.
#[derive(Debug)]
pub struct Matrix {
    /// The cases that were asked for.
    pub table: Table,
    /// The servers.
    pub columns: Vec<Column>,
    /// What made the order.
    pub seed: u64,
}

/// Something that shows a case.
enum Evidence<'a> {
    Played(&'static str, &'a Exchange),
    Done(&'static Fault),
}

impl Evidence<'_> {
    fn turn(&self) -> Turn {
        match self {
            Evidence::Done(fault) if is_patient(fault) => Turn::Waits,
            Evidence::Done(_) => Turn::Strains,
            Evidence::Played(_, exchange) => schedule::turn(exchange, false, false),
        }
    }

    /// What it is called in the table.
    fn shows(&self) -> &'static str {
        match self {
            Evidence::Played(rule, _) => rule,
            Evidence::Done(fault) => fault.name,
        }
    }

    /// Does it to a server.
    fn tried(&self, subject: &Subject, capabilities: &Capabilities) -> Tried {
        let untried = |outcome| Tried {
            outcome,
            waits: Waits::default(),
        };
        match self {
            _ if interrupt::was_heard() => untried(interrupted()),
            Evidence::Played(_, exchange) => match capabilities.lack(exchange) {
                Some(lack) => untried(lack),
                None => beside(&subject.target, exchange, capabilities.fence),
            },
            Evidence::Done(fault) => tried(&subject.target, fault, capabilities.fence),
        }
    }
}

/// The cases that are being shown to one server.
struct Underway<'a> {
    table: &'a Table,
    /// How many still show that name, and the worst that has come of others.
    shown: Mutex<BTreeMap<&'static str, (usize, Cell)>>,
    tell: &'a (dyn Fn(&Row, Cell) + Sync),
}

impl<'a> Underway<'a> {
    fn new(
        table: &'a Table,
        evidence: &[Evidence<'_>],
        tell: &'a (dyn Fn(&Row, Cell) + Sync),
    ) -> Underway<'a> {
        let mut shown = BTreeMap::new();
        for evidence in evidence {
            let (left, _) = shown.entry(evidence.shows()).or_insert((0, Cell::Untried));
            *left += 1;
        }
        Underway {
            table,
            shown: Mutex::new(shown),
            tell,
        }
    }

    /// Something has come of one, and maybe all is known of a case.
    fn note(&self, finding: &Finding) {
        let mut shown = self.shown.lock().expect("nobody panics");
        let Some((left, worst)) = shown.get_mut(finding.shows) else {
            return;
        };
        *worst = (*worst).min(finding.cell());
        *left -= 1;
        if *left > 0 {
            return;
        }
        for row in self.table.rows().filter(|row| row.names(finding.shows)) {
            let of_row = || row.shown_by().filter_map(|name| shown.get(name));
            if of_row().all(|(left, _)| *left == 0) {
                let worst = of_row().map(|(_, worst)| *worst).min();
                (self.tell)(row, worst.unwrap_or(Cell::Untried));
            }
        }
    }
}

impl Matrix {
    /// Does everything that shows one of these cases to each of these servers, so much at once, in
    /// an order made of the seed. What a case comes to on a server is told as soon as it is known.
    #[must_use]
    pub fn of(
        table: Table,
        subjects: Vec<Subject>,
        exchanges: &[Exchange],
        (jobs, seed): (usize, u64),
        known: impl Fn(&Subject, &Row, Cell) + Sync,
    ) -> Matrix {
        let column = |subject| Column::of(subject, &table, exchanges, (jobs, seed), &known);
        let columns = subjects.into_iter().map(column).collect();
        Matrix {
            table,
            columns,
            seed,
        }
    }

    /// The worst that there is in it.
    #[must_use]
    pub fn worst(&self) -> Option<Cell> {
        let rows = self.table.rows();
        let cells = rows.flat_map(|row| self.columns.iter().map(|column| column.cell(row)));
        cells.min()
    }
}

impl Column {
    fn of(
        subject: Subject,
        table: &Table,
        exchanges: &[Exchange],
        (jobs, seed): (usize, u64),
        known: &(impl Fn(&Subject, &Row, Cell) + Sync),
    ) -> Column {
        let mut column = Column {
            subject,
            unreachable: None,
            findings: Vec::new(),
        };
        let subject = &column.subject;
        if let Err(problem) = subject.target.answers() {
            column.unreachable = Some(problem);
            return column;
        }
        let evidence = evidence(table, &subject.dialect, exchanges);
        let capabilities = Capabilities::of(&subject.target, &[]);
        let tell = |row: &Row, cell| known(subject, row, cell);
        let underway = Underway::new(table, &evidence, &tell);
        let play = |evidence: &Evidence<'_>| {
            let tried = evidence.tried(subject, &capabilities);
            let outcome = match tried.outcome {
                Outcome::Passed => Outcome::Passed,
                // What went wrong now may have lost its server.
                _ if interrupt::was_heard() => interrupted(),
                outcome => outcome,
            };
            let finding = Finding::of(evidence, outcome, &subject.dialect, tried.waits);
            underway.note(&finding);
            finding
        };
        column.findings = schedule::all(&evidence, jobs, seed, Evidence::turn, play);
        column
    }

    /// What was found of this case.
    pub fn of_row<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a Finding> {
        let findings = self.findings.iter();
        findings.filter(|finding| row.names(finding.shows))
    }

    /// What this case came to.
    #[must_use]
    pub fn cell(&self, row: &Row) -> Cell {
        if row.rules.is_empty() && row.faults.is_empty() {
            return match row.tests.is_empty() {
                true => Cell::Lacking,
                false => Cell::Test,
            };
        }
        let cells = self.of_row(row).map(Finding::cell);
        cells.min().unwrap_or(Cell::Untried)
    }
}

impl Finding {
    fn of(evidence: &Evidence<'_>, outcome: Outcome, dialect: &Dialect, waits: Waits) -> Finding {
        let case = match evidence {
            Evidence::Played(_, exchange) => Case::Exchange(exchange),
            Evidence::Done(fault) => Case::Fault(fault),
        };
        let excuse = match dialect.standing(case.requirement()) {
            Standing::Excused(because) => Some(because.to_owned()),
            Standing::Held | Standing::NotElected => None,
        };
        let judged = Judged::new(case, outcome, excuse);
        let failed = judged.failure.as_deref().map(|failure| {
            let received = failure.received.escape_ascii().to_string();
            let received: String = received.chars().take(100).collect();
            format!("expected {}, received {received}", failure.expected)
        });
        let why = match (judged.reason, failed) {
            (Some(reason), Some(failed)) => format!("{reason}; {failed}"),
            (reason, failed) => reason.or(failed).unwrap_or_default(),
        };
        Finding {
            shows: evidence.shows(),
            place: case.name(),
            verdict: judged.verdict,
            why,
            waits,
        }
    }

    /// What it alone says of its case.
    #[must_use]
    pub fn cell(&self) -> Cell {
        match self.verdict {
            Verdict::Pass => Cell::Held,
            Verdict::Known | Verdict::Info => Cell::Known,
            Verdict::Fail | Verdict::NonStrict | Verdict::Crashed => Cell::Broken,
            Verdict::Unsupported | Verdict::Skipped | Verdict::Unknown => Cell::Untried,
        }
    }
}

fn interrupted() -> Outcome {
    Outcome::Skipped("somebody interrupted it".to_owned())
}

/// What shows the cases of the table to who is held to this dialect, each once.
fn evidence<'a>(table: &Table, dialect: &Dialect, exchanges: &'a [Exchange]) -> Vec<Evidence<'a>> {
    let names = |of: fn(&Row) -> &Vec<String>| -> BTreeSet<&str> {
        let names = table.rows().flat_map(move |row| of(row).iter());
        names.map(String::as_str).collect()
    };
    let (rules, faults) = (names(|row| &row.rules), names(|row| &row.faults));
    let shown = exchanges.iter().filter_map(|exchange| {
        let is_due = exchange.header.holds_for(dialect.name())
            && exchange.requirement.kind != Kind::Deviation
            && dialect.standing(exchange.requirement) != Standing::NotElected;
        let rule = rule_of(exchange.requirement);
        let is_asked = rules.contains(rule.name);
        (is_due && is_asked).then_some(Evidence::Played(rule.name, exchange))
    });
    let done = faults
        .iter()
        .filter_map(|name| named(name))
        .map(Evidence::Done);
    shown.chain(done).collect()
}

/// The rule that this is, or is an alternative to.
fn rule_of(requirement: &'static Requirement) -> &'static Requirement {
    let until = REQUIREMENTS
        .iter()
        .take_while(|other| other.ordinal <= requirement.ordinal);
    let rule = until.filter(|other| other.kind == Kind::Rule).last();
    rule.unwrap_or(requirement)
}
