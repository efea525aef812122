//! Who is connected.
//!
//! It never holds a connection: only what `stats conns` tells of one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Time;

/// The number of whoever is not connected.
const UNLISTED: u64 = u64::MAX;

/// Where a connection comes from and where it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The client's address.
    pub client: String,
    /// The address it connected to.
    pub listener: String,
}

/// What is known of one connection.
#[derive(Debug)]
pub struct Record {
    /// Its number.
    pub number: u64,
    /// Its addresses.
    pub addresses: Addresses,
    active: AtomicU64,
}

impl Record {
    /// A record that is on no roster.
    pub(crate) fn unlisted() -> Self {
        Self {
            number: UNLISTED,
            addresses: Addresses::default(),
            active: AtomicU64::new(0),
        }
    }

    /// Its number, where it is on a roster.
    pub(crate) fn listed(&self) -> Option<u64> {
        Some(self.number).filter(|&number| number != UNLISTED)
    }

    /// Notes that it did something.
    pub(crate) fn stir(&self, now: Time) {
        self.active.store(now.seconds(), Ordering::Relaxed);
    }

    /// How many seconds ago it did something.
    #[must_use]
    pub fn idle_seconds(&self, now: Time) -> u64 {
        now.seconds()
            .saturating_sub(self.active.load(Ordering::Relaxed))
    }
}

/// The connections of a server.
#[derive(Debug, Default)]
pub struct Roster {
    records: Mutex<BTreeMap<u64, Arc<Record>>>,
    next: AtomicU64,
}

impl Roster {
    /// Notes a connection.
    pub(crate) fn enter(&self, addresses: Addresses, now: Time) -> Arc<Record> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let record = Arc::new(Record {
            number,
            addresses,
            active: AtomicU64::new(now.seconds()),
        });
        self.lock().insert(number, Arc::clone(&record));
        record
    }

    /// Notes that a connection is gone.
    pub(crate) fn leave(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// All of them, by their numbers.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Record>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Record>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
