//! Which items a flush has hidden.
//!
//! It never walks the items: each lies in a segment of one epoch, and a flush begins a new one.

use crate::sync::{AtomicU32, AtomicU64, Fault, Lock, Ordering, seeded};
use crate::time::Time;

/// No flush is pending.
const NONE: u64 = 0;

/// The flushes there were, and the one that is to come.
#[derive(Debug, Default)]
pub(super) struct Flush {
    epoch: AtomicU32,
    pending: AtomicU64,
    order: Lock<()>,
}

impl Flush {
    /// Carries out a pending flush that has come due. Every operation begins with this.
    #[inline(always)]
    pub(super) fn settle(&self, now: Time) {
        let pending = self
            .pending
            .load(unless(Fault::SettlesWithoutAcquire, Ordering::Acquire));
        if pending != NONE && pending <= now.seconds() {
            self.carry_out(pending);
        }
    }

    #[cold]
    fn carry_out(&self, pending: u64) {
        self.change(|flush| {
            if flush.pending.load(Ordering::Relaxed) == pending
                || seeded(Fault::SettlesWithoutRecheck)
            {
                flush.begin_epoch();
                let order = unless(Fault::SettlesWithoutRelease, Ordering::Release);
                flush.pending.store(NONE, order);
            }
        });
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

    fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::Release);
    }

    fn change(&self, change: impl FnOnce(&Self)) {
        if seeded(Fault::SettlesWithoutLock) {
            return change(self);
        }
        let order = self.order.hold(|()| ());
        change(self);
        drop(order);
    }
}

/// The order of an access, unless that mistake is to be made.
#[inline(always)]
fn unless(fault: Fault, order: Ordering) -> Ordering {
    if seeded(fault) {
        Ordering::Relaxed
    } else {
        order
    }
}
