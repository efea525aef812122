//! The binary commands, where they differ from the classic ones.
//!
//! It never does again what a chapter of its own does: it asks that, and says the answer in the
//! binary protocol's terms.

use super::retrieval::Outcome;
use super::{
    Context, arithmetic, deletion, expiration, flush, retrieval, statistics, storage, watch,
};
use crate::counters::Counter;
use crate::protocol::binary::{Answer, Request, Status, Step};
use crate::protocol::{Error, Reply, Storage, Tokens};
use crate::store::{Draft, Entry, Item, NoMemory, Value};

/// Carries out a request that brings no value. None where the connection is to be closed.
#[must_use]
pub fn carry_out(context: &Context<'_>, request: &Request<'_>) -> Option<Answer> {
    Some(match *request {
        Request::Retrieve {
            key,
            exptime,
            with_key,
            with_value,
        } => retrieve(context, key, exptime, with_key, with_value),
        Request::Delete(key, unique) => delete(context, key, unique),
        Request::Step(step) => self::step(context, &step),
        Request::FlushAll(delay) => flush_all(context, delay),
        Request::Statistics(words) => stat(context, words),
        Request::Version => Answer::Version,
        Request::Noop => Answer::Done(0),
        Request::Mechanisms => Answer::Mechanisms,
        Request::Store(_) | Request::Attempt(_) | Request::Quit => return None,
    })
}

/// Whether the value that a frame announces is let in.
///
/// # Errors
///
/// The reply, when it is not: the value is to be skipped.
pub fn admit(context: &Context<'_>, storage: &Storage<'_>) -> Result<(), Answer> {
    storage::count_prefix(context, storage.key);
    let outcome = storage::fits(context, storage.key, storage.length, storage.flags);
    let Err(error) = outcome else { return Ok(()) };
    storage::tell_refused(context, storage, error);
    storage::clear(context, storage);
    Err(failed(error))
}

/// Stores a value. A command says for itself what it means that nothing was stored.
#[must_use]
pub fn store(
    context: &Context<'_>,
    storage: &Storage<'_>,
    value: Value<'_>,
    not_stored: Status,
) -> Answer {
    context.count(Counter::CmdSet);
    let (reply, unique) =
        storage::store(context, storage, value, |item| item.map_or(0, Item::unique));
    match reply {
        Reply::Stored => Answer::Done(unique),
        Reply::Exists => Answer::Failed(Status::Exists),
        Reply::NotFound => Answer::Failed(Status::NotFound),
        Reply::Error(error) => failed(error),
        _ => Answer::Failed(not_stored),
    }
}

/// What a frame that is too much for the server is told.
#[must_use]
pub const fn failed(error: Error) -> Answer {
    Answer::Failed(match error {
        Error::TooLarge => Status::TooLarge,
        _ => Status::OutOfMemory,
    })
}

fn retrieve(
    context: &Context<'_>,
    key: &[u8],
    exptime: Option<u32>,
    with_key: bool,
    with_value: bool,
) -> Answer {
    let show = |item: Item<'_>| Answer::Found {
        flags: item.flags(),
        value: with_value.then(|| item.share_value()),
        unique: item.unique(),
        with_key,
    };
    let sought = (key, context.shared.store.trail(key));
    let exptime = exptime.map(i64::from);
    let answer = retrieval::fetch(context, sought, exptime, show);
    let mut outcome = Outcome::default();
    outcome.note(answer.as_ref());
    outcome.count(context, exptime);
    answer.unwrap_or(Answer::Missed { with_key })
}

fn delete(context: &Context<'_>, key: &[u8], unique: u64) -> Answer {
    match deletion::delete(context, key, unique) {
        Reply::Deleted => Answer::Done(0),
        Reply::Exists => Answer::Failed(Status::Exists),
        _ => Answer::Failed(Status::NotFound),
    }
}

fn flush_all(context: &Context<'_>, delay: u32) -> Answer {
    if !context.shared.settings.allows_flush {
        return Answer::Failed(Status::NotAllowed);
    }
    flush::flush_all(context, Some(delay.into()));
    Answer::Done(0)
}

fn stat(context: &Context<'_>, words: &[u8]) -> Answer {
    if !is_list(words) {
        return Answer::Failed(Status::NotFound);
    }
    match statistics::stats(context, Tokens::of(words)) {
        Reply::Statistics(listed) => Answer::Statistics(listed),
        Reply::Lines(lines) => {
            let text = String::from_utf8_lossy(&lines).into_owned() + "END\r\n";
            Answer::Statistics(vec![("detailed".to_owned(), text)])
        }
        Reply::Error(_) => Answer::Failed(Status::NotFound),
        _ => Answer::Statistics(Vec::new()),
    }
}

/// Whether `stat` has such a list. Those of connections and of keys are for the text protocol.
fn is_list(words: &[u8]) -> bool {
    matches!(
        words,
        b"" | b"reset"
            | b"settings"
            | b"items"
            | b"slabs"
            | b"sizes"
            | b"extstore"
            | b"detail on"
            | b"detail off"
            | b"detail dump"
    )
}

fn step(context: &Context<'_>, step: &Step<'_>) -> Answer {
    let (hits, misses) = arithmetic::counters(step.direction);
    let stepped = context.entry(step.key, |entry| {
        let Some(item) = entry.item() else {
            return match step.initial {
                Some((initial, exptime)) => begin(context, step.key, initial, exptime, entry)
                    .map_err(|NoMemory| Status::OutOfMemoryForInitial),
                None => {
                    context.count(misses);
                    Err(Status::NotFound)
                }
            };
        };
        if step.unique != 0 && step.unique != item.unique() {
            return Err(Status::Exists);
        }
        let number = arithmetic::number(item.value()).ok_or(Status::NonNumeric)?;
        let number = arithmetic::moved(number, step.direction, step.delta);
        arithmetic::write(entry, number).map_err(|NoMemory| Status::OutOfMemoryForNumber)?;
        context.count(hits);
        Ok(Answer::Number(number, entry.item().map_or(0, Item::unique)))
    });
    stepped.unwrap_or_else(Answer::Failed)
}

/// Makes a number that is not there.
fn begin(
    context: &Context<'_>,
    key: &[u8],
    initial: u64,
    exptime: u32,
    entry: &mut Entry<'_>,
) -> Result<Answer, NoMemory> {
    let digits = initial.to_string();
    storage::fits(context, key, digits.len(), 0).map_err(|_| NoMemory)?;
    let draft = Draft {
        expiry: expiration::expiry(exptime, context.sent),
        ..Draft::new(digits.as_bytes())
    };
    let unique = entry.insert(draft)?;
    watch::tell_made(context, key, entry);
    Ok(Answer::Number(initial, unique))
}
