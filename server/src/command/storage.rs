//! `set`, `add`, `replace`, `append`, `prepend` and `cas`.
//!
//! A storage request is judged twice: when its line has come, whether its data block is let in; and
//! when the block is complete, whether it is stored.

use bytes::Bytes;

use super::watch::Attempt;
use super::{Context, expiration};
use crate::counters::Counter;
use crate::log;
use crate::protocol::{Error, Reply, Storage, Verb};
use crate::simulated::{self, Mistake, Refusal};
use crate::store::{Draft, Entry, Item, Marks, NoMemory, Value};
use crate::watchers::Topic;

/// Whether the data block that a line announces is let in.
///
/// # Errors
///
/// The reply, when it is not: the block is to be skipped.
#[inline]
pub fn admit(context: &Context<'_>, storage: &Storage<'_>) -> Result<(), Error> {
    count_prefix(context, storage.key);
    let admitted = has_room(context, storage.key, storage.length, storage.flags);
    admitted.inspect_err(|&error| {
        tell_refused(context, storage, error);
        clear(context, storage);
    })
}

/// Removes what a refused `set` was to replace.
pub(super) fn clear(context: &Context<'_>, storage: &Storage<'_>) {
    if storage.is_set {
        context.entry(storage.key, |entry| entry.remove());
    }
}

/// Tells watchers that a block was not let in.
#[cold]
pub(super) fn tell_refused(context: &Context<'_>, storage: &Storage<'_>, error: Error) {
    attempt(context, storage, storage.length).refused(context, error);
}

/// What watchers are told of.
fn attempt<'a>(context: &Context<'_>, storage: &Storage<'a>, size: usize) -> Attempt<'a> {
    Attempt {
        key: storage.key,
        command: storage.verb.word(),
        expiry: expiration::expiry(storage.exptime, context.sent),
        size,
    }
}

/// What came of it, in the words for watchers.
const fn word(reply: &Result<Reply, NoMemory>) -> &'static str {
    match reply {
        Ok(Reply::Stored) => "stored",
        Ok(Reply::Exists) => "exists",
        Ok(Reply::NotFound) => "not_found",
        Ok(_) => "not_stored",
        Err(NoMemory) => "no_memory",
    }
}

/// Counts a request by the prefix of its key.
#[inline]
pub(super) fn count_prefix(context: &Context<'_>, key: &[u8]) {
    let prefixes = &context.shared.prefixes;
    prefixes.count(key, |tally| tally.sets += 1);
}

/// Notes that a block was given up, and removes the item that it was to replace.
pub fn abandon(context: &Context<'_>, storage: &Storage<'_>) {
    context.count(Counter::StoreNoMemory);
    tell_refused(context, storage, Error::OutOfMemory);
    if !simulated::errs(Mistake::KeepsRefused) {
        clear(context, storage);
    }
}

/// Whether an item may be as large as it would be, and there is room for it. Counts either way.
#[inline]
pub(super) fn has_room(
    context: &Context<'_>,
    key: &[u8],
    length: usize,
    flags: u32,
) -> Result<(), Error> {
    fits(context, key, length, flags)
        .inspect(|()| context.count(Counter::CmdSet))
        .inspect_err(|&error| note_refused(context, key, length, error))
}

/// Notes why there was no room for an item.
#[cold]
fn note_refused(context: &Context<'_>, key: &[u8], length: usize, error: Error) {
    if error != Error::TooLarge {
        return context.count(Counter::StoreNoMemory);
    }
    context.count(Counter::StoreTooLarge);
    if context.shared.verbosity() > 0 {
        let line = format!(
            "too large to be stored: `{}`, {length} bytes",
            log::shown(key)
        );
        context.shared.log.say(log::Kind::Client, line);
    }
}

/// Whether an item may be as large as it would be, and there is room for it.
#[inline]
pub(super) fn fits(
    context: &Context<'_>,
    key: &[u8],
    length: usize,
    flags: u32,
) -> Result<(), Error> {
    let store = &context.shared.store;
    let cost = store.cost(key.len(), length, flags);
    if cost > context.shared.settings.item_bytes_max {
        Err(Error::TooLarge)
    } else if !store.has_room(cost) {
        Err(Error::OutOfMemory)
    } else {
        Ok(())
    }
}

