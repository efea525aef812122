//! `get`, `gets`, `gat` and `gats`, one key at a time.
//!
//! It never gathers the values of a request: the session asks for the next when there is room.

use bytes::Bytes;

use super::{Context, expiration};
use crate::counters::Counter;

/// An item that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its value.
    pub value: Bytes,
    /// The client's flags.
    pub flags: u32,
    /// Its unique.
    pub unique: u64,
}

/// Looks a key up; with an exptime, the item is given that.
#[must_use]
pub fn fetch(context: &Context<'_>, key: &[u8], exptime: Option<i64>) -> Option<Hit> {
    let hit = context.entry(key, |entry| {
        let hit = entry.item().map(|item| Hit {
            value: item.share_value(),
            flags: item.flags(),
            unique: item.unique(),
        })?;
        entry.mark_fetched();
        if let Some(exptime) = exptime {
            entry.set_expiry(expiration::expiry(exptime, context.now));
        }
        Some(hit)
    });
    context.shared.prefixes.count(key, |tally| {
        tally.gets += 1;
        tally.hits += u64::from(hit.is_some());
    });
    match exptime {
        None => {
            context.count(Counter::CmdGet);
            context.count_either(hit.is_some(), Counter::GetHits, Counter::GetMisses);
        }
        Some(_) => {
            context.count(Counter::CmdTouch);
            context.count_either(hit.is_some(), Counter::TouchHits, Counter::TouchMisses);
        }
    }
    hit
}
