//! The one clock.
//!
//! The time of day is read once, at the start; from then on time only goes forward, however the
//! system's clock is set.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::simulated::{self, Mistake};
use crate::time::Time;
use crate::turning::Turning;

/// A clock that was set once.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Time,
    since: Option<Instant>,
    turning: Option<Arc<Turning>>,
}

impl Clock {
    /// A clock, set by the system's.
    #[must_use]
    pub fn start() -> Self {
        Self {
            origin: time_of_day(),
            since: Some(Instant::now()),
            turning: None,
        }
    }

    /// A clock that stands still, so that what depends on time can be foretold.
    #[must_use]
    pub const fn standing_at(time: Time) -> Self {
        Self {
            origin: time,
            since: None,
            turning: None,
        }
    }

    /// The clock, where clients may turn it.
    #[must_use]
    pub fn turned_by(self, turning: &Arc<Turning>) -> Self {
        Self {
            turning: Some(Arc::clone(turning)),
            ..self
        }
    }

    /// This instant, to measure how long something takes.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time comes from"
    )]
    pub fn instant() -> std::time::Instant {
        std::time::Instant::now()
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Time {
        let elapsed = self.since.map(|since| since.elapsed());
        let mut time = self.origin.after(elapsed.unwrap_or_default());
        if simulated::errs(Mistake::FollowsWallClock) {
            time = time_of_day();
        }
        let turning = self.turning.as_ref();
        turning.map_or(time, |turning| turning.shown(time))
    }
}

/// What the system says it is, or a simulation.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the time comes from"
)]
fn time_of_day() -> Time {
    let shown = simulated::wall_clock().unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    });
    Time::from_milliseconds(0).after(shown)
}
