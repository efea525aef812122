//! Where records are, by the hash of their key: linear hashing over buckets of one cache line.
//!
//! A bucket has twelve places: a tag of 8 bits and a location of 32 each. What does not fit spills
//! into buckets of half a line. The table grows and shrinks one bucket at a time, so nobody waits
//! for it.
//! It never reads a record: who calls says whether a location is the one meant, and what hash it
//! has.

use super::ahead;
use crate::sync::{Fault, seeded};

/// Where a record lies in its shard: the segment above, the offset below.
pub(super) type Location = u32;

/// So many places make a bucket of 64 bytes, and one of 32.
pub(super) const PLACES: usize = 12;
const SPILL_PLACES: usize = 5;

const NOWHERE: Location = u32::MAX;
const NO_BUCKET: u32 = u32::MAX;
const CHUNK: usize = 32;

/// Above so many entries for each bucket, the table grows; below so many, it shrinks.
const ENTRIES_MAX: usize = 11;
const ENTRIES_MIN: usize = 5;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Bucket<const N: usize, const T: usize> {
    tags: [[u8; 4]; T],
    next: u32,
    locations: [Location; N],
}

impl<const N: usize, const T: usize> Bucket<N, T> {
    const EMPTY: Self = Self {
        tags: [[0; 4]; T],
        next: NO_BUCKET,
        locations: [NOWHERE; N],
    };

    /// What is made of a location with that tag, and maybe another, or none that there is. All tags
    /// are compared at once.
    #[inline(always)]
    fn find<R>(&self, tag: u8, meant: &impl Fn(Location) -> Option<R>) -> Option<R> {
        let mut equal = self.equal(tag);
        while equal != 0 {
            let bit = equal.trailing_zeros();
            let at = bit >> 3 | (28 ^ (bit & 7) << 2);
            let location = self.locations.get(at as usize).copied();
            let found = location.and_then(meant);
            if found.is_some() {
                return found;
            }
            equal &= equal - 1;
        }
        None
    }

    /// A bit for each place with that tag, and maybe for one behind it: for the n-th of the k-th
    /// four, the bit n * 8 + 7 - k.
    fn equal(&self, tag: u8) -> u32 {
        const LOW: u32 = u32::from_le_bytes([1; 4]);
        const HIGH: u32 = LOW << 7;
        let wanted = u32::from_le_bytes([tag; 4]);
        let fours = self.tags.iter().zip(0_u32..);
        fours.fold(0, |equal, (&four, at)| {
            let differ = u32::from_le_bytes(four) ^ wanted;
            equal | (differ.wrapping_sub(LOW) & !differ & HIGH) >> at
        })
    }

    /// Puts an entry into an empty place. Tells whether there was one.
    fn fill(&mut self, tag: u8, location: Location) -> bool {
        let place = self.place(NOWHERE);
        let filled = place.map(|place| (*place.0, *place.1) = (tag, location));
        filled.is_some()
    }

    fn empty_into(&self, entries: &mut Vec<(u8, Location)>) {
        let places = self.tags.as_flattened().iter().copied().zip(self.locations);
        entries.extend(places.filter(|&(_, location)| location != NOWHERE));
    }

    fn each(&self, show: impl FnMut(Location)) {
        let taken = self.locations.iter().copied();
        taken.filter(|&location| location != NOWHERE).for_each(show);
    }

    fn place(&mut self, location: Location) -> Option<(&mut u8, &mut Location)> {
        let at = self.locations.iter().position(|&other| other == location)?;
        Some((
            self.tags.as_flattened_mut().get_mut(at)?,
            self.locations.get_mut(at)?,
        ))
    }
}

/// Some buckets, in lines of their own.
#[derive(Debug)]
#[repr(align(64))]
struct Chunk<const N: usize, const T: usize>([Bucket<N, T>; CHUNK]);

/// Buckets that never move.
#[derive(Debug, Default)]
struct Buckets<const N: usize, const T: usize> {
    chunks: Vec<Box<Chunk<N, T>>>,
    len: usize,
    /// As many bits as it takes to number them.
    mask: u32,
}

