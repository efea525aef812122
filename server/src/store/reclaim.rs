//! How a shard makes room: it lets go of what is dead, packs what is live, and at last gives up
//! what was wanted least.
//!
//! S3-FIFO over segments. What leaves the small log without having been wanted goes, and is
//! remembered by the ghost; what was wanted goes on to the main log. There, what was wanted since
//! stays for another round. It never gives up a live item while packing would do.
//!
//! A segment goes as a whole, but not what lies aside from it: of large values no more go than make
//! room for a segment, and the rest of theirs waits for its turn. What was stored just now is the
//! last to go.

use super::aside;
use super::segment::{Log, Segment, Stream};
use super::shard::{Shard, Terms};
use super::table::Location;
use super::wide;
use crate::sync::{Fault, seeded};

/// How many segments are searched for dead items at once.
const SWEEP_SEGMENTS: usize = 8;

/// The share of a segment's bytes that may stay in the main log, in percent.
const SURVIVORS_PERCENT: usize = 75;

/// Where so much of a small segment is wanted, it becomes a main segment as it is, in percent.
const RELABEL_PERCENT: usize = 40;

/// A segment that is dead to this part is packed even when little room is left, in percent.
const DEAD_PERCENT: usize = 40;

/// A segment of which less is dead than this part, as a divisor, is never packed.
const DEAD_SHARE_MIN: usize = 32;

/// The small log's share of the segments, as a divisor.
const SMALL_SHARE: usize = 20;

/// A record in a segment that is being reclaimed.
#[derive(Clone, Copy, Debug)]
struct Found {
    location: Location,
    hash: u64,
    len: usize,
    frequency: u8,
    fetched: bool,
    expires: u32,
    flushed: bool,
    /// What its value takes beside the segment.
    aside_bytes: usize,
}

impl Found {
    /// Whether a client could still see it.
    const fn is_alive(&self, terms: Terms<'_>) -> bool {
        !self.flushed && self.expires > terms.second
    }

    /// Whether it is what was stored just now.
    fn is_spared(&self, terms: Terms<'_>) -> bool {
        terms.spared == Some(self.hash)
    }
}

impl Shard {
    /// Makes some room, or gets nearer to it. Tells whether anything could be done. Survivors of
    /// the main log get the smaller a share the longer it takes.
    pub(super) fn reclaim(&mut self, terms: Terms<'_>, round: usize) -> bool {
        self.give_way(terms) || (terms.store.budget.evicts() && self.evict(terms, round))
    }

    /// Makes room for what cannot wait and may not be made room for by giving up anything.
    pub(super) fn give_way(&mut self, terms: Terms<'_>) -> bool {
        self.sweep(terms, SWEEP_SEGMENTS) || self.pack(terms)
    }

    /// Removes what has expired or was flushed from some segments, and retires those where nothing
    /// is left. Tells whether it retired any.
    pub(super) fn sweep(&mut self, terms: Terms<'_>, segments: usize) -> bool {
        let stale: Vec<u32> = self
            .ids()
            .filter(|&id| {
                self.segment(id).is_some_and(|segment| {
                    segment.epoch != terms.epoch || segment.earliest <= terms.second
                })
            })
            .take(segments)
            .collect();
        for id in stale {
            self.sweep_segment(terms, id);
        }
        let empty: Vec<u32> = self
            .ids()
            .filter(|&id| {
                self.segment(id).is_some_and(|segment| {
                    segment.live == 0 && (segment.epoch != terms.epoch || !self.is_open(id))
                })
            })
            .collect();
        for &id in &empty {
            self.retire(terms, id);
        }
        !empty.is_empty()
    }

    fn sweep_segment(&mut self, terms: Terms<'_>, id: u32) {
        let mut earliest = u32::MAX;
        for found in self.live_in(terms, id) {
            if found.is_alive(terms) {
                earliest = earliest.min(found.expires);
            } else {
                self.give_up(terms, found);
            }
        }
        if let Some(segment) = self.segment_mut(id) {
            segment.earliest = earliest;
        }
    }

