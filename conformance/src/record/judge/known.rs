//! What is known of each key, and what was agreed or could not be told.
//!
//! It holds so much and no more; beyond that all is forgotten, and never guessed. Who shares a key
//! at the moment, and whether an order explains what they were told, is in `underway.rs`.

use super::Judge;
use crate::record::requests::{Request, Touches};
use crate::refine::{Freedom, Known};

/// How much may be remembered of what clients stored; beyond that all is forgotten, and said so.
const KNOWN_MAX_BYTES: usize = 64 << 20;

impl Judge {
    /// What is known of a key, as far as anything is.
    pub(super) fn known(&self, key: &[u8]) -> Option<Known> {
        match self.keys.get(key) {
            Some(known) => known.clone(),
            None => self.fresh.then(|| Known::absent(&self.empty, key)),
        }
    }

    pub(super) fn learn(&mut self, key: &[u8], known: Known) {
        self.known_bytes = self.known_bytes.saturating_add(known.size_bytes());
        let before = self.keys.insert(key.to_vec(), Some(known)).flatten();
        let before = before.map_or(0, |before| before.size_bytes());
        self.known_bytes = self.known_bytes.saturating_sub(before);
        if self.known_bytes > KNOWN_MAX_BYTES {
            self.forget_all();
        }
    }

    pub(super) fn agree(&mut self, freedom: Option<Freedom>) {
        self.tally.agreed += 1;
        if let Some(freedom) = freedom {
            *self.tally.freedoms.entry(freedom).or_default() += 1;
        }
    }

    pub(super) fn unknown(&mut self, key: &[u8], contended: bool) {
        if contended {
            self.leave_to_order(key);
            return;
        }
        let reason = "nobody saw what was there before";
        *self.tally.unknown.entry(reason).or_default() += 1;
    }

    /// Judges nothing, and remembers that.
    pub(super) fn pass_over(&mut self, request: &Request, reason: &'static str) {
        if !request.swallowed {
            *self.tally.unknown.entry(reason).or_default() += 1;
            self.forget_touched(request);
        }
    }

    pub(super) fn forget_touched(&mut self, request: &Request) {
        match request.touches() {
            Touches::Nothing => {}
            Touches::Keys(keys) => self.keys.extend(keys.into_iter().map(|key| (key, None))),
            Touches::Everything => self.forget_all(),
        }
    }
}
