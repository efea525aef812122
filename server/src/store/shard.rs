//! A part of the store behind one lock: a table, and the segments that it points into.
//!
//! It never decides when to make room: its caller does, and `reclaim.rs` says how. Whether an
//! item is alive is decided when it is looked at, by its own expiry and its segment's epoch.

use std::collections::VecDeque;

use bytes::Bytes;

use super::ahead;
use super::aside::{self, Aside};
use super::budget::Budget;
use super::entry::NoMemory;
use super::ghost::Ghost;
use super::hash::Hasher;
use super::item::{Draft, Expiry, Item, Rest};
use super::rare::Rare;
use super::record::{HANDLE_LEN, HEADER_LEN, Record, VALUE_LEN_MAX};
use super::segment::{Log, Segment, Stream};
use super::table::{self, Location, PLACES, Table};
use super::value::Value;
use super::{Store, wide};
use crate::sync::{Fault, seeded};

/// So many buckets are visited under one hold of the lock.
const VISITED_BUCKETS: usize = 8;

/// What a shard holds and has held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    pub(super) items: u64,
    pub(super) items_ever: u64,
    pub(super) evictions: u64,
    pub(super) evicted_unfetched: u64,
    pub(super) reclaimed: u64,
    pub(super) expired_unfetched: u64,
    pub(super) set_bytes: u64,
    pub(super) copied_bytes: u64,
    pub(super) mended: u64,
}

/// What an operation has to go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) store: &'a Store,
    pub(super) epoch: u32,
    pub(super) second: u32,
    /// The hash of what is not to be given up before all else.
    pub(super) spared: Option<u64>,
}

/// A record that was found, and the epoch of its segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) location: Location,
    pub(super) record: Record,
    pub(super) epoch: u32,
}

impl Found {
    /// Whether a client may still see it.
    pub(super) const fn is_alive(&self, terms: Terms<'_>) -> bool {
        self.epoch == terms.epoch && self.record.expires() > terms.second
    }
}

/// One part of the items.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) table: Table,
    pub(super) segments: Vec<Option<Segment>>,
    pub(super) vacant: Vec<u32>,
    /// The segments of each log, the oldest first.
    pub(super) small: VecDeque<u32>,
    pub(super) main: VecDeque<u32>,
    pub(super) open: [Option<u32>; Stream::ALL],
    pub(super) ghost: Ghost,
    aside: Aside<Bytes>,
    rare: Rare,
    pub(super) scratch: Vec<u8>,
    hasher: Hasher,
    pub(super) segment_bytes: usize,
    /// Its binary logarithm.
    segment_shift: u32,
    pub(super) census: Census,
    /// Bytes of records that can be found, and of their values aside.
    pub(super) live_bytes: usize,
    /// Bytes of all records, the dead ones too.
    pub(super) filled_bytes: usize,
    overhead_bytes: usize,
    pub(super) taken_bytes: usize,
    /// What the budget was told last: bytes that are live, and bytes that are filled.
    told: [usize; 4],
    told_live_bytes: usize,
}

impl Shard {
    pub(super) fn new(segment_bytes: usize, hasher: Hasher) -> Self {
        Self {
            table: Table::default(),
            segments: Vec::new(),
            vacant: Vec::new(),
            small: VecDeque::new(),
            main: VecDeque::new(),
            open: [None; Stream::ALL],
            ghost: Ghost::default(),
            aside: Aside::default(),
            rare: Rare::default(),
            scratch: Vec::new(),
            hasher,
            segment_bytes,
            segment_shift: segment_bytes.ilog2(),
            census: Census::default(),
            live_bytes: 0,
            filled_bytes: 0,
            overhead_bytes: 0,
            taken_bytes: 0,
            told: [usize::MAX; 4],
            told_live_bytes: 0,
        }
    }