    /// Copies what is live in the segment with the most dead bytes, and retires it.
    fn pack(&mut self, terms: Terms<'_>) -> bool {
        let sealed = self.ids().filter(|&id| !self.is_open(id));
        let dead = |id: u32| self.segment(id).map_or(0, |segment| segment.dead());
        let Some(victim) = sealed.max_by_key(|&id| dead(id)) else {
            return false;
        };
        let is_worthwhile = dead(victim) * 100 >= self.segment_bytes * DEAD_PERCENT
            || (terms.store.budget.is_loose()
                && dead(victim) * DEAD_SHARE_MIN >= self.segment_bytes);
        if !is_worthwhile {
            return false;
        }
        let Some(log) = self.segment(victim).map(|segment| segment.log) else {
            return false;
        };
        let position = self.queue(log).iter().position(|&id| id == victim);
        for found in self.live_in(terms, victim) {
            let stream = Stream::Compacted(log);
            if !found.is_alive(terms) {
                self.give_up(terms, found);
            } else if !self.copy(terms, found, stream, found.frequency, position) {
                return false;
            }
        }
        self.retire(terms, victim);
        true
    }

    /// Gives up what was wanted least.
    fn evict(&mut self, terms: Terms<'_>, round: usize) -> bool {
        self.fit_ghost(terms);
        let all = self.small.len() + self.main.len();
        let small_is_full = self.small.len() > (all / SMALL_SHARE).max(1);
        let (first, second) = if small_is_full {
            (Log::Small, Log::Main)
        } else {
            (Log::Main, Log::Small)
        };
        let victim = self.oldest(first).or_else(|| self.oldest(second));
        let Some(victim) = victim else {
            return self.seal();
        };
        let found = self.live_in(terms, victim);
        if !found.is_empty() && found.iter().all(|found| found.is_spared(terms)) {
            return false;
        }
        match self.segment(victim).map(|segment| segment.log) {
            Some(Log::Small) => self.evict_small(terms, victim, found),
            _ => self.evict_main(terms, victim, found, round),
        }
        true
    }

    fn evict_small(&mut self, terms: Terms<'_>, victim: u32, found: Vec<Found>) {
        let wanted = found.iter().filter(|found| found.frequency > 0);
        let wanted: usize = wanted.map(|found| found.len).sum();
        if wanted * 100 >= self.segment_bytes * RELABEL_PERCENT {
            self.small.retain(|&id| id != victim);
            self.main.push_back(victim);
            if let Some(segment) = self.segment_mut(victim) {
                segment.log = Log::Main;
            }
            return;
        }
        let mut freed = 0;
        for found in found {
            let log = if found.frequency > 0 {
                Log::Main
            } else {
                Log::Small
            };
            let stays = (log == Log::Main || found.is_spared(terms))
                && found.is_alive(terms)
                && self.copy(terms, found, Stream::Written(log), 0, None);
            if stays {
                continue;
            }
            if found.is_alive(terms) {
                self.ghost.note(found.hash);
            }
            freed += self.give_up(terms, found);
            if freed >= self.segment_bytes {
                return;
            }
        }
        self.retire(terms, victim);
    }

    fn evict_main(&mut self, terms: Terms<'_>, victim: u32, found: Vec<Found>, round: usize) {
        let shift = u32::try_from(round.saturating_sub(1)).unwrap_or(0).min(7);
        let mut left = (self.segment_bytes / 100 * SURVIVORS_PERCENT) >> shift;
        let mut freed = 0;
        for found in found {
            let frequency = found.frequency.saturating_sub(1);
            let stays = ((found.frequency > 0 && found.len <= left) || found.is_spared(terms))
                && found.is_alive(terms)
                && self.copy(terms, found, Stream::Written(Log::Main), frequency, None);
            if stays {
                left = left.saturating_sub(found.len);
                continue;
            }
            freed += self.give_up(terms, found);
            if freed >= self.segment_bytes {
                return;
            }
        }
        self.retire(terms, victim);
    }

