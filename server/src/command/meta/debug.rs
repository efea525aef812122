//! `me`.
//!
//! It never changes anything: looking is not fetching.

use super::super::Context;
use crate::counters::Counter;
use crate::protocol::Anatomy;
use crate::protocol::meta::Meta;

/// Tells all that is known of an item.
#[must_use]
pub fn debug(context: &Context<'_>, meta: &Meta<'_>) -> Option<Anatomy> {
    context.count(Counter::CmdMeta);
    context.entry(meta.key(), |entry| {
        entry.item().map(|item| Anatomy {
            seconds_left: item.expiry().seconds_left(context.now),
            idle_seconds: context.now.seconds().saturating_sub(item.accessed()),
            unique: item.unique(),
            is_fetched: item.marks().fetched,
            key_is_encoded: item.marks().encoded,
            size: context
                .shared
                .store
                .cost(item.key().len(), item.value().len(), item.flags()),
        })
    })
}
