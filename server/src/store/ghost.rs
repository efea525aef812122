//! Which keys were given up lately without having been wanted: they are wanted now if they return.
//!
//! It never knows a key, only 16 bits of its hash: a mistake lets an item skip its probation, and
//! nothing else. Sets of four, first in, first out.

use super::wide;

const WAYS: usize = 4;

/// What was given up, about as many as there are items.
#[derive(Debug, Default)]
pub(super) struct Ghost {
    sets: Vec<[u16; WAYS]>,
}

impl Ghost {
    /// Makes room for as many as there are items, forgetting all if that changes the number of
    /// sets. Tells what it takes now.
    pub(super) fn fit(&mut self, items: usize) -> usize {
        let wanted = (items / WAYS).max(1);
        if self.sets.len() < wanted / 2 || self.sets.len() > wanted.saturating_mul(4) {
            self.sets = vec![[0; WAYS]; wanted];
        }
        self.bytes()
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        self.sets.capacity() * size_of::<[u16; WAYS]>()
    }

    /// Notes that an item was given up.
    pub(super) fn note(&mut self, hash: u64) {
        let (index, print) = self.place(hash);
        if let Some([first, second, third, fourth]) = self.sets.get_mut(index) {
            (*first, *second, *third, *fourth) = (*second, *third, *fourth, print);
        }
    }

    /// Whether an item was given up lately. Then it is not known any longer.
    pub(super) fn recalls(&mut self, hash: u64) -> bool {
        let (index, print) = self.place(hash);
        let set = self.sets.get_mut(index);
        let known = set.and_then(|set| set.iter_mut().find(|known| **known == print));
        known.is_some_and(|known| {
            *known = 0;
            true
        })
    }

    fn place(&self, hash: u64) -> (usize, u16) {
        let sets = wide(self.sets.len().max(1));
        let index = usize::try_from((hash >> 16) % sets).unwrap_or(0);
        let [low, high, ..] = hash.to_le_bytes();
        (index, u16::from_le_bytes([low, high]).max(1))
    }
}
