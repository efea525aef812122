//! `set`, `add`, `replace`, `append`, `prepend` and `cas`.
//!
//! A storage request is judged twice: when its line has come, whether its data block is let in; and
//! when the block is complete, whether it is stored.

use bytes::Bytes;

use super::{Context, expiration};
use crate::counters::Counter;
use crate::protocol::{Error, Reply, Storage, Verb};
use crate::store::{Draft, Entry, Item, Marks, NoMemory};

/// Whether the data block that a line announces is let in.
///
/// # Errors
///
/// The reply, when it is not: the block is to be skipped.
pub fn admit(context: &Context<'_>, storage: &Storage<'_>) -> Result<(), Error> {
    let prefixes = &context.shared.prefixes;
    prefixes.count(storage.key, |tally| tally.sets += 1);
    let cost = context
        .shared
        .store
        .cost(storage.key.len(), storage.length, storage.flags);
    if cost <= context.shared.settings.item_bytes_max {
        context.count(Counter::CmdSet);
        return Ok(());
    }
    context.count(Counter::StoreTooLarge);
    if storage.verb == Verb::Set {
        // The client meant to replace the value: the old one must not be taken for the new one.
        context.entry(storage.key, |entry| entry.remove());
    }
    Err(Error::TooLarge)
}

/// Stores a data block.
#[must_use]
pub fn store(context: &Context<'_>, storage: &Storage<'_>, block: &[u8]) -> Reply {
    let reply = context.entry(storage.key, |entry| {
        let Some(item) = entry.item() else {
            return match storage.verb {
                Verb::Set | Verb::Add => put(context, storage, block, entry),
                Verb::Replace | Verb::Append | Verb::Prepend => Ok(Reply::NotStored),
                Verb::Cas(_) => Ok(Reply::NotFound),
            };
        };
        match storage.verb {
            Verb::Add => {
                entry.mark_bumped();
                Ok(Reply::NotStored)
            }
            Verb::Cas(unique) if unique == 0 || unique != item.unique() => Ok(Reply::Exists),
            Verb::Set | Verb::Replace | Verb::Cas(_) => put(context, storage, block, entry),
            Verb::Append => extend(context, &[item.value(), block].concat(), entry),
            Verb::Prepend => extend(context, &[block, item.value()].concat(), entry),
        }
    });
    if matches!(storage.verb, Verb::Cas(_)) {
        match reply {
            Ok(Reply::NotFound) => context.count(Counter::CasMisses),
            Ok(Reply::Exists) => context.count(Counter::CasBadval),
            _ => context.count(Counter::CasHits),
        }
    }
    reply.unwrap_or_else(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Error::OutOfMemory.into()
    })
}

fn put(
    context: &Context<'_>,
    storage: &Storage<'_>,
    block: &[u8],
    entry: &mut Entry<'_>,
) -> Result<Reply, NoMemory> {
    let draft = Draft {
        value: Bytes::copy_from_slice(block),
        flags: storage.flags,
        expiry: expiration::expiry(storage.exptime, context.sent),
        unique: None,
        marks: Marks::default(),
    };
    let stored = entry.insert(draft);
    if stored.is_err() && storage.verb == Verb::Set {
        entry.remove();
    }
    stored.map(|_| Reply::Stored)
}

/// Replaces the value and keeps all else that the client gave.
fn extend(context: &Context<'_>, value: &[u8], entry: &mut Entry<'_>) -> Result<Reply, NoMemory> {
    let Some(draft) = entry.item().map(|item| redraft(item, value)) else {
        return Ok(Reply::NotStored);
    };
    let store = &context.shared.store;
    let key_len = entry.item().map_or(0, |item| item.key().len());
    if store.cost(key_len, value.len(), draft.flags) > context.shared.settings.item_bytes_max {
        return Ok(Reply::NotStored);
    }
    entry.insert(draft)?;
    Ok(Reply::Stored)
}

/// The item again, with another value and without its marks.
pub(super) fn redraft(item: &Item, value: &[u8]) -> Draft {
    Draft {
        value: Bytes::copy_from_slice(value),
        flags: item.flags(),
        expiry: item.expiry(),
        unique: None,
        marks: Marks {
            encoded: item.marks().encoded,
            ..Marks::default()
        },
    }
}
