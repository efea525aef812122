//! What requests do: one file for each chapter of the law.
//!
//! It never sees a socket or writes a byte: a request goes in, one reply comes out. All that a
//! command knows of the world is its [`Context`].

pub mod administration;
mod arithmetic;
pub mod binary;
mod deletion;
pub mod dump;
mod expiration;
mod flush;
mod memory;
pub mod meta;
pub mod retrieval;
mod statistics;
pub mod storage;
mod touch;
pub mod watch;

use crate::counters::{Counter, Counters};
use crate::protocol::{Reply, Request};
use crate::shared::Shared;
use crate::store::{Absence, Entry, Item, Trail};
use crate::time::Time;
use crate::watchers::{Event, Topic};

/// What a command may use.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What all connections share.
    pub shared: &'a Shared,
    /// The counters of this worker.
    pub counters: &'a Counters,
    /// The time.
    pub now: Time,
    /// When the line of the request came, which is what its exptime counts from.
    pub sent: Time,
    /// The number of the connection that asks.
    pub connection: Option<u64>,
    /// Where the one key of the request is to be looked for, if that is known already.
    pub trail: Option<Trail>,
}

impl Context<'_> {
    /// Looks a key up, and counts an item that was found dead.
    fn entry<R>(&self, key: &[u8], act: impl FnOnce(&mut Entry<'_>) -> R) -> R {
        let store = &self.shared.store;
        let trail = self.trail.unwrap_or_else(|| store.trail(key));
        debug_assert_eq!(trail, store.trail(key), "a request has one key");
        store.entry_at((key, trail), self.now, |entry| {
            self.count_dead(entry.absence());
            if self.is_watched(Topic::Fetchers) {
                self.tell_fetched(key, entry);
            }
            act(entry)
        })
    }

    /// Serves the item of a key, if there is one. Counts one that was found dead.
    #[inline]
    fn serve<R>(&self, sought: (&[u8], Trail), show: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let served = self.shared.store.serve(sought, self.now, show);
        served.inspect_err(|&absence| self.count_dead(absence)).ok()
    }

    fn count_dead(&self, absence: Absence) {
        match absence {
            Absence::Unknown => {}
            Absence::Expired => self.count(Counter::GetExpired),
            Absence::Flushed => self.count(Counter::GetFlushed),
        }
    }

    fn tell_fetched(&self, key: &[u8], entry: &Entry<'_>) {
        let size = entry.item().map(|item| item.value().len());
        let status = match entry.absence() {
            Absence::Unknown if size.is_some() => "found",
            Absence::Unknown => "not_found",
            Absence::Expired => "expired",
            Absence::Flushed => "flushed",
        };
        self.tell(&Event::Fetched { key, status, size });
    }

    /// Whether anybody watches such things.
    fn is_watched(&self, topic: Topic) -> bool {
        self.shared.watchers.want(topic)
    }

    /// Tells watchers.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        let watchers = &self.shared.watchers;
        watchers.tell(event, self.connection, self.now);
    }

    fn count(&self, counter: Counter) {
        self.counters.count(counter);
    }

    fn count_either(&self, first: bool, then: Counter, otherwise: Counter) {
        self.count(if first { then } else { otherwise });
    }
}

/// Carries out a request that is one line and has one short reply.
#[must_use]
pub fn carry_out(context: &Context<'_>, request: &Request<'_>) -> Option<Reply> {
    Some(match *request {
        Request::Arithmetic(arithmetic) => arithmetic::step(context, &arithmetic),
        Request::Delete(key) => deletion::delete(context, key, 0),
        Request::Touch(key, exptime) => touch::touch(context, key, exptime),
        Request::FlushAll(delay) => flush::flush_all(context, delay.map(i64::from)),
        Request::Version => Reply::Version,
        Request::Verbosity(level) => administration::verbosity(context, level),
        Request::MemoryLimit(megabytes) => administration::cache_memlimit(context, megabytes),
        Request::Statistics(words) => statistics::stats(context, words),
        Request::Slabs(words) => memory::slabs(words),
        Request::Lru(words) => memory::lru(words),
        Request::Crawler(words) => memory::crawler(context, words),
        Request::Shutdown(words) => return administration::shutdown(context, words),
        Request::RefreshCertificates => administration::refresh_certs(context),
        Request::Store(_)
        | Request::Retrieve(_)
        | Request::Watch(_)
        | Request::Clock(_)
        | Request::Quit => {
            return None;
        }
    })
}
