//! The one clock.
//!
//! The time of day is read once, at the start; from then on time only goes forward, however the
//! system's clock is set.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::Time;

/// A clock that was set once.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Time,
    since: Option<Instant>,
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
        }
    }

    /// A clock that stands still, so that what depends on time can be foretold.
    #[must_use]
    pub const fn standing_at(time: Time) -> Self {
        Self {
            origin: time,
            since: None,
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Time {
        let elapsed = self.since.map(|since| since.elapsed());
        self.origin.after(elapsed.unwrap_or_default())
    }
}
