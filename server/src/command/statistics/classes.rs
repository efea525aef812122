//! `stats items`, `slabs`, `sizes` and `cachedump`.
//!
//! All items are of one class: `class` has what is counted of it.

use std::collections::BTreeMap;

use super::super::Context;
use super::Lines;
use crate::class::{self, CLASS};
use crate::protocol::{Error, Reply, Tokens, number};

/// memcached has no more classes than this.
const CLASSES_MAX: u32 = 64;

/// Items of about one size are counted together.
const SIZE_STEP: usize = 32;

/// A list of keys ends when it is longer than this, in bytes.
const DUMP_BYTES_MAX: usize = 2 * 1024 * 1024;

pub(super) fn items(context: &Context<'_>) -> Lines {
    let tally = context.shared.store.tally();
    let mut lines = Lines::default();
    if tally.items == 0 {
        return lines;
    }
    for (name, value) in class::items(context.shared, &tally, context.now) {
        lines.add(&format!("items:{CLASS}:{name}"), value);
    }
    lines
}

pub(super) fn slabs(context: &Context<'_>) -> Lines {
    let tally = context.shared.store.tally();
    let requests = class::requests(context.shared);
    let mut lines = Lines::default();
    let is_there = tally.bytes > 0 || requests.iter().any(|(_, count)| *count > 0);
    if is_there {
        for (name, value) in class::chunks(&tally).into_iter().chain(requests) {
            lines.add(&format!("{CLASS}:{name}"), value);
        }
    }
    lines.add("active_slabs", u64::from(is_there));
    lines.add("total_malloced", tally.used_bytes);
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
