//! The memory of a store: what is taken, what of that is live, and how much there may be.
//!
//! It never takes anything back by itself: that is `reclaim.rs`. What is taken is segments,
//! tables, ghosts and values that lie aside; what is live is records and values that can be found.

use crate::sync::{AtomicUsize, Fault, Ordering, Refusal, refuses, seeded};

/// The bytes of a store.
#[derive(Debug)]
pub(super) struct Budget {
    limit: AtomicUsize,
    used: AtomicUsize,
    live: AtomicUsize,
    reserve: usize,
    open: usize,
    evicts: bool,
}

impl Budget {
    /// A budget of which nothing is used. The reserve is kept free for what copies need; segments
    /// that are open take so many bytes at most.
    pub(super) fn new(limit: usize, reserve: usize, open: usize, evicts: bool) -> Self {
        Self {
            limit: AtomicUsize::new(limit),
            used: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
            reserve,
            open,
            evicts,
        }
    }

    /// Whether live items may be given up.
    pub(super) const fn evicts(&self) -> bool {
        self.evicts
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Takes memory for copies of what is live in a segment that is given back as soon as they are
    /// made, whether there is so much or not: else nothing could be had back of what is full.
    pub(super) fn take_for_copies(&self, bytes: usize) -> bool {
        let is_taken = !refuses(Refusal::Segment);
        if is_taken {
            self.charge(bytes);
        }
        is_taken
    }

    /// Takes memory, if there is so much. Tells whether there was.
    fn take(&self, bytes: usize) -> bool {
        let limit = self.limit();
        let fits = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= limit);
        if seeded(Fault::TakesMemoryInTwoSteps) {
            let sum = fits(self.used());
            if let Some(sum) = sum {
                self.used.store(sum, Ordering::Relaxed);
            }
            return sum.is_some();
        }
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.is_ok()
    }

    /// Takes memory for what a client wrote. Where items may be given up for it, or somebody has
    /// taken more than there is and is about to make room, it takes what there is not, too: it
    /// makes room as soon as its own lock is let go.
    pub(super) fn take_ahead(&self, bytes: usize) -> bool {
        if refuses(Refusal::Segment) {
            return false;
        }
        if self.take(bytes) {
            return true;
        }
        let is_owed = self.evicts || self.used() > self.limit();
        if is_owed {
            self.charge(bytes);
        }
        is_owed
    }

    /// Takes memory that cannot be refused: it has been taken already.
    pub(super) fn charge(&self, bytes: usize) {
        if seeded(Fault::TakesMemoryInTwoSteps) {
            return self.used.store(self.used() + bytes, Ordering::Relaxed);
        }
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives memory back.
    pub(super) fn release(&self, bytes: usize) {
        if seeded(Fault::ReleasesMemoryInTwoSteps) {
            return self.used.store(self.used() - bytes, Ordering::Relaxed);
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Notes that what is live has changed.
    pub(super) fn settle_live(&self, before: usize, after: usize) {
        if after > before {
            self.live.fetch_add(after - before, Ordering::Relaxed);
        } else if before > after {
            self.live.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Whether the reserve has been touched.
    pub(super) fn is_short(&self) -> bool {
        self.used().saturating_add(self.reserve) > self.limit()
    }

    /// Whether so little is live that dead bytes are to be had by copying.
    pub(super) fn is_loose(&self) -> bool {
        let limit = self.limit();
        let usable = limit.saturating_sub(self.reserve + self.open);
        let most = if self.evicts {
            (limit / 100 * 83).min(usable / 10 * 9)
        } else {
            usable
        };
        self.live() <= most
    }

    /// Whether so many more bytes could live, if nothing may be given up for them.
    pub(super) fn has_room(&self, more_bytes: usize) -> bool {
        let usable = self.limit().saturating_sub(self.reserve + self.open);
        self.live().saturating_add(more_bytes) <= usable && !refuses(Refusal::Room)
    }
}