    /// Removes it, and tells how much was freed beside the segment: where nothing was, whoever
    /// makes room must not take it for progress.
    fn give_up(&mut self, terms: Terms<'_>, found: Found) -> usize {
        if !found.is_alive(terms) {
            self.census.reclaimed += 1;
            let unfetched = !found.flushed && !found.fetched;
            self.census.expired_unfetched += u64::from(unfetched);
        } else {
            self.census.evictions += 1;
            self.census.evicted_unfetched += u64::from(!found.fetched);
            if let Some((location, record)) = self.read(found.location) {
                let item = self.item(location, &record);
                terms.store.farewell.bid(&item, terms.second);
            }
        }
        let record = self.record(found.location);
        let Some(record) = record.filter(|_| !seeded(Fault::EvictsWithoutRemoving)) else {
            return 0;
        };
        self.remove(terms, found.hash, found.location, &record);
        found.aside_bytes
    }

    /// Copies a record to where that stream is open. Tells whether there was room.
    fn copy(
        &mut self,
        terms: Terms<'_>,
        found: Found,
        stream: Stream,
        frequency: u8,
        position: Option<usize>,
    ) -> bool {
        let Some(mut record) = self.record(found.location) else {
            return false;
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let bytes = self.bytes_at(found.location);
        scratch.extend_from_slice(bytes.get(..record.len()).unwrap_or_default());
        let (key, body) = (record.key(&scratch), record.body(&scratch));
        record.set_frequency(frequency);
        if seeded(Fault::LosesMarks) {
            record.mark(super::item::Marks::default());
        }
        let copied = self.append(terms, stream, &record, key, body, position);
        self.scratch = scratch;
        let Some(location) = copied else {
            return false;
        };
        self.census.copied_bytes += wide(record.len());
        let is_led_to = seeded(Fault::ForgetsToRelocate)
            || self.table.relocate(found.hash, found.location, location);
        self.leave(found.location, &record);
        if !is_led_to {
            // Nobody could find it: it is not to be carried on for ever.
            self.remove(terms, found.hash, location, &record);
        }
        true
    }

    /// The records of a segment that can be found.
    fn live_in(&self, terms: Terms<'_>, id: u32) -> Vec<Found> {
        let Some(segment) = self.segment(id) else {
            return Vec::new();
        };
        let live = segment.records().filter(|(_, record)| !record.is_dead());
        live.filter_map(|(offset, record)| {
            let bytes = segment.tail(offset);
            let value = self.aside_of(&record, bytes);
            Some(Found {
                location: self.location(id, offset)?,
                hash: self.hash(record.key(bytes)),
                aside_bytes: value.map_or(0, |value| aside::cost(value.len())),
                len: record.len(),
                frequency: record.frequency(),
                fetched: record.is_fetched(),
                expires: record.expires(),
                flushed: segment.epoch != terms.epoch,
            })
        })
        .collect()
    }

    /// Fits the ghost to the number of items.
    fn fit_ghost(&mut self, terms: Terms<'_>) {
        self.ghost.fit(self.table.len());
        self.tell(&terms.store.budget);
    }

    /// The segments, those of the small log first.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.small.iter().chain(&self.main).copied()
    }

    fn is_open(&self, id: u32) -> bool {
        self.open.contains(&Some(id))
    }

    /// The oldest segment of a log that nothing is appended to.
    fn oldest(&self, log: Log) -> Option<u32> {
        let queue = match log {
            Log::Small => &self.small,
            Log::Main => &self.main,
        };
        queue.iter().copied().find(|&id| !self.is_open(id))
    }

    /// When one of the items was last wanted that are the first in a log: the earliest second.
    pub(super) fn tail_second(&self, terms: Terms<'_>) -> Option<u64> {
        let tails = [&self.small, &self.main].map(|queue| {
            let mut segments = queue.iter().filter_map(|&id| self.segment(id));
            segments.find(|segment| segment.epoch == terms.epoch && segment.live > 0)
        });
        let records = tails.into_iter().flatten().flat_map(Segment::records);
        let live = records
            .map(|(_, record)| record)
            .filter(|record| !record.is_dead() && record.expires() > terms.second);
        live.map(|record| record.accessed().into()).min()
    }

    /// Lets nothing be appended to any segment. Tells whether there was one open.
    fn seal(&mut self) -> bool {
        let was_open = self.open.iter().any(Option::is_some);
        self.open = [None; Stream::ALL];
        was_open
    }
}
