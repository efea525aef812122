//! `delete`.

use super::Context;
use crate::counters::Counter;
use crate::protocol::Reply;
use crate::watchers::Event;

/// Removes an item that has this unique; 0 means any.
pub(super) fn delete(context: &Context<'_>, key: &[u8], unique: u64) -> Reply {
    let deleted = context.entry(key, |entry| {
        let item = entry.item()?;
        let (found, size) = (item.unique(), item.value().len());
        let is_meant = unique == 0 || unique == found;
        if is_meant {
            entry.remove();
            let command = "delete";
            context.tell(&Event::Deleted { key, command, size });
        }
        Some(is_meant)
    });
    let prefixes = &context.shared.prefixes;
    prefixes.count(key, |tally| tally.deletes += 1);
    match deleted {
        None => {
            context.count(Counter::DeleteMisses);
            Reply::NotFound
        }
        Some(true) => {
            context.count(Counter::DeleteHits);
            Reply::Deleted
        }
        Some(false) => Reply::Exists,
    }
}
