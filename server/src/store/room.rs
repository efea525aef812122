//! When room is made: after a write, in the background, and where the limit has become lower.
//!
//! It holds one lock at a time, and never for long. How a shard makes room is in `reclaim.rs`.

use super::shard::Terms;
use super::{Part, Store};
use crate::sync::Ordering;
use crate::time::Time;

/// About so many items lie in a segment, when nobody knows better.
const SEGMENT_ITEMS: usize = 256;

/// Where this part of what a slice looked at was dead, as a divisor, there is likely to be more.
const MUCH_SHARE: usize = 4;

/// What a slice of the sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// How many items were dead.
    pub items: u64,
    /// Whether that was much of what it looked at: there may be more.
    pub is_much: bool,
}

impl Store {
    /// Changes the memory limit, evicting what no longer fits.
    pub fn set_limit(&self, limit_bytes: usize, now: Time) {
        self.budget.set_limit(limit_bytes);
        self.trim(now, usize::MAX, None);
    }

    /// Takes dead items out of some segments of each part, of about so many items, and gives the
    /// memory of what is left empty back. Nobody waits for more than one segment.
    pub fn sweep(&self, items: usize, now: Time) -> Swept {
        self.flush.settle(now);
        let segments = (items / SEGMENT_ITEMS).max(1);
        let slice_bytes = self.parts.len() * segments * self.segment_bytes;
        let (mut items, mut bytes) = (0, 0);
        for part in &self.parts {
            for _ in 0..segments {
                let mut shard = self.hold(part);
                let before = (shard.census.items, shard.live_bytes());
                shard.sweep(self.terms(now), 1);
                items += before.0 - shard.census.items;
                bytes += before.1 - shard.live_bytes();
                self.tell(part, &mut shard);
            }
        }
        Swept {
            items,
            is_much: bytes >= slice_bytes / MUCH_SHARE,
        }
    }

    /// Makes room until the reserve is whole, one shard at a time, holding one lock at a time.
    /// Whether there is enough is looked at under the lock: others make room as well. What has the
    /// spared hash goes last: of what was stored just now the client believes that it is there.
    pub(super) fn trim(&self, now: Time, rounds_max: usize, mut spared: Option<u64>) {
        spared = spared.filter(|_| self.evicts);
        let is_over = || self.budget.used() > self.budget.limit();
        let is_enough = |round| !self.budget.is_short() || (round >= rounds_max && !is_over());
        let (mut round, mut idle) = (0, 0);
        loop {
            if idle > self.parts.len() {
                if spared.take().is_none() {
                    return;
                }
                idle = 0;
            }
            let part = if idle == 0 {
                self.ripest()
            } else {
                self.parts.get(idle - 1)
            };
            let Some(part) = part else { return };
            let mut shard = self.hold(part);
            if is_enough(round) {
                return;
            }
            let terms = Terms {
                spared,
                ..self.terms(now)
            };
            let done = shard.reclaim(terms, round);
            self.tell(part, &mut shard);
            idle = if done { 0 } else { idle + 1 };
            round += 1;
            if is_enough(round) {
                return;
            }
        }
    }

    /// Where room is to be made: where most is dead while packing will do, else where most is.
    fn ripest(&self) -> Option<&Part> {
        if let [only] = &*self.parts {
            return Some(only);
        }
        let is_loose = self.budget.is_loose();
        self.parts.iter().max_by_key(|part| {
            let ripeness = if is_loose {
                &part.dead_bytes
            } else {
                &part.taken_bytes
            };
            ripeness.load(Ordering::Relaxed)
        })
    }
}
