//! `delete`.

use super::Context;
use crate::counters::Counter;
use crate::protocol::Reply;

/// Removes an item.
pub(super) fn delete(context: &Context<'_>, key: &[u8]) -> Reply {
    let deleted = context.entry(key, |entry| {
        let found = entry.item().is_some();
        entry.remove();
        found
    });
    let prefixes = &context.shared.prefixes;
    prefixes.count(key, |tally| tally.deletes += 1);
    context.count_either(deleted, Counter::DeleteHits, Counter::DeleteMisses);
    if deleted {
        Reply::Deleted
    } else {
        Reply::NotFound
    }
}
