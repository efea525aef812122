//! `ms`.

use bytes::Bytes;

use super::super::watch::Attempt;
use super::super::{Context, expiration, storage};
use crate::counters::Counter;
use crate::protocol::meta::{Meta, Mode};
use crate::protocol::{Error, MetaReply, Status};
use crate::store::{Draft, Entry, Expiry, Item, Marks, NoMemory, Value};
use crate::watchers::Topic;

/// Whether the data block that a line announces is let in.
///
/// # Errors
///
/// The reply, when it is not: the block is to be skipped.
pub fn admit(context: &Context<'_>, meta: &Meta<'_>) -> Result<(), Error> {
    let flags = meta.client_flags.unwrap_or(0);
    if storage::fits(context, meta.key(), meta.length, flags).is_ok() {
        meta.check_opaque()?;
    }
    let admitted = storage::has_room(context, meta.key(), meta.length, flags);
    if let Err(error) = admitted {
        attempt(context, meta, meta.length).refused(context, error);
        // In whatever mode: a client that sent this much did not mean the old value to stay.
        context.entry(meta.key(), |entry| entry.remove());
    }
    admitted
}

/// Notes that a block was given up, and removes the item that it was to replace.
pub fn abandon(context: &Context<'_>, meta: &Meta<'_>) {
    context.count(Counter::StoreNoMemory);
    attempt(context, meta, meta.length).refused(context, Error::OutOfMemory);
    context.entry(meta.key(), |entry| entry.remove());
}

/// Stores a data block.
///
/// # Errors
///
/// When there is no memory.
pub fn set(context: &Context<'_>, meta: &Meta<'_>, block: Value<'_>) -> Result<MetaReply, Error> {
    context.entry(meta.key(), |entry| {
        let stored = store(context, meta, block, entry);
        if context.is_watched(Topic::Mutations) {
            let attempt = attempt(context, meta, block.len());
            attempt.ended(context, word(stored.as_ref().ok()), entry);
        }
        let status = stored.map_err(|NoMemory| {
            entry.remove();
            context.count(Counter::StoreNoMemory);
            Error::OutOfMemory
        })?;
        let mut reply = super::reply(meta, status);
        let stored = entry.item().filter(|_| status == Status::Done);
        reply.unique = Some(stored.map_or(0, Item::unique));
        reply.size = Some(stored.map_or(block.len(), |item| item.value().len()));
        Ok(reply)
    })
}

/// What watchers are told of.
fn attempt<'a>(context: &Context<'_>, meta: &'a Meta<'_>, size: usize) -> Attempt<'a> {
    let command = match meta.mode {
        Mode::Set | Mode::Replace if meta.compare.is_some() => "cas",
        Mode::Set => "set",
        Mode::Add => "add",
        Mode::Replace => "replace",
        Mode::Append => "append",
        Mode::Prepend => "prepend",
    };
    Attempt {
        key: meta.key(),
        command,
        expiry: draft(context, meta, b"".into()).expiry,
        size,
    }
}

/// A status, in the words for watchers.
const fn word(status: Option<&Status>) -> &'static str {
    match status {
        None => "no_memory",
        Some(Status::Done) => "stored",
        Some(Status::Exists) => "exists",
        Some(Status::NotFound) => "not_found",
        Some(_) => "not_stored",
    }
}

fn store(
    context: &Context<'_>,
    meta: &Meta<'_>,
    block: Value<'_>,
    entry: &mut Entry<'_>,
) -> Result<Status, NoMemory> {
    let Some(item) = entry.item() else {
        return store_missing(context, meta, block, entry);
    };
    match (meta.mode, meta.compare) {
        (Mode::Add, _) => {
            entry.mark_bumped();
            Ok(Status::NotStored)
        }
        (Mode::Append | Mode::Prepend, Some(1..)) if meta.compare != Some(item.unique()) => {
            Ok(Status::Exists)
        }
        (Mode::Append, _) => {
            let value = storage::joined([item.value(), &block]);
            Ok(extend(context, meta, value, entry))
        }
        (Mode::Prepend, _) => {
            let value = storage::joined([&block, item.value()]);
            Ok(extend(context, meta, value, entry))
        }
        (Mode::Set | Mode::Replace, None) => put(context, meta, block, entry),
        (Mode::Set | Mode::Replace, Some(compare)) => {
            compare_and_store(context, meta, block, compare, entry)
        }
    }
}

