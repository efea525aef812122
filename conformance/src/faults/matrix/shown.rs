//! The matrix as it is read: as text by people, as JSON by programs.
//!
//! It never judges.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::time::Duration;

use serde::Serialize;

use super::{Cell, Column, Finding, Matrix};
use crate::faults::table::Row;
use crate::faults::{Spread, TARGET, Waits};

/// How wide what a case says may be.
const SAYS: usize = 56;
const CELL: usize = 8;

/// What the words of the table mean.
const LEGEND: &str = "\
held     as it must be: the reply or the close, the stream in step, another client served within a
         second, descriptors and memory given back
known    otherwise, as its dialect says, or where the law only observes
BROKEN   otherwise
untried  it cannot be tried here; why is said below
test     not on the wire: the tests that hold it are named below
nobody   nobody shows it; why is said below
";

impl Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for column in &self.columns {
            let Column { subject, .. } = column;
            writeln!(
                f,
                "{} over {}: {}",
                subject.name, subject.over, subject.target
            )?;
            if let Some(problem) = &column.unreachable {
                writeln!(f, "    nothing could be tried: {problem}")?;
            }
        }
        self.rows(f, "cases", &self.table.cases)?;
        self.rows(f, "vulnerabilities", &self.table.vulnerabilities)?;
        write!(f, "\n{LEGEND}")?;
        self.remarks(f)?;
        self.unheld(f)?;
        self.untried(f)?;
        self.waits(f)?;
        self.sums(f)
    }
}

