//! The items: log-structured segments behind compact tables, in shards, under one memory limit.
//!
//! It never knows a protocol, a connection or a clock, and never waits for anything but a shard's
//! lock. Correctness never depends on a sweeper: whether an item is alive is decided when it is
//! looked up.
//!
//! # How it is made
//!
//! The hash of a key names its shard. A shard is a [table](table) and some segments, both behind
//! one lock: every operation on a key runs alone on its shard. That is what makes it exact, and it
//! costs some 20 ns; all of it is safe Rust, but for the [hint](ahead) that asks for memory early.
//!
//! - **An item** is a [record] of 18 bytes, its flags if it has any, its key and its value, one
//!   behind the other in a [segment]. The table adds 7 to 8 bytes. A value larger than an eighth of
//!   a segment lies [aside] in memory of its own: in that which it came in, if it came in pieces.
//!   It is sent from there uncopied.
//! - **A value of the same length** is written over the old one. All else is appended, and the old
//!   record is dead: its bytes are had back by packing what is live in its segment.
//! - **Memory** is one [budget] for all shards: segments, tables, ghosts and what lies aside. It
//!   holds between operations, with a reserve that is free for copies. Within one, a write or a
//!   copy may begin a segment more than there is memory for: room is made right afterwards.
//! - **Room** is made after an operation, one shard at a time and never more than one lock: dead
//!   and expired records first, then packing while little enough is live, then [eviction](reclaim)
//!   by S3-FIFO over segments with a [ghost].
//! - **A flush** begins an epoch. A segment holds records of one epoch only, so what was flushed is
//!   known without looking at items, and taken back a segment at a time.
//! - **A table** grows and shrinks by one bucket at a time.
//!
//! Begin with [`Store::entry`]; what a shard does is in `shard.rs`.

mod ahead;
mod aside;
mod audit;
mod budget;
mod entry;
mod farewell;
pub(crate) mod fault;
mod flush;
mod ghost;
mod hash;
mod item;
mod rare;
mod reclaim;
mod record;
mod room;
mod segment;
mod shard;
mod streams;
mod table;
mod value;
#[cfg(test)]
mod work;

pub use entry::{Absence, Entry, NoMemory};
pub use item::{Draft, Expiry, Item, Marks, footprint};
pub use room::Swept;
pub use value::Value;

use crate::sync::{AtomicU64, AtomicUsize, Fault, Held, Lock, Ordering, secrets, seeded};
use crate::time::Time;
use budget::Budget;
use farewell::Farewell;
use flush::Flush;
use hash::Hasher;
use segment::Stream;
use shard::{Census, Shard, Terms};

/// A shard is begun for so much memory.
const SHARD_BYTES: usize = 8 * 1024 * 1024;

/// There are no more shards than this, unless their locations would not reach.
const SHARDS_MAX: usize = 32;

/// The most memory that one shard's locations reach, in bytes.
const REACH_BYTES: usize = 1 << 32;

/// A shard has at least about so many segments, and no more than that many unless it is large.
const SEGMENTS_MIN: usize = 256;
const SEGMENTS_MAX: usize = 1024;

/// The least, the usual and the most bytes of a segment. What is open and not yet filled is taken
/// in vain, and an item at most an eighth of a segment large lies in it.
const SEGMENT_BYTES_MIN: usize = 1024;
const SEGMENT_BYTES: usize = 32 * 1024;
const SEGMENT_BYTES_MAX: usize = 256 * 1024;

/// Above so much in all, the tables are far away, too.
const FAR_BYTES: usize = 48 * 1024 * 1024;

/// How often one operation tries to make room before it leaves that to the next.
const ROUNDS_MAX: usize = 8;

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
    /// Bytes of records that clients had written.
    pub set_bytes: u64,
    /// Bytes of records that were copied to make room.
    pub copied_bytes: u64,
    /// All memory that is taken: what the limit bounds.
    pub used_bytes: u64,
    /// Items that expired before anybody fetched them.
    pub expired_unfetched: u64,
    /// Shards that were emptied because somebody left them halfway, and records that were dropped
    /// because no table led to them: faults of ours.
    pub mended: u64,
}

