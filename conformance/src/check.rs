//! Plays exchanges against a target and judges what came of each.
//!
//! Every exchange gets a server of its own, so several are played at once and none sees another's
//! items. The verdicts are in `verdict.rs`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use spec::exchange::Exchange;
use spec::{Dialect, Requirement, Standing};

use crate::baseline::Baseline;
use crate::target::shape::Shape;
use crate::target::{Outcome, Target};
use crate::verdict::{Judged, Report, Verdict};

/// What is tried, and how.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is tried.
    pub target: Target,
    /// What it is held to.
    pub dialect: Dialect,
    /// What the user has accepted.
    pub baseline: Baseline,
    /// How the bytes are cut into writes.
    pub shape: Shape,
    /// Names, beginnings of names or patterns; none means everything.
    pub select: Vec<String>,
    /// How many exchanges are played at once.
    pub jobs: usize,
}

impl Trial {
    /// Plays every exchange that holds for the dialect and is selected.
    #[must_use]
    pub fn run<'a>(&self, exchanges: &'a [Exchange]) -> Report<'a> {
        let wanted: Vec<&Exchange> = exchanges
            .iter()
            .filter(|exchange| self.wants(exchange))
            .collect();
        let outcomes = self.play_all(&wanted);
        let judged: Vec<Judged<'_>> = wanted
            .into_iter()
            .zip(outcomes)
            .map(|(exchange, outcome)| {
                Judged::new(exchange, outcome, self.excuse(exchange.requirement))
            })
            .collect();
        Report {
            target: self.target.to_string(),
            arguments: self.target.arguments(),
            dialect: self.dialect.name().to_owned(),
            stale: self.stale(&judged),
            judged,
        }
    }

    /// Why a failure of this rule would be no news.
    fn excuse(&self, rule: &Requirement) -> Option<String> {
        match self.dialect.standing(rule) {
            Standing::Excused(because) => Some(because.to_owned()),
            Standing::Held | Standing::NotElected => {
                self.baseline.reason(rule.name).map(str::to_owned)
            }
        }
    }

    /// The excuses that nothing needed: every example of the rule passed.
    fn stale(&self, judged: &[Judged<'_>]) -> Vec<(&'static str, String)> {
        let mut needed: BTreeMap<&'static str, (String, bool)> = BTreeMap::new();
        for Judged {
            exchange, verdict, ..
        } in judged
        {
            if let Some(excuse) = self.excuse(exchange.requirement) {
                let entry = needed
                    .entry(exchange.requirement.name)
                    .or_insert((excuse, false));
                entry.1 |= *verdict != Verdict::Pass;
            }
        }
        let unneeded = needed.into_iter().filter(|(_, (_, needed))| !needed);
        unneeded.map(|(rule, (excuse, _))| (rule, excuse)).collect()
    }

    fn wants(&self, exchange: &Exchange) -> bool {
        exchange.header.holds_for(self.dialect.name())
            && self.dialect.standing(exchange.requirement) != Standing::NotElected
            && (self.select.is_empty()
                || self
                    .select
                    .iter()
                    .any(|selection| selects(selection, exchange.requirement)))
    }

    /// Plays the exchanges, so many at once; the outcomes are in their order.
    fn play_all(&self, exchanges: &[&Exchange]) -> Vec<Outcome> {
        let fence = self.target.fence();
        let next = AtomicUsize::new(0);
        let outcomes: Vec<Mutex<Option<Outcome>>> =
            exchanges.iter().map(|_| Mutex::new(None)).collect();
        let player = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let (Some(exchange), Some(slot)) = (exchanges.get(index), outcomes.get(index))
                else {
                    break;
                };
                let outcome = self.target.play(exchange, self.shape, fence);
                *slot.lock().expect("no player panics") = Some(outcome);
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(player);
            }
        });
        let outcome = |slot: Mutex<Option<Outcome>>| slot.into_inner().expect("no player panics");
        outcomes.into_iter().filter_map(outcome).collect()
    }
}

/// Whether a name, the beginning of one, or a pattern with `*` at its end means this requirement.
fn selects(selection: &str, requirement: &Requirement) -> bool {
    let beginning = selection.trim_end_matches('*').trim_end_matches('.');
    requirement
        .name
        .strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || selection.ends_with('*'))
}
