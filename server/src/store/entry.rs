//! One key under its lock: what is there, and what may be done about it.
//!
//! It never shows an expired or flushed item: looking it up is what removes it.

use super::Part;
use super::item::{Draft, Expiry, Item, Marks};
use super::record::Record;
use super::shard::{Found, Shard, Terms};
use super::table::Location;
use crate::sync::Held;

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
    part: &'a Part,
    shard: Held<'a, Shard>,
    terms: Terms<'a>,
    key: &'a [u8],
    hash: u64,
    /// Where its item lies, and all of it but key and value.
    here: Option<(Location, Record)>,
    absence: Absence,
    /// Whether what is held may have changed: more than how an item is used.
    is_stirred: bool,
}

impl<'a> Entry<'a> {
    /// A key of a shard that is locked. What is found of it and is no longer alive is removed.
    #[inline]
    pub(super) fn new(
        part: &'a Part,
        mut shard: Held<'a, Shard>,
        terms: Terms<'a>,
        (hash, key): (u64, &'a [u8]),
        found: Option<Found>,
    ) -> Self {
        let absence = found.map_or(Absence::Unknown, |found| {
            if found.epoch != terms.epoch {
                Absence::Flushed
            } else if found.record.expires() <= terms.second {
                Absence::Expired
            } else {
                Absence::Unknown
            }
        });
        let is_gone = absence != Absence::Unknown;
        if is_gone && let Some(found) = found {
            shard.clear_away(terms, hash, &found);
        }
        let here = found.filter(|_| !is_gone);
        Self {
            part,
            shard,
            terms,
            key,
            hash,
            here: here.map(|found| (found.location, found.record)),
            absence,
            is_stirred: is_gone,
        }
    }

    /// Lets the store know what has changed, and the shard go. Tells whether anything has.
    #[inline]
    pub(super) fn close(mut self) -> bool {
        let changed = self.is_stirred && self.shard.tell(&self.terms.store.budget);
        if changed {
            self.part.note(&self.shard);
        }
        changed
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
    pub fn insert(&mut self, draft: Draft<'_>) -> Result<u64, NoMemory> {
        let store = self.terms.store;
        let cost = store.cost(self.key.len(), draft.value.len(), draft.flags);
        if !store.has_room(cost) {
            return Err(NoMemory);
        }
        self.is_stirred = true;
        let unique = self.unique(draft.unique);
        let inserted = self.shard.insert(
            self.terms,
            (self.hash, self.key),
            self.here.as_ref(),
            draft,
            unique,
        );
        if inserted.is_err() {
            // To make room may have moved the item, or given it up.
            self.here = self.shard.look_up(self.hash, self.key);
        }
        self.here = Some(inserted?);
        Ok(unique)
    }

    /// Writes another value of the same length over the item's, and gives it a new unique. All
    /// else about it stays as it is. Tells the unique.
    pub fn overwrite(&mut self, value: &[u8], chosen: Option<u64>) -> u64 {
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
        if let Some((location, record)) = self.here.take() {
            self.is_stirred = true;
            self.shard.remove(self.terms, self.hash, location, &record);
        }
    }

    /// Gives the item another unique: the one named, or one the store makes. Tells it.
    pub fn renumber(&mut self, chosen: Option<u64>) -> u64 {
        let unique = self.unique(chosen);
        if let Some((location, record)) = &mut self.here {
            self.is_stirred = true;
            self.shard.renumber(*location, record, unique);
        }
        unique
    }

    /// Changes when the item expires.
    pub fn set_expiry(&mut self, expiry: Expiry) {
        if let Some((location, record)) = &mut self.here {
            self.is_stirred = true;
            self.shard.set_expiry(*location, record, expiry);
        }
    }

    /// Notes that a client was served the item.
    pub fn mark_fetched(&mut self) {
        let second = self.terms.second;
        self.change(|record| record.use_at(second));
    }

    /// The live item of this key, for a client that is served it: that is noted first.
    #[inline]
    pub fn serve(&mut self) -> Option<Item<'_>> {
        let (location, record) = self.here.as_mut()?;
        record.use_at(self.terms.second);
        self.shard.serve(*location, record)
    }

    /// Notes that a client wanted the item: it is the less likely to be evicted.
    pub fn mark_bumped(&mut self) {
        self.change(Record::bump);
    }

    /// Notes whether the item is stale.
    pub fn mark_stale(&mut self, stale: bool) {
        self.mark(|marks| marks.stale = stale);
    }

    /// Notes whether a client was told to recache the item.
    pub fn mark_won(&mut self, won: bool) {
        self.mark(|marks| marks.won = won);
    }

    fn mark(&mut self, mark: impl FnOnce(&mut Marks)) {
        self.change(|record| {
            let mut marks = record.marks();
            mark(&mut marks);
            record.mark(marks);
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut Record)) {
        let Some((location, record)) = &mut self.here else {
            return;
        };
        let before = record.usage();
        change(record);
        if record.usage() != before {
            self.shard.write_usage(*location, record);
        }
    }

    fn unique(&self, chosen: Option<u64>) -> u64 {
        if self.terms.store.has_uniques {
            chosen.unwrap_or_else(|| self.terms.store.next_unique())
        } else {
            0
        }
    }
}