fn store_missing(
    context: &Context<'_>,
    meta: &Meta<'_>,
    block: Value<'_>,
    entry: &mut Entry<'_>,
) -> Result<Status, NoMemory> {
    match (meta.mode, meta.compare, meta.vivify) {
        (Mode::Set | Mode::Replace, Some(_), _) => {
            context.count(Counter::CasMisses);
            Ok(Status::NotFound)
        }
        (Mode::Set | Mode::Add, ..) => put(context, meta, block, entry),
        (Mode::Append | Mode::Prepend, _, Some(exptime)) => {
            let mut draft = draft(context, meta, block);
            draft.expiry = expiration::expiry(exptime, context.sent);
            entry.insert(draft)?;
            Ok(Status::Done)
        }
        (Mode::Replace | Mode::Append | Mode::Prepend, ..) => Ok(Status::NotStored),
    }
}

/// Stores if the item is the one the client has seen; a later one only if it may be stale.
fn compare_and_store(
    context: &Context<'_>,
    meta: &Meta<'_>,
    block: Value<'_>,
    compare: u64,
    entry: &mut Entry<'_>,
) -> Result<Status, NoMemory> {
    let Some(item) = entry.item() else {
        return Ok(Status::NotFound);
    };
    if compare != 0 && compare == item.unique() {
        context.count(Counter::CasHits);
        return put(context, meta, block, entry);
    }
    if compare == 0 || !meta.has(b'I') || compare > item.unique() {
        context.count(Counter::CasBadval);
        return Ok(Status::Exists);
    }
    let mut draft = draft(context, meta, block);
    draft.expiry = item.expiry();
    draft.marks.stale = true;
    draft.marks.won = item.marks().won;
    entry.insert(draft)?;
    context.count(Counter::CasHits);
    Ok(Status::Done)
}

fn put(
    context: &Context<'_>,
    meta: &Meta<'_>,
    block: Value<'_>,
    entry: &mut Entry<'_>,
) -> Result<Status, NoMemory> {
    entry.insert(draft(context, meta, block))?;
    Ok(Status::Done)
}

/// Replaces the value and keeps the flags and the expiry.
fn extend(
    context: &Context<'_>,
    meta: &Meta<'_>,
    value: Option<Vec<u8>>,
    entry: &mut Entry<'_>,
) -> Status {
    let (Some(item), Some(value)) = (entry.item(), value) else {
        return Status::NotStored;
    };
    let value = Bytes::from(value);
    let mut draft = storage::redraft(item, Value::owned(&value));
    let cost = context
        .shared
        .store
        .cost(meta.key().len(), value.len(), draft.flags);
    if cost > context.shared.settings.item_bytes_max {
        return Status::NotStored;
    }
    draft.unique = meta.unique;
    let stored = entry.insert(draft);
    stored.map_or(Status::NotStored, |_| Status::Done)
}

fn draft<'a>(context: &Context<'_>, meta: &Meta<'_>, block: Value<'a>) -> Draft<'a> {
    Draft {
        value: block,
        flags: meta.client_flags.unwrap_or(0),
        expiry: meta.exptime.map_or(Expiry::NEVER, |exptime| {
            expiration::expiry(exptime, context.sent)
        }),
        unique: meta.unique,
        marks: Marks {
            encoded: meta.is_encoded(),
            ..Marks::default()
        },
    }
}
