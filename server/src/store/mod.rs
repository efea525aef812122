//! The items: a sharded map with exact expiry, flushes, uniques and a memory limit.
//!
//! It never knows a protocol, a connection or a clock, and never waits. Correctness never depends
//! on a sweeper: whether an item is alive is decided when it is looked up.
//! Begin with [`Store::entry`]; an item is in `item.rs`, the locks' content in `shard.rs`.

mod entry;
mod flush;
mod item;
mod shard;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

pub use entry::{Absence, Entry, NoMemory};
pub use item::{Draft, Expiry, Item, Marks, footprint};

use crate::time::Time;
use flush::Flush;
use shard::{Census, Shard};

/// How many locks the items are spread over.
const SHARDS: usize = 64;

/// What a store is built with.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    /// The memory all items together may take, in bytes.
    pub memory_bytes: usize,
    /// Whether items are evicted when memory is full, rather than new ones refused.
    pub evicts: bool,
    /// Whether items have uniques.
    pub has_uniques: bool,
}

/// What a store holds and has held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Items that take memory, the expired ones included that nobody has looked up since.
    pub items: u64,
    /// Items ever stored.
    pub items_ever: u64,
    /// The memory they take, in bytes.
    pub bytes: u64,
    /// The memory they may take, in bytes.
    pub limit_bytes: u64,
    /// Live items given up for want of memory.
    pub evictions: u64,
    /// Those of them that nobody had fetched.
    pub evicted_unfetched: u64,
    /// Dead items whose memory was taken for new ones.
    pub reclaimed: u64,
    /// Items that expired before anybody fetched them.
    pub expired_unfetched: u64,
}

