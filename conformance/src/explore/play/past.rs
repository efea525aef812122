//! What a real server was asked and said, so that the moments of its clock can be guessed anew.
//!
//! When its clock ticked may show only many requests later, by the seconds that an item has left.
//! So where no world agrees any more, all of it is ruled again, write by write, with every way in
//! which that clock may have run: never backwards, and never more than a second from ours. What
//! agrees with all that was said is a world as good as any. Who asks for it is `settle.rs`.

use super::settle::{Heard, Ruled, World, all_renewed, heard, ruled};
use crate::explore::uniques::Uniques;

/// As many ways are followed at once.
const WAYS_MAX: usize = 256;
/// As many writes are remembered; of a longer history the clock is not guessed anew.
const WRITES_MAX: usize = 100;

/// All that was written since the beginning, and what was said to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    beginning: Vec<World>,
    writes: Vec<Write>,
}

/// One write, what was read of the server for it, and the uniques that were known before.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) client: u8,
    pub(super) requests: Vec<Vec<u8>>,
    pub(super) keys: Vec<Vec<u8>>,
    /// The keys once more, where each is that of one reply.
    pub(super) asked: Vec<Vec<u8>>,
    pub(super) now: u64,
    pub(super) received: Vec<u8>,
    pub(super) uniques: Uniques,
}

impl Past {
    /// Begins here: what was before is settled.
    pub(super) fn forget(&mut self) {
        self.beginning.clear();
        self.writes.clear();
    }

    /// Takes down what was said to a write in one of these worlds.
    pub(super) fn note(&mut self, before: &[World], write: Write) {
        if self.writes.is_empty() {
            self.beginning = before.to_vec();
        }
        self.writes.push(write);
    }

    /// Every world in which all was answered as it was, after one write more.
    pub(super) fn ruled_anew(&self, last: &Write) -> Vec<Ruled> {
        if self.writes.len() > WRITES_MAX {
            return Vec::new();
        }
        let worlds = self.beginning.iter().cloned();
        let mut ways: Vec<(u64, World)> = worlds.map(|world| (0, world)).collect();
        for write in &self.writes {
            let mut next = Vec::new();
            for (then, (world, rulings)) in every_way(&ways, write) {
                let heard = heard(&rulings, &write.received, &write.asked, &write.uniques);
                if matches!(heard, Heard::Alike(_, length) if length == write.received.len()) {
                    let others =
                        all_renewed(std::slice::from_ref(&world), &write.keys, &rulings, then);
                    next.push((then, world));
                    next.extend(others.into_iter().map(|world| (then, world)));
                }
            }
            next.truncate(WAYS_MAX);
            ways = next;
        }
        let after = every_way(&ways, last);
        after.map(|(_, ruled)| ruled).take(WAYS_MAX).collect()
    }
}

/// What follows of a write, at each moment at which the server may have read it.
fn every_way<'a>(
    ways: &'a [(u64, World)],
    write: &'a Write,
) -> impl Iterator<Item = (u64, Ruled)> + 'a {
    let moments = write.now.saturating_sub(1)..=write.now.saturating_add(1);
    ways.iter().flat_map(move |(last, world)| {
        let moments = moments.clone().filter(move |then| then >= last);
        moments.flat_map(move |then| {
            let asked = (write.requests.as_slice(), write.keys.as_slice());
            let after = ruled(std::slice::from_ref(world), write.client, asked, then);
            after.into_iter().map(move |ruled| (then, ruled))
        })
    })
}
