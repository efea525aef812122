//! What an exptime means.
//!
//! It never rejects one: that it is a number was found out when the line was read.

use crate::store::Expiry;
use crate::time::Time;

/// The longest exptime that counts from now: thirty days. Longer ones are times of day.
const RELATIVE_SECONDS_MAX: i64 = 60 * 60 * 24 * 30;

/// When an item with this exptime, given now, expires.
pub(super) fn expiry(exptime: impl Into<i64>, now: Time) -> Expiry {
    let exptime = exptime.into();
    match u64::try_from(exptime) {
        Err(_) => Expiry::PAST,
        Ok(0) => Expiry::NEVER,
        Ok(seconds) if exptime <= RELATIVE_SECONDS_MAX => {
            Expiry::at(now.seconds().saturating_add(seconds))
        }
        Ok(second) => Expiry::at(second),
    }
}
