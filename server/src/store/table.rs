//! Where records are, by the hash of their key: linear hashing over buckets of one cache line.
//!
//! A bucket has twelve places: a tag of 8 bits and a location of 32 each. What does not fit spills
//! into buckets of half a line. The table grows and shrinks one bucket at a time, so nobody waits
//! for it.
//! It never reads a record: who calls says whether a location is the one meant, and what hash it
//! has.

use crate::sync::{Fault, seeded};

/// Where a record lies in its shard: the segment above, the offset below.
pub(super) type Location = u32;

/// So many places make a bucket of 64 bytes, and one of 32.
const PLACES: usize = 12;
const SPILL_PLACES: usize = 5;

const NOWHERE: Location = u32::MAX;
const NO_BUCKET: u32 = u32::MAX;
const CHUNK: usize = 32;

/// Above so many entries for each bucket, the table grows; below so many, it shrinks.
const ENTRIES_MAX: usize = 11;
const ENTRIES_MIN: usize = 5;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Bucket<const N: usize> {
    tags: [u8; N],
    next: u32,
    locations: [Location; N],
}

impl<const N: usize> Bucket<N> {
    const EMPTY: Self = Self {
        tags: [0; N],
        next: NO_BUCKET,
        locations: [NOWHERE; N],
    };

    /// The locations with that tag, and maybe another. All tags are compared at once.
    fn tagged(&self, tag: u8) -> impl Iterator<Item = Location> {
        const LOW: u128 = u128::from_le_bytes([1; 16]);
        const HIGH: u128 = u128::from_le_bytes([0x80; 16]);
        let mut tags = [!tag; 16];
        for (place, &own) in tags.iter_mut().zip(&self.tags) {
            *place = own;
        }
        let differ = u128::from_le_bytes(tags) ^ u128::from_le_bytes([tag; 16]);
        // The high bit of every byte that was 0, and maybe of one that was 1 above it.
        let mut equal = differ.wrapping_sub(LOW) & !differ & HIGH;
        std::iter::from_fn(move || {
            while equal != 0 {
                let at = usize::try_from(equal.trailing_zeros() / 8).unwrap_or(N);
                equal &= equal - 1;
                let location = self.locations.get(at).copied();
                if let Some(location) = location.filter(|&location| location != NOWHERE) {
                    return Some(location);
                }
            }
            None
        })
    }

    /// Puts an entry into an empty place. Tells whether there was one.
    fn fill(&mut self, tag: u8, location: Location) -> bool {
        let place = self.place(NOWHERE);
        let filled = place.map(|place| (*place.0, *place.1) = (tag, location));
        filled.is_some()
    }

    fn empty_into(&self, entries: &mut Vec<(u8, Location)>) {
        let places = self.tags.iter().copied().zip(self.locations);
        entries.extend(places.filter(|&(_, location)| location != NOWHERE));
    }

    fn place(&mut self, location: Location) -> Option<(&mut u8, &mut Location)> {
        let at = self.locations.iter().position(|&other| other == location)?;
        Some((self.tags.get_mut(at)?, self.locations.get_mut(at)?))
    }
}

/// Some buckets, in lines of their own.
#[derive(Debug)]
#[repr(align(64))]
struct Chunk<const N: usize>([Bucket<N>; CHUNK]);

/// Buckets that never move.
#[derive(Debug, Default)]
struct Buckets<const N: usize> {
    chunks: Vec<Box<Chunk<N>>>,
    len: usize,
}

impl<const N: usize> Buckets<N> {
    fn at(&self, index: usize) -> Option<&Bucket<N>> {
        self.chunks.get(index / CHUNK)?.0.get(index % CHUNK)
    }

    fn at_mut(&mut self, index: usize) -> Option<&mut Bucket<N>> {
        self.chunks.get_mut(index / CHUNK)?.0.get_mut(index % CHUNK)
    }

    fn push(&mut self) -> usize {
        let index = self.len;
        if index == self.chunks.len() * CHUNK {
            self.chunks.push(Box::new(Chunk([Bucket::EMPTY; CHUNK])));
        }
        self.len += 1;
        index
    }

    fn pop(&mut self) {
        self.len -= 1;
        if self.len == (self.chunks.len() - 1) * CHUNK {
            self.chunks.pop();
        }
    }

    fn bytes(&self) -> usize {
        self.chunks.len() * (size_of::<Chunk<N>>() + size_of::<usize>())
    }
}

/// The table of a shard.
#[derive(Debug)]
pub(super) struct Table {
    buckets: Buckets<PLACES>,
    spill: Buckets<SPILL_PLACES>,
    vacant: Vec<u32>,
    entries: usize,
}

impl Default for Table {
    fn default() -> Self {
        let mut buckets = Buckets::default();
        buckets.push();
        Self {
            buckets,
            spill: Buckets::default(),
            vacant: Vec::new(),
            entries: 0,
        }
    }
}

impl Table {
    /// How many entries there are.
    pub(super) const fn len(&self) -> usize {
        self.entries
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        self.buckets.bytes() + self.spill.bytes() + self.vacant.capacity() * size_of::<u32>()
    }

    /// The location of that hash which is the one meant.
    pub(super) fn find(&self, hash: u64, is_meant: impl Fn(Location) -> bool) -> Option<Location> {
        let tag = tag_of(hash);
        let is_meant = |&location: &Location| seeded(Fault::TrustsTags) || is_meant(location);
        let first = self.buckets.at(self.index(hash))?;
        let mut found = first.tagged(tag).find(is_meant);
        let mut next = first.next;
        while found.is_none()
            && let Some(bucket) = self.spilled(next)
        {
            found = bucket.tagged(tag).find(is_meant);
            next = bucket.next;
        }
        found
    }

