//! Everything at once and for long: ordinary load, storms, and a fault every few seconds.
//!
//! - `load`: the ordinary clients, whose replies the model rules on.
//! - [`figures`]: what was found, and whether that is good.
//!
//! What is wrong while a fault is done is counted apart; what is wrong at any other time is an
//! error. The seed makes the requests and the order of the faults; threads and clocks are the
//! machine's. The faults are those of `faults/`, and storms those of `storm/`.

pub mod figures;
mod load;

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use spec::exchange::Header;
use spec::{Dialect, Standing};

use crate::dice::Dice;
use crate::faults::{self, Fault, Footprint, Stage, Trouble};
use crate::interrupt;
use crate::storm::{self, storm};
use crate::target::Target;
use crate::target::address::Address;
use figures::{Figures, Sample};
use load::{Loader, Said};

/// How a server is soaked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For so long.
    pub time: Duration,
    /// What requests and the order of faults are made of.
    pub seed: u64,
    /// How often a fault is done.
    pub every: Duration,
    /// So many ordinary clients.
    pub clients: u16,
    /// How many bytes of items there are before it begins: a server that is full grows no more.
    pub fill_bytes: usize,
    /// What is done to the server, of [`faults()`].
    pub faults: Vec<&'static Fault>,
    /// Now and then many clients storm a few keys.
    pub storms: bool,
    /// How the server is known to deviate.
    pub dialect: Dialect,
}

/// What a server is started with, so that it is soon full.
const OPTIONS: &str = "-m 64";

/// The faults that can be done to a server beside others, and leave it as it was.
const FAULTS: [&str; 22] = [
    "addresses",
    "announced-blocks",
    "deaf-client",
    "endless-line",
    "greedy-reader",
    "half-closed-clients",
    "held-uploads",
    "items-in-use",
    "long-swallow",
    "many-lines",
    "many-misses",
    "other-protocols",
    "slow-lines",
    "slow-reader",
    "slow-values",
    "stalled-handshakes",
    "unread-dumps",
    "unread-hits",
    "unread-values",
    "unread-watches",
    "vanishing-clients",
    "vanishing-operators",
];

/// After a fault is done it takes so long until all is as before.
const AFTERMATH: Duration = Duration::from_secs(1);
/// How often is looked at what the server takes.
const SAMPLES: Duration = Duration::from_millis(500);
/// An ordinary client rests so long after each request.
const REST: Duration = Duration::from_millis(1);
/// How long a storm takes, and how long it is quiet afterwards.
const STORM: Duration = Duration::from_secs(1);
const CALM: Duration = Duration::from_secs(4);
const STORM_CLIENTS: u16 = 4;
/// How long what is stored in somebody's cache lives at most.
const EXPTIME: u32 = 86_400;
/// How long the server has to close what is left at the end.
const CLOSING_MAX: Duration = Duration::from_secs(10);

/// What all that takes part can see.
struct Scene<'a> {
    plan: &'a Plan,
    address: Address,
    began: Instant,
    is_over: AtomicBool,
    /// Whether a fault is being done, or was a moment ago.
    is_strained: AtomicBool,
    figures: Mutex<Figures>,
}

/// Soaks a server of its own.
///
/// # Errors
/// When it cannot be started, or does not answer.
pub fn soak(command: &str, plan: &Plan) -> Result<Figures, String> {
    let header = Header {
        options: OPTIONS.to_owned(),
        ..Header::default()
    };
    let fence = Target::Spawn(command.to_owned()).fence();
    let mut stage = Stage::set(command, &header, fence)?;
    let scene = Scene::new(plan, stage.peer().address().clone());
    scene
        .fill()
        .map_err(|error| format!("no service to begin with: {error}"))?;
    let before = stage.footprint().ok();
    let process = stage.process();
    thread::scope(|scope| {
        let strains = scope.spawn(|| scene.strain(&mut stage));
        scope.spawn(|| scene.sample(process));
        scene.load(scope);
        strains.join().expect("no fault panics");
    });
    let mut figures = scene.figures();
    figures.first = before
        .zip(stage.baseline().ok())
        .map(|(before, baseline)| Footprint {
            resident_bytes: before.resident_bytes,
            ..baseline
        });
    if let Some(first) = figures.first {
        let _ = stage.descriptors_down_to(first.descriptors, CLOSING_MAX);
    }
    // Who was interrupted has no server any more: what was seen of it last is what there is.
    let seen = figures.samples.last().map(|sample| sample.taken);
    figures.last = stage.footprint().ok().or(seen);
    let (ended, waits) = stage.strike();
    figures.waits = waits;
    if let (Err(trouble), false) = (ended, figures.is_cut_short) {
        figures.fatal = Some(told(&trouble));
    }
    Ok(figures)
}

