//! `watch`, and what commands tell watchers of what was to be stored.
//!
//! It never decides who is told: that is for `watchers` to do.

use super::Context;
use crate::protocol::{Error, Tokens};
use crate::store::{Entry, Expiry};
use crate::watchers::{Event, Topic, Topics};

/// What was to be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) key: &'a [u8],
    pub(super) command: &'static str,
    pub(super) expiry: Expiry,
    /// How long the block is that was sent.
    pub(super) size: usize,
}

impl Attempt<'_> {
    /// Tells of an end: of the item as it is now, where one was stored.
    pub(super) fn ended(&self, context: &Context<'_>, status: &'static str, entry: &Entry<'_>) {
        let item = entry.item().filter(|_| status == "stored");
        let stored = item.map(|item| (item.expiry(), item.value().len()));
        let (expiry, size) = stored.unwrap_or((self.expiry, self.size));
        self.tell(context, status, expiry, size);
    }

    /// Tells that the block was not let in.
    pub(super) fn refused(&self, context: &Context<'_>, error: Error) {
        let status = match error {
            Error::TooLarge => "too_large",
            _ => "no_memory",
        };
        self.tell(context, status, self.expiry, self.size);
    }

    fn tell(&self, context: &Context<'_>, status: &'static str, expiry: Expiry, size: usize) {
        context.tell(&Event::Stored {
            key: self.key,
            status,
            command: self.command,
            ttl: ttl(expiry, context),
            size,
        });
    }
}

/// Tells of a number that was made because there was none.
pub(super) fn tell_made(context: &Context<'_>, key: &[u8], entry: &Entry<'_>) {
    let made = Attempt {
        key,
        command: "add",
        expiry: Expiry::NEVER,
        size: 0,
    };
    made.ended(context, "stored", entry);
}

/// The seconds until an item expires: 0 where it never does, -1 where it has.
fn ttl(expiry: Expiry, context: &Context<'_>) -> i64 {
    match expiry.seconds_left(context.now) {
        None => 0,
        Some(_) if expiry.has_passed(context.now) => -1,
        Some(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX),
    }
}

/// Begins to watch what is named, or the keys that are looked up.
///
/// # Errors
///
/// When it is not allowed, or is not known, or too many watch.
pub fn begin(context: &Context<'_>, words: Tokens<'_>) -> Result<(), Error> {
    if !context.shared.settings.allows_watch {
        return Err(Error::WatchNotAllowed);
    }
    let mut named = words.peekable();
    let topics = if named.peek().is_none() {
        Topics::default().and(Topic::Fetchers)
    } else {
        let mut topics = named.map(Topic::named);
        topics
            .try_fold(Topics::default(), |topics, topic| Some(topics.and(topic?)))
            .ok_or(Error::Unknown)?
    };
    // Lines without end would go to whoever was named as the sender of a datagram.
    let connection = context.connection.ok_or(Error::Unknown)?;
    if context.shared.watchers.join(connection, topics) {
        Ok(())
    } else {
        Err(Error::TooManyWatchers)
    }
}
