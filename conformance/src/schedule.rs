//! In which order cases are played, and which beside each other.
//!
//! All that wait for time to pass wait together, so that the wait is as long as the longest. What
//! needs a server for itself comes last, one at a time. The seed makes the order, never the
//! verdict. It never looks at what a case says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use spec::exchange::{Action, Exchange};

use crate::dice::mixed;

/// So many wait at once: each has its own server, or at least its own connection.
const WAITING_MAX: usize = 128;
/// So many strain their servers at once.
const STRAINING_MAX: usize = 4;

/// How a case wants to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Whenever there is room.
    Any,
    /// Time passes in it, or it is likely to wait for a reply that does not come.
    Waits,
    /// It makes its server work hard.
    Strains,
    /// Beside nobody else.
    Alone,
}

/// How this exchange wants to be played, where time is real, the server is, or is not, shared, and
/// its failure is, or is not, excused.
#[must_use]
pub fn turn(exchange: &Exchange, shared: bool, excused: bool) -> Turn {
    let passes = |action: &Action| matches!(action, Action::Pass { .. });
    if shared && exchange.header.exclusive {
        Turn::Alone
    } else if excused || exchange.steps.iter().any(|step| passes(&step.action)) {
        Turn::Waits
    } else {
        Turn::Any
    }
}

/// Whether it can be played again without anybody's waiting for it, or noticing.
#[must_use]
pub fn is_brief(exchange: &Exchange) -> bool {
    turn(exchange, true, false) == Turn::Any
}

/// Plays them, so many at once, in an order made of the seed; what came of them is in their own
/// order.
pub fn all<T: Sync, R: Send>(
    cases: &[T],
    jobs: usize,
    seed: u64,
    turn: impl Fn(&T) -> Turn,
    play: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let outcomes: Vec<Mutex<Option<R>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    let queue = |wanted: Turn| {
        let mut queue: Vec<usize> = (0..)
            .zip(cases)
            .filter(|(_, case)| turn(case) == wanted)
            .map(|(index, _)| index)
            .collect();
        queue.sort_by_key(|index| mixed(seed ^ mixed(*index as u64)));
        queue
    };
    let (waiting, straining) = (queue(Turn::Waits), queue(Turn::Strains));
    let (any, alone) = (queue(Turn::Any), queue(Turn::Alone));
    let player = |queue: &[usize], next: &AtomicUsize| {
        while let Some(index) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let (Some(case), Some(slot)) = (cases.get(*index), outcomes.get(*index)) {
                *slot.lock().expect("no player panics") = Some(play(case));
            }
        }
    };
    let at_once = [
        (&waiting, WAITING_MAX),
        (&straining, jobs.min(STRAINING_MAX)),
        (&any, jobs),
    ];
    let nexts = [const { AtomicUsize::new(0) }; 3];
    thread::scope(|scope| {
        for ((queue, players), next) in at_once.into_iter().zip(&nexts) {
            for _ in 0..players.max(1).min(queue.len()) {
                scope.spawn(move || player(queue, next));
            }
        }
    });
    player(&alone, &AtomicUsize::new(0));
    let outcome = |slot: Mutex<Option<R>>| slot.into_inner().expect("no player panics");
    outcomes.into_iter().filter_map(outcome).collect()
}