impl<const N: usize, const T: usize> Buckets<N, T> {
    /// Which of them a hash belongs to. One that is not there yet is still its buddy.
    fn index(&self, hash: u64) -> usize {
        let [a, b, c, d, ..] = hash.to_le_bytes();
        let low = u32::from_le_bytes([a, b, c, d]);
        let index = (low & self.mask) as usize;
        if index < self.len {
            index
        } else {
            (low & (self.mask >> 1)) as usize
        }
    }

    /// Where the hashes of one of them begin in their [order], and where those behind them do.
    fn share(&self, index: usize) -> (u32, Option<u32>) {
        let half = (self.mask as usize >> 1) + 1;
        let is_whole = index < half && index + half >= self.len;
        let bits = self.mask.count_ones().saturating_sub(u32::from(is_whole));
        let first = u32::try_from(index).map_or(u32::MAX, u32::reverse_bits);
        let len = u32::MAX.checked_shr(bits).unwrap_or(0);
        (first, (first | len).checked_add(1))
    }

    fn fit_mask(&mut self) {
        let last = u32::try_from(self.len.saturating_sub(1)).unwrap_or(u32::MAX);
        self.mask = u32::MAX.checked_shr(last.leading_zeros()).unwrap_or(0);
    }

    fn at(&self, index: usize) -> Option<&Bucket<N, T>> {
        self.chunks.get(index / CHUNK)?.0.get(index % CHUNK)
    }

    fn at_mut(&mut self, index: usize) -> Option<&mut Bucket<N, T>> {
        self.chunks.get_mut(index / CHUNK)?.0.get_mut(index % CHUNK)
    }

    fn push(&mut self) -> usize {
        let index = self.len;
        if index == self.chunks.len() * CHUNK {
            self.chunks.push(Box::new(Chunk([Bucket::EMPTY; CHUNK])));
        }
        self.len += 1;
        self.fit_mask();
        index
    }

    fn pop(&mut self) {
        self.len -= 1;
        if self.len == (self.chunks.len() - 1) * CHUNK {
            self.chunks.pop();
        }
        self.fit_mask();
    }

    fn bytes(&self) -> usize {
        self.chunks.len() * (size_of::<Chunk<N, T>>() + size_of::<usize>())
    }
}

/// The table of a shard.
#[derive(Debug)]
pub(super) struct Table {
    buckets: Buckets<PLACES, 3>,
    spill: Buckets<SPILL_PLACES, 2>,
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

    /// What is meant by that hash: the first location of which something is made of.
    /// May ask for one that there never was.
    #[inline(always)]
    pub(super) fn find<R>(&self, hash: u64, meant: impl Fn(Location) -> Option<R>) -> Option<R> {
        let tag = tag_of(hash);
        let first = self.buckets.at(self.index(hash))?;
        let found = first.find(tag, &meant);
        if found.is_some() || first.next == NO_BUCKET {
            return found;
        }
        self.find_spilled(first.next, tag, &meant)
    }

    #[inline(always)]
    fn find_spilled<R>(
        &self,
        mut next: u32,
        tag: u8,
        meant: &impl Fn(Location) -> Option<R>,
    ) -> Option<R> {
        while let Some(bucket) = self.spilled(next) {
            let found = bucket.find(tag, meant);
            if found.is_some() {
                return found;
            }
            next = bucket.next;
        }
        None
    }

    /// Shows all locations in the bucket of the hash that stands at a place in the [order], and
    /// maybe of some before it. Tells the place behind the bucket, if there is one.
    pub(super) fn visit(&self, place: u32, mut show: impl FnMut(Location)) -> Option<u32> {
        let index = self.index(u64::from(place.reverse_bits()));
        let first = self.buckets.at(index)?;
        let mut next = first.next;
        first.each(&mut show);
        while let Some(bucket) = self.spilled(next) {
            bucket.each(&mut show);
            next = bucket.next;
        }
        self.buckets.share(index).1
    }

