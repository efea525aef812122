//! One key under its lock: what is there, and what may be done about it.
//!
//! It never shows an expired or flushed item: looking it up is what removes it.

use super::Store;
use bytes::Bytes;

use super::item::{Draft, Expiry, Item};
use super::shard::Shard;
use crate::time::Time;

/// There is no room, and nothing may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// Why a key that had an item has none now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It had none.
    Unknown,
    /// It expired; this lookup found out.
    Expired,
    /// It was flushed; this lookup found out.
    Flushed,
}

/// A key, locked.
#[derive(Debug)]
pub struct Entry<'a> {
    store: &'a Store,
    shard: &'a mut Shard,
    key: &'a [u8],
    hash: u64,
    now: Time,
    slot: Option<usize>,
    absence: Absence,
}

impl<'a> Entry<'a> {
    pub(super) fn find(
        store: &'a Store,
        shard: &'a mut Shard,
        hash: u64,
        key: &'a [u8],
        now: Time,
    ) -> Self {
        let slot = shard.find(hash, key);
        let mut entry = Self {
            store,
            shard,
            key,
            hash,
            now,
            slot,
            absence: Absence::Unknown,
        };
        entry.bury();
        entry
    }

    /// Removes an item that is no longer alive, and remembers why.
    fn bury(&mut self) {
        let Some(item) = self.item() else { return };
        let absence = if self.store.flush.hides(item.epoch) {
            Absence::Flushed
        } else if item.expiry.has_passed(self.now) {
            Absence::Expired
        } else {
            return;
        };
        let unfetched = !item.marks.fetched && absence == Absence::Expired;
        self.absence = absence;
        self.shard.census.expired_unfetched += u64::from(unfetched);
        self.remove();
    }

    /// The live item of this key.
    #[must_use]
    pub fn item(&self) -> Option<&Item> {
        self.slot.and_then(|slot| self.shard.item(slot))
    }

    /// Why there was no item when the key was looked up.
    #[must_use]
    pub const fn absence(&self) -> Absence {
        self.absence
    }

    /// Stores an item here, in the place of one that may be there. Tells its unique.
    ///
    /// # Errors
    ///
    /// [`NoMemory`] where the store may not evict, and the new item does not fit beside the others
    /// and the one in its place; what is there stays.
    pub fn insert(&mut self, draft: Draft) -> Result<u64, NoMemory> {
        let cost = self
            .store
            .cost(self.key.len(), draft.value.len(), draft.flags);
        if !self.store.has_room(cost) {
            return Err(NoMemory);
        }
        self.remove();
        let unique = self.unique(draft.unique);
        let item = Item {
            key: self.key.into(),
            value: draft.value,
            hash: self.hash,
            unique,
            expiry: draft.expiry,
            accessed: self.now.seconds(),
            flags: draft.flags,
            epoch: self.store.flush.epoch(),
            marks: draft.marks,
            spared: true,
        };
        self.store.charge(cost);
        self.slot = Some(self.shard.insert(item));
        self.shard.census.items_ever += 1;
        Ok(unique)
    }

    /// Writes another value of the same length over the item's, and gives it a new unique. All
    /// else about it stays as it is. Tells the unique.
    pub fn overwrite(&mut self, value: Bytes, chosen: Option<u64>) -> u64 {
        debug_assert!(
            self.item()
                .is_none_or(|item| item.value.len() == value.len()),
            "what an item costs does not change"
        );
        self.change(|item| item.value = value);
        self.renumber(chosen)
    }

    /// Removes the item.
    pub fn remove(&mut self) {
        let removed = self.slot.take().and_then(|slot| self.shard.remove(slot));
        if let Some(item) = removed {
            self.store.release(self.store.cost_of(&item));
        }
    }

    /// Gives the item another unique: the one named, or one the store makes. Tells it.
    pub fn renumber(&mut self, chosen: Option<u64>) -> u64 {
        let unique = self.unique(chosen);
        self.change(|item| item.unique = unique);
        unique
    }

    /// Changes when the item expires.
    pub fn set_expiry(&mut self, expiry: Expiry) {
        self.change(|item| item.expiry = expiry);
    }

    /// Notes that a client was served the item.
    pub fn mark_fetched(&mut self) {
        let second = self.now.seconds();
        self.change(|item| {
            item.marks.fetched = true;
            item.spared = true;
            item.accessed = second;
        });
    }

    /// Notes that a client wanted the item: it is the less likely to be evicted.
    pub fn mark_bumped(&mut self) {
        self.change(|item| item.spared = true);
    }

    /// Notes whether the item is stale.
    pub fn mark_stale(&mut self, stale: bool) {
        self.change(|item| item.marks.stale = stale);
    }

    /// Notes whether a client was told to recache the item.
    pub fn mark_won(&mut self, won: bool) {
        self.change(|item| item.marks.won = won);
    }

    fn change(&mut self, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.slot.and_then(|slot| self.shard.item_mut(slot)) {
            change(item);
        }
    }

    fn unique(&self, chosen: Option<u64>) -> u64 {
        if self.store.has_uniques {
            chosen.unwrap_or_else(|| self.store.next_unique())
        } else {
            0
        }
    }
}
