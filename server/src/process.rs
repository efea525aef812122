//! What the system says of this process: processor time and memory.
//!
//! It never fails: where nothing is said, it is 0. `stats` and the figures show it.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// The size of a page of memory, in bytes, where nobody says otherwise.
const PAGE_BYTES: u64 = 4096;

/// The time the processors spent for us, and for the system on our behalf.
pub(crate) fn processor_times() -> [Duration; 2] {
    let duration = |time: TimeVal| {
        let microseconds = u64::try_from(time.num_microseconds());
        Duration::from_micros(microseconds.unwrap_or(0))
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or_else(
        |_| [Duration::ZERO; 2],
        |usage| [usage.user_time(), usage.system_time()].map(duration),
    )
}

/// The memory that is ours and in place, in bytes.
pub(crate) fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: u64| pages.saturating_mul(PAGE_BYTES))
}
