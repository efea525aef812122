//! Replies that clients do not read, and which client is to go when they are too many.
//!
//! It never closes a connection: whoever waits for its client asks here from time to time whether
//! it waits for too long. While there is little of it, a client may take its time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::limits::{UNREAD_BYTES_MIN, UNREAD_PATIENCE, UNREAD_SMALL_BYTES};

/// All that waits to be read.
#[derive(Debug)]
pub struct Unread {
    /// While no more than this waits, nobody is hurried.
    few: usize,
    total: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// How many bytes each has that waits; who waits for longest comes first.
    bytes: BTreeMap<u64, usize>,
}

/// One that waits, for as long as this is kept.
#[derive(Debug)]
pub struct Wait<'a> {
    unread: &'a Unread,
    number: u64,
    bytes: usize,
}

impl Unread {
    /// Nothing yet, beside items that take so much memory.
    #[must_use]
    pub fn within(memory_bytes: usize) -> Self {
        Self {
            few: (memory_bytes / 8).max(UNREAD_BYTES_MIN),
            total: AtomicUsize::new(0),
            waiting: Mutex::default(),
        }
    }

    /// So many bytes wait from now on. A few are within what every connection may have.
    #[must_use]
    pub fn wait(&self, bytes: usize) -> Option<Wait<'_>> {
        if bytes <= UNREAD_SMALL_BYTES {
            return None;
        }
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next = number.wrapping_add(1);
        waiting.bytes.insert(number, bytes);
        self.total.fetch_add(bytes, Ordering::Relaxed);
        Some(Wait {
            unread: self,
            number,
            bytes,
        })
    }

    /// How many bytes wait.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait<'_> {
    /// Whether its client is to go, having read nothing for so long: those who came later are then
    /// too many already. Where there is far too much, it need not be long.
    #[must_use]
    pub fn is_over(&self, waited: Duration) -> bool {
        let total = self.unread.total();
        let allowed = if waited < UNREAD_PATIENCE {
            self.unread.few.saturating_mul(2)
        } else {
            self.unread.few
        };
        if total <= allowed {
            return false;
        }
        let waiting = self.unread.waiting();
        let later = waiting.bytes.range(self.number..).map(|(_, bytes)| bytes);
        later.sum::<usize>() > allowed
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.unread.waiting().bytes.remove(&self.number);
        self.unread.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1024 * 1024;

    #[test]
    fn who_has_waited_for_longest_goes_first_and_no_more_than_must() {
        let unread = Unread::within(64 * MEGABYTE);
        let waits: Vec<_> = (0..20).map(|_| unread.wait(MEGABYTE)).collect();
        let is_over = |at: usize, waited| waits[at].as_ref().is_some_and(|one| one.is_over(waited));
        assert_eq!(unread.total(), 20 * MEGABYTE);
        assert!((0..20).all(|at| !is_over(at, Duration::ZERO)));
        let over: Vec<usize> = (0..20).filter(|&at| is_over(at, UNREAD_PATIENCE)).collect();
        assert_eq!(over, [0, 1, 2, 3]);
    }

    #[test]
    fn where_there_is_far_too_much_nobody_is_waited_for() {
        let unread = Unread::within(64 * MEGABYTE);
        let waits: Vec<_> = (0..33).map(|_| unread.wait(MEGABYTE)).collect();
        let over =
            |one: &&Option<Wait<'_>>| one.as_ref().is_some_and(|one| one.is_over(Duration::ZERO));
        assert_eq!(waits.iter().filter(over).count(), 1);
        drop(waits);
        assert_eq!(unread.total(), 0);
    }

    #[test]
    fn little_is_not_counted_and_much_memory_allows_much() {
        let unread = Unread::within(1024 * MEGABYTE);
        assert!(unread.wait(UNREAD_SMALL_BYTES).is_none());
        let waits: Vec<_> = (0..128).map(|_| unread.wait(MEGABYTE)).collect();
        let over =
            |one: &&Option<Wait<'_>>| one.as_ref().is_some_and(|one| one.is_over(UNREAD_PATIENCE));
        assert_eq!(waits.iter().filter(over).count(), 0);
        let _more = unread.wait(MEGABYTE);
        assert_eq!(waits.iter().filter(over).count(), 1);
    }
}
