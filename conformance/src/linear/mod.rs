//! Whether what many clients were told can have happened: linearizability, key by key.
//!
//! - [`history`]: what was asked and answered, and between which moments.
//! - [`step`]: what one request does to one key, and which replies that allows.
//! - [`search`]: looks for an order of all requests for a key that explains every reply.
//! - [`witness`]: why there is none, as short as can be, drawn as lanes.
//!
//! It never guesses: where it gives up it says unknown, and unknown is no pass. The law of it is
//! `spec/concurrency.md`; who makes such histories is in `storm/`.

pub mod history;
mod index;
pub mod search;
pub mod step;
pub mod witness;

use history::{History, Op};
use search::{Found, Search};
use step::State;
use witness::Witness;

/// What came of judging a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// For each key there is an order that explains every reply.
    Linearizable,
    /// There is none.
    Not(Refutation),
    /// Nobody knows: the search for these keys took too long, or too much was open at once.
    Unknown(Vec<u32>),
}

/// Where a history cannot have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refutation {
    /// The key.
    pub key: u32,
    /// When the last answer was read that can no longer be explained.
    pub until: u64,
}

/// Judges a history, all its keys one after the other.
#[must_use]
pub fn judge(history: &mut History) -> Verdict {
    judge_within(history, None)
}

/// The same, with so many steps for each key before it gives up.
#[must_use]
pub fn judge_within(history: &mut History, steps_max: Option<u64>) -> Verdict {
    let mut unknown = Vec::new();
    let groups = history.by_key();
    let free = history.free;
    let mut search = Search::within(steps_max);
    for (key, places) in groups.keys() {
        let (ops, values) = history.parts();
        match search.run(ops, places, values, free) {
            Found::Order => {}
            Found::GaveUp => unknown.push(key),
            Found::NoOrder { until } => return Verdict::Not(Refutation { key, until }),
        }
    }
    if unknown.is_empty() {
        Verdict::Linearizable
    } else {
        Verdict::Unknown(unknown)
    }
}

/// Judges a history of the one key 0, which is in this state at first, in so many steps.
#[must_use]
pub fn judge_from(start: State, history: &mut History, steps_max: u64) -> Verdict {
    let places: Vec<u32> = (0_u32..)
        .zip(&history.ops)
        .map(|(place, _)| place)
        .collect();
    let free = history.free;
    let mut search = Search::within(Some(steps_max));
    let (ops, values) = history.parts();
    match search.run_from(start, ops, &places, values, free) {
        Found::Order => Verdict::Linearizable,
        Found::GaveUp => Verdict::Unknown(vec![0]),
        Found::NoOrder { until } => Verdict::Not(Refutation { key: 0, until }),
    }
}

/// Why a history cannot have happened, in few operations.
#[must_use]
pub fn explain(history: &mut History, refutation: Refutation) -> Witness {
    explain_from(State::default(), history, refutation)
}

/// The same, where the key is in this state at first.
#[must_use]
pub fn explain_from(start: State, history: &mut History, refutation: Refutation) -> Witness {
    let Refutation { key, until } = refutation;
    let free = history.free;
    let (ops, values) = history.parts();
    let group: Vec<Op> = ops.iter().filter(|op| op.key == key).copied().collect();
    Witness::of(start, group, until, values, free)
}
