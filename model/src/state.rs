//! What all clients share: the items, the uniques, the counters.
//!
//! An item that is expired or flushed is never seen: every command finds items through
//! [`Model::lookup`]. The commands are in the chapter files.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use crate::administration::watch::Journal;
use crate::flush::Flush;
use crate::statistics::{Prefixes, count};
use crate::{Counters, Options, Time};

/// A whole memcached, apart from its clients' connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Model {
    pub(crate) options: Options,
    pub(crate) dialect: Dialect,
    pub(crate) items: BTreeMap<Vec<u8>, Item>,
    pub(crate) last_unique: u64,
    pub(crate) counters: Counters,
    pub(crate) flush: Option<Flush>,
    pub(crate) prefixes: Prefixes,
    pub(crate) verbosity: u32,
    pub(crate) journal: Journal,
    /// Somebody stopped the crawler, without which there are no dumps.
    pub(crate) crawler_stopped: bool,
}

/// One item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Item {
    /// The data block.
    pub value: Vec<u8>,
    /// The client flags.
    pub flags: u32,
    /// When it dies; never, where there is none.
    pub expires: Option<Time>,
    /// The cas unique.
    pub unique: u64,
    /// When it was stored, for `flush_all`.
    pub stored: Time,
    /// When it was last read, for the `l` and `la` fields.
    pub accessed: Time,
    /// A client fetched it since it was stored.
    pub fetched: bool,
    /// It was invalidated, and is served until somebody replaces it.
    pub stale: bool,
    /// Some client was told to replace it.
    pub won: bool,
    /// Its key came in base64, and goes out so.
    pub base64: bool,
}

/// Why a key has no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    Unknown,
    Expired,
    Flushed,
}

impl Absence {
    /// The rule that hides the item, where one had been stored.
    pub(crate) fn rule(self) -> Option<&'static Requirement> {
        match self {
            Absence::Unknown => None,
            Absence::Expired => Some(req!("expiration.gone")),
            Absence::Flushed => Some(req!("flush.gone")),
        }
    }
}

impl Model {
    /// An empty cache, started so, with these habits.
    #[must_use]
    pub fn new(options: Options, dialect: Dialect) -> Model {
        Model {
            prefixes: Prefixes::new(&options, &dialect),
            options,
            dialect,
            ..Model::default()
        }
    }

    /// The live item of this key. Watchers are told.
    pub(crate) fn lookup(&mut self, key: &[u8], now: Time) -> Result<&mut Item, Absence> {
        let found = self.find(key, now).map(|item| item.value.len());
        self.journal.fetched(key, found, now);
        found?;
        self.items.get_mut(key).ok_or(Absence::Unknown)
    }

    /// The live item of this key, for whoever is no client.
    pub(crate) fn find(&mut self, key: &[u8], now: Time) -> Result<&mut Item, Absence> {
        let absence = match self.items.get(key) {
            None => return Err(Absence::Unknown),
            Some(item) if self.flush.is_some_and(|flush| flush.hides(item, now)) => {
                Some(Absence::Flushed)
            }
            Some(item) => item
                .expires
                .filter(|expires| *expires <= now)
                .map(|_| Absence::Expired),
        };
        if let Some(absence) = absence {
            self.items.remove(key);
            self.count_absence(absence);
            return Err(absence);
        }
        self.items.get_mut(key).ok_or(Absence::Unknown)
    }

    fn count_absence(&mut self, absence: Absence) {
        match absence {
            Absence::Unknown => {}
            Absence::Expired => count(&mut self.counters.get_expired),
            Absence::Flushed => count(&mut self.counters.get_flushed),
        }
    }

    /// The unique of an item that is stored now: the one a client chose, or a new one. 0 is none.
    pub(crate) fn unique(&mut self, chosen: Option<u64>) -> u64 {
        match chosen {
            Some(chosen) if chosen != 0 && self.options.cas => chosen,
            _ => self.next_unique(),
        }
    }

    /// A unique that no item has had.
    pub(crate) fn next_unique(&mut self) -> u64 {
        if !self.options.cas {
            return 0;
        }
        self.last_unique = self.last_unique.wrapping_add(1);
        self.last_unique
    }
}
