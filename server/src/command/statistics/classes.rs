//! `stats items`, `slabs`, `sizes` and `cachedump`.
//!
//! There are no slab classes here: memory is given out by the byte, so all items are of class 1,
//! and a chunk of it is one byte.

use std::collections::BTreeMap;

use super::super::Context;
use super::Lines;
use crate::counters::Counter;
use crate::protocol::{Error, Reply, Tokens, number};

/// The one class.
const CLASS: u32 = 1;

/// memcached has no more classes than this.
const CLASSES_MAX: u32 = 64;

/// What memcached calls a page, in bytes.
const PAGE_BYTES: u64 = 1024 * 1024;

/// Items of about one size are counted together.
const SIZE_STEP: usize = 32;

/// A list of keys ends when it is longer than this, in bytes.
const DUMP_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What is counted for a class, under these names.
const HITS: &[(Counter, &str)] = &[
    (Counter::GetHits, "get_hits"),
    (Counter::CmdSet, "cmd_set"),
    (Counter::DeleteHits, "delete_hits"),
    (Counter::IncrHits, "incr_hits"),
    (Counter::DecrHits, "decr_hits"),
    (Counter::CasHits, "cas_hits"),
    (Counter::CasBadval, "cas_badval"),
    (Counter::TouchHits, "touch_hits"),
];

pub(super) fn items(context: &Context<'_>) -> Lines {
    let tally = context.shared.store.tally();
    let mut lines = Lines::default();
    if tally.items == 0 {
        return lines;
    }
    let fields = [
        ("number", tally.items),
        ("number_hot", 0),
        ("number_warm", 0),
        ("number_cold", tally.items),
        ("age_hot", 0),
        ("age_warm", 0),
        ("age", age(context)),
        ("mem_requested", tally.bytes),
        ("evicted", tally.evictions),
        ("evicted_nonzero", 0),
        ("evicted_time", 0),
        (
            "outofmemory",
            context.shared.ledger.total(Counter::StoreNoMemory),
        ),
        ("tailrepairs", 0),
        ("reclaimed", tally.reclaimed),
        ("expired_unfetched", tally.expired_unfetched),
        ("evicted_unfetched", tally.evicted_unfetched),
        (
            "evicted_active",
            tally.evictions.saturating_sub(tally.evicted_unfetched),
        ),
        ("crawler_reclaimed", 0),
        ("crawler_items_checked", 0),
        ("lrutail_reflocked", 0),
        ("moves_to_cold", 0),
        ("moves_to_warm", 0),
        ("moves_within_lru", 0),
        ("direct_reclaims", 0),
        ("hits_to_hot", 0),
        ("hits_to_warm", 0),
        (
            "hits_to_cold",
            context.shared.ledger.total(Counter::GetHits),
        ),
        ("hits_to_temp", 0),
    ];
    for (name, value) in fields {
        lines.add(&format!("items:{CLASS}:{name}"), value);
    }
    lines
}

/// For how many seconds nobody has wanted one of the items that are the next to go, at most: like
/// memcached's, which looks at the last of a list, it takes no look at all items.
fn age(context: &Context<'_>) -> u64 {
    let second = context.shared.store.tail_second(context.now);
    second.map_or(0, |second| context.now.seconds().saturating_sub(second))
}

pub(super) fn slabs(context: &Context<'_>) -> Lines {
    let tally = context.shared.store.tally();
    let pages = tally.bytes.div_ceil(PAGE_BYTES);
    let total = pages.saturating_mul(PAGE_BYTES);
    let mut lines = Lines::default();
    let ledger = &context.shared.ledger;
    let was_used = |&(counter, _): &(Counter, _)| ledger.total(counter) > 0;
    let is_there = pages > 0 || HITS.iter().any(was_used);
    if is_there {
        let mut add = |name, value| lines.add(&format!("{CLASS}:{name}"), value);
        add("chunk_size", 1);
        add("chunks_per_page", PAGE_BYTES);
        add("total_pages", pages);
        add("total_chunks", total);
        add("used_chunks", tally.bytes);
        add("free_chunks", total.saturating_sub(tally.bytes));
        add("free_chunks_end", 0);
        for &(counter, name) in HITS {
            add(name, ledger.total(counter));
        }
    }
    lines.add("active_slabs", u64::from(is_there));
    lines.add("total_malloced", total);
    lines
}

pub(super) fn sizes(context: &Context<'_>) -> Lines {
    let mut lines = Lines::default();
    if !context.shared.settings.tracks_sizes {
        lines.add("sizes_status", "disabled");
        return lines;
    }
    let store = &context.shared.store;
    let mut sizes = BTreeMap::<usize, u64>::new();
    store.visit_while(context.now, |item| {
        let cost = store.cost(item.key().len(), item.value().len(), item.flags());
        *sizes.entry(cost.next_multiple_of(SIZE_STEP)).or_default() += 1;
        true
    });
    for (size, count) in sizes {
        lines.add(&size.to_string(), count);
    }
    lines
}

/// `stats cachedump <class> <limit>`
pub(super) fn cachedump(context: &Context<'_>, mut words: Tokens<'_>) -> Reply {
    if !context.shared.settings.allows_dump {
        return Error::CachedumpNotAllowed.into();
    }
    let (Some(class), Some(limit)) = (words.next(), words.next()) else {
        return Error::BadShortLine.into();
    };
    let (Some(class), Some(limit)) = (number::unsigned32(class), number::unsigned32(limit)) else {
        return Error::BadLine.into();
    };
    match class {
        CLASS => Reply::Lines(dump(context, limit)),
        0..CLASSES_MAX => Reply::Lines(Vec::new()),
        _ => Error::IllegalSlab.into(),
    }
}

/// One line for each item whose key can stand in one.
fn dump(context: &Context<'_>, limit: u32) -> Vec<u8> {
    let mut text = Vec::new();
    let mut left = if limit == 0 { u32::MAX } else { limit };
    context.shared.store.visit_while(context.now, |item| {
        if left == 0 || text.len() > DUMP_BYTES_MAX {
            return false;
        }
        if item.marks().encoded {
            return true;
        }
        left -= 1;
        let expiry = item.expiry().second().unwrap_or(0);
        text.extend_from_slice(b"ITEM ");
        text.extend_from_slice(item.key());
        let rest = format!(" [{} b; {expiry} s]\r\n", item.value().len());
        text.extend_from_slice(rest.as_bytes());
        true
    });
    text
}
