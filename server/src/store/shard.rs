//! A part of the store behind one lock: a table of slots, and a hand that goes round them.
//!
//! It never decides whether an item is alive; its caller tells it what is dead.
//! `mod.rs` is the façade.

use hashbrown::HashTable;

use super::item::Item;

/// What a shard holds and has held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    pub(super) items: u64,
    pub(super) items_ever: u64,
    pub(super) evictions: u64,
    pub(super) evicted_unfetched: u64,
    pub(super) reclaimed: u64,
    pub(super) expired_unfetched: u64,
}

/// One part of the items.
#[derive(Debug, Default)]
pub(super) struct Shard {
    table: HashTable<usize>,
    slots: Vec<Option<Item>>,
    free: Vec<usize>,
    hand: usize,
    broom: usize,
    pub(super) census: Census,
}

impl Shard {
    /// The slot of a key.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<usize> {
        self.table
            .find(hash, |&slot| {
                self.item(slot).is_some_and(|item| *item.key == *key)
            })
            .copied()
    }

    /// The item in a slot.
    pub(super) fn item(&self, slot: usize) -> Option<&Item> {
        self.slots.get(slot).and_then(Option::as_ref)
    }

    /// The item in a slot, to change.
    pub(super) fn item_mut(&mut self, slot: usize) -> Option<&mut Item> {
        self.slots.get_mut(slot).and_then(Option::as_mut)
    }

    /// Every item, in no order.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.slots.iter().flatten()
    }

    /// Puts an item whose key is not here into a slot.
    pub(super) fn insert(&mut self, item: Item) -> usize {
        let hash = item.hash;
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(place) => *place = Some(item),
            None => self.slots.push(Some(item)),
        }
        let Self { table, slots, .. } = self;
        table.insert_unique(hash, slot, |&slot| {
            slots
                .get(slot)
                .and_then(Option::as_ref)
                .map_or(0, |item| item.hash)
        });
        self.census.items += 1;
        slot
    }

    /// Takes the item out of a slot.
    pub(super) fn remove(&mut self, slot: usize) -> Option<Item> {
        let item = self.slots.get_mut(slot)?.take()?;
        if let Ok(found) = self.table.find_entry(item.hash, |&other| other == slot) {
            found.remove();
        }
        self.free.push(slot);
        self.census.items = self.census.items.saturating_sub(1);
        Some(item)
    }

    /// Moves the broom on by so many slots, and takes the dead items there out.
    pub(super) fn sweep(&mut self, slots: usize, is_dead: impl Fn(&Item) -> bool) -> Vec<Item> {
        let mut dead = Vec::new();
        for _ in 0..slots.min(self.slots.len()) {
            let slot = self.broom;
            self.broom = (slot + 1) % self.slots.len();
            if self.item(slot).is_some_and(&is_dead) {
                dead.extend(self.remove(slot));
            }
        }
        dead
    }

    /// Moves the hand on to an item that may go, once around at most: a dead one, or one neither
    /// stored nor fetched since the hand last came by. Takes it out.
    pub(super) fn evict(&mut self, is_dead: impl Fn(&Item) -> bool) -> Option<Item> {
        for _ in 0..self.slots.len() {
            let slot = self.hand;
            self.hand = if slot + 1 < self.slots.len() {
                slot + 1
            } else {
                0
            };
            let Some(item) = self.item_mut(slot) else {
                continue;
            };
            let dead = is_dead(item);
            if !dead && item.spared {
                item.spared = false;
                continue;
            }
            let unfetched = !item.marks.fetched;
            if dead {
                self.census.reclaimed += 1;
            } else {
                self.census.evictions += 1;
                self.census.evicted_unfetched += u64::from(unfetched);
            }
            return self.remove(slot);
        }
        None
    }
}