/// All items of a server.
#[derive(Debug)]
pub struct Store {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    flush: Flush,
    uniques: AtomicU64,
    used_bytes: AtomicUsize,
    limit_bytes: AtomicUsize,
    hand: AtomicUsize,
    evicts: bool,
    has_uniques: bool,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(configuration: Configuration) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            flush: Flush::default(),
            uniques: AtomicU64::new(0),
            used_bytes: AtomicUsize::new(0),
            limit_bytes: AtomicUsize::new(configuration.memory_bytes),
            hand: AtomicUsize::new(0),
            evicts: configuration.evicts,
            has_uniques: configuration.has_uniques,
        }
    }

    /// Looks a key up and lets the caller act on it, alone: nobody else sees a state in between.
    pub fn entry<R>(&self, key: &[u8], now: Time, act: impl FnOnce(&mut Entry<'_>) -> R) -> R {
        self.flush.settle(now);
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard_of(hash);
        let result = act(&mut Entry::find(self, &mut shard, hash, key, now));
        drop(shard);
        self.trim(now);
        result
    }

    /// Hides everything stored so far.
    pub fn flush(&self) {
        self.flush.now();
    }

    /// Hides, once that second comes, everything stored before it. Replaces a pending flush.
    pub fn flush_at(&self, second: u64) {
        self.flush.at(second);
    }

    /// Changes the memory limit, evicting what no longer fits.
    pub fn set_limit(&self, limit_bytes: usize, now: Time) {
        self.limit_bytes.store(limit_bytes, Ordering::Relaxed);
        self.trim(now);
    }

    /// What it holds and has held.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            bytes: wide(self.used_bytes.load(Ordering::Relaxed)),
            limit_bytes: wide(self.limit_bytes.load(Ordering::Relaxed)),
            ..Tally::default()
        };
        for shard in &self.shards {
            let Census {
                items,
                items_ever,
                evictions,
                evicted_unfetched,
                reclaimed,
                expired_unfetched,
            } = self.lock(shard).census;
            tally.items += items;
            tally.items_ever += items_ever;
            tally.evictions += evictions;
            tally.evicted_unfetched += evicted_unfetched;
            tally.reclaimed += reclaimed;
            tally.expired_unfetched += expired_unfetched;
        }
        tally
    }

    /// Lets everything begin at 0 again that was counted rather than is held.
    pub fn reset_tally(&self) {
        for shard in &self.shards {
            let mut shard = self.lock(shard);
            shard.census = Census {
                items: shard.census.items,
                ..Census::default()
            };
        }
    }

    /// How many parts [`Store::visit`] goes through.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.shards.len()
    }

    /// Shows every live item of one part.
    pub fn visit(&self, part: usize, now: Time, mut show: impl FnMut(&Item)) {
        self.flush.settle(now);
        let Some(shard) = self.shards.get(part) else {
            return;
        };
        for item in self
            .lock(shard)
            .items()
            .filter(|item| !self.is_dead(item, now))
        {
            show(item);
        }
    }

    /// Looks at so many places of each part, from where it stopped last, and gives the memory of
    /// the dead items there back. Tells how many they were.
    pub fn sweep(&self, places: usize, now: Time) -> u64 {
        self.flush.settle(now);
        let mut count = 0;
        for shard in &self.shards {
            let mut shard = self.lock(shard);
            let dead = shard.sweep(places, |item| self.is_dead(item, now));
            for item in dead {
                let is_unfetched = !item.marks.fetched && item.expiry.has_passed(now);
                shard.census.expired_unfetched += u64::from(is_unfetched);
                self.release(self.cost_of(&item));
                count += 1;
            }
        }
        count
    }

    /// Whether an item of that cost could be stored now.
    #[must_use]
    pub fn has_room(&self, cost: usize) -> bool {
        self.evicts || !self.is_full(cost)
    }

    /// What an item costs of the memory limit here.
    #[must_use]
    pub fn cost(&self, key_len: usize, value_len: usize, flags: u32) -> usize {
        footprint(key_len, value_len, flags, self.has_uniques)
    }

    fn cost_of(&self, item: &Item) -> usize {
        self.cost(item.key.len(), item.value.len(), item.flags)
    }

    fn next_unique(&self) -> u64 {
        self.uniques.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    fn is_dead(&self, item: &Item, now: Time) -> bool {
        item.expiry.has_passed(now) || self.flush.hides(item.epoch)
    }

    fn is_full(&self, more_bytes: usize) -> bool {
        let used = self.used_bytes.load(Ordering::Relaxed);
        used.saturating_add(more_bytes) > self.limit_bytes.load(Ordering::Relaxed)
    }

    /// Evicts until the items fit, one shard after another, holding one lock at a time.
    fn trim(&self, now: Time) {
        let mut idle = 0;
        // Where all items were just wanted, a second round finds that none was wanted since.
        while self.is_full(0) && idle <= self.shards.len().saturating_mul(2) {
            let part = self.hand.fetch_add(1, Ordering::Relaxed) % self.shards.len();
            let evicted = self
                .shards
                .get(part)
                .and_then(|shard| self.lock(shard).evict(|item| self.is_dead(item, now)));
            idle = match evicted {
                Some(item) => {
                    self.release(self.cost_of(&item));
                    0
                }
                None => idle + 1,
            };
        }
    }

    fn charge(&self, bytes: usize) {
        self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn release(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Locks a shard. One whose holder panicked may be broken: it is emptied; a cache may forget.
    fn lock<'a>(&self, shard: &'a Mutex<Shard>) -> MutexGuard<'a, Shard> {
        shard.lock().unwrap_or_else(|poisoned| {
            shard.clear_poison();
            let mut guard = poisoned.into_inner();
            let lost = guard.items().map(|item| self.cost_of(item)).sum();
            let census = guard.census;
            *guard = Shard::default();
            guard.census = Census { items: 0, ..census };
            self.release(lost);
            guard
        })
    }

    fn shard_of(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The table inside a shard uses the other end of the hash.
        let part = usize::try_from((hash >> 32) % wide(SHARDS)).unwrap_or(0);
        self.lock(
            self.shards
                .get(part)
                .expect("a remainder is below its divisor"),
        )
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).expect("a usize has at most 64 bits")
}
