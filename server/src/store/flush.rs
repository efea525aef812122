//! Which items a flush has hidden.
//!
//! It never walks the items: each carries the epoch it was stored in, and a flush begins a new one.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::time::Time;

/// No flush is pending.
const NONE: u64 = 0;

/// The flushes there were, and the one that is to come.
#[derive(Debug, Default)]
pub(super) struct Flush {
    epoch: AtomicU32,
    pending: AtomicU64,
    order: Mutex<()>,
}

impl Flush {
    /// Carries out a pending flush that has come due. Every operation begins with this.
    pub(super) fn settle(&self, now: Time) {
        let pending = self.pending.load(Ordering::Acquire);
        if pending != NONE && pending <= now.seconds() {
            self.change(|flush| {
                if flush.pending.load(Ordering::Relaxed) == pending {
                    flush.begin_epoch();
                    flush.pending.store(NONE, Ordering::Release);
                }
            });
        }
    }

    /// Hides everything stored so far.
    pub(super) fn now(&self) {
        self.change(|flush| {
            flush.begin_epoch();
            flush.pending.store(NONE, Ordering::Release);
        });
    }

    /// Hides, from that second on, everything stored before it.
    pub(super) fn at(&self, second: u64) {
        self.change(|flush| flush.pending.store(second, Ordering::Release));
    }

    /// The epoch of an item stored now.
    pub(super) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Whether an item of that epoch has been flushed.
    pub(super) fn hides(&self, epoch: u32) -> bool {
        epoch != self.epoch()
    }

    fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::Release);
    }

    fn change(&self, change: impl FnOnce(&Self)) {
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        change(self);
        drop(order);
    }
}
