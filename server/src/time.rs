//! The time of day, as an argument.
//!
//! Everything below `net` is told what time it is; nothing here reads a clock.
//! `net::clock` is the one place that does.

use std::time::Duration;

/// A moment, in milliseconds of the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    milliseconds: u64,
}

impl Time {
    /// The moment so many milliseconds after the epoch.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: u64) -> Self {
        Self { milliseconds }
    }

    /// The moment so many seconds after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self {
            milliseconds: seconds.saturating_mul(1000),
        }
    }

    /// Whole seconds since the epoch: what items live by.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.milliseconds / 1000
    }

    /// Milliseconds since the epoch: what deadlines of connections are measured in.
    #[must_use]
    pub const fn milliseconds(self) -> u64 {
        self.milliseconds
    }

    /// The moment a while later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self {
            milliseconds: self.milliseconds.saturating_add(wait),
        }
    }

    /// How long it is until a later moment; zero when that has come.
    #[must_use]
    pub const fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.milliseconds.saturating_sub(self.milliseconds))
    }
}
