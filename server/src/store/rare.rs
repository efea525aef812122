//! Numbers that few items have, and that a record has no room for: uniques that clients chose, and
//! times of a far future.
//!
//! A record keeps such a number's handle in its place, and nobody else ever sees that. Whoever lets
//! a record go, or gives it another number, must let the old one go here.

use super::aside::Aside;
use super::item::Expiry;
use super::record::Record;

/// A unique from here on lies aside: 47 bits are a million stores a second for four years.
const UNIQUE_END: u64 = 1 << 47;

/// A second from here on lies aside: it is in the year 2097.
const SECOND_END: u32 = 0xf000_0000;

/// The second that stands for none.
const NEVER: u32 = u32::MAX;

/// The numbers of a shard's records.
#[derive(Debug, Default)]
pub(super) struct Rare(Aside<u64>);

impl Rare {
    /// A unique as a record keeps it.
    pub(super) fn keep_unique(&mut self, unique: u64) -> u64 {
        if unique < UNIQUE_END {
            unique
        } else {
            UNIQUE_END | u64::from(self.0.put(unique))
        }
    }

    /// The unique that a record keeps.
    pub(super) fn unique(&self, record: &Record) -> u64 {
        let kept = record.unique();
        unique_handle(kept).map_or(kept, |handle| self.number(handle))
    }

    /// An expiry as a record keeps it. It is later than any second that has come.
    pub(super) fn keep_expiry(&mut self, expiry: Expiry) -> u32 {
        let Some(second) = expiry.second() else {
            return NEVER;
        };
        let near = u32::try_from(second).ok();
        near.filter(|&near| near < SECOND_END).unwrap_or_else(|| {
            let kept = self.0.put(second).saturating_add(SECOND_END);
            kept.min(NEVER - 1)
        })
    }

    /// The expiry that a record keeps.
    pub(super) fn expiry(&self, record: &Record) -> Expiry {
        match record.expires() {
            NEVER => Expiry::NEVER,
            kept => Expiry::at(
                expiry_handle(kept).map_or(u64::from(kept), |handle| self.number(handle)),
            ),
        }
    }

    /// Lets what a record keeps here go.
    #[inline]
    pub(super) fn let_go(&mut self, record: &Record) {
        self.let_unique_go(record);
        self.let_expiry_go(record);
    }

    pub(super) fn let_unique_go(&mut self, record: &Record) {
        if let Some(handle) = unique_handle(record.unique()) {
            self.0.take(handle);
        }
    }

    pub(super) fn let_expiry_go(&mut self, record: &Record) {
        if let Some(handle) = expiry_handle(record.expires()) {
            self.0.take(handle);
        }
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn number(&self, handle: u32) -> u64 {
        self.0.at(handle).copied().unwrap_or(u64::MAX)
    }
}

fn unique_handle(kept: u64) -> Option<u32> {
    u32::try_from(kept ^ UNIQUE_END).ok()
}

const fn expiry_handle(kept: u32) -> Option<u32> {
    if kept == NEVER {
        None
    } else {
        kept.checked_sub(SECOND_END)
    }
}
