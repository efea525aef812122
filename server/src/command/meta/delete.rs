//! `md`.

use super::super::watch::Attempt;
use super::super::{Context, expiration};
use crate::counters::Counter;
use crate::protocol::meta::Meta;
use crate::protocol::{Error, MetaReply, Status};
use crate::store::{Draft, Entry, Expiry, Marks, NoMemory};
use crate::watchers::Event;

/// Removes an item, or its value, or makes it stale.
///
/// # Errors
///
/// When there is no memory.
pub fn delete(context: &Context<'_>, meta: &Meta<'_>) -> Result<MetaReply, Error> {
    let status = context.entry(meta.key(), |entry| {
        let Some(item) = entry.item() else {
            context.count(Counter::DeleteMisses);
            return Ok(Status::NotFound);
        };
        if meta.compare.is_some_and(|compare| compare != item.unique()) {
            context.count(Counter::DeleteMisses);
            return Ok(Status::Exists);
        }
        let invalidates = meta.has(b'I');
        if meta.has(b'x') {
            let keeps = !invalidates && !meta.has(b'E');
            let unique = meta.unique.or(keeps.then_some(item.unique()));
            let encoded = item.marks().encoded;
            empty(context, meta, unique, encoded, entry)?;
            attempt(meta).ended(context, "stored", entry);
        } else if invalidates {
            entry.renumber(meta.unique);
        } else {
            let size = item.value().len();
            entry.remove();
            let (key, command) = (meta.key(), "md");
            context.tell(&Event::Deleted { key, command, size });
        }
        if invalidates {
            entry.mark_stale(true);
            entry.mark_won(false);
            if let Some(exptime) = meta.exptime {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
        } else {
            context.count(Counter::DeleteHits);
        }
        Ok(Status::Done)
    });
    let status = status.map_err(|NoMemory| Error::OutOfMemory)?;
    Ok(super::reply(meta, status))
}

/// What watchers are told of where the value goes, and the item stays.
fn attempt<'a>(meta: &'a Meta<'_>) -> Attempt<'a> {
    Attempt {
        key: meta.key(),
        command: "set",
        expiry: Expiry::NEVER,
        size: 0,
    }
}

/// Puts an item without a value in the place of the item.
fn empty(
    context: &Context<'_>,
    meta: &Meta<'_>,
    unique: Option<u64>,
    encoded: bool,
    entry: &mut Entry<'_>,
) -> Result<u64, NoMemory> {
    entry.insert(Draft {
        flags: meta.client_flags.unwrap_or(0),
        expiry: meta.exptime.map_or(Expiry::NEVER, |exptime| {
            expiration::expiry(exptime, context.now)
        }),
        unique,
        marks: Marks {
            encoded,
            ..Marks::default()
        },
        ..Draft::new(b"")
    })
}