impl Matrix {
    fn rows(&self, f: &mut fmt::Formatter<'_>, what: &str, rows: &[Row]) -> fmt::Result {
        if rows.is_empty() {
            return Ok(());
        }
        let width = 19 + SAYS;
        let mut head = (format!("{what:<width$}"), " ".repeat(width));
        for of_server in self
            .columns
            .chunk_by(|a, b| a.subject.name == b.subject.name)
        {
            let name = of_server
                .first()
                .map_or("", |column| column.subject.name.as_str());
            let width = of_server.len() * (CELL + 1) - 1;
            let _ = write!(head.0, " {name:<width$.width$}");
            for column in of_server {
                let _ = write!(head.1, " {:<CELL$}", column.subject.over);
            }
        }
        writeln!(f, "\n{}\n{}", head.0.trim_end(), head.1.trim_end())?;
        for row in rows {
            let class = row.class.as_deref().unwrap_or_default();
            let mut line = format!("{:>16} {class:<1} {:<SAYS$.SAYS$}", row.name(), row.says);
            for column in &self.columns {
                let _ = write!(line, " {:<CELL$}", column.cell(row).word());
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// What is held by tests, and what by nobody.
    fn remarks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = self.table.rows().peekable();
        if rows.peek().is_some() {
            writeln!(f, "\nbeside the wire")?;
        }
        for row in rows {
            for test in &row.tests {
                writeln!(f, "{:>16} {test}", row.name())?;
            }
            if let Some(lacks) = &row.lacks {
                writeln!(f, "{:>16} nobody: {lacks}", row.name())?;
            }
        }
        Ok(())
    }

    /// Which cases something shows.
    fn cases_of(&self, finding: &Finding) -> String {
        let rows = self.table.rows().filter(|row| row.names(finding.shows));
        let names: Vec<String> = rows.map(Row::name).collect();
        names.join(", ")
    }

    fn unheld(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (cell, title) in [(Cell::Broken, "broken"), (Cell::Known, "known")] {
            let mut told: BTreeMap<(&str, String, String), Vec<String>> = BTreeMap::new();
            for column in &self.columns {
                let of_cell = column
                    .findings
                    .iter()
                    .filter(|finding| finding.cell() == cell);
                for finding in of_cell {
                    let why = match cell {
                        // The deviation says it; what came is in the report.
                        Cell::Known => finding.why.split("; ").next().unwrap_or_default(),
                        _ => finding.why.as_str(),
                    };
                    let key = (finding.shows, self.cases_of(finding), why.to_owned());
                    let place = format!("{} {}", column.subject.name, column.subject.over);
                    let places = told.entry(key).or_default();
                    if !places.contains(&place) {
                        places.push(place);
                    }
                }
            }
            if !told.is_empty() {
                writeln!(f, "\n{title}")?;
            }
            for ((shows, cases, why), places) in told {
                writeln!(
                    f,
                    "  {shows} (case {cases})\n    {}\n    {why}",
                    places.join(", ")
                )?;
            }
        }
        Ok(())
    }

    /// What was not tried, by reason.
    fn untried(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told: BTreeMap<(String, String), BTreeMap<&str, usize>> = BTreeMap::new();
        for column in &self.columns {
            let place = format!("{} {}", column.subject.name, column.subject.over);
            for finding in &column.findings {
                if finding.cell() == Cell::Untried {
                    let of_place = told
                        .entry((place.clone(), finding.why.clone()))
                        .or_default();
                    *of_place.entry(finding.shows).or_default() += 1;
                }
            }
            for row in self.table.rows() {
                let is_shown = |name: &&str| {
                    let mut shown = column.findings.iter();
                    shown.any(|finding| finding.shows == *name)
                };
                for name in row.shown_by().filter(|name| !is_shown(name)) {
                    let why = "there is no exchange that shows it to who is held to its dialect";
                    let of_place = told.entry((place.clone(), why.to_owned())).or_default();
                    *of_place.entry(name).or_default() += 1;
                }
            }
        }
        if !told.is_empty() {
            writeln!(f, "\nuntried")?;
        }
        for ((place, why), shows) in told {
            let shows: Vec<&str> = shows.into_keys().collect();
            writeln!(f, "  {place}: {why}\n    {}", shows.join(", "))?;
        }
        Ok(())
    }

    /// How long innocent clients waited, fault by fault, and beside all exchanges together.
    fn waits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nhow long another client waited, in ms, and at the same time for an echo of its own: \
             what the machine let it wait. * is above the target of {} ms for p99",
            TARGET.as_millis()
        )?;
        writeln!(f, "{:<48} {}", "", Figures::HEAD)?;
        let mut shown: BTreeMap<&str, Vec<(String, Waits)>> = BTreeMap::new();
        for column in &self.columns {
            let place = format!("{} {}", column.subject.name, column.subject.over);
            let mut others = Waits::default();
            for finding in &column.findings {
                match finding.place.contains(".md:") || finding.place.contains(".exchange:") {
                    true => others.join(&finding.waits),
                    false => {
                        let of_fault = shown.entry(finding.shows).or_default();
                        of_fault.push((place.clone(), finding.waits.clone()));
                    }
                }
            }
            shown
                .entry("(every exchange)")
                .or_default()
                .push((place, others));
        }
        for (fault, places) in shown {
            let mut name = fault;
            for (place, waits) in places.iter().filter(|(_, waits)| waits.served().is_some()) {
                writeln!(f, "{name:<24}{place:<24} {}", Figures(waits))?;
                name = "";
            }
        }
        Ok(())
    }

    /// How often each word stands in a column.
    fn sums(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for column in &self.columns {
            let mut sums: BTreeMap<Cell, usize> = BTreeMap::new();
            for row in self.table.rows() {
                *sums.entry(column.cell(row)).or_default() += 1;
            }
            let sums = sums
                .into_iter()
                .map(|(cell, n)| format!("{n} {}", cell.word()));
            let sums: Vec<String> = sums.collect();
            let subject = &column.subject;
            writeln!(
                f,
                "{} over {}: {}",
                subject.name,
                subject.over,
                sums.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Waits in one line.
pub struct Figures<'a>(pub &'a Waits);

impl Figures<'_> {
    /// What stands above it.
    pub const HEAD: &'static str = "      n   median      p99      max   echo p99      max";
}

impl Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |wait: Duration| format!("{:.2}", wait.as_secs_f64() * 1000.0);
        let Some(Spread {
            count,
            median,
            p99,
            max,
        }) = self.0.served()
        else {
            return write!(f, "{:>7}", 0);
        };
        let (median, tail, max) = (ms(median), ms(p99), ms(max));
        write!(f, "{count:>7} {median:>8} {tail:>8} {max:>8}")?;
        if let Some(echo) = self.0.echoed() {
            write!(f, "   {:>8} {:>8}", ms(echo.p99), ms(echo.max))?;
        }
        f.write_str(if p99 > TARGET { "*" } else { "" })
    }
}

