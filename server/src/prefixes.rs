//! Requests counted by what stands before the first delimiter of their key.
//!
//! It never counts a key without a delimiter, and never more prefixes than its limit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memchr::memchr;

/// How many prefixes are counted at most; requests for others are not.
const PREFIXES_MAX: usize = 10_000;

/// What is counted for a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Keys looked up.
    pub gets: u64,
    /// Keys found.
    pub hits: u64,
    /// Storage requests.
    pub sets: u64,
    /// Deletions.
    pub deletes: u64,
}

/// The counters of all prefixes.
#[derive(Debug)]
pub struct Prefixes {
    delimiter: u8,
    is_on: AtomicBool,
    tallies: Mutex<BTreeMap<Box<[u8]>, Tally>>,
}

impl Prefixes {
    /// No prefixes yet.
    #[must_use]
    pub fn new(delimiter: u8, is_on: bool) -> Self {
        Self {
            delimiter,
            is_on: AtomicBool::new(is_on),
            tallies: Mutex::default(),
        }
    }

    /// Whether requests are counted.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Begins or stops to count.
    pub fn switch(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    /// Counts a request for a key, if requests are counted.
    #[inline]
    pub fn count(&self, key: &[u8], count: impl FnOnce(&mut Tally)) {
        if self.is_on() {
            self.move_tally(key, count);
        }
    }

    #[cold]
    fn move_tally(&self, key: &[u8], count: impl FnOnce(&mut Tally)) {
        let Some(prefix) = memchr(self.delimiter, key).and_then(|end| key.get(..end)) else {
            return;
        };
        let mut tallies = self.lock();
        if let Some(tally) = tallies.get_mut(prefix) {
            count(tally);
        } else if tallies.len() < PREFIXES_MAX {
            count(tallies.entry(prefix.into()).or_default());
        }
    }

    /// Forgets what was counted.
    pub fn reset(&self) {
        self.lock().clear();
    }

    /// Shows what was counted.
    pub fn visit(&self, mut show: impl FnMut(&[u8], &Tally)) {
        for (prefix, tally) in self.lock().iter() {
            show(prefix, tally);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<[u8]>, Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
