//! `stats` and its sub-commands, and the counters whose every move is ruled. Law:
//! `spec/statistics.md`.
//!
//! The commands move the counters where they decide; nothing here decides anything for them. What
//! only a process has (a process id, processor time, connections) the model gives as zero.
//! The general list is in `general.rs`.

mod general;

use spec::req;

use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::{Model, Time};

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

/// `stats [<sub-command>]`; it knows no noreply.
pub(crate) fn stats(model: &mut Model, line: &Line, now: Time) -> Ruling {
    match line.argument(1) {
        None => general::list(model, now),
        Some(b"reset") => reset(model),
        Some(_) => Reply::Error.because(req!("statistics.unknown")),
    }
}

/// `stats reset`: counters begin again, and what is a state stays.
fn reset(model: &mut Model) -> Ruling {
    model.counters = Counters::default();
    Reply::Reset.because(req!("statistics.reset"))
}
