//! Plays exchanges and faults against a target and judges what came of each.
//!
//! Several are played at once, and none sees another's items: each has a server of its own, or keys
//! of its own on one that was started for many. The verdicts are in `verdict.rs`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use spec::exchange::{Exchange, Failure, Fence};
use spec::{Dialect, Kind, Level, Requirement, Standing};

use crate::baseline::Baseline;
use crate::capability::Capabilities;
use crate::cases::Case;
use crate::faults::{self, Fault};
use crate::interrupt;
use crate::minimal::minimal;
use crate::progress::Progress;
use crate::ranking::broken;
use crate::schedule::{self, Turn};
use crate::target::commons::{Among, Commons};
use crate::target::neighbours;
use crate::target::shape::Shape;
use crate::target::{Outcome, Target};
use crate::terms::{Terms, selects};
use crate::verdict::{Excuse, Judged, Report, Verdict};

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
    /// The rest of what was agreed.
    pub terms: Terms,
}

impl Default for Trial {
    /// The law's own model, all of the law, one exchange after the other.
    fn default() -> Trial {
        Trial {
            target: Target::Model(Box::default()),
            dialect: Dialect::default(),
            baseline: Baseline::default(),
            shape: Shape::Written,
            select: Vec::new(),
            jobs: 1,
            terms: Terms::default(),
        }
    }
}

