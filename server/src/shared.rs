//! What all connections of a server share.
//!
//! It never holds a socket or reads a clock: it is told when the server was started.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::counters::{Counters, Ledger};
use crate::settings::Settings;
use crate::store::{Configuration, Store};
use crate::time::Time;

/// The store, the settings and the counters of one server.
#[derive(Debug)]
pub struct Shared {
    /// What the server was started with.
    pub settings: Settings,
    /// The items.
    pub store: Store,
    /// The counters.
    pub ledger: Ledger,
    /// When the server was started.
    pub started: Time,
    verbosity: AtomicU32,
    connections: AtomicUsize,
    connections_ever: AtomicUsize,
    is_stopping: AtomicBool,
}

impl Shared {
    /// A server that starts now, without a socket.
    #[must_use]
    pub fn new(settings: Settings, now: Time) -> Self {
        Self {
            store: Store::new(Configuration {
                memory_bytes: settings.memory_bytes,
                evicts: settings.evicts,
                has_uniques: settings.has_uniques,
            }),
            ledger: Ledger::new(settings.threads),
            started: now,
            verbosity: AtomicU32::new(settings.verbosity),
            connections: AtomicUsize::new(0),
            connections_ever: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
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

    /// Asks the server to stop.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// Whether the server was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Notes a new connection, and tells which worker's counters it moves.
    pub(crate) fn open_connection(&self) -> usize {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_ever.fetch_add(1, Ordering::Relaxed) % self.settings.threads.max(1)
    }

    /// Notes that a connection is gone.
    pub(crate) fn close_connection(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The counters of a worker.
    pub(crate) fn counters(&self, worker: usize) -> &Counters {
        self.ledger.worker(worker)
    }
}
