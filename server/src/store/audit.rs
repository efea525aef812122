//! Whether a shard's accounts agree with what lies in its segments.
//!
//! It looks at every record and changes nothing. The server never asks; the proofs do.

use super::aside;
use super::shard::Shard;
use super::wide;

impl Shard {
    /// Whether every record that is not dead can be found, once, and all sums are right.
    pub(super) fn is_consistent(&self) -> bool {
        let (mut items, mut live, mut filled, mut aside_bytes, mut segments) = (0, 0, 0, 0, 0);
        for id in self.ids() {
            let Some(segment) = self.segment(id) else {
                return false;
            };
            let (mut live_here, mut end) = (0, 0);
            for (offset, record) in segment.records() {
                end = offset + record.len();
                if record.is_dead() {
                    continue;
                }
                let bytes = segment.tail(offset);
                let key = record.key(bytes);
                let location = self.find(self.hash(key), key);
                if location.is_none() || location != self.location(id, offset) {
                    return false;
                }
                items += 1;
                live_here += record.len();
                aside_bytes += self
                    .aside_of(&record, bytes)
                    .map_or(0, |value| aside::cost(value.len()));
            }
            if live_here != segment.live || end != segment.len {
                return false;
            }
            live += live_here;
            filled += end;
            segments += 1;
        }
        let overhead = self.overhead();
        items == self.census.items
            && items == wide(self.table.len())
            && self.live_bytes() == live + aside_bytes
            && self.filled_bytes == filled + aside_bytes
            && self.taken_bytes() == overhead + aside_bytes + segments * self.segment_bytes
    }
}