/// Stores a data block, and shows the item that is there now.
#[must_use]
pub fn store<R>(
    context: &Context<'_>,
    storage: &Storage<'_>,
    block: Value<'_>,
    show: impl FnOnce(Option<Item<'_>>) -> R,
) -> (Reply, R) {
    let (reply, shown) = context.entry(storage.key, |entry| {
        let reply = decide(context, storage, block, entry);
        if context.is_watched(Topic::Mutations) {
            let attempt = attempt(context, storage, block.len());
            attempt.ended(context, word(&reply), entry);
        }
        (reply, show(entry.item()))
    });
    let compares = match storage.verb {
        Verb::Cas(_) => true,
        Verb::Add => storage.unique != 0,
        _ => false,
    };
    if compares {
        match reply {
            Ok(Reply::NotFound) => context.count(Counter::CasMisses),
            Ok(Reply::Stored) => context.count(Counter::CasHits),
            Ok(_) => context.count(Counter::CasBadval),
            Err(NoMemory) => {}
        }
    }
    let reply = reply.unwrap_or_else(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Error::OutOfMemory.into()
    });
    (reply, shown)
}

fn decide(
    context: &Context<'_>,
    storage: &Storage<'_>,
    block: Value<'_>,
    entry: &mut Entry<'_>,
) -> Result<Reply, NoMemory> {
    if storage.verb == Verb::Set {
        // Most are, and what there is does not matter to them.
        return put(context, storage, block, entry);
    }
    let Some(item) = entry.item() else {
        return match storage.verb {
            // What wants an item and none cannot be had.
            Verb::Add if storage.unique != 0 => Ok(Reply::NotFound),
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
        Verb::Append | Verb::Prepend if storage.unique != 0 && storage.unique != item.unique() => {
            Ok(Reply::Exists)
        }
        Verb::Append => Ok(extend(context, joined([item.value(), &block]), entry)),
        Verb::Prepend => Ok(extend(context, joined([&block, item.value()]), entry)),
    }
}

fn put(
    context: &Context<'_>,
    storage: &Storage<'_>,
    block: Value<'_>,
    entry: &mut Entry<'_>,
) -> Result<Reply, NoMemory> {
    let draft = Draft {
        flags: storage.flags,
        expiry: expiration::expiry(storage.exptime, context.sent),
        ..Draft::new(block)
    };
    let stored = entry.insert(draft);
    if stored.is_err() && storage.is_set {
        entry.remove();
    }
    stored.map(|_| Reply::Stored)
}

/// Replaces the value and keeps all else that the client gave.
fn extend(context: &Context<'_>, value: Option<Vec<u8>>, entry: &mut Entry<'_>) -> Reply {
    let Some(value) = value else {
        return if simulated::errs(Mistake::HidesRefusedJoin) {
            Reply::Stored
        } else {
            Reply::NotStored
        };
    };
    let Some(item) = entry.item() else {
        return Reply::NotStored;
    };
    let value = Bytes::from(value);
    let draft = redraft(item, Value::owned(&value));
    let cost = (context.shared.store).cost(item.key().len(), value.len(), draft.flags);
    if cost > context.shared.settings.item_bytes_max {
        return Reply::NotStored;
    }
    // There may be room for what was sent, but not for the joined value beside the old one.
    let stored = entry.insert(draft);
    stored.map_or(Reply::NotStored, |_| Reply::Stored)
}

/// One value behind the other. None where the system has no memory for both.
pub(super) fn joined(values: [&[u8]; 2]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    let len = values.map(<[u8]>::len).into_iter().sum();
    if simulated::refuses(Refusal::Joined) || joined.try_reserve_exact(len).is_err() {
        return None;
    }
    for value in values {
        joined.extend_from_slice(value);
    }
    Some(joined)
}

/// The item again, with another value and without its marks.
pub(super) fn redraft<'a>(item: Item<'_>, value: Value<'a>) -> Draft<'a> {
    Draft {
        flags: item.flags(),
        expiry: item.expiry(),
        marks: Marks {
            encoded: item.marks().encoded,
            ..Marks::default()
        },
        ..Draft::new(value)
    }
}
