//! `get`, `gets`, `gat` and `gats`, one key at a time.
//!
//! It never gathers the values of a request: the session asks for the next when there is room.

use super::{Context, expiration};
use crate::counters::Counter;
use crate::store::{Item, Trail};
use crate::watchers::Topic;

/// How many keys were looked up, and found. They are counted together: to count each takes longer
/// than to look for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    looked_up: u64,
    found: u64,
}

impl Outcome {
    /// Notes one more key.
    pub fn note<R>(&mut self, hit: Option<&R>) {
        self.looked_up = self.looked_up.wrapping_add(1);
        self.found = self.found.wrapping_add(u64::from(hit.is_some()));
    }

    /// Counts all of them, for requests with an exptime or without.
    pub fn count(self, context: &Context<'_>, exptime: Option<i64>) {
        let [all, hits, misses] = match exptime {
            None => [Counter::CmdGet, Counter::GetHits, Counter::GetMisses],
            Some(_) => [Counter::CmdTouch, Counter::TouchHits, Counter::TouchMisses],
        };
        let missed = self.looked_up.wrapping_sub(self.found);
        for (counter, more) in [(all, self.looked_up), (hits, self.found), (misses, missed)] {
            if more > 0 {
                context.counters.add(counter, more);
            }
        }
    }
}

/// Looks a key up, and shows its item where it lies; with an exptime, it is given that. Who asks
/// counts the [`Outcome`].
#[inline]
pub fn fetch<R>(
    context: &Context<'_>,
    (key, trail): (&[u8], Trail),
    exptime: Option<i64>,
    show: impl FnOnce(Item<'_>) -> R,
) -> Option<R> {
    let hit = if exptime.is_none() && !context.is_watched(Topic::Fetchers) {
        context.serve((key, trail), show)
    } else {
        context.entry(key, |entry| {
            let hit = entry.serve().map(show)?;
            if let Some(exptime) = exptime {
                entry.set_expiry(expiration::expiry(exptime, context.now));
            }
            Some(hit)
        })
    };
    context.shared.prefixes.count(key, |tally| {
        tally.gets += 1;
        tally.hits += u64::from(hit.is_some());
    });
    hit
}
