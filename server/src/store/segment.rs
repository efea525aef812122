//! A run of records, filled from the front.
//!
//! It never lets a record go: records die in it, until all of it is given up or copied.

use super::record::Record;
use crate::sync::{Refusal, refuses};

/// Which of the two queues a segment stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// New items, on probation.
    Small,
    /// Items that were wanted again.
    Main,
}

/// Where records are appended: what clients write, and what is copied in compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Written(Log),
    Compacted(Log),
}

impl Stream {
    pub(super) const ALL: usize = 4;

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Written(Log::Small) => 0,
            Self::Written(Log::Main) => 1,
            Self::Compacted(Log::Small) => 2,
            Self::Compacted(Log::Main) => 3,
        }
    }

    pub(super) const fn log(self) -> Log {
        match self {
            Self::Written(log) | Self::Compacted(log) => log,
        }
    }
}

/// Records of one log and one flush epoch.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) bytes: Box<[u8]>,
    pub(super) log: Log,
    pub(super) epoch: u32,
    /// Up to where it is filled.
    pub(super) len: usize,
    /// How many bytes of that are records that can be found.
    pub(super) live: usize,
    /// No record expires before this second.
    pub(super) earliest: u32,
}

impl Segment {
    /// An empty one. None where the system has no memory for it.
    pub(super) fn new(size: usize, log: Log, epoch: u32) -> Option<Self> {
        let mut bytes = Vec::new();
        if refuses(Refusal::Memory) || bytes.try_reserve_exact(size).is_err() {
            return None;
        }
        bytes.resize(size, 0);
        Some(Self {
            bytes: bytes.into(),
            log,
            epoch,
            len: 0,
            live: 0,
            earliest: u32::MAX,
        })
    }

    /// How many bytes are taken by what can no longer be found.
    pub(super) const fn dead(&self) -> usize {
        self.len - self.live
    }

    /// How many bytes are left.
    pub(super) const fn room(&self) -> usize {
        self.bytes.len() - self.len
    }

    /// The bytes from a record on.
    pub(super) fn tail(&self, offset: usize) -> &[u8] {
        self.bytes.get(offset..self.len).unwrap_or_default()
    }

    /// The bytes from a record on, to change.
    pub(super) fn tail_mut(&mut self, offset: usize) -> &mut [u8] {
        self.bytes.get_mut(offset..self.len).unwrap_or_default()
    }

    /// The record there, the dead ones too.
    pub(super) fn record(&self, offset: usize) -> Option<Record> {
        Record::read(self.tail(offset))
    }

    /// Adds a record for which there is room. Tells where it lies.
    pub(super) fn append(&mut self, record: &Record, key: &[u8], body: &[u8]) -> usize {
        let offset = self.len;
        self.len += record.len();
        self.live += record.len();
        self.earliest = self.earliest.min(record.expires());
        record.write_all(key, body, self.tail_mut(offset));
        offset
    }

    /// Marks a record as dead.
    pub(super) fn bury(&mut self, offset: usize, record: &Record) {
        self.live -= record.len();
        Record::die(self.tail_mut(offset));
    }

    /// Where its records lie, and what they are.
    pub(super) fn records(&self) -> impl Iterator<Item = (usize, Record)> {
        let mut offset = 0;
        std::iter::from_fn(move || {
            let record = self.record(offset)?;
            let here = offset;
            offset += record.len();
            Some((here, record))
        })
    }
}
