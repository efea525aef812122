//! What all connections of a server share.
//!
//! It never holds a socket or reads a clock: it is told when the server was started.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::class::Evicted;
use crate::counters::{Counters, Ledger};
use crate::log::Log;
use crate::observed::Observed;
use crate::prefixes::Prefixes;
use crate::roster::Roster;
use crate::settings::Settings;
use crate::simulated::{self, Refusal};
use crate::store::{Configuration, Item, Store};
use crate::time::Time;
use crate::turning::Turning;
use crate::unread::Unread;
use crate::users::Users;
use crate::watchers::{Event, Watchers};

/// The store, the settings and the counters of one server.
#[derive(Debug)]
pub struct Shared {
    /// What the server was started with.
    pub settings: Settings,
    /// The items.
    pub store: Store,
    /// What the store does not count of the items it gives up.
    pub(crate) evicted: Arc<Evicted>,
    /// The counters.
    pub ledger: Ledger,
    /// Requests counted by prefix.
    pub prefixes: Prefixes,
    /// Who is connected.
    pub roster: Roster,
    /// Who watches.
    pub watchers: Arc<Watchers>,
    /// What the operator is told.
    pub log: Log,
    /// What is measured for whoever watches the server.
    pub observed: Observed,
    /// The replies that their clients do not read.
    pub unread: Unread,
    /// What clients did to the clock, where they may.
    pub turning: Arc<Turning>,
    /// When the server was started.
    pub started: Time,
    users: RwLock<Arc<Users>>,
    verbosity: AtomicU32,
    oldest: AtomicU64,
    dealt: AtomicUsize,
    held_bytes: AtomicUsize,
    is_sweeping: AtomicBool,
    is_stopping: AtomicBool,
    certificates: Refresh,
}

/// What reads the certificates again, and when it last did.
#[derive(Default)]
struct Refresh {
    how: OnceLock<Box<dyn Fn() -> Result<(), String> + Send + Sync>>,
    second: AtomicU64,
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refresh")
    }
}

impl Shared {
    /// A server that starts now, without a socket.
    #[must_use]
    pub fn new(settings: Settings, now: Time) -> Self {
        let mut store = Store::new(Configuration {
            memory_bytes: settings.memory_bytes,
            evicts: settings.evicts,
            has_uniques: settings.has_uniques,
        });
        let watchers = Arc::new(Watchers::new(settings.watcher_buffer_bytes));
        let evictions = Arc::<Evicted>::default();
        let (told, counted) = (Arc::clone(&watchers), Arc::clone(&evictions));
        store.on_eviction(move |item, now| {
            counted.note(item, now);
            told.tell(&evicted(item, now), None, now);
        });
        Self {
            store,
            evicted: evictions,
            ledger: Ledger::new(settings.threads),
            prefixes: Prefixes::new(settings.prefix_delimiter, settings.counts_prefixes),
            roster: Roster::default(),
            watchers,
            log: Log::default(),
            observed: Observed::default(),
            unread: Unread::within(settings.memory_bytes),
            turning: Arc::default(),
            started: now,
            users: RwLock::default(),
            verbosity: AtomicU32::new(settings.verbosity),
            oldest: AtomicU64::new(0),
            dealt: AtomicUsize::new(0),
            held_bytes: AtomicUsize::new(0),
            is_sweeping: AtomicBool::new(settings.sweeps),
            is_stopping: AtomicBool::new(false),
            certificates: Refresh {
                how: OnceLock::new(),
                second: AtomicU64::new(now.seconds()),
            },
            settings,
        }
    }

    /// How talkative the server is.
    #[must_use]
    pub fn verbosity(&self) -> u32 {
        self.verbosity.load(Ordering::Relaxed)
    }

    /// Makes the server more or less talkative.
    pub fn set_verbosity(&self, level: u32) {
        self.verbosity.store(level, Ordering::Relaxed);
    }

    /// Who may log in.
    #[must_use]
    pub fn users(&self) -> Arc<Users> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&users)
    }

    /// Lets these users log in from now on, and no others. Who is in stays.
    pub fn set_users(&self, users: Users) {
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
    }

    /// Whether expired items are cleared away before anybody asks for them.
    #[must_use]
    pub fn is_sweeping(&self) -> bool {
        self.is_sweeping.load(Ordering::Relaxed)
    }

    /// Begins or stops to clear expired items away.
    pub fn set_sweeping(&self, is_sweeping: bool) {
        self.is_sweeping.store(is_sweeping, Ordering::Relaxed);
    }

    /// Says once how certificates are read again.
    pub fn refresh_certificates_by(
        &self,
        refresh: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        let _ = self.certificates.how.set(Box::new(refresh));
    }

    /// Reads the certificates again, or tells what is wrong with them. None where there are none.
    pub(crate) fn refresh_certificates(&self, now: Time) -> Option<Result<(), String>> {
        let refreshed = self.certificates.how.get().map(|refresh| refresh());
        if let Some(Ok(())) = refreshed {
            let second = &self.certificates.second;
            second.store(now.seconds(), Ordering::Relaxed);
        }
        refreshed
    }

    /// For how many seconds the certificates have been in use.
    pub(crate) fn certificates_age(&self, now: Time) -> u64 {
        let second = self.certificates.second.load(Ordering::Relaxed);
        now.seconds().saturating_sub(second)
    }

    /// Asks the server to stop.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// Whether the server was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Items stored before so many seconds after the start are flushed, or will be.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Relaxed)
    }

    /// Notes when the last flush was, or is to be.
    pub(crate) fn set_oldest(&self, second: u64) {
        let since_start = second.saturating_sub(self.started.seconds());
        self.oldest.store(since_start, Ordering::Relaxed);
    }

    /// Takes room for more of an unfinished data block. Tells whether there was.
    ///
    /// All of them together get an eighth of the memory, but never less than one item may take.
    pub(crate) fn hold(&self, more_bytes: usize) -> bool {
        let limit = (self.settings.memory_bytes / 8).max(self.settings.item_bytes_max);
        let held = self.held_bytes.fetch_add(more_bytes, Ordering::Relaxed);
        let fits = held.saturating_add(more_bytes) <= limit && !simulated::refuses(Refusal::Held);
        if !fits {
            self.release(more_bytes);
        }
        fits
    }

    /// How much room unfinished data blocks take, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Gives back the room of an unfinished data block.
    pub(crate) fn release(&self, bytes: usize) {
        self.held_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Which worker's counters the next connection moves.
    pub(crate) fn next_worker(&self) -> usize {
        self.dealt.fetch_add(1, Ordering::Relaxed) % self.settings.threads.max(1)
    }

    /// The counters of a worker.
    pub(crate) fn counters(&self, worker: usize) -> &Counters {
        self.ledger.worker(worker)
    }
}

/// What watchers are told of an item that is given up.
fn evicted<'a>(item: &'a Item<'_>, now: Time) -> Event<'a> {
    let seconds = item.expiry().seconds_left(now);
    Event::Evicted {
        key: item.key(),
        is_fetched: item.marks().fetched,
        ttl: seconds.map_or(-1, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
        idle_seconds: now.seconds().saturating_sub(item.accessed()),
        size: item.value().len(),
    }
}
