//! Plays exchanges against a target and judges what came of each.
//!
//! Every exchange gets a server of its own, so several are played at once and none sees another's
//! items. The verdicts are in `verdict.rs`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use spec::exchange::Exchange;
use spec::{Dialect, Requirement, Standing};

use crate::target::{Outcome, Target};
use crate::verdict::{Judged, Report};

/// Plays every exchange that holds for the dialect and is selected, so many at once.
#[must_use]
pub fn check<'a>(
    exchanges: &'a [Exchange],
    target: &Target,
    dialect: &Dialect,
    select: &[String],
    jobs: usize,
) -> Report<'a> {
    let wanted: Vec<&Exchange> = exchanges
        .iter()
        .filter(|exchange| holds(exchange, dialect) && selected(exchange.requirement, select))
        .collect();
    let outcomes = play_all(&wanted, target, jobs);
    let judged = wanted
        .into_iter()
        .zip(outcomes)
        .map(|(exchange, outcome)| Judged::new(exchange, outcome, dialect))
        .collect();
    Report::new(target.to_string(), target.arguments(), dialect, judged)
}

/// Whether an exchange shows something that this dialect has.
fn holds(exchange: &Exchange, dialect: &Dialect) -> bool {
    exchange.header.holds_for(dialect.name())
        && dialect.standing(exchange.requirement) != Standing::NotElected
}

/// Plays the exchanges, so many at once; the outcomes are in their order.
fn play_all(exchanges: &[&Exchange], target: &Target, jobs: usize) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> =
        exchanges.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(exchange), Some(slot)) = (exchanges.get(index), outcomes.get(index))
                    else {
                        break;
                    };
                    *slot.lock().expect("no player panics") = Some(target.play(exchange));
                }
            });
        }
    });
    let outcome = |slot: Mutex<Option<Outcome>>| slot.into_inner().expect("no player panics");
    outcomes.into_iter().filter_map(outcome).collect()
}

/// Whether a name, the beginning of one, or a pattern with `*` at its end means this requirement.
fn selected(requirement: &Requirement, select: &[String]) -> bool {
    let matches = |selection: &String| {
        let beginning = selection.trim_end_matches('*').trim_end_matches('.');
        let rest = requirement.name.strip_prefix(beginning);
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('.') || selection.ends_with('*')
        })
    };
    select.is_empty() || select.iter().any(matches)
}
