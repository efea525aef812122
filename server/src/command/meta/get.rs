//! `mg`.
//!
//! Its flags take effect from left to right, and what they show is what is so at their place.

use super::super::{Context, expiration};
use crate::counters::Counter;
use crate::protocol::meta::Meta;
use crate::protocol::{Error, MetaReply, Status};
use crate::store::{Draft, Entry, Expiry, Item, Marks, NoMemory};

/// Looks an item up, and changes what its flags ask for. What they ask to see is shown, and of an
/// item its value where it lies.
///
/// # Errors
///
/// When an item was to be made and there is no memory.
pub fn get(
    context: &Context<'_>,
    meta: &Meta<'_>,
    mut show: impl FnMut(&MetaReply, Option<Item<'_>>),
) -> Result<(), Error> {
    let found = context.entry(meta.key(), |entry| {
        let is_made = entry.item().is_none();
        if is_made {
            if meta.vivify.is_none() {
                return Ok(false);
            }
            make(meta, entry)?;
        }
        let reply = answer(context, meta, entry, is_made);
        let has_value = reply.status == Status::Value;
        show(&reply, entry.item().filter(|_| has_value));
        Ok(true)
    });
    let found = found.map_err(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Error::OutOfMemory
    })?;
    count(context, meta, found);
    if !found {
        show(&super::reply(meta, Status::Miss), None);
    }
    Ok(())
}

/// An item without a value, for the client that is to bring one.
fn make(meta: &Meta<'_>, entry: &mut Entry<'_>) -> Result<u64, NoMemory> {
    entry.insert(Draft {
        unique: meta.unique,
        marks: Marks {
            encoded: meta.is_encoded(),
            ..Marks::default()
        },
        ..Draft::new(b"")
    })
}

fn answer(
    context: &Context<'_>,
    meta: &Meta<'_>,
    entry: &mut Entry<'_>,
    is_made: bool,
) -> MetaReply {
    let Some(item) = entry.item() else {
        return super::reply(meta, Status::Miss);
    };
    let mut reply = snapshot(context, meta, item);
    let marks = item.marks();
    let mut wins = is_made || marks.stale;
    for flag in meta.flags() {
        let expiry = || entry.item().map_or(Expiry::NEVER, Item::expiry);
        match (flag.letter, meta.exptime, meta.vivify, meta.recache) {
            (b'T', Some(exptime), _, _) => {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            (b'N', _, Some(exptime), _) if is_made => {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            (b'R', _, _, Some(exptime)) => {
                let token = expiration::expiry(exptime, context.now);
                let left = expiry().seconds_left(context.now);
                wins |= left.is_some() && left < token.seconds_left(context.now);
            }
            (b't', ..) => reply.seconds_left = Some(expiry().seconds_left(context.now)),
            _ => {}
        }
    }
    reply.is_taken = marks.won;
    reply.is_stale = marks.stale;
    reply.has_won = wins && !marks.won;
    if reply.has_won {
        entry.mark_won(true);
    }
    if !meta.has(b'u') {
        entry.mark_fetched();
    }
    reply
}

/// What there is to see before anything is changed.
fn snapshot(context: &Context<'_>, meta: &Meta<'_>, item: Item<'_>) -> MetaReply {
    let is_known = meta.compare == Some(item.unique());
    let has_value = meta.has(b'v') && !is_known;
    MetaReply {
        status: if has_value {
            Status::Value
        } else {
            Status::Done
        },
        unique: Some(item.unique()),
        flags: Some(item.flags()),
        size: Some(item.value().len()),
        was_fetched: Some(item.marks().fetched),
        idle_seconds: Some(context.now.seconds().saturating_sub(item.accessed())),
        key_is_encoded: item.marks().encoded,
        ..MetaReply::default()
    }
}

fn count(context: &Context<'_>, meta: &Meta<'_>, is_hit: bool) {
    if is_hit && meta.exptime.is_some() {
        context.count(Counter::CmdTouch);
        context.count(Counter::TouchHits);
    } else {
        context.count(Counter::CmdGet);
        context.count_either(is_hit, Counter::GetHits, Counter::GetMisses);
    }
}
