//! Plays exchanges against a target and says which rules hold.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use spec::exchange::{Direction, Exchange};
use spec::{Dialect, Requirement, Standing};

use crate::target::{Outcome, Target};

/// What came of a check.
#[derive(Debug, Default)]
pub struct Report {
    /// Exchanges that went as written.
    pub passed: usize,
    /// Exchanges that failed where the dialect says they do.
    pub excused: usize,
    /// What is wrong, one text each.
    pub problems: Vec<String>,
}

/// Plays every exchange that holds for the dialect and whose rule begins with one of the names.
#[must_use]
pub fn check(
    exchanges: &[Exchange],
    target: &Target,
    dialect: &Dialect,
    select: &[String],
    jobs: usize,
) -> Report {
    let wanted: Vec<&Exchange> = exchanges
        .iter()
        .filter(|exchange| {
            exchange.header.holds_for(dialect.name())
                && dialect.standing(exchange.requirement) != Standing::NotElected
                && (select.is_empty()
                    || select
                        .iter()
                        .any(|name| selects(name, exchange.requirement)))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(exchange) = wanted.get(index) else {
                        break;
                    };
                    let outcome = target.play(exchange);
                    outcomes
                        .lock()
                        .expect("no player panics")
                        .insert(index, outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no player panics");
    judge(
        outcomes
            .iter()
            .filter_map(|(index, outcome)| Some((*wanted.get(*index)?, outcome))),
        dialect,
    )
}

fn judge<'a>(
    outcomes: impl Iterator<Item = (&'a Exchange, &'a Outcome)>,
    dialect: &Dialect,
) -> Report {
    let mut report = Report::default();
    let mut excused: BTreeMap<&str, (bool, &str)> = BTreeMap::new();
    for (exchange, outcome) in outcomes {
        let excuse = match dialect.standing(exchange.requirement) {
            Standing::Excused(excuse) => Some(excuse),
            Standing::Held | Standing::NotElected => None,
        };
        if let Some(excuse) = excuse {
            excused
                .entry(exchange.requirement.name)
                .or_insert((false, excuse))
                .0 |= matches!(outcome, Outcome::Failed(_));
        }
        match outcome {
            Outcome::Passed(_) => report.passed += 1,
            Outcome::Failed(_) if excuse.is_some() => report.excused += 1,
            Outcome::Failed(_) | Outcome::Broken(_) => {
                report.problems.push(describe(exchange, outcome));
            }
        }
    }
    for (name, (_, excuse)) in excused.iter().filter(|(_, (failed, _))| !failed) {
        report.problems.push(format!(
            "{name}: passes, although `{excuse}` excuses it; the dialect is stale"
        ));
    }
    report
}

fn describe(exchange: &Exchange, outcome: &Outcome) -> String {
    let Requirement {
        name,
        level,
        sentence,
        ..
    } = exchange.requirement;
    let mut text = format!(
        "{name} ({level}, {}:{})\n  {}\n",
        exchange.file,
        exchange.line,
        sentence.replace('\n', "\n  ")
    );
    match outcome {
        Outcome::Passed(_) => {}
        Outcome::Broken(problem) => text.push_str(&format!("  not tried: {problem}\n")),
        Outcome::Failed(failure) => {
            for event in &failure.events {
                let mark = if event.direction == Direction::Sent {
                    '>'
                } else {
                    '<'
                };
                text.push_str(&format!(
                    "  {}{mark}{mark} {}\n",
                    event.client,
                    shorten(&event.bytes)
                ));
            }
            text.push_str(&format!(
                "  line {}: expected `{}`\n  received `{}`\n",
                failure.line,
                failure.expected,
                shorten(&failure.received)
            ));
        }
    }
    text
}

fn shorten(bytes: &[u8]) -> String {
    let (shown, more) = bytes.split_at_checked(300).unwrap_or((bytes, &[]));
    let text = shown.escape_ascii().to_string();
    if more.is_empty() {
        text
    } else {
        format!("{text}… and {} bytes", more.len())
    }
}

/// Whether a selection, a name or the beginning of one, means this requirement.
fn selects(selection: &str, requirement: &Requirement) -> bool {
    requirement
        .name
        .strip_prefix(selection)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
