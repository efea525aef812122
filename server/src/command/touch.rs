//! `touch`.

use super::{Context, expiration};
use crate::counters::Counter;
use crate::protocol::Reply;

/// Gives an item another exptime.
pub(super) fn touch(context: &Context<'_>, key: &[u8], exptime: i32) -> Reply {
    let touched = context.entry(key, |entry| {
        let found = entry.item().is_some();
        entry.mark_fetched();
        entry.set_expiry(expiration::expiry(exptime, context.now));
        found
    });
    context.count(Counter::CmdTouch);
    context.count_either(touched, Counter::TouchHits, Counter::TouchMisses);
    if touched {
        Reply::Touched
    } else {
        Reply::NotFound
    }
}
