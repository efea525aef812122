//! `ma`.

use bytes::Bytes;

use super::super::{Context, arithmetic, expiration};
use crate::counters::Counter;
use crate::protocol::meta::Meta;
use crate::protocol::{Error, MetaReply, Status};
use crate::store::{Draft, Entry, Expiry, Item, Marks, NoMemory};

/// How far a number moves when nothing is said.
const DELTA: u64 = 1;

/// Moves a number, or makes one.
///
/// # Errors
///
/// When the value is no number, or there is no memory.
pub fn step(context: &Context<'_>, meta: &Meta<'_>) -> Result<MetaReply, Error> {
    let (hits, misses) = arithmetic::counters(meta.direction);
    let stepped = context.entry(meta.key(), |entry| {
        let number = match entry.item() {
            None => {
                let Some(exptime) = meta.vivify else {
                    context.count(misses);
                    return Ok(Ok(super::reply(meta, Status::NotFound)));
                };
                make(context, meta, exptime, entry)?
            }
            Some(item) => {
                if meta.compare.is_some_and(|unique| unique != item.unique()) {
                    return Ok(Ok(super::reply(meta, Status::Exists)));
                }
                let Some(number) = arithmetic::number(item.value()) else {
                    return Ok(Err(Error::NonNumeric));
                };
                let delta = meta.delta.unwrap_or(DELTA);
                let number = arithmetic::moved(number, meta.direction, delta);
                arithmetic::write(entry, number, meta.unique)?;
                context.count(hits);
                number
            }
        };
        Ok(Ok(answer(context, meta, number, entry)))
    });
    stepped.unwrap_or_else(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Err(Error::OutOfMemory)
    })
}

fn make(
    context: &Context<'_>,
    meta: &Meta<'_>,
    exptime: i32,
    entry: &mut Entry<'_>,
) -> Result<u64, NoMemory> {
    let number = meta.initial.unwrap_or(0);
    entry.insert(Draft {
        value: Bytes::from(number.to_string()),
        flags: 0,
        expiry: expiration::expiry(exptime, context.now),
        unique: meta.unique,
        marks: Marks {
            encoded: meta.is_encoded(),
            ..Marks::default()
        },
    })?;
    Ok(number)
}

/// Shows the item as it is now; `T` and `t` take effect from left to right.
fn answer(context: &Context<'_>, meta: &Meta<'_>, number: u64, entry: &mut Entry<'_>) -> MetaReply {
    let value = meta.has(b'v').then(|| Bytes::from(number.to_string()));
    let status = value.as_ref().map_or(Status::Done, |_| Status::Value);
    let mut reply = super::reply(meta, status);
    reply.value = value;
    reply.unique = entry.item().map(Item::unique);
    for flag in meta.flags() {
        match (flag.letter, meta.exptime) {
            (b'T', Some(exptime)) => {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            (b't', _) => {
                let expiry = entry.item().map_or(Expiry::NEVER, Item::expiry);
                reply.seconds_left = Some(expiry.seconds_left(context.now));
            }
            _ => {}
        }
    }
    reply
}