    /// Asks for the bucket of a hash, which is soon to be looked into.
    #[inline(always)]
    pub(super) fn approach(&self, hash: u64) {
        if let Some(bucket) = self.buckets.at(self.index(hash)) {
            ahead::ask_for(bucket);
        }
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
        let Some(first) = self.buckets.at_mut(self.index(hash)) else {
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

    fn spilled(&self, next: u32) -> Option<&Bucket<SPILL_PLACES, 2>> {
        if next == NO_BUCKET {
            None
        } else {
            self.spill.at(next as usize)
        }
    }

    fn index(&self, hash: u64) -> usize {
        self.buckets.index(hash)
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

/// What is compared before a record is: bits that choose neither the bucket nor the shard.
const fn tag_of(hash: u64) -> u8 {
    let [_, _, _, _, tag, ..] = hash.to_le_bytes();
    tag
}

/// Where a hash stands in an order in which those of a bucket are neighbours, however often buckets
/// are split and merged: by the bits that choose it, the last of them first.
pub(super) const fn order(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]).reverse_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This file stands in the tests under loom as well, where others make mistakes on purpose at
    /// the same time: there nothing is to be counted.
    fn is_shipped() -> bool {
        env!("CARGO_CRATE_NAME") == "server"
    }

    /// More than the entries of one bucket, and of what spilled from it, that was ever seen.
    const MOVES_MAX: usize = 96;

    /// A hash that is not of a key, but spread like one.
    fn hash_of(location: Location) -> u64 {
        let mixed = u64::from(location).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    /// How long a request may have to wait for growth is bounded by what it moves, on any machine.
    #[test]
    fn one_insert_moves_the_entries_of_one_bucket_at_most() {
        const COUNT: Location = if cfg!(miri) { 3000 } else { 1_000_000 };
        let mut table = Table::default();
        let (mut most, mut all) = (0, 0);
        if !is_shipped() {
            return;
        }
        for location in 0..COUNT {
            let moved = std::cell::Cell::new(0);
            let before = table.buckets.len;
            table.insert(hash_of(location), location, |other| {
                moved.set(moved.get() + 1);
                hash_of(other)
            });
            assert!(table.buckets.len - before <= 1);
            most = most.max(moved.get());
            all += moved.get();
        }
        println!("{COUNT} inserts moved {all} entries, {most} at most within one");
        assert!(most <= MOVES_MAX, "{most}");
        assert!(all < COUNT as usize * 3, "{all}");
    }

    /// However many buckets there are, each hash is of the bucket whose share it stands in.
    #[test]
    fn the_shares_of_the_buckets_follow_each_other_from_the_first_place_to_the_last() {
        let mut buckets = Buckets::<PLACES, 3>::default();
        for len in 1..=if cfg!(miri) { 40 } else { 600 } {
            buckets.push();
            let (mut place, mut seen) = (Some(0_u32), 0);
            while let Some(first) = place {
                let index = buckets.index(u64::from(first.reverse_bits()));
                let (start, next) = buckets.share(index);
                let last = next.unwrap_or(0).wrapping_sub(1);
                assert_eq!(start, first, "{index} of {len}");
                assert_eq!(buckets.index(u64::from(last.reverse_bits())), index);
                seen += 1;
                place = next;
            }
            assert_eq!(seen, len);
        }
    }

    #[test]
    fn one_removal_gives_up_one_bucket_at_most() {
        const COUNT: Location = if cfg!(miri) { 1000 } else { 100_000 };
        let mut table = Table::default();
        if !is_shipped() {
            return;
        }
        for location in 0..COUNT {
            table.insert(hash_of(location), location, hash_of);
        }
        for location in 0..COUNT {
            let before = table.buckets.len;
            assert!(table.remove(hash_of(location), location));
            assert!(before - table.buckets.len <= 1);
        }
        assert_eq!((table.len(), table.buckets.len), (0, 1));
    }
}
