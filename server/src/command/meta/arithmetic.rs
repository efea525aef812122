//! `ma`.

use super::super::{Context, arithmetic, expiration, watch};
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
        let is_made = entry.item().is_none();
        let number = match entry.item() {
            None => {
                if meta.vivify.is_none() {
                    context.count(misses);
                    return Ok(Ok(super::reply(meta, Status::NotFound)));
                }
                make(meta, entry)?
            }
            Some(item) => {
                if meta
                    .compare
                    .is_some_and(|unique| unique != 0 && unique != item.unique())
                {
                    return Ok(Ok(super::reply(meta, Status::Exists)));
                }
                let Some(number) = arithmetic::number(item.value()) else {
                    return Ok(Err(Error::NonNumeric));
                };
                let delta = meta.delta.unwrap_or(DELTA);
                let number = arithmetic::moved(number, meta.direction, delta);
                arithmetic::write(entry, number)?;
                // It is counted first, and takes a unique for that, as in memcached.
                if meta.unique.is_some() {
                    entry.renumber(meta.unique);
                }
                context.count(hits);
                number
            }
        };
        let answer = answer(context, meta, number, is_made, entry);
        if is_made {
            watch::tell_made(context, meta.key(), entry);
        }
        Ok(Ok(answer))
    });
    stepped.unwrap_or_else(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Err(Error::OutOfMemory)
    })
}

/// An item that lives for ever until `N` has its turn.
fn make(meta: &Meta<'_>, entry: &mut Entry<'_>) -> Result<u64, NoMemory> {
    let number = meta.initial.unwrap_or(0);
    entry.insert(Draft {
        unique: meta.unique,
        marks: Marks {
            encoded: meta.is_encoded(),
            ..Marks::default()
        },
        ..Draft::new(number.to_string().as_bytes())
    })?;
    Ok(number)
}

/// Shows the item as it is now; `N`, `T` and `t` take effect from left to right.
fn answer(
    context: &Context<'_>,
    meta: &Meta<'_>,
    number: u64,
    is_made: bool,
    entry: &mut Entry<'_>,
) -> MetaReply {
    let number = meta.has(b'v').then_some(number);
    let status = number.map_or(Status::Done, |_| Status::Value);
    let mut reply = super::reply(meta, status);
    reply.number = number;
    reply.unique = entry.item().map(Item::unique);
    for flag in meta.flags() {
        match (flag.letter, meta.exptime, meta.vivify) {
            (b'T', Some(exptime), _) => {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            (b'N', _, Some(exptime)) if is_made => {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            (b't', ..) => {
                let expiry = entry.item().map_or(Expiry::NEVER, Item::expiry);
                reply.seconds_left = Some(expiry.seconds_left(context.now));
            }
            _ => {}
        }
    }
    reply
}
