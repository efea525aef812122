//! One key under its lock: what is there, and what may be done about it.
//!
//! It never shows an expired or flushed item: looking it up is what removes it.

use super::Store;
use bytes::Bytes;

use super::item::{Draft, Expiry, Item};
use super::record::Record;
use super::shard::{Shard, Terms};
use super::table::Location;

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
    terms: Terms<'a>,
    key: &'a [u8],
    hash: u64,
    /// Where its item lies, and all of it but key and value.
    here: Option<(Location, Record)>,
    absence: Absence,
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        store: &'a Store,
        shard: &'a mut Shard,
        terms: Terms<'a>,
        hash: u64,
        key: &'a [u8],
        location: Option<Location>,
    ) -> Self {
        let here = location.and_then(|location| shard.read(location));
        let mut entry = Self {
            store,
            shard,
            terms,
            key,
            hash,
            here,
            absence: Absence::Unknown,
        };
        entry.bury();
        entry
    }

    /// Removes an item that is no longer alive, and remembers why.
    fn bury(&mut self) {
        let Some((location, record)) = self.here else {
            return;
        };
        self.absence = if self.shard.is_flushed(location, self.terms) {
            Absence::Flushed
        } else if record.expires <= self.terms.second {
            Absence::Expired
        } else {
            return;
        };
        let unfetched = !record.marks.fetched && self.absence == Absence::Expired;
        self.shard.census.expired_unfetched += u64::from(unfetched);
        self.remove();
    }

    /// The live item of this key.
    #[must_use]
    pub fn item(&self) -> Option<Item<'_>> {
        let (location, record) = self.here.as_ref()?;
        Some(self.shard.item(*location, record))
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
        let unique = self.unique(draft.unique);
        let inserted =
            self.shard
                .insert(self.terms, (self.hash, self.key), self.here, draft, unique);
        if inserted.is_err() {
            // To make room may have moved the item, or given it up.
            let found = self.shard.find(self.hash, self.key);
            self.here = found.and_then(|location| self.shard.read(location));
        }
        self.here = Some(inserted?);
        Ok(unique)
    }

    /// Writes another value of the same length over the item's, and gives it a new unique. All
    /// else about it stays as it is. Tells the unique.
    pub fn overwrite(&mut self, value: Bytes, chosen: Option<u64>) -> u64 {
        debug_assert!(
            self.item()
                .is_none_or(|item| item.value().len() == value.len()),
            "what an item costs does not change"
        );
        if let Some((location, record)) = &self.here {
            self.shard.overwrite(*location, record, value);
        }
        self.renumber(chosen)
    }

    /// Removes the item.
    pub fn remove(&mut self) {
        if let Some((location, _)) = self.here.take() {
            self.shard.remove(self.terms, self.hash, location);
        }
    }

    /// Gives the item another unique: the one named, or one the store makes. Tells it.
    pub fn renumber(&mut self, chosen: Option<u64>) -> u64 {
        let unique = self.unique(chosen);
        if let Some((location, record)) = &mut self.here {
            self.shard.renumber(*location, record, unique);
        }
        unique
    }

    /// Changes when the item expires.
    pub fn set_expiry(&mut self, expiry: Expiry) {
        if let Some((location, record)) = &mut self.here {
            self.shard.set_expiry(*location, record, expiry);
        }
    }

    /// Notes that a client was served the item.
    pub fn mark_fetched(&mut self) {
        let second = self.terms.second;
        self.change(|record| {
            record.marks.fetched = true;
            record.accessed = second;
            record.bump();
        });
    }

    /// Notes that a client wanted the item: it is the less likely to be evicted.
    pub fn mark_bumped(&mut self) {
        self.change(Record::bump);
    }

    /// Notes whether the item is stale.
    pub fn mark_stale(&mut self, stale: bool) {
        self.change(|record| record.marks.stale = stale);
    }

    /// Notes whether a client was told to recache the item.
    pub fn mark_won(&mut self, won: bool) {
        self.change(|record| record.marks.won = won);
    }

    fn change(&mut self, change: impl FnOnce(&mut Record)) {
        let Some((location, record)) = &mut self.here else {
            return;
        };
        let before = *record;
        change(record);
        if *record != before {
            self.shard.write_head(*location, record);
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
