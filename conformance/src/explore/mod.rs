//! Histories that nobody wrote: made at random or all that there are up to a length, played on a
//! server, and ruled by the model.
//!
//! What is made leans towards the rules that were not reached yet, and is the same for the same
//! seed. A history that a server answers otherwise than the model rules is made as small as it can
//! be, and becomes an exchange like any other. What a server may choose is in `refine.rs`, never
//! here.
//!
//! Start at [`Exploration`]. [`history`] is what is played: [`make`] has proptest throw dice for
//! it, [`exhaust`] enumerates it, [`play`] plays it on a [`peer`], [`reduce`] makes it small and
//! [`transcript`] writes it down. Many machines can share the work: [`part`].

pub mod exhaust;
mod found;
pub mod history;
pub mod make;
pub mod part;
pub mod peer;
pub mod play;
pub mod reduce;
pub mod transcript;
pub mod uniques;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use model::{Model, Options};
use spec::exchange::{Exchange, Failure};
use spec::{Dialect, Kind, REQUIREMENTS, Requirement, Witness};

use crate::target::shape::Shape;
use crate::target::{Outcome, Target};
use history::Step;
use make::Maker;
use peer::Server;
use play::{Difference, Player};

/// What is explored, and how far.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// What is explored.
    pub target: Target,
    /// What it is held to.
    pub dialect: Dialect,
    /// What makes the histories.
    pub seed: u64,
    /// Which part of them: the first number, of as many as the second.
    pub shard: (u64, u64),
    /// How long; without an end where there is none.
    pub budget: Option<Duration>,
    /// How many histories, or sequences, at most.
    pub histories_max: u64,
    /// After so many failures by different rules it stops.
    pub failures_max: usize,
}

/// What an exploration found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many histories were played.
    pub histories: u64,
    /// How many requests were in them.
    pub requests: u64,
    /// How many of them were played alone by right: what they ask for concerns all items.
    pub alone: u64,
    /// Whether all was played that there is.
    pub complete: bool,
    /// The rules that the model cited.
    pub reached: BTreeSet<&'static str>,
    /// The histories that were answered otherwise.
    pub failures: Vec<Failed>,
    /// Those that were so once, and not when they were played again: nobody knows who is to blame.
    pub unrepeated: Vec<Failed>,
    /// Why there is no more, where the target is to blame.
    pub problem: Option<String>,
}

/// A history that was answered otherwise, made small.
#[derive(Debug)]
pub struct Failed {
    /// The history, as small as it could be made.
    pub history: Vec<Step>,
    /// Where it parts.
    pub difference: Difference,
    /// Nothing of it can go.
    pub minimal: bool,
    /// The same as an exchange, and how that fails; nothing where it does not fail again.
    pub exchange: Option<(Exchange, Box<Failure>)>,
}

/// So many histories are made before it is looked again at what was not reached.
const STEERED_EVERY: u64 = 32;
/// A history is played again so often until it is answered otherwise once more.
const AGAIN: usize = 3;
/// After so many that were not, this is no machine to explore on.
const UNREPEATED_MAX: usize = 20;
/// A history of a real server is played again so long to make it small.
const REDUCING_MAX: Duration = Duration::from_secs(60);

impl Exploration {
    /// Plays history after history, until the time is over or enough are answered otherwise.
    #[must_use]
    pub fn run(&self) -> Found {
        let out_of_time = self.clock(self.budget);
        let (nth, of) = self.shard;
        let mut found = Found::default();
        let mut maker = Maker::new(Server::bounds(&self.target));
        while found.histories < self.histories_max && !out_of_time() {
            if found.histories.is_multiple_of(STEERED_EVERY) {
                maker.steer(&found.reached);
            }
            let number = found.histories.saturating_mul(of).saturating_add(nth);
            let history = maker.history(self.seed, number);
            found.histories += 1;
            found.requests += history.len() as u64;
            let mut player = match self.player(number) {
                Ok(player) => player,
                Err(problem) => {
                    found.problem = Some(problem);
                    return found;
                }
            };
            let difference = player.play(&history);
            found.reached.extend(&player.rules);
            let Some(difference) = difference else {
                continue;
            };
            if self.is_enough(&mut found, &[Vec::new(), history], difference) {
                return found;
            }
        }
        found
    }

