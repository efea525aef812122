//! When an item dies. Law: `spec/expiration.md`.
//!
//! Times are whole seconds that the caller passes in; nothing here asks for one.

use spec::{Requirement, req};

/// A moment, in whole seconds of the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// What an exptime means for an item that is stored now, and the rule that says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Option<Time>,
    pub(crate) because: &'static Requirement,
}

/// The largest exptime that counts from now; above it, an exptime is a date.
const RELATIVE_MAX_SECONDS: i64 = 60 * 60 * 24 * 30;

impl Deadline {
    pub(crate) fn of(exptime: i64, now: Time) -> Deadline {
        let (at, because) = match u64::try_from(exptime) {
            Err(_) => (Some(Time(0)), req!("expiration.negative")),
            Ok(0) => (None, req!("expiration.zero")),
            Ok(seconds) if exptime <= RELATIVE_MAX_SECONDS => (
                Some(Time(now.0.saturating_add(seconds))),
                req!("expiration.relative"),
            ),
            Ok(date) if date <= now.0 => (Some(Time(date)), req!("expiration.absolute.past")),
            Ok(date) => (Some(Time(date)), req!("expiration.absolute")),
        };
        Deadline { at, because }
    }

    /// Whether it ends an item at once.
    pub(crate) fn has_passed(&self, now: Time) -> bool {
        self.at.is_some_and(|at| at <= now)
    }
}