    /// Adds an entry.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        location: Location,
        hash_of: impl Fn(Location) -> u64,
    ) {
        self.add(self.index(hash), tag_of(hash), location);
        self.entries += 1;
        if self.entries > self.buckets.len * ENTRIES_MAX {
            self.split(hash_of);
        }
    }

    /// Lets an entry name another location. Tells whether it was there.
    pub(super) fn relocate(&mut self, hash: u64, from: Location, to: Location) -> bool {
        self.change(hash, from, |_, location| *location = to)
    }

    /// Removes an entry. Tells whether it was there.
    pub(super) fn remove(&mut self, hash: u64, location: Location) -> bool {
        let removed = self.change(hash, location, |_, place| *place = NOWHERE);
        self.entries -= usize::from(removed);
        if self.entries < self.buckets.len * ENTRIES_MIN && self.buckets.len > 1 {
            self.merge();
        }
        removed
    }

    fn change(
        &mut self,
        hash: u64,
        location: Location,
        change: impl FnOnce(&mut u8, &mut Location),
    ) -> bool {
        let Some(first) = self.buckets.at_mut(index_among(self.buckets.len, hash)) else {
            return false;
        };
        let mut next = first.next;
        if let Some((tag, place)) = first.place(location) {
            change(tag, place);
            return true;
        }
        while next != NO_BUCKET
            && let Some(bucket) = self.spill.at_mut(next as usize)
        {
            next = bucket.next;
            if let Some((tag, place)) = bucket.place(location) {
                change(tag, place);
                return true;
            }
        }
        false
    }

    fn spilled(&self, next: u32) -> Option<&Bucket<SPILL_PLACES>> {
        if next == NO_BUCKET {
            None
        } else {
            self.spill.at(next as usize)
        }
    }

    fn index(&self, hash: u64) -> usize {
        index_among(self.buckets.len, hash)
    }

    fn add(&mut self, index: usize, tag: u8, location: Location) {
        let Some(first) = self.buckets.at_mut(index) else {
            return;
        };
        if first.fill(tag, location) {
            return;
        }
        let spilled = first.next;
        let mut next = spilled;
        while next != NO_BUCKET
            && let Some(bucket) = self.spill.at_mut(next as usize)
        {
            if bucket.fill(tag, location) {
                return;
            }
            next = bucket.next;
        }
        let fresh = self.vacant.pop();
        let fresh = fresh.unwrap_or_else(|| u32::try_from(self.spill.push()).unwrap_or(NO_BUCKET));
        if let Some(bucket) = self.spill.at_mut(fresh as usize) {
            *bucket = Bucket {
                next: spilled,
                ..Bucket::EMPTY
            };
            bucket.fill(tag, location);
        }
        if let Some(first) = self.buckets.at_mut(index) {
            first.next = fresh;
        }
    }

    /// Takes all out of a bucket and what it spilled.
    fn drain(&mut self, index: usize) -> Vec<(u8, Location)> {
        let mut drained = Vec::with_capacity(2 * PLACES);
        let Some(bucket) = self.buckets.at_mut(index) else {
            return drained;
        };
        let taken = std::mem::replace(bucket, Bucket::EMPTY);
        taken.empty_into(&mut drained);
        let mut next = taken.next;
        while next != NO_BUCKET
            && let Some(bucket) = self.spill.at_mut(next as usize)
        {
            let taken = std::mem::replace(bucket, Bucket::EMPTY);
            taken.empty_into(&mut drained);
            self.vacant.push(next);
            next = taken.next;
        }
        drained
    }

    /// Grows by one bucket, which takes its share from its buddy.
    fn split(&mut self, hash_of: impl Fn(Location) -> u64) {
        let fresh = self.buckets.push();
        if let Some(bucket) = self.buckets.at_mut(fresh) {
            *bucket = Bucket::EMPTY;
        }
        let buddy = fresh - base_of(fresh + 1);
        for (tag, location) in self.drain(buddy) {
            let index = if seeded(Fault::SplitsWithoutMoving) {
                buddy
            } else {
                self.index(hash_of(location))
            };
            self.add(index, tag, location);
        }
    }

    /// Shrinks by one bucket, which gives all to its buddy.
    fn merge(&mut self) {
        let last = self.buckets.len - 1;
        let buddy = last - base_of(last + 1);
        let drained = self.drain(last);
        self.buckets.pop();
        for (tag, location) in drained {
            self.add(buddy, tag, location);
        }
    }
}

/// The largest power of two below a count of two or more.
const fn base_of(count: usize) -> usize {
    1 << (count - 1).ilog2()
}

/// Which of so many buckets a hash belongs to.
fn index_among(count: usize, hash: u64) -> usize {
    if count < 2 {
        return 0;
    }
    let base = base_of(count);
    let low = usize::try_from(hash & 0xffff_ffff).unwrap_or(0);
    let index = low & (2 * base - 1);
    if index < count { index } else { index - base }
}

/// What is compared before a record is: bits that choose neither the bucket nor the shard.
const fn tag_of(hash: u64) -> u8 {
    let [_, _, _, _, tag, ..] = hash.to_le_bytes();
    tag
}
