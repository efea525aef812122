//! The one clock.
//!
//! The time of day is read once, at the start; from then on time only goes forward, however the
//! system's clock is set.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time comes from"
    )]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            origin: Time::from_milliseconds(0).after(since_epoch),
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
    pub fn instant() -> Instant {
        Instant::now()
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Time {
        let elapsed = self.since.map(|since| since.elapsed());
        let time = self.origin.after(elapsed.unwrap_or_default());
        let turning = self.turning.as_ref();
        turning.map_or(time, |turning| turning.shown(time))
    }
}