#[derive(Serialize)]
struct Json<'a> {
    tool: &'static str,
    version: &'static str,
    seed: u64,
    servers: Vec<Server<'a>>,
    classes: &'a BTreeMap<String, String>,
    cases: Vec<Case<'a>>,
    vulnerabilities: Vec<Case<'a>>,
}

/// A server, one way to it, and all that was done to it so.
#[derive(Serialize)]
struct Server<'a> {
    name: &'a str,
    over: &'static str,
    target: String,
    dialect: &'a str,
    unreachable: Option<&'a str>,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    /// The name of a rule or of a fault.
    shows: &'static str,
    place: &'a str,
    verdict: &'static str,
    why: &'a str,
    /// How long the innocent client waited for the server.
    waits: Option<Micros>,
    /// How long it waited for an echo of its own at the same time.
    echo: Option<Micros>,
}

/// Waits, in microseconds.
#[derive(Serialize)]
struct Micros {
    count: usize,
    median: u128,
    p99: u128,
    max: u128,
}

impl From<Spread> for Micros {
    fn from(spread: Spread) -> Micros {
        Micros {
            count: spread.count,
            median: spread.median.as_micros(),
            p99: spread.p99.as_micros(),
            max: spread.max.as_micros(),
        }
    }
}

#[derive(Serialize)]
struct Case<'a> {
    name: String,
    class: Option<&'a str>,
    says: &'a str,
    rules: &'a [String],
    faults: &'a [String],
    tests: &'a [String],
    lacks: Option<&'a str>,
    /// One for each server.
    verdicts: Vec<&'static str>,
}

/// The matrix as one JSON object.
#[must_use]
pub fn json(matrix: &Matrix) -> String {
    let of = |rows| Case::all(rows, &matrix.columns);
    let json = Json {
        tool: "touchstone faults",
        version: env!("CARGO_PKG_VERSION"),
        seed: matrix.seed,
        servers: matrix.columns.iter().map(Server::of).collect(),
        classes: &matrix.table.classes,
        cases: of(&matrix.table.cases),
        vulnerabilities: of(&matrix.table.vulnerabilities),
    };
    let text = serde_json::to_string_pretty(&json);
    text.expect("every key is a string") + "\n"
}

impl<'a> Server<'a> {
    fn of(column: &'a Column) -> Server<'a> {
        let found = |finding: &'a Finding| Found {
            shows: finding.shows,
            place: &finding.place,
            verdict: finding.verdict.word(),
            why: &finding.why,
            waits: finding.waits.served().map(Micros::from),
            echo: finding.waits.echoed().map(Micros::from),
        };
        Server {
            name: &column.subject.name,
            over: column.subject.over,
            target: column.subject.target.to_string(),
            dialect: column.subject.dialect.name(),
            unreachable: column.unreachable.as_deref(),
            findings: column.findings.iter().map(found).collect(),
        }
    }
}

impl<'a> Case<'a> {
    fn all(rows: &'a [Row], columns: &[Column]) -> Vec<Case<'a>> {
        rows.iter().map(|row| Case::of(row, columns)).collect()
    }

    fn of(row: &'a Row, columns: &[Column]) -> Case<'a> {
        let verdicts = columns.iter().map(|column| column.cell(row).word());
        Case {
            name: row.name(),
            class: row.class.as_deref(),
            says: &row.says,
            rules: &row.rules,
            faults: &row.faults,
            tests: &row.tests,
            lacks: row.lacks.as_deref(),
            verdicts: verdicts.collect(),
        }
    }
}