impl Trial {
    /// Plays every exchange and every fault that holds for the dialect and is selected.
    #[must_use]
    pub fn run<'a>(&self, exchanges: &'a [Exchange], faults: &[&'static Fault]) -> Report<'a> {
        let exchanges = exchanges
            .iter()
            .filter(|exchange| exchange.header.holds_for(spoken(&self.dialect)))
            .filter(|exchange| self.wants(exchange.requirement));
        let faults = faults.iter().filter(|fault| self.wants(fault.rule));
        let faults = faults.map(|fault| Case::Fault(fault));
        let cases: Vec<Case<'a>> = exchanges.map(Case::Exchange).chain(faults).collect();
        let there = self.target.answers();
        let outcomes = match &there {
            Ok(()) => self.play_all(&cases),
            Err(problem) => crashed(&cases, problem),
        };
        let mut judged: Vec<Judged<'_>> = cases
            .into_iter()
            .zip(outcomes)
            .map(|(case, outcome)| {
                let outcome = self.owed(&case, outcome);
                Judged::new(case, outcome, self.excuse(&case))
            })
            .collect();
        self.look_again(&mut judged);
        let cut_short = [OUT_OF_TIME, BROKEN_ALREADY, INTERRUPTED].map(Some);
        let is_cut = |judged: &Judged<'_>| cut_short.contains(&judged.reason.as_deref());
        Report {
            target: self.target.to_string(),
            arguments: self.target.arguments(),
            again: None,
            dialect: self.dialect.name().to_owned(),
            seed: self.terms.seed,
            elected: Vec::new(),
            certify: self.terms.certify,
            strict: self.terms.strict,
            cut_short: judged.iter().any(is_cut),
            unreachable: there.err(),
            stale: self.stale(&judged),
            judged,
        }
    }

    fn play_all(&self, cases: &[Case<'_>]) -> Vec<Outcome> {
        let target = &self.target;
        let watch = Watch::new(target, &self.terms, cases.len());
        let capabilities = Capabilities::of(target, &self.terms.without);
        let commons = Commons::of(target, &self.dialect, self.terms.seed);
        let shared = matches!(target, Target::Foreign(_));
        let among = self.among_neighbours(cases, &capabilities);
        let among = |case: &Case<'_>| among.get(&case.name()).cloned();
        let played = |case: &Case<'_>| match case {
            Case::Exchange(exchange) => match capabilities.lack(exchange) {
                Some(lack) => watch.untried(lack),
                None => watch.over(|| {
                    let alone = self.play(exchange, commons.as_ref(), capabilities.fence);
                    match (alone, among(case)) {
                        (Outcome::Passed, Some(failure)) => Outcome::Failed(failure),
                        (alone, _) => alone,
                    }
                }),
            },
            Case::Fault(_) if shared => {
                let reason = "it strains a server, and this is somebody's (--spawn)";
                watch.untried(Outcome::Skipped(reason.to_owned()))
            }
            Case::Fault(fault) => watch.over(|| faults::try_on(target, fault, capabilities.fence)),
        };
        let play = |case: &Case<'_>| {
            let outcome = played(case);
            if self.terms.fail_fast && self.is_broken(case, &outcome) {
                watch.is_enough.store(true, Relaxed);
            }
            outcome
        };
        let turn = |case: &Case<'_>| match case {
            Case::Exchange(exchange) if target.is_real() => {
                schedule::turn(exchange, shared, self.excuse(case).is_some())
            }
            Case::Exchange(_) => Turn::Any,
            Case::Fault(fault) if faults::is_patient(fault) => Turn::Waits,
            Case::Fault(_) => Turn::Strains,
        };
        let mut outcomes = schedule::all(cases, self.jobs, self.terms.seed, turn, play);
        watch.conclude(&mut outcomes);
        outcomes
    }

    /// How cases fail whose requests come together with those of others, where that is wanted.
    fn among_neighbours(
        &self,
        cases: &[Case<'_>],
        capabilities: &Capabilities,
    ) -> BTreeMap<String, Box<Failure>> {
        if self.shape != Shape::Coalesced {
            return BTreeMap::new();
        }
        let is_fit = |exchange: &&Exchange| {
            let is_shown = exchange.requirement.kind != Kind::Deviation;
            is_shown && capabilities.lack(exchange).is_none()
        };
        let exchanges = cases.iter().filter_map(|case| match case {
            Case::Exchange(exchange) => Some(*exchange),
            Case::Fault(_) => None,
        });
        let exchanges: Vec<&Exchange> = exchanges.filter(is_fit).collect();
        let (fence, jobs) = (capabilities.fence, self.jobs);
        neighbours::failures(&self.target, &self.dialect, &exchanges, fence, jobs)
    }

    /// Plays an exchange. What does not go as written among others is tried alone, which decides.
    /// Some deviations are races: on a real server one is there if it shows once in a few times.
    fn play(&self, exchange: &Exchange, commons: Option<&Commons>, fence: Fence) -> Outcome {
        let play = || self.target.play(exchange, self.shape, fence);
        // What is expected to fail would only raise a doubt.
        let is_excused = self.excuse(&Case::Exchange(exchange)).is_some();
        let commons = commons.filter(|_| !is_excused);
        let doubt = match commons.map(|commons| commons.try_on(exchange, self.shape, fence)) {
            Some(Among::Passed) => return Outcome::Passed,
            Some(Among::Doubtful(doubt)) => Some(doubt),
            Some(Among::Unfit) | None => None,
        };
        let mut outcome = play();
        if let (Some(doubt), Outcome::Passed) = (doubt, &outcome) {
            doubt.confirm();
        }
        if self.target.is_real() && exchange.requirement.kind == Kind::Deviation {
            for _ in 1..RACE_TRIES {
                if matches!(outcome, Outcome::Failed(_)) {
                    outcome = play();
                }
            }
        }
        outcome
    }

    /// What is held to the dialect of a memcached has all that this memcached has: there, to lack
    /// something is to break its rules.
    fn owed(&self, case: &Case<'_>, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Lacking(what) if spoken(&self.dialect) != "law" => {
                Outcome::Failed(Box::new(Failure {
                    line: case.requirement().line,
                    expected: format!("what {} has", self.dialect.name()),
                    received: what.into_bytes(),
                    agreed: None,
                    closed: false,
                    events: Vec::new(),
                }))
            }
            outcome => outcome,
        }
    }

    /// Whether nothing excuses what came of a case that must hold.
    fn is_broken(&self, case: &Case<'_>, outcome: &Outcome) -> bool {
        let must = self.terms.strict || case.requirement().level == Level::Must;
        must && matches!(outcome, Outcome::Failed(_)) && self.excuse(case).is_none()
    }

    /// Looks again for what is excused and did not show: before an excuse is called stale, it must
    /// have been needed not once in a few times.
    fn look_again(&self, judged: &mut [Judged<'_>]) {
        let stale = self.stale(judged);
        let is_over = interrupt::was_heard() || self.target.answers().is_err();
        if stale.is_empty() || !self.target.is_real() || is_over {
            return;
        }
        let fence = self.target.fence();
        for judged in judged {
            let play = || match judged.case {
                Case::Exchange(exchange) => self.target.play(exchange, self.shape, fence),
                Case::Fault(fault) => faults::try_on(&self.target, fault, fence),
            };
            let excuses = self.excuses(&judged.case);
            let is_stale = excuses.iter().any(|excuse| stale.contains(excuse));
            if judged.verdict == Verdict::Pass && is_stale {
                let again = (1..RACE_TRIES).map(|_| play());
                let failed = { again }.find(|outcome| matches!(outcome, Outcome::Failed(_)));
                if let Some(outcome) = failed {
                    *judged = Judged::new(judged.case, outcome, self.excuse(&judged.case));
                }
            }
        }
    }

    /// Makes the failures of so many rules, the most basic, as short as they can be. A real target
    /// is asked again so often as [`REPLAYS_MAX`] allows, and no clock has a say in it: the same
    /// seed makes the same report on a slow machine. What takes time to pass stays as it is.
    pub fn shorten(&self, report: &mut Report<'_>, rules: usize) {
        let model = Target::Model(Box::new(self.dialect.clone()));
        let broken = broken(report);
        let basic = broken.iter().take(rules);
        if basic.len() == 0 || interrupt::was_heard() || self.target.answers().is_err() {
            return;
        }
        let fence = self.target.fence();
        let left = Cell::new(REPLAYS_MAX);
        for rule in basic {
            let Some(judged) = report.judged.get_mut(rule.index) else {
                continue;
            };
            let (Case::Exchange(exchange), Some(failure)) = (judged.case, &judged.failure) else {
                continue;
            };
            if self.target.is_real() && !schedule::is_brief(exchange) {
                continue;
            }
            let lawful = |shorter: &Exchange| {
                let ruled = model.play(shorter, Shape::Written, Fence::Noop);
                matches!(ruled, Outcome::Passed)
            };
            let play = |shorter: &Exchange| {
                if self.target.is_real() && left.get() == 0 {
                    return None;
                }
                match self.target.play(shorter, self.shape, fence) {
                    Outcome::Failed(failure) => {
                        left.set(left.get().saturating_sub(replays(&failure)));
                        Some(failure)
                    }
                    _ => {
                        left.set(left.get().saturating_sub(1));
                        None
                    }
                }
            };
            if let Some((shortest, failure)) = minimal(exchange, failure, lawful, play) {
                judged.shortest = Some(shortest);
                judged.failure = Some(failure);
            }
        }
    }

    /// Why a failure of this case would be no news.
    fn excuse(&self, case: &Case<'_>) -> Option<String> {
        let first = self.excuses(case).into_iter().next();
        first.map(|excuse| excuse.because)
    }

    /// All that excuses a failure of this case: the dialect, or else entries of the baseline.
    fn excuses(&self, case: &Case<'_>) -> Vec<Excuse> {
        let rule = case.requirement();
        match self.dialect.standing(rule) {
            Standing::Excused(because) => vec![Excuse::new(rule.name, because)],
            Standing::Held | Standing::NotElected => {
                let entries = self.baseline.accepting(case);
                entries
                    .map(|entry| Excuse::new(entry.subject(), &entry.reason))
                    .collect()
            }
        }
    }

    /// The excuses that nothing needed: every example passed that they speak of.
    fn stale(&self, judged: &[Judged<'_>]) -> Vec<Excuse> {
        let mut needed: BTreeMap<Excuse, bool> = BTreeMap::new();
        for Judged { case, verdict, .. } in judged {
            for excuse in self.excuses(case) {
                *needed.entry(excuse).or_default() |= *verdict != Verdict::Pass;
            }
        }
        let unneeded = needed.into_iter().filter(|(_, needed)| !needed);
        unneeded.map(|(excuse, _)| excuse).collect()
    }

    fn wants(&self, rule: &Requirement) -> bool {
        let mut select = self.select.iter();
        self.dialect.standing(rule) != Standing::NotElected
            && rule.level <= self.terms.level
            && (self.select.is_empty() || select.any(|selection| selects(selection, rule)))
    }
}

/// So often a deviation that is a race may hide.
const RACE_TRIES: usize = 4;

/// How often a real target is asked again in all, so that failures are shorter to read.
const REPLAYS_MAX: usize = 600;

/// For how many of them one counts: who waited in vain for a reply has waited some seconds.
fn replays(failure: &Failure) -> usize {
    if failure.received.is_empty() && !failure.closed {
        100
    } else {
        1
    }
}

const OUT_OF_TIME: &str = "the time that was given ran out (--budget)";
const BROKEN_ALREADY: &str = "something was broken before (--fail-fast)";
const INTERRUPTED: &str = "somebody interrupted the trial";

/// What comes of cases whose target is not there.
fn crashed(cases: &[Case<'_>], problem: &str) -> Vec<Outcome> {
    let crashed = || Outcome::Crashed(problem.to_owned());
    std::iter::repeat_with(crashed).take(cases.len()).collect()
}

/// Which examples hold for it: a dialect that we do not ship speaks as the law does.
fn spoken(dialect: &Dialect) -> &str {
    let name = dialect.name();
    if Dialect::shipped_names().contains(&name) {
        name
    } else {
        "law"
    }
}

/// Watches whether there is time, and whether the target lives.
struct Watch<'a> {
    target: &'a Target,
    deadline: Option<Instant>,
    is_enough: AtomicBool,
    death: Mutex<Option<String>>,
    progress: Progress,
}

impl<'a> Watch<'a> {
    #[expect(clippy::disallowed_methods, reason = "a budget is spent in real time")]
    fn new(target: &'a Target, terms: &Terms, cases: usize) -> Watch<'a> {
        Watch {
            target,
            deadline: terms
                .budget
                .and_then(|budget| Instant::now().checked_add(budget)),
            is_enough: AtomicBool::new(false),
            death: Mutex::new(None),
            progress: Progress::new(cases, terms.watched),
        }
    }

    /// Lets a case be that is not tried.
    fn untried(&self, outcome: Outcome) -> Outcome {
        self.progress.step();
        outcome
    }

    /// Plays a case, if it still can be; a failure may be a death.
    #[expect(clippy::disallowed_methods, reason = "a budget is spent in real time")]
    fn over(&self, play: impl Fn() -> Outcome) -> Outcome {
        self.progress.step();
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Outcome::Skipped(OUT_OF_TIME.to_owned());
        }
        if self.is_enough.load(Relaxed) {
            return Outcome::Skipped(BROKEN_ALREADY.to_owned());
        }
        if let Some(death) = self.death.lock().expect("nobody panics").as_ref() {
            return Outcome::Skipped(format!("the target had died before: {death}"));
        }
        if interrupt::was_heard() {
            return Outcome::Skipped(INTERRUPTED.to_owned());
        }
        let outcome = play();
        // Whatever did not go well now did so because its server, or its time, was taken away.
        if interrupt::was_heard() && !matches!(outcome, Outcome::Passed) {
            return Outcome::Skipped(INTERRUPTED.to_owned());
        }
        let may_be_dead = matches!(outcome, Outcome::Failed(_) | Outcome::Unknown(_));
        if may_be_dead
            && matches!(self.target, Target::Foreign(_))
            && let Err(problem) = self.target.answers()
        {
            *self.death.lock().expect("nobody panics") = Some(problem.clone());
            return Outcome::Crashed(problem);
        }
        outcome
    }

    /// A target that is gone when all was played died of the last of it.
    fn conclude(&self, outcomes: &mut [Outcome]) {
        let shared = matches!(self.target, Target::Foreign(_));
        let known = self.death.lock().expect("nobody panics").is_some() || interrupt::was_heard();
        if let (true, Err(problem), Some(last)) =
            (shared && !known, self.target.answers(), outcomes.last_mut())
        {
            *last = Outcome::Crashed(problem);
        }
    }
}
