//! A clock that clients may stop and set forward (`-o debugtime`), so that tests need not wait.
//!
//! It never goes back: what has expired stays so. It never reads a clock; `net::clock` asks it what
//! to show. Each move counts once, from where the clock stands.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::time::Time;

/// How a clock differs from the one it follows.
#[derive(Debug, Default)]
pub struct Turning {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ahead: Duration,
    /// Where it stands; none while it goes.
    stopped: Option<Time>,
}

/// What may be done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It stands still.
    Stop,
    /// It goes again, and shows at once what it would show had it not stood still.
    Go,
    /// It moves by this.
    Forward(Duration),
}

impl Turning {
    /// What it shows when the clock it follows shows this.
    #[must_use]
    pub fn shown(&self, time: Time) -> Time {
        let state = self.state();
        state.stopped.unwrap_or_else(|| time.after(state.ahead))
    }

    /// Turns it, and tells what it shows then, as far as that is known to who sees only it.
    pub fn turn(&self, turn: Turn, now: Time) -> Time {
        let mut state = self.state();
        match turn {
            Turn::Stop => *state.stopped.get_or_insert(now),
            Turn::Go => {
                state.stopped = None;
                now
            }
            Turn::Forward(by) => {
                state.ahead = state.ahead.saturating_add(by);
                state.stopped = state.stopped.map(|stopped| stopped.after(by));
                now.after(by)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
