//! `get`, `gets`, `gat` and `gats`, one key at a time.
//!
//! It never gathers the values of a request: the session asks for the next when there is room.

use super::{Context, expiration};
use crate::counters::Counter;
use crate::store::Item;
use crate::watchers::Topic;

/// Looks a key up, and shows its item where it lies; with an exptime, it is given that.
pub fn fetch<R>(
    context: &Context<'_>,
    key: &[u8],
    exptime: Option<i64>,
    show: impl FnOnce(Item<'_>) -> R,
) -> Option<R> {
    let hit = if exptime.is_none() && !context.is_watched(Topic::Fetchers) {
        context.serve(key, show)
    } else {
        context.entry(key, |entry| {
            let hit = entry.serve().map(show)?;
            if let Some(exptime) = exptime {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            Some(hit)
        })
    };
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
