//! Plays exchanges and faults against a target and judges what came of each.
//!
//! Every one gets a server of its own, so several are played at once and none sees another's
//! items. The verdicts are in `verdict.rs`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use spec::exchange::Exchange;
use spec::{Dialect, Requirement, Standing};

use crate::baseline::Baseline;
use crate::cases::Case;
use crate::faults::{self, Fault};
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
    /// Plays every exchange and every fault that holds for the dialect and is selected.
    #[must_use]
    pub fn run<'a>(&self, exchanges: &'a [Exchange], faults: &[&'static Fault]) -> Report<'a> {
        let wanted: Vec<&Exchange> = exchanges
            .iter()
            .filter(|exchange| exchange.header.holds_for(self.dialect.name()))
            .filter(|exchange| self.wants(exchange.requirement))
            .collect();
        let faults = faults.iter().filter(|fault| self.wants(fault.rule));
        let faults: Vec<&'static Fault> = faults.copied().collect();
        let fence = self.target.fence();
        let speaks_binary = self.target.speaks_binary();
        let play = |exchange: &&Exchange| match self.target.lacks(&exchange.header, speaks_binary) {
            Some(lack) => Outcome::Unsupported(lack),
            None => self.target.play(exchange, self.shape, fence),
        };
        let do_to = |fault: &&'static Fault| faults::try_on(&self.target, fault, fence);
        let played = all(&wanted, self.jobs, play);
        let done = all(&faults, self.jobs.min(FAULTS_AT_ONCE_MAX), do_to);
        let cases = wanted.into_iter().map(Case::Exchange);
        let cases = cases.chain(faults.into_iter().map(Case::Fault));
        let judged: Vec<Judged<'_>> = cases
            .zip(played.into_iter().chain(done))
            .map(|(case, outcome)| Judged::new(case, outcome, self.excuse(case.requirement())))
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
        for Judged { case, verdict, .. } in judged {
            let rule = case.requirement();
            if let Some(excuse) = self.excuse(rule) {
                let entry = needed.entry(rule.name).or_insert((excuse, false));
                entry.1 |= *verdict != Verdict::Pass;
            }
        }
        let unneeded = needed.into_iter().filter(|(_, (_, needed))| !needed);
        unneeded.map(|(rule, (excuse, _))| (rule, excuse)).collect()
    }

    fn wants(&self, rule: &Requirement) -> bool {
        let mut select = self.select.iter();
        self.dialect.standing(rule) != Standing::NotElected
            && (self.select.is_empty() || select.any(|selection| selects(selection, rule)))
    }
}

/// How many faults are tried at once: each makes its server work hard.
const FAULTS_AT_ONCE_MAX: usize = 4;

/// Plays them, so many at once; the outcomes are in their order.
fn all<T: Sync>(cases: &[T], jobs: usize, play: impl Fn(&T) -> Outcome + Sync) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    let player = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(case), Some(slot)) = (cases.get(index), outcomes.get(index)) else {
                break;
            };
            *slot.lock().expect("no player panics") = Some(play(case));
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(player);
        }
    });
    let outcome = |slot: Mutex<Option<Outcome>>| slot.into_inner().expect("no player panics");
    outcomes.into_iter().filter_map(outcome).collect()
}

/// Whether a name, the beginning of one, or a pattern with `*` at its end means this requirement.
fn selects(selection: &str, requirement: &Requirement) -> bool {
    let beginning = selection.trim_end_matches('*').trim_end_matches('.');
    requirement
        .name
        .strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || selection.ends_with('*'))
}