/// Where a key is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trail(u64);

/// How far a look at all items has come; it begins with the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    part: usize,
    order: u32,
}

/// A shard, and what others may know of it without its lock.
#[derive(Debug)]
struct Part {
    shard: Lock<Shard>,
    taken_bytes: AtomicUsize,
    dead_bytes: AtomicUsize,
}

impl Part {
    /// Notes what others may know of the shard.
    fn note(&self, shard: &Shard) {
        self.taken_bytes
            .store(shard.taken_bytes(), Ordering::Relaxed);
        self.dead_bytes.store(shard.dead_bytes(), Ordering::Relaxed);
    }
}

/// All items of a server.
#[derive(Debug)]
pub struct Store {
    parts: Box<[Part]>,
    hasher: Hasher,
    flush: Flush,
    uniques: AtomicU64,
    budget: Budget,
    farewell: Farewell,
    evicts: bool,
    has_uniques: bool,
    segment_bytes: usize,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(configuration: Configuration) -> Self {
        let limit = configuration.memory_bytes;
        let reached = limit / (REACH_BYTES / 2);
        let count = (limit / SHARD_BYTES).clamp(1, SHARDS_MAX.max(reached));
        let count = 1_usize << count.ilog2();
        let shard_bytes = limit / count;
        let segment_bytes = (shard_bytes / SEGMENTS_MIN)
            .clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES)
            .max((shard_bytes / SEGMENTS_MAX).min(SEGMENT_BYTES_MAX));
        let segment_bytes = 1 << segment_bytes.ilog2();
        Self::shaped(configuration, count, segment_bytes)
    }

    /// An empty store of so many shards with segments of so many bytes, both powers of two.
    #[must_use]
    pub fn shaped(configuration: Configuration, count: usize, segment_bytes: usize) -> Self {
        assert!(count.is_power_of_two() && segment_bytes.is_power_of_two());
        let hasher = Hasher::new(secrets());
        let part = |_| Part {
            shard: Lock::new(Shard::new(segment_bytes, hasher)),
            taken_bytes: AtomicUsize::new(0),
            dead_bytes: AtomicUsize::new(0),
        };
        let store = Self {
            parts: (0..count).map(part).collect(),
            flush: Flush::default(),
            uniques: AtomicU64::new(0),
            budget: Budget::new(
                configuration.memory_bytes,
                (count.min(4) + 1) * segment_bytes,
                count * Stream::ALL * segment_bytes,
                configuration.evicts,
            ),
            farewell: Farewell::default(),
            hasher,
            evicts: configuration.evicts,
            has_uniques: configuration.has_uniques,
            segment_bytes,
        };
        for part in &store.parts {
            store.tell(part, &mut store.hold(part));
        }
        store
    }

    /// Looks a key up and lets the caller act on it, alone: nobody else sees a state in between.
    pub fn entry<R>(&self, key: &[u8], now: Time, act: impl FnOnce(&mut Entry<'_>) -> R) -> R {
        self.entry_at((key, self.trail(key)), now, act)
    }

    /// The same, where it is known already where to look.
    pub fn entry_at<R>(
        &self,
        sought: (&[u8], Trail),
        now: Time,
        act: impl FnOnce(&mut Entry<'_>) -> R,
    ) -> R {
        let (_, Trail(hash)) = sought;
        let mut entry = self.open(sought, now);
        let result = act(&mut entry);
        if entry.close() && self.budget.is_short() {
            self.trim(now, ROUNDS_MAX, Some(hash));
        }
        result
    }

    /// Where a key is to be looked for.
    #[must_use]
    #[inline]
    pub fn trail(&self, key: &[u8]) -> Trail {
        Trail(self.hasher.hash(key))
    }

    /// Asks for what several keys are soon to be looked up in: to wait for all of it together takes
    /// hardly longer than to wait for one.
    #[inline]
    pub fn approach(&self, trails: impl Iterator<Item = Trail> + Clone) {
        if self.budget.used() > FAR_BYTES {
            for Trail(hash) in trails.clone() {
                self.hold(self.part_of(hash)).table.approach(hash);
            }
        }
        for Trail(hash) in trails {
            self.hold(self.part_of(hash)).approach(hash);
        }
    }

    /// Serves the item of a key, alone: what [`Entry::serve`] does where nothing else is to do.
    ///
    /// # Errors
    ///
    /// Why there is none.
    #[inline]
    pub fn serve<R>(
        &self,
        (key, Trail(hash)): (&[u8], Trail),
        now: Time,
        show: impl FnOnce(Item<'_>) -> R,
    ) -> Result<R, Absence> {
        self.flush.settle(now);
        let part = self.part_of(hash);
        let mut shard = self.hold(part);
        let terms = self.terms(now);
        let found = shard.seek(hash, key);
        if let Some(found) = found.filter(|found| found.is_alive(terms)) {
            let mut record = found.record;
            record.use_at(terms.second);
            let item = shard.serve(found.location, &record);
            return item.map(show).ok_or(Absence::Unknown);
        }
        Err(self.dismiss(Entry::new(part, shard, terms, (hash, key), found), now))
    }

    /// Lets go of a key that had no live item. Tells why.
    #[inline(never)]
    fn dismiss(&self, entry: Entry<'_>, now: Time) -> Absence {
        let absence = entry.absence();
        if entry.close() && self.budget.is_short() {
            self.trim(now, ROUNDS_MAX, None);
        }
        absence
    }

    /// Locks a key. In one piece and made once, because every request comes through here.
    #[inline(never)]
    fn open<'a>(&'a self, (key, Trail(hash)): (&'a [u8], Trail), now: Time) -> Entry<'a> {
        self.flush.settle(now);
        let part = self.part_of(hash);
        let early = seeded(Fault::LooksBeforeLocking).then(|| self.hold(part).seek(hash, key));
        let shard = self.hold(part);
        let found = early.unwrap_or_else(|| shard.seek(hash, key));
        Entry::new(part, shard, self.terms(now), (hash, key), found)
    }

    /// Lets somebody be told of each live item that is given up for want of memory, under the lock
    /// that it is given up under.
    pub fn on_eviction(&mut self, listener: impl Fn(&Item<'_>, Time) + Send + Sync + 'static) {
        self.farewell = Farewell::to(listener);
    }

    /// Hides everything stored so far.
    pub fn flush(&self) {
        self.flush.now();
    }

    /// Carries out a pending flush that has come due.
    pub fn settle(&self, now: Time) {
        self.flush.settle(now);
    }

    /// Hides, once that second comes, everything stored before it. Replaces a pending flush.
    pub fn flush_at(&self, second: u64) {
        self.flush.at(second);
    }

    /// What it holds and has held.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            used_bytes: wide(self.budget.used()),
            limit_bytes: wide(self.budget.limit()),
            ..Tally::default()
        };
        for part in &self.parts {
            let shard = self.hold(part);
            let census = shard.census;
            tally.bytes += wide(shard.live_bytes());
            tally.items += census.items;
            tally.items_ever += census.items_ever;
            tally.evictions += census.evictions;
            tally.evicted_unfetched += census.evicted_unfetched;
            tally.reclaimed += census.reclaimed;
            tally.expired_unfetched += census.expired_unfetched;
            tally.set_bytes += census.set_bytes;
            tally.copied_bytes += census.copied_bytes;
            tally.mended += census.mended;
        }
        tally
    }

    /// Lets everything begin at 0 again that was counted rather than is held.
    pub fn reset_tally(&self) {
        for part in &self.parts {
            let mut shard = self.hold(part);
            shard.census = Census {
                items: shard.census.items,
                ..Census::default()
            };
        }
    }

    /// How many parts it is made of.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Shows some live items, from a place on, and tells the place behind them, if there is one.
    /// Nobody waits for more than some items. Who goes on until there is no more has been shown
    /// each key once that had a live item all the while, whatever was done meanwhile.
    pub fn visit(&self, from: Place, now: Time, show: impl FnMut(&Item<'_>)) -> Option<Place> {
        self.flush.settle(now);
        let Place { part, order } = from;
        let shard = self.hold(self.parts.get(part)?);
        let next = shard.visit(self.terms(now), order, show);
        let part = part + usize::from(next.is_none());
        let order = next.unwrap_or_default();
        (part < self.parts.len()).then_some(Place { part, order })
    }

    /// Shows live items for as long as more are wanted, as [`Store::visit`] does.
    pub fn visit_while(&self, now: Time, mut show: impl FnMut(&Item<'_>) -> bool) {
        let mut goes_on = true;
        let mut next = Some(Place::default());
        while let Some(place) = next.filter(|_| goes_on) {
            next = self.visit(place, now, |item| goes_on = goes_on && show(item));
        }
    }

    /// When one of the items was last wanted that are the next to be given up: the earliest second.
    #[must_use]
    pub fn tail_second(&self, now: Time) -> Option<u64> {
        self.flush.settle(now);
        let parts = self.parts.iter();
        let seconds = parts.filter_map(|part| self.hold(part).tail_second(self.terms(now)));
        seconds.min()
    }

    /// Whether the accounts agree with what is held. They do whenever no operation is under way.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let (mut taken, mut told) = (0, 0);
        for part in &self.parts {
            let shard = self.hold(part);
            if !shard.is_consistent() {
                return false;
            }
            taken += shard.taken_bytes();
            told += shard.live_bytes() + shard.overhead();
        }
        taken == self.budget.used() && told == self.budget.live()
    }

    /// Whether an item of that cost could be stored now.
    #[must_use]
    pub fn has_room(&self, cost: usize) -> bool {
        self.evicts || self.budget.has_room(cost)
    }

    /// How large an item is in the eyes of a client.
    #[must_use]
    pub fn cost(&self, key_len: usize, value_len: usize, flags: u32) -> usize {
        footprint(key_len, value_len, flags, self.has_uniques)
    }

    fn next_unique(&self) -> u64 {
        if seeded(Fault::CountsUniquesInTwoSteps) {
            let next = self.uniques.load(Ordering::Relaxed) + 1;
            self.uniques.store(next, Ordering::Relaxed);
            return next;
        }
        self.uniques.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// What an operation has to go by. Taken under the shard's lock, and only once: a flush that
    /// comes later comes after the operation.
    fn terms(&self, now: Time) -> Terms<'_> {
        Terms {
            store: self,
            epoch: self.flush.epoch(),
            second: u32::try_from(now.seconds()).unwrap_or(u32::MAX - 1),
            spared: None,
        }
    }

    /// Lets others know what a shard takes now.
    fn tell(&self, part: &Part, shard: &mut Shard) {
        if shard.tell(&self.budget) {
            part.note(shard);
        }
    }

    /// Locks a shard. One whose holder panicked may be broken: it is emptied; a cache may forget.
    #[inline(always)]
    fn hold<'a>(&'a self, part: &'a Part) -> Held<'a, Shard> {
        #[cfg(test)]
        work::SHARDS.set(work::SHARDS.get() + 1);
        part.shard.hold(|shard| self.mend(part, shard))
    }

    /// Empties a shard that somebody left halfway.
    #[cold]
    fn mend(&self, part: &Part, shard: &mut Shard) {
        shard.forget(&self.budget);
        part.note(shard);
    }

    fn part_of(&self, hash: u64) -> &Part {
        // The table inside a shard uses the other end of the hash.
        let [.., low, high] = hash.to_le_bytes();
        let part = usize::from(u16::from_le_bytes([low, high])) & (self.parts.len() - 1);
        self.parts
            .get(part)
            .expect("a mask is below a power of two")
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).expect("a usize has at most 64 bits")
}
