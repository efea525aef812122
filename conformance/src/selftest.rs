//! Whether the suite can fail: every exchange there is, played against every liar.
//!
//! A liar that no rule catches is a hole in the law, and a MUST that passes on servers without
//! content is an exchange that shows nothing. It never repairs either; the liars are in `liars/`.

use std::collections::BTreeSet;
use std::fmt;
use std::thread;

use spec::exchange::Exchange;
use spec::{Dialect, Level};

use crate::baseline::Baseline;
use crate::cases::Case;
use crate::check::Trial;
use crate::liars::{Liar, liars};
use crate::target::Target;
use crate::target::shape::Shape;
use crate::verdict::{Conclusion, Report, Verdict};

/// On how many servers without content an exchange of a MUST may pass: where silence or a close is
/// what the rule demands, more than one is silent or closes.
pub const CONTENT_FREE_PASSES_MAX: usize = 2;

/// What the liars say of the suite.
#[derive(Debug)]
pub struct SelfTest<'a> {
    /// How many exchanges were played against each liar.
    pub exchanges: usize,
    /// How many of them are of MUST rules.
    pub musts: usize,
    /// Each liar and what caught it.
    pub rows: Vec<Row<'a>>,
    /// Exchanges that fail although nobody lies: a liar may not be caught by its machinery.
    pub unfair: Vec<&'a Exchange>,
    /// Exchanges that catch no liar but those without content: they tell no two servers apart.
    pub padding: Vec<&'a Exchange>,
}

/// What became of one liar.
#[derive(Debug)]
pub struct Row<'a> {
    /// The liar.
    pub liar: &'static Liar,
    /// The rules that do not hold for it.
    pub caught_by: BTreeSet<&'static str>,
    /// Whether its trial ends as one of a server that violates the law.
    pub violates: bool,
    /// The exchanges of MUST rules that it passes.
    pub passes: Vec<&'a Exchange>,
    /// All exchanges that it fails.
    pub fails: Vec<&'a Exchange>,
}

/// Plays every exchange against every liar, so many liars at once.
#[must_use]
pub fn selftest(exchanges: &[Exchange], jobs: usize) -> SelfTest<'_> {
    let honest = trial(Target::Honest).run(exchanges, &[]);
    let rows = rows(exchanges, jobs.max(1));
    SelfTest {
        padding: padding(exchanges_with(&honest, |_, _| true), &rows),
        exchanges: honest.judged.len(),
        musts: exchanges_with(&honest, |_, level| level == Level::Must).len(),
        rows,
        unfair: exchanges_with(&honest, |verdict, _| {
            !matches!(verdict, Verdict::Pass | Verdict::Unsupported)
        }),
    }
}

/// Those of these exchanges that pass on every liar that understands its clients.
fn padding<'a>(played: Vec<&'a Exchange>, rows: &[Row<'a>]) -> Vec<&'a Exchange> {
    let content = rows.iter().filter(|row| !row.liar.is_content_free());
    let catches: Vec<_> = content.flat_map(|row| row.fails.iter().copied()).collect();
    let catches: BTreeSet<*const Exchange> = catches.into_iter().map(std::ptr::from_ref).collect();
    let padding = played.into_iter();
    let padding = padding.filter(|exchange| !catches.contains(&std::ptr::from_ref(*exchange)));
    padding.collect()
}

fn rows(exchanges: &[Exchange], jobs: usize) -> Vec<Row<'_>> {
    let share = |first| {
        let liars = liars().enumerate().skip(first).step_by(jobs);
        liars
            .map(|(index, liar)| {
                (
                    index,
                    Row::new(liar, &trial(Target::Liar(liar)).run(exchanges, &[])),
                )
            })
            .collect::<Vec<_>>()
    };
    let mut rows: Vec<(usize, Row<'_>)> = thread::scope(|scope| {
        let players: Vec<_> = (0..jobs)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        let rows = players
            .into_iter()
            .map(|player| player.join().expect("no player panics"));
        rows.flatten().collect()
    });
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The whole law, as it is written, one exchange after the other.
fn trial(target: Target) -> Trial {
    Trial {
        target,
        dialect: Dialect::default(),
        baseline: Baseline::default(),
        shape: Shape::Written,
        select: Vec::new(),
        jobs: 1,
        ..Trial::default()
    }
}