/// Soaks a server that runs already: nothing is done to it but ordinary load and storms.
///
/// # Errors
/// When it cannot be reached.
pub fn soak_at(address: &Address, plan: &Plan) -> Result<Figures, String> {
    address
        .connect()
        .map_err(|error| format!("{address} cannot be reached: {error}"))?;
    let scene = Scene::new(plan, address.clone());
    thread::scope(|scope| {
        scene.load(scope);
        scene.rest(plan.time);
        scene.is_over.store(true, Ordering::SeqCst);
    });
    Ok(scene.figures())
}

impl<'a> Scene<'a> {
    #[expect(clippy::disallowed_methods, reason = "a soak is of real time")]
    fn new(plan: &'a Plan, address: Address) -> Scene<'a> {
        Scene {
            plan,
            address,
            began: Instant::now(),
            is_over: AtomicBool::new(false),
            is_strained: AtomicBool::new(false),
            figures: Mutex::default(),
        }
    }

    fn figures(&self) -> Figures {
        let mut figures = self.figures.lock().expect("nobody panics").clone();
        figures.time = self.began.elapsed();
        figures.is_cut_short = interrupt::was_heard();
        figures
    }

    fn note(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut self.figures.lock().expect("nobody panics"));
    }

    /// Something was wrong: an error, unless a fault is being done, or was a moment ago.
    fn error(&self, was_strained: bool, error: String) {
        // Whoever interrupts ends the server.
        if interrupt::was_heard() {
            return;
        }
        let is_excused = was_strained || self.is_strained.load(Ordering::SeqCst);
        let at = self.began.elapsed().as_secs_f64();
        self.note(|figures| match is_excused {
            true => figures.excused += 1,
            false => figures.errors.push(format!("after {at:.1} s: {error}")),
        });
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst) || interrupt::was_heard()
    }

    /// Waits for so long, or until it is over.
    #[expect(clippy::disallowed_methods, reason = "a soak is of real time")]
    fn rest(&self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time && !self.is_over() {
            thread::sleep(time.saturating_sub(began.elapsed()).min(SAMPLES));
        }
    }

    /// Stores so much that a server which forgets does so from the beginning.
    fn fill(&self) -> io::Result<()> {
        let mut wire = self.address.connect()?;
        let (mut stored, mut number) = (0, 0_usize);
        while stored < self.plan.fill_bytes {
            let value = "f".repeat(200 + number * 37 % 9_000);
            let set = format!(
                "set filler{number} 0 0 {} noreply\r\n{value}\r\n",
                value.len()
            );
            wire.write_all(set.as_bytes())?;
            stored += value.len();
            number += 1;
        }
        wire.write_all(b"get no-such-key\r\n")?;
        let mut end = [0; 5];
        wire.read_exact(&mut end)
    }

    /// Does a fault every few seconds, until time is up.
    fn strain(&self, stage: &mut Stage) {
        let mut dice = Dice::new(self.plan.seed);
        let (mut order, mut rounds) = (Vec::new(), 0);
        let mut due = self.plan.every;
        while due < self.plan.time {
            self.rest(due.saturating_sub(self.began.elapsed()));
            if self.is_over() {
                break;
            }
            if order.is_empty() {
                rounds += 1;
                if rounds == 2 {
                    self.note(|figures| figures.settled = Some(self.began.elapsed()));
                }
                order = shuffled(&self.plan.faults, &mut dice);
            }
            let Some(fault) = order.pop() else {
                break;
            };
            self.is_strained.store(true, Ordering::SeqCst);
            let ended = (fault.play)(stage);
            self.judge(fault, ended);
            self.rest(AFTERMATH);
            self.is_strained.store(false, Ordering::SeqCst);
            if let Some(status) = stage.ended() {
                let how = format!("the server ended after {}: {status}", fault.name);
                self.note(|figures| figures.fatal = Some(how));
                break;
            }
            due = (due + self.plan.every).max(self.began.elapsed() + self.plan.every / 2);
        }
        self.rest(self.plan.time.saturating_sub(self.began.elapsed()));
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn judge(&self, fault: &'static Fault, ended: Result<(), Trouble>) {
        if interrupt::was_heard() {
            return;
        }
        let is_known = matches!(self.plan.dialect.standing(fault.rule), Standing::Excused(_));
        self.note(|figures| {
            let [held, known, broken] = figures.faults.entry(fault.name).or_default();
            match ended {
                Ok(()) => *held += 1,
                Err(_) if is_known => *known += 1,
                Err(trouble) => {
                    *broken += 1;
                    figures
                        .broken
                        .entry(fault.name)
                        .or_insert_with(|| told(&trouble));
                }
            }
        });
    }

    /// Looks again and again what the server takes while nobody strains it.
    fn sample(&self, process: u32) {
        while !self.is_over() {
            self.rest(SAMPLES);
            if self.is_strained.load(Ordering::SeqCst) {
                continue;
            }
            if let Ok(taken) = Footprint::of(process) {
                let at = self.began.elapsed();
                self.note(|figures| figures.samples.push(Sample { at, taken }));
            }
        }
    }

    /// Lets the ordinary clients and the storms begin.
    fn load<'scope, 'env>(&'env self, scope: &'scope thread::Scope<'scope, 'env>) {
        for number in 0..self.plan.clients {
            scope.spawn(move || self.ask_on(number));
        }
        if self.plan.storms {
            scope.spawn(|| self.storm_on());
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a soak is of real time")]
    fn ask_on(&self, number: u16) {
        let seed = self.plan.seed ^ (u64::from(number) << 32);
        let prefix = format!("soak{seed:x}.0");
        let mut loader = Loader::new(prefix, EXPTIME, &self.plan.dialect, seed);
        while !self.is_over() {
            let was_strained = self.is_strained.load(Ordering::SeqCst);
            let connected = loader.connect(&|| self.address.connect());
            match connected.and_then(|()| loader.ask()) {
                Ok(Said::Right) => self.note(|figures| figures.requests += 1),
                Ok(Said::Forgotten) => self.note(|figures| {
                    figures.requests += 1;
                    figures.forgotten += 1;
                }),
                Ok(Said::Wrong(wrong)) => self.error(was_strained, wrong),
                Err(error) => {
                    self.error(was_strained, error.to_string());
                    self.rest(SAMPLES);
                }
            }
            thread::sleep(REST);
        }
    }

    fn storm_on(&self) {
        let mut number = 0;
        while !self.is_over() {
            self.rest(CALM);
            if self.is_over() {
                return;
            }
            number += 1;
            let plan = storm::Plan {
                clients: STORM_CLIENTS,
                time: STORM,
                seed: self.plan.seed ^ number,
                prefix: format!("storm{:x}.{number}:", self.plan.seed),
                forgets: true,
                dialect: self.plan.dialect.clone(),
                fills: false,
                flushes: false,
                expires: false,
                disturbs: false,
            };
            let was_strained = self.is_strained.load(Ordering::SeqCst);
            match storm(&plan, || self.address.connect()) {
                Ok(outcome) => {
                    let operations = outcome.operations;
                    self.note(|figures| {
                        figures.storms += 1;
                        figures.operations += operations;
                    });
                    for broken in outcome.broken {
                        self.error(was_strained, format!("in a storm: {broken}"));
                    }
                    if let Some(refuted) = outcome.refuted {
                        // No fault excuses that.
                        let at = self.began.elapsed().as_secs_f64();
                        let what = format!(
                            "after {at:.1} s: no order explains a storm: {}: {}",
                            refuted.key, refuted.witness
                        );
                        self.note(|figures| figures.errors.push(what));
                    }
                }
                Err(error) => self.error(was_strained, format!("in a storm: {error}")),
            }
        }
    }
}

/// The faults that a soak can do.
#[must_use]
pub fn faults() -> Vec<&'static Fault> {
    FAULTS
        .iter()
        .filter_map(|name| faults::named(name))
        .collect()
}

/// These faults, in an order of these dice.
fn shuffled(faults: &[&'static Fault], dice: &mut Dice) -> Vec<&'static Fault> {
    let mut faults = faults.to_vec();
    for last in (1..faults.len()).rev() {
        let other = usize::try_from(dice.below(last as u64 + 1)).unwrap_or(0);
        faults.swap(last, other);
    }
    faults
}

fn told(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Broken { expected, received } => format!("expected {expected}, but {received}"),
        Trouble::Late(waited) => format!("another client is not answered in a second: {waited}"),
        Trouble::Died(how) => how.clone(),
        Trouble::Unseen(reason) => format!("it cannot be seen: {reason}"),
        Trouble::Lacking(reason) => format!("it cannot be done: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_soak_is_there_and_needs_no_other_options() {
        for name in FAULTS {
            let fault = faults::named(name).expect("there is such a fault");
            let is_fit = fault.options.is_empty() || fault.options == OPTIONS;
            assert!(is_fit, "{name} needs `{}`", fault.options);
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_order_of_all_faults() {
        let names = |seed| -> Vec<&str> {
            let faults = shuffled(&super::faults(), &mut Dice::new(seed));
            faults.iter().map(|fault| fault.name).collect()
        };
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
        let mut sorted = names(7);
        sorted.sort_unstable();
        assert_eq!(sorted, FAULTS);
    }
}
