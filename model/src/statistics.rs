//! The counters whose every move is ruled. Law: `spec/statistics.md`.

/// What `stats` counts since the start, or since `stats reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is the statistic of that name")]
pub struct Counters {
    pub cmd_get: u64,
    pub cmd_set: u64,
    pub cmd_flush: u64,
    pub cmd_touch: u64,
    pub cmd_meta: u64,
    pub get_hits: u64,
    pub get_misses: u64,
    pub get_expired: u64,
    pub get_flushed: u64,
    pub delete_hits: u64,
    pub delete_misses: u64,
    pub incr_hits: u64,
    pub incr_misses: u64,
    pub decr_hits: u64,
    pub decr_misses: u64,
    pub cas_hits: u64,
    pub cas_misses: u64,
    pub cas_badval: u64,
    pub touch_hits: u64,
    pub touch_misses: u64,
    pub store_too_large: u64,
    pub total_items: u64,
}

/// Moves a counter by one.
pub(crate) fn count(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

use crate::framing::Line;
use crate::ruling::Ruling;
use crate::{Model, Time};
pub(crate) fn stats(_model: &mut Model, line: &Line, _now: Time) -> Ruling {
    crate::dispatch::unknown(line)
}
