//! A server in one thread, with streams that break, memory that is refused and time that jumps: all
//! of it from a seed, and every reply held against the law.
//!
//! What is simulated is the server's own worker, session and store; only sockets, the clock and
//! what memory there is are ours. A seed makes rounds, each on a server of its own; a round is a
//! list of actions (`action.rs`) that a `World` plays and a `Judge` judges. A round that fails is
//! made as short as it gets.
//!
//! The clock of the server is its own, too: it reads the time of day once, and from then on only
//! goes forward, wherever somebody sets the clock of the system to meanwhile.

mod action;
mod client;
mod datagram;
mod dump;
mod judge;
mod starved;
mod tally;
mod wire;
mod world;

use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Builder;

pub use action::Action;
use action::Maker;
pub use tally::{Event, Tally};
pub use wire::Shape;
use world::World;

/// So much happens in a round.
const ACTIONS: usize = 1500;
/// A round is played again at most so often to make it short.
const REDUCING_MAX: usize = 1500;

/// A round that went wrong.
#[derive(Debug)]
pub struct Failure {
    /// What makes its rounds.
    pub seed: u64,
    /// Which of them it is.
    pub round: u64,
    /// What happened, as little of it as goes wrong.
    pub actions: Vec<Action>,
    /// What was wrong.
    pub problem: String,
}

/// What was wrong, and after which action.
struct Wrong {
    at: usize,
    problem: String,
}

/// The servers that rounds are played on, with room for all and with too little: two that evict,
/// and two that refuse what does not fit. The last is asked to keep small items only, and packs
/// them.
const KINDS: [(&str, Option<usize>); 4] = [
    ("-m 64", None),
    ("-m 64", Some(192 * 1024)),
    ("-m 64 -M", None),
    ("-m 64 -M", Some(32 * 1024)),
];

/// Plays the round of this number.
///
/// # Errors
/// What went wrong, and the little that it takes.
pub fn round(seed: u64, round: u64) -> Result<Tally, Failure> {
    let (kind, actions) = made(seed, round);
    play(kind, &actions).map_err(|Wrong { at, problem }| {
        let begin = actions.get(..=at).unwrap_or(&actions);
        let actions = reduced(kind, begin.to_vec());
        let problem = play(kind, &actions).map_or_else(|wrong| wrong.problem, |_| problem);
        Failure {
            seed,
            round,
            actions,
            problem,
        }
    })
}

/// Whether the round of this number goes wrong; nobody is told how.
#[must_use]
pub fn fails(seed: u64, round: u64) -> bool {
    let (kind, actions) = made(seed, round);
    play(kind, &actions).is_err()
}

/// What happens in a round, and to a server of which kind.
fn made(seed: u64, round: u64) -> (usize, Vec<Action>) {
    let kind = usize::try_from(round).unwrap_or(0) % KINDS.len();
    let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(round);
    (kind, Maker::new(seed, kind).actions(ACTIONS))
}

/// Plays some actions on a server of this kind.
fn play(kind: usize, actions: &[Action]) -> Result<Tally, Wrong> {
    let at = Cell::new(0);
    let played = catch_unwind(AssertUnwindSafe(|| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let (options, memory_bytes) = KINDS.get(kind).copied().unwrap_or_default();
            let mut world = World::new(options, memory_bytes);
            for (number, action) in actions.iter().enumerate() {
                at.set(number);
                world.act(action).await?;
            }
            world.end()?;
            Ok(world.tally)
        })
    }));
    let played = played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("it panics: {}", text.unwrap_or_default()))
    });
    played.map_err(|problem| Wrong {
        at: at.get(),
        problem,
    })
}

/// As few of these actions as still go wrong.
fn reduced(kind: usize, mut actions: Vec<Action>) -> Vec<Action> {
    let mut tries = 0;
    let mut piece = actions.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        let mut shrank = false;
        while at < actions.len() && tries < REDUCING_MAX {
            let mut fewer = actions.clone();
            fewer.drain(at..(at + piece).min(actions.len()));
            tries += 1;
            if play(kind, &fewer).is_err() {
                actions = fewer;
                shrank = true;
            } else {
                at += piece;
            }
        }
        let again = piece == 1 && shrank && tries < REDUCING_MAX;
        piece = if again { 1 } else { piece / 2 };
    }
    actions
}

impl Failure {
    /// What happened and what was wrong, and how it is had again.
    #[must_use]
    pub fn transcript(&self) -> String {
        let mut text = String::new();
        for action in &self.actions {
            let _ = writeln!(text, "  {action}");
        }
        let _ = writeln!(text, "{}", self.problem);
        let (seed, round) = (self.seed, self.round);
        let again = "cargo run --profile simulation -p fuzz --example simulate --";
        let _ = writeln!(text, "again: {again} --seed {seed} --round {round}");
        text
    }
}