fn exchanges_with<'a>(
    report: &Report<'a>,
    wanted: impl Fn(Verdict, Level) -> bool,
) -> Vec<&'a Exchange> {
    let wanted = report.judged.iter().filter_map(|judged| match judged.case {
        Case::Exchange(exchange) => {
            wanted(judged.verdict, exchange.requirement.level).then_some(exchange)
        }
        Case::Fault(_) => None,
    });
    wanted.collect()
}

impl<'a> Row<'a> {
    fn new(liar: &'static Liar, report: &Report<'a>) -> Row<'a> {
        let failed = exchanges_with(report, |verdict, _| {
            matches!(verdict, Verdict::Fail | Verdict::NonStrict | Verdict::Info)
        });
        Row {
            liar,
            caught_by: failed
                .iter()
                .map(|exchange| exchange.requirement.name)
                .collect(),
            fails: failed,
            violates: report.conclusion() == Conclusion::Violates,
            passes: exchanges_with(report, |verdict, level| {
                verdict == Verdict::Pass && level == Level::Must
            }),
        }
    }

    /// Whether it violates the law, and by the rule one would expect.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.violates && self.caught_by.contains(self.liar.caught_by.name)
    }
}

impl<'a> SelfTest<'a> {
    /// Whether every liar is caught as expected, and only liars are.
    #[must_use]
    pub fn succeeds(&self) -> bool {
        !self.rows.is_empty()
            && self.musts > 0
            && self.rows.iter().all(Row::is_caught)
            && self.vacuous().is_empty()
            && self.unfair.is_empty()
    }

    /// Exchanges of MUST rules that pass on too many servers without content, and on which.
    #[must_use]
    pub fn vacuous(&self) -> Vec<(&'a Exchange, Vec<&'static str>)> {
        let mut passes: Vec<(&Exchange, Vec<&str>)> = Vec::new();
        for row in self.content_free() {
            for exchange in &row.passes {
                match passes
                    .iter_mut()
                    .find(|(known, _)| std::ptr::eq(*known, *exchange))
                {
                    Some((_, liars)) => liars.push(row.liar.name),
                    None => passes.push((exchange, vec![row.liar.name])),
                }
            }
        }
        passes.retain(|(_, liars)| liars.len() > CONTENT_FREE_PASSES_MAX);
        passes
    }

    fn content_free(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| row.liar.is_content_free())
    }
}

impl fmt::Display for SelfTest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, expected) = ("rules", "caught by, as expected");
        writeln!(f, "{:20} {found}  {expected:30} what it does", "liar")?;
        for row in &self.rows {
            let Liar {
                name,
                caught_by,
                does,
                ..
            } = row.liar;
            let mark = if row.is_caught() { "yes" } else { "NO " };
            let count = row.caught_by.len();
            writeln!(f, "{name:20} {count:5}  {mark} {caught_by:26} {does}")?;
        }
        writeln!(
            f,
            "\n{:20} passes of {} exchanges of MUST rules",
            "without content", self.musts
        )?;
        for row in self.content_free() {
            writeln!(f, "{:20} {:6}", row.liar.name, row.passes.len())?;
        }
        for (exchange, liars) in self.vacuous() {
            writeln!(
                f,
                "VACUOUS {} passes on {}",
                place(exchange),
                liars.join(", ")
            )?;
        }
        for exchange in &self.unfair {
            writeln!(f, "UNFAIR {} fails although nobody lies", place(exchange))?;
        }
        for exchange in &self.padding {
            writeln!(
                f,
                "PADDING {} catches no liar with content",
                place(exchange)
            )?;
        }
        let caught = self.rows.iter().filter(|row| row.is_caught()).count();
        writeln!(
            f,
            "\n{caught} of {} liars caught as expected by {} exchanges; \
             {} shown to be vacuous, {} to be padding",
            self.rows.len(),
            self.exchanges,
            self.vacuous().len(),
            self.padding.len(),
        )
    }
}

fn place(exchange: &Exchange) -> String {
    let Exchange {
        requirement,
        file,
        line,
        ..
    } = exchange;
    format!("{requirement} ({file}:{line})")
}
