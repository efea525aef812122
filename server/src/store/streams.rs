//! Where records are appended: which segment a stream is open in, and when it begins another.
//!
//! It never overwrites anything, and takes the memory of a segment before it begins it. What makes
//! room where there is none is in `reclaim.rs`.

use super::entry::NoMemory;
use super::record::Record;
use super::segment::{Segment, Stream};
use super::shard::{Shard, Terms};
use super::table::Location;
use crate::sync::{Fault, seeded};

impl Shard {
    /// Lets a stream have room for what a client wrote. Tells whether others had to give way.
    ///
    /// A segment more than there is memory for may be begun, where that is made up for right
    /// afterwards: who holds one lock cannot make room in the shards of others.
    pub(super) fn make_room(
        &mut self,
        terms: Terms<'_>,
        stream: Stream,
        len: usize,
    ) -> Result<bool, NoMemory> {
        let budget = &terms.store.budget;
        let mut gave_way = false;
        while !self.is_open_for(terms, stream, len) {
            if budget.take_ahead(self.segment_bytes) {
                let begun = self.begin(terms, stream, None);
                return begun.then_some(gave_way).ok_or(NoMemory);
            }
            if !self.give_way(terms) {
                return Err(NoMemory);
            }
            gave_way = true;
        }
        Ok(gave_way)
    }

    /// Appends a record where a stream is open.
    pub(super) fn append(
        &mut self,
        terms: Terms<'_>,
        stream: Stream,
        record: &Record,
        key: &[u8],
        body: &[u8],
        position: Option<usize>,
    ) -> Option<Location> {
        let is_ready = self.is_open_for(terms, stream, record.len())
            || (terms.store.budget.take_for_copies(self.segment_bytes)
                && self.begin(terms, stream, position));
        is_ready.then(|| self.fill(stream, record, key, body))?
    }

    /// Appends a record where a stream is open and has room.
    pub(super) fn fill(
        &mut self,
        stream: Stream,
        record: &Record,
        key: &[u8],
        body: &[u8],
    ) -> Option<Location> {
        let id = *self.open.get(stream.index())?.as_ref()?;
        let offset = self.segment_mut(id)?.append(record, key, body);
        self.live_bytes += record.len();
        self.filled_bytes += record.len();
        self.location(id, offset)
    }

    /// Whether a stream is open in a segment that has room for so many bytes.
    fn is_open_for(&self, terms: Terms<'_>, stream: Stream, len: usize) -> bool {
        let current = self.open.get(stream.index()).copied().flatten();
        let segment = current.and_then(|id| self.segment(id));
        segment.is_some_and(|segment| {
            let fits = segment.room() >= len;
            fits && (segment.epoch == terms.epoch || seeded(Fault::AppendsAcrossFlushes))
        })
    }

    /// Begins a segment, whose share of the budget has been taken, at a place in its queue or at
    /// its end. Gives the share back where the system has no memory.
    fn begin(&mut self, terms: Terms<'_>, stream: Stream, position: Option<usize>) -> bool {
        let Some(segment) = Segment::new(self.segment_bytes, stream.log(), terms.epoch) else {
            terms.store.budget.release(self.segment_bytes);
            return false;
        };
        self.taken_bytes += self.segment_bytes;
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.segments.push(None);
            u32::try_from(self.segments.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(place) = self.segments.get_mut(id as usize) {
            *place = Some(segment);
        }
        let queue = self.queue(stream.log());
        let position = position.unwrap_or(queue.len()).min(queue.len());
        queue.insert(position, id);
        if let Some(open) = self.open.get_mut(stream.index()) {
            *open = Some(id);
        }
        true
    }
}