    /// Takes down a history that failed, behind another if not by itself; true where that is
    /// enough of them.
    fn is_enough(&self, found: &mut Found, all: &[Vec<Step>; 2], seen: Difference) -> bool {
        let [before, history] = all;
        let failed = self.failed(history).or_else(|| match before.is_empty() {
            true => None,
            false => self.failed(&all.concat()),
        });
        match failed {
            Some(failed) => found.add(failed),
            None => found.unrepeated.push(Failed::unreduced(history, seen)),
        }
        self.has_enough(found)
    }

    /// Whether so much was found that there is no need to go on, or no sense.
    fn has_enough(&self, found: &Found) -> bool {
        found.failures.len() >= self.failures_max || found.unrepeated.len() >= UNREPEATED_MAX
    }

    /// The history made small, if it is answered otherwise again.
    fn failed(&self, history: &[Step]) -> Option<Failed> {
        let again = || self.player(u64::MAX).ok()?.play(history);
        let difference = (0..AGAIN).find_map(|_| again())?;
        let small = self.reduced(history);
        // What fails at times may have been made too small.
        Some(small.unwrap_or_else(|| Failed::unreduced(history, difference)))
    }

    /// A player on a server of its own.
    ///
    /// # Errors
    /// When the server cannot be started.
    fn player(&self, number: u64) -> Result<Player, String> {
        let server = Server::start(&self.target, number)?;
        Ok(Player::new(server, self.model()))
    }

    /// The model that the target is held to.
    #[must_use]
    pub fn model(&self) -> Model {
        Model::new(Options::default(), self.dialect.clone())
    }

    /// The history made small, and where it parts then, if it does.
    fn reduced(&self, history: &[Step]) -> Option<Failed> {
        let out_of_time = self.clock(self.target.is_real().then_some(REDUCING_MAX));
        let mut fails = |steps: &[Step]| {
            let player = || self.player(u64::MAX).ok();
            !out_of_time() && player().is_some_and(|player| player.hurrying().play(steps).is_some())
        };
        let history = reduce::reduce(history, &mut fails);
        let minimal = reduce::is_minimal(&history, &mut fails);
        let mut player = self.player(u64::MAX).ok()?.writing();
        let difference = player.play(&history)?;
        let said = player.said.take().unwrap_or_default();
        let exchange = difference.rule().and_then(|rule| {
            let file = format!("seed {}", self.seed);
            let exchange = transcript::exchange(&said, rule, &file, !self.target.is_real())?;
            let fence = self.target.fence();
            match self.target.play(&exchange, Shape::Written, fence) {
                Outcome::Failed(failure) => Some((exchange, failure)),
                _ => None,
            }
        });
        Some(Failed {
            history,
            difference,
            minimal,
            exchange,
        })
    }

    /// Says whether so much time has passed from now on.
    #[expect(clippy::disallowed_methods, reason = "a budget is spent in real time")]
    fn clock(&self, budget: Option<Duration>) -> impl Fn() -> bool {
        let deadline = budget.and_then(|budget| Instant::now().checked_add(budget));
        move || deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Difference {
    /// The rule that decided what was owed.
    #[must_use]
    pub fn rule(&self) -> Option<&'static Requirement> {
        self.because.first().copied()
    }
}

/// The rules that a history can reach.
pub fn reachable() -> impl Iterator<Item = &'static Requirement> {
    REQUIREMENTS
        .iter()
        .filter(|rule| rule.kind == Kind::Rule && rule.witness == Witness::Exchange)
}
