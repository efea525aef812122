//! What is counted of items by their class of slabs, under memcached's names.
//!
//! There are no slabs here: memory is given out by the byte, so all items are of one class, and a
//! chunk of it is one byte. `stats items` and `stats slabs` say these figures, and so does whoever
//! is asked for metrics: there is one place where they come from.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::counters::Counter;
use crate::shared::Shared;
use crate::store::{Item, Tally};
use crate::time::Time;

/// The one class.
pub(crate) const CLASS: u32 = 1;

/// What memcached calls a page, in bytes.
const PAGE_BYTES: u64 = 1024 * 1024;

/// What is counted of requests for a class, under these names.
const REQUESTS: [(Counter, &str); 8] = [
    (Counter::GetHits, "get_hits"),
    (Counter::CmdSet, "cmd_set"),
    (Counter::DeleteHits, "delete_hits"),
    (Counter::IncrHits, "incr_hits"),
    (Counter::DecrHits, "decr_hits"),
    (Counter::CasHits, "cas_hits"),
    (Counter::CasBadval, "cas_badval"),
    (Counter::TouchHits, "touch_hits"),
];

/// A name and what it stands at.
pub(crate) type Figure = (&'static str, u64);

/// What the store does not count of the live items that it gives up.
#[derive(Debug, Default)]
pub(crate) struct Evicted {
    nonzero: AtomicU64,
    idle_seconds: AtomicU64,
}

impl Evicted {
    /// One is given up.
    pub(crate) fn note(&self, item: &Item<'_>, now: Time) {
        if item.expiry().second().is_some() {
            self.nonzero.fetch_add(1, Ordering::Relaxed);
        }
        let idle = now.seconds().saturating_sub(item.accessed());
        self.idle_seconds.store(idle, Ordering::Relaxed);
    }

    /// Counts from zero again.
    pub(crate) fn reset(&self) {
        self.nonzero.store(0, Ordering::Relaxed);
        self.idle_seconds.store(0, Ordering::Relaxed);
    }
}

/// What is said of the items of the class.
pub(crate) fn items(shared: &Shared, tally: &Tally, now: Time) -> [Figure; 28] {
    let total = |counter| shared.ledger.total(counter);
    let active = tally.evictions.saturating_sub(tally.evicted_unfetched);
    let Evicted {
        nonzero,
        idle_seconds,
    } = &*shared.evicted;
    [
        ("number", tally.items),
        ("number_hot", 0),
        ("number_warm", 0),
        ("number_cold", tally.items),
        ("age_hot", 0),
        ("age_warm", 0),
        ("age", age(shared, now)),
        ("mem_requested", tally.bytes),
        ("evicted", tally.evictions),
        ("evicted_nonzero", nonzero.load(Ordering::Relaxed)),
        ("evicted_time", idle_seconds.load(Ordering::Relaxed)),
        ("outofmemory", total(Counter::StoreNoMemory)),
        ("tailrepairs", 0),
        ("reclaimed", tally.reclaimed),
        ("expired_unfetched", tally.expired_unfetched),
        ("evicted_unfetched", tally.evicted_unfetched),
        ("evicted_active", active),
        ("crawler_reclaimed", total(Counter::CrawlerReclaimed)),
        ("crawler_items_checked", 0),
        ("lrutail_reflocked", 0),
        ("moves_to_cold", 0),
        ("moves_to_warm", 0),
        ("moves_within_lru", 0),
        ("direct_reclaims", 0),
        ("hits_to_hot", 0),
        ("hits_to_warm", 0),
        ("hits_to_cold", total(Counter::GetHits)),
        ("hits_to_temp", 0),
    ]
}

/// For how many seconds nobody has wanted one of the items that are the next to go, at most: like
/// memcached's, which looks at the last of a list, it takes no look at all items.
fn age(shared: &Shared, now: Time) -> u64 {
    let second = shared.store.tail_second(now);
    second.map_or(0, |second| now.seconds().saturating_sub(second))
}

/// What is said of the memory of the class.
pub(crate) fn chunks(tally: &Tally) -> [Figure; 7] {
    let pages = tally.bytes.div_ceil(PAGE_BYTES);
    let total = pages.saturating_mul(PAGE_BYTES);
    [
        ("chunk_size", 1),
        ("chunks_per_page", PAGE_BYTES),
        ("total_pages", pages),
        ("total_chunks", total),
        ("used_chunks", tally.bytes),
        ("free_chunks", total.saturating_sub(tally.bytes)),
        ("free_chunks_end", 0),
    ]
}

/// What is said of the requests for items of the class.
pub(crate) fn requests(shared: &Shared) -> [Figure; 8] {
    REQUESTS.map(|(counter, name)| (name, shared.ledger.total(counter)))
}
