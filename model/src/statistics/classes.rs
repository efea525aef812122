//! `stats items`, `slabs`, `sizes` and `cachedump`: lists by class of size.
//!
//! How items are sorted into classes is an implementation's own; the model has one class, `1`.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;

use spec::req;

use super::{Row, list};
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::{Model, numbers};

/// `stats items`
pub(super) fn items(model: &Model) -> Ruling {
    let rows = [
        ("number", model.items.len() as u64),
        ("age", 0),
        ("mem_requested", model.bytes()),
        ("evicted", 0),
        ("evicted_nonzero", 0),
        ("evicted_time", 0),
        ("outofmemory", 0),
        ("tailrepairs", 0),
        ("reclaimed", 0),
        ("expired_unfetched", 0),
        ("evicted_unfetched", 0),
        ("crawler_reclaimed", 0),
        ("crawler_items_checked", 0),
        ("moves_to_cold", 0),
        ("moves_to_warm", 0),
        ("moves_within_lru", 0),
        ("direct_reclaims", 0),
        ("hits_to_hot", model.counters.get_hits),
        ("hits_to_warm", 0),
        ("hits_to_cold", 0),
        ("hits_to_temp", 0),
    ];
    let rows = rows.map(|(name, value)| Row::own(format!("items:1:{name}"), value));
    if model.items.is_empty() {
        list([], req!("statistics.items.empty"))
    } else {
        list(rows, req!("statistics.items.names")).also(req!("statistics.items.number"))
    }
}

/// `stats slabs`
pub(super) fn slabs(model: &Model) -> Ruling {
    let counters = &model.counters;
    let rows = [
        ("chunk_size", model.options.item_size_max_bytes),
        ("chunks_per_page", 1),
        ("total_pages", 1),
        ("total_chunks", 1),
        ("used_chunks", 1),
        ("free_chunks", 0),
        ("free_chunks_end", 0),
        ("get_hits", counters.get_hits),
        ("cmd_set", counters.cmd_set),
        ("delete_hits", counters.delete_hits),
        ("incr_hits", counters.incr_hits),
        ("decr_hits", counters.decr_hits),
        ("cas_hits", counters.cas_hits),
        ("cas_badval", counters.cas_badval),
        ("touch_hits", counters.touch_hits),
    ];
    let rows = rows.map(|(name, value)| Row::own(format!("1:{name}"), value));
    let totals = [
        Row::own("active_slabs", 1),
        Row::own("total_malloced", model.options.item_size_max_bytes),
    ];
    list(
        rows.into_iter().chain(totals),
        req!("statistics.slabs.names"),
    )
    .also(req!("statistics.slabs.commands"))
}

/// What an item counts under is its size, rounded up to so many bytes.
const SIZE_STEP_BYTES: u64 = 32;

/// `stats sizes`
pub(super) fn sizes(model: &Model) -> Ruling {
    if !model.options.track_sizes {
        let row = Row::own("sizes_status", "disabled");
        return list([row], req!("statistics.sizes.disabled"));
    }
    let mut sizes = BTreeMap::new();
    for size in model.items.keys().filter_map(|key| model.size_of(key)) {
        let count: &mut u64 = sizes
            .entry(size.next_multiple_of(SIZE_STEP_BYTES))
            .or_default();
        *count = count.saturating_add(1);
    }
    let rows = sizes
        .iter()
        .map(|(size, count)| Row::own(size.to_string(), count));
    list(rows, req!("statistics.sizes.tracked"))
}

/// No class has a number so high.
const CLASSES_MAX: u32 = 64;

/// `stats cachedump <class> <limit>`, where a limit of 0 is none.
pub(super) fn cachedump(model: &Model, line: &Line) -> Ruling {
    if !model.options.dumps {
        return Reply::ClientError(Cow::Borrowed("stats cachedump not allowed"))
            .because(req!("statistics.cachedump.forbidden"));
    }
    let [class, limit, ..] = line.arguments_from(2) else {
        return Reply::ClientError(Cow::Borrowed("bad command line"))
            .because(req!("statistics.cachedump.missing"));
    };
    let number = |token| numbers::unsigned32(token, line, &model.dialect);
    let (Some(class), Some(limit)) = (number(class), number(limit)) else {
        return MALFORMED.because(req!("statistics.cachedump.numbers"));
    };
    if class >= CLASSES_MAX {
        return Reply::ClientError(Cow::Borrowed("Illegal slab id"))
            .because(req!("statistics.cachedump.class"));
    }
    let limit = match usize::try_from(limit) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let items = model
        .items
        .iter()
        .filter(|(_, item)| class == 1 && !item.base64)
        .take(limit);
    let lines = items.map(|(key, item)| {
        let expires = item.expires.map_or(0, |at| at.0);
        let about = format!(" [{} b; {expires} s]", item.value.len());
        [b"ITEM ", key.as_slice(), about.as_bytes()].concat()
    });
    Reply::Dump(lines.collect())
        .because(req!("statistics.cachedump.items"))
        .also(req!("statistics.cachedump.limit"))
        .also(req!("statistics.cachedump.none"))
        .also(req!("statistics.cachedump.base64"))
}