    /// Forgets everything, and gives back what it took: whoever held it last left it halfway.
    pub(super) fn forget(&mut self, budget: &Budget) {
        budget.release(self.taken_bytes);
        budget.settle_live(self.told_live_bytes, 0);
        let census = Census {
            items: 0,
            mended: self.census.mended + 1,
            ..self.census
        };
        *self = Self::new(self.segment_bytes, self.hasher);
        self.census = census;
        self.tell(budget);
    }

    /// What it has taken of the memory.
    pub(super) const fn taken_bytes(&self) -> usize {
        self.taken_bytes
    }

    /// What its items take, beside their entries in the table.
    pub(super) const fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    /// What its segments hold in vain.
    pub(super) const fn dead_bytes(&self) -> usize {
        self.filled_bytes.saturating_sub(self.live_bytes)
    }

    /// What it takes beside segments and values.
    pub(super) fn overhead(&self) -> usize {
        self.table.bytes() + self.ghost.bytes() + self.rare.bytes()
    }

    /// Lets the budget know what has changed since it was last told. Tells whether anything has.
    pub(super) fn tell(&mut self, budget: &Budget) -> bool {
        // The table changes only with these.
        let now = [
            self.live_bytes,
            self.filled_bytes,
            self.rare.bytes(),
            self.ghost.bytes(),
        ];
        if now == self.told {
            return false;
        }
        let overhead = self.overhead();
        if overhead > self.overhead_bytes {
            budget.charge(overhead - self.overhead_bytes);
        } else if overhead < self.overhead_bytes {
            budget.release(self.overhead_bytes - overhead);
        }
        self.taken_bytes = self.taken_bytes + overhead - self.overhead_bytes;
        self.overhead_bytes = overhead;
        let live_bytes = self.live_bytes + overhead;
        budget.settle_live(self.told_live_bytes, live_bytes);
        self.told_live_bytes = live_bytes;
        self.told = now;
        true
    }

    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }

    /// Where a key's record lies, dead or alive.
    #[inline(never)]
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Location> {
        self.seek(hash, key).map(|found| found.location)
    }

    /// A key's record, dead or alive, and where it lies.
    pub(super) fn look_up(&self, hash: u64, key: &[u8]) -> Option<(Location, Record)> {
        self.read(self.find(hash, key)?)
    }

    /// The record there.
    pub(super) fn record(&self, location: Location) -> Option<Record> {
        Record::read(self.bytes_at(location))
    }

    /// The record there, and where that is.
    pub(super) fn read(&self, location: Location) -> Option<(Location, Record)> {
        Some((location, self.record(location)?))
    }

    /// The item there, of which the record is known.
    pub(super) fn item(&self, location: Location, record: &Record) -> Item<'_> {
        self.view(record, self.bytes_at(location))
    }

    const fn view<'a>(&'a self, record: &Record, bytes: &'a [u8]) -> Item<'a> {
        Item::new(*record, bytes, self.rest())
    }

    const fn rest(&self) -> Rest<'_> {
        Rest {
            aside: &self.aside,
            rare: &self.rare,
        }
    }

    /// The value of a record that lies aside.
    pub(super) fn aside_of(&self, record: &Record, bytes: &[u8]) -> Option<&Bytes> {
        self.rest().aside_of(record, bytes)
    }

    /// A key's record, dead or alive.
    #[inline(always)]
    pub(super) fn seek(&self, hash: u64, key: &[u8]) -> Option<Found> {
        self.table.find(hash, |location| {
            let (id, offset) = self.place(location);
            let segment = self.segment(id)?;
            let bytes = segment.bytes.get(offset..)?;
            let record = Record::read(bytes)?;
            let is_meant = record.has_key(bytes, key) || seeded(Fault::TrustsTags);
            is_meant.then_some(Found {
                location,
                record,
                epoch: segment.epoch,
            })
        })
    }

    /// Asks for the first record that a hash may mean, which is soon to be read: hardly ever is it
    /// another that is meant.
    #[inline(always)]
    pub(super) fn approach(&self, hash: u64) {
        self.table.find(hash, |location| {
            ahead::ask_for_bytes(self.bytes_at(location));
            Some(())
        });
    }

    /// Shows the live items of some buckets, from a place in the order of hashes on. Tells the
    /// place behind them, if there is one. A record may move between two such looks, and a bucket
    /// be split or merged; where its hash stands remains.
    pub(super) fn visit(
        &self,
        terms: Terms<'_>,
        place: u32,
        mut show: impl FnMut(&Item<'_>),
    ) -> Option<u32> {
        let mut locations = Vec::with_capacity(VISITED_BUCKETS * 2 * PLACES);
        let mut next = Some(place);
        for _ in 0..VISITED_BUCKETS {
            let Some(bucket) = next else { break };
            next = self.table.visit(bucket, |location| {
                ahead::ask_for_bytes(self.bytes_at(location));
                locations.push(location);
            });
        }
        for location in locations {
            let (id, offset) = self.place(location);
            let Some(segment) = self.segment(id).filter(|it| it.epoch == terms.epoch) else {
                continue;
            };
            let bytes = segment.tail(offset);
            let record = Record::read(bytes).filter(|record| record.expires() > terms.second);
            let Some(record) = record else { continue };
            // A bucket that was merged has hashes that have been passed.
            if table::order(self.hash(record.key(bytes))) >= place {
                show(&self.view(&record, bytes));
            }
        }
        next
    }

    /// Writes a record anew in its place; neither its key nor how long it is has changed.
    pub(super) fn write_head(&mut self, location: Location, record: &Record) {
        let (id, offset) = self.place(location);
        if let Some(segment) = self.segment_mut(id) {
            segment.earliest = segment.earliest.min(record.expires());
            record.write(segment.tail_mut(offset));
        }
    }

    /// The item there, whose use is written anew first.
    #[inline]
    pub(super) fn serve(&mut self, location: Location, record: &Record) -> Option<Item<'_>> {
        let (id, offset) = self.place(location);
        let Self {
            segments,
            aside,
            rare,
            ..
        } = self;
        let segment = segments.get_mut(id as usize)?.as_mut()?;
        let bytes = segment.bytes.get_mut(offset..)?;
        record.write_usage(bytes);
        Some(Item::new(*record, bytes, Rest { aside, rare }))
    }

    /// Writes anew how an item is used.
    #[inline]
    pub(super) fn write_usage(&mut self, location: Location, record: &Record) {
        let (id, offset) = self.place(location);
        let segment = self.segment_mut(id);
        if let Some(bytes) = segment.and_then(|segment| segment.bytes.get_mut(offset..)) {
            record.write_usage(bytes);
        }
    }

    /// Gives the item there another unique.
    pub(super) fn renumber(&mut self, location: Location, record: &mut Record, unique: u64) {
        self.rare.let_unique_go(record);
        record.set_unique(self.rare.keep_unique(unique));
        self.write_head(location, record);
    }

    /// Changes when the item there expires.
    pub(super) fn set_expiry(&mut self, location: Location, record: &mut Record, expiry: Expiry) {
        self.rare.let_expiry_go(record);
        record.set_expires(self.rare.keep_expiry(expiry));
        self.write_head(location, record);
    }

    /// Stores an item, in the place of the one that may be there. Tells where it lies, and how.
    pub(super) fn insert(
        &mut self,
        terms: Terms<'_>,
        (hash, key): (u64, &[u8]),
        old: Option<&(Location, Record)>,
        draft: Draft<'_>,
        unique: u64,
    ) -> Result<(Location, Record), NoMemory> {
        let before = old.map(|(_, record)| record);
        let record = self.draft(terms, key, draft, unique, before);
        self.census.items_ever += 1;
        self.census.set_bytes += wide(record.len());
        if let Some(&(location, ref before)) = old
            && before.lies_like(&record)
        {
            self.rare.let_go(before);
            self.rewrite(location, &record, &draft.value);
            return Ok((location, record));
        }
        let log = match old.and_then(|&(location, _)| self.log_of(location)) {
            Some(log) => log,
            None if self.ghost.recalls(hash) => Log::Main,
            None => Log::Small,
        };
        let stream = Stream::Written(log);
        let made = self.make_room(terms, stream, record.len());
        let made = made.inspect_err(|NoMemory| self.rare.let_go(&record))?;
        // To make room may have moved the old record, or given it up.
        let old = if made {
            self.look_up(hash, key)
        } else {
            old.copied()
        };
        let location = self.write(terms, stream, &record, key, draft.value);
        let Some(location) = location else {
            self.rare.let_go(&record);
            return Err(NoMemory);
        };
        if let Some((place, before)) = old.filter(|_| !seeded(Fault::KeepsBothRecords)) {
            self.table.relocate(hash, place, location);
            self.bury(terms, place, &before);
        } else {
            let Self {
                table,
                segments,
                hasher,
                segment_shift,
                ..
            } = self;
            table.insert(hash, location, |location| {
                let bytes = bytes_at(segments, *segment_shift, location);
                hasher.hash(Record::read(bytes).map_or(&[][..], |record| record.key(bytes)))
            });
            self.census.items += 1;
        }
        Ok((location, record))
    }

    fn log_of(&self, location: Location) -> Option<Log> {
        let (id, _) = self.place(location);
        self.segment(id).map(|segment| segment.log)
    }

    /// The record of a draft.
    fn draft(
        &mut self,
        terms: Terms<'_>,
        key: &[u8],
        draft: Draft<'_>,
        unique: u64,
        before: Option<&Record>,
    ) -> Record {
        let flat_len = HEADER_LEN + 4 + key.len() + draft.value.len();
        let is_aside = draft.value.len() > HANDLE_LEN
            && (flat_len > self.segment_bytes / 8 || draft.value.len() > VALUE_LEN_MAX);
        let value_len = (!is_aside).then_some(draft.value.len());
        let mut record = Record::new(key.len(), value_len, draft.flags);
        record.mark(draft.marks);
        record.set_frequency(before.map_or(0, Record::frequency));
        record.set_expires(self.rare.keep_expiry(draft.expiry));
        record.set_accessed(terms.second);
        record.set_unique(self.rare.keep_unique(unique));
        record
    }

    /// Writes a record anew, and a value of the same length; the key stays.
    fn rewrite(&mut self, location: Location, record: &Record, value: &[u8]) {
        let (id, offset) = self.place(location);
        if let Some(segment) = self.segment_mut(id) {
            segment.earliest = segment.earliest.min(record.expires());
            let bytes = segment.tail_mut(offset);
            record.write(bytes);
            record.write_body(value, bytes);
        }
    }

    /// Appends what a client wrote, for which there is room. None where the system has no memory
    /// for what lies aside.
    fn write(
        &mut self,
        terms: Terms<'_>,
        stream: Stream,
        record: &Record,
        key: &[u8],
        value: Value<'_>,
    ) -> Option<Location> {
        if !record.is_aside() {
            return self.fill(stream, record, key, &value);
        }
        let value = value.keep()?;
        let cost = aside::cost(value.len());
        terms.store.budget.charge(cost);
        self.taken_bytes += cost;
        self.live_bytes += cost;
        self.filled_bytes += cost;
        let handle = self.aside.put(value).to_le_bytes();
        self.fill(stream, record, key, &handle)
    }

    /// Puts another value of the same length in the place of an item's.
    pub(super) fn overwrite(&mut self, location: Location, record: &Record, value: &[u8]) {
        if let Some(handle) = record.handle(self.bytes_at(location)) {
            if let Some(place) = self.aside.at_mut(handle) {
                *place = Bytes::copy_from_slice(value);
            }
            return;
        }
        let (id, offset) = self.place(location);
        let start = offset + record.len() - record.body_len();
        if let Some(segment) = self.segment_mut(id)
            && let Some(place) = segment.bytes.get_mut(start..start + value.len())
        {
            place.copy_from_slice(value);
        }
    }

    /// Removes an item. One that the table does not lead to is removed and counted all the same: it
    /// could be neither found nor given up.
    pub(super) fn remove(
        &mut self,
        terms: Terms<'_>,
        hash: u64,
        location: Location,
        record: &Record,
    ) {
        if self.table.remove(hash, location) {
            self.census.items -= 1;
        } else {
            self.census.mended += 1;
        }
        self.bury(terms, location, record);
    }

    /// Removes what was found and is no longer alive.
    #[cold]
    pub(super) fn clear_away(&mut self, terms: Terms<'_>, hash: u64, found: &Found) {
        let unfetched = found.epoch == terms.epoch && !found.record.is_fetched();
        self.census.expired_unfetched += u64::from(unfetched);
        self.remove(terms, hash, found.location, &found.record);
    }

    /// Lets a record be dead, and its value aside go.
    fn bury(&mut self, terms: Terms<'_>, location: Location, record: &Record) {
        self.rare.let_go(record);
        let handle = record.handle(self.bytes_at(location));
        if let Some(value) = handle.and_then(|handle| self.aside.take(handle)) {
            let cost = aside::cost(value.len());
            terms.store.budget.release(cost);
            self.taken_bytes -= cost;
            self.live_bytes -= cost;
            self.filled_bytes -= cost;
        }
        self.leave(location, record);
    }

    /// Lets a record be dead that has been copied, its value aside too.
    pub(super) fn leave(&mut self, location: Location, record: &Record) {
        let (id, offset) = self.place(location);
        self.live_bytes -= record.len();
        if let Some(segment) = self.segment_mut(id) {
            segment.bury(offset, record);
        }
    }

    /// Gives the memory of a segment back. What was live in it is gone.
    pub(super) fn retire(&mut self, terms: Terms<'_>, id: u32) {
        let taken = self.segments.get_mut(id as usize).and_then(Option::take);
        let Some(segment) = taken else { return };
        self.filled_bytes -= segment.len;
        self.queue(segment.log).retain(|&other| other != id);
        for open in &mut self.open {
            open.take_if(|other| *other == id);
        }
        self.vacant.push(id);
        self.taken_bytes -= self.segment_bytes;
        terms.store.budget.release(self.segment_bytes);
    }

    pub(super) const fn queue(&mut self, log: Log) -> &mut VecDeque<u32> {
        match log {
            Log::Small => &mut self.small,
            Log::Main => &mut self.main,
        }
    }

    pub(super) fn segment(&self, id: u32) -> Option<&Segment> {
        self.segments.get(id as usize)?.as_ref()
    }

    pub(super) fn segment_mut(&mut self, id: u32) -> Option<&mut Segment> {
        self.segments.get_mut(id as usize)?.as_mut()
    }

    /// The location of a place.
    pub(super) fn location(&self, id: u32, offset: usize) -> Option<Location> {
        Some((id << self.segment_shift) | u32::try_from(offset).ok()?)
    }

    fn place(&self, location: Location) -> (u32, usize) {
        place(self.segment_shift, location)
    }

    pub(super) fn bytes_at(&self, location: Location) -> &[u8] {
        bytes_at(&self.segments, self.segment_shift, location)
    }
}

/// The segment and the offset of a location.
const fn place(segment_shift: u32, location: Location) -> (u32, usize) {
    let id = location.wrapping_shr(segment_shift);
    (id, (location ^ id.wrapping_shl(segment_shift)) as usize)
}

/// The bytes from a record on.
fn bytes_at(segments: &[Option<Segment>], segment_shift: u32, location: Location) -> &[u8] {
    let (id, offset) = place(segment_shift, location);
    let segment = segments.get(id as usize).and_then(Option::as_ref);
    let bytes = segment.and_then(|segment| segment.bytes.get(offset..));
    bytes.unwrap_or_default()
}
