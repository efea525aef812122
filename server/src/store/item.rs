//! An item, as the store keeps it and as its callers see it.
//!
//! It never owns what it shows: its key and its value lie in a segment, or a large value aside.
//! How they lie there is in `record.rs`.

use bytes::Bytes;

use super::aside::Aside;
use super::rare::Rare;
use super::record::Record;
use super::value::Value;
use crate::time::Time;

/// When an item stops being visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry(u64);

impl Expiry {
    /// It stays until it is evicted.
    pub const NEVER: Self = Self(u64::MAX);
    /// It was never visible.
    pub const PAST: Self = Self(0);

    /// At the start of this second of the Unix epoch.
    #[must_use]
    pub const fn at(second: u64) -> Self {
        Self(second)
    }

    /// Whether an item that expires then is gone now.
    #[must_use]
    pub const fn has_passed(self, now: Time) -> bool {
        self.0 <= now.seconds()
    }

    /// The second it expires at, unless it never does.
    #[must_use]
    pub fn second(self) -> Option<u64> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// How many seconds are left; none when it never expires.
    #[must_use]
    pub fn seconds_left(self, now: Time) -> Option<u64> {
        self.second()
            .map(|second| second.saturating_sub(now.seconds()))
    }
}

/// What has been done with an item, beside its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Somebody fetched it since it was stored.
    pub fetched: bool,
    /// It was invalidated, and is served as stale until it is stored again.
    pub stale: bool,
    /// Some client was told to recache it.
    pub won: bool,
    /// Its key came in base64, and is shown so.
    pub encoded: bool,
}

/// What a caller wants stored under the key of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The value, which is copied to where it is to lie, unless it may stay where it is.
    pub value: Value<'a>,
    /// The client's flags.
    pub flags: u32,
    /// When it expires.
    pub expiry: Expiry,
    /// The unique the client chose; the store makes one where there is none.
    pub unique: Option<u64>,
    /// The marks it starts with.
    pub marks: Marks,
}

impl<'a> Draft<'a> {
    /// A value and nothing else: no flags, no marks, for ever, under a unique of the store's.
    #[must_use]
    pub fn new(value: impl Into<Value<'a>>) -> Self {
        Self {
            value: value.into(),
            flags: 0,
            expiry: Expiry::NEVER,
            unique: None,
            marks: Marks::default(),
        }
    }
}

/// A live item, as it lies in the store.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    record: Record,
    bytes: &'a [u8],
    rest: Rest<'a>,
}

/// Where what does not fit into the records of a shard is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest<'a> {
    pub(super) aside: &'a Aside<Bytes>,
    pub(super) rare: &'a Rare,
}

impl<'a> Rest<'a> {
    /// The value of a record that lies aside.
    pub(super) fn aside_of(self, record: &Record, bytes: &[u8]) -> Option<&'a Bytes> {
        if record.is_aside() {
            self.aside.at(record.handle(bytes)?)
        } else {
            None
        }
    }
}

impl<'a> Item<'a> {
    /// The item of a record that these bytes of a shard begin with.
    pub(super) const fn new(record: Record, bytes: &'a [u8], rest: Rest<'a>) -> Self {
        Self {
            record,
            bytes,
            rest,
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(self) -> &'a [u8] {
        self.record.key(self.bytes)
    }

    /// Its value.
    #[must_use]
    #[inline(always)]
    pub fn value(self) -> &'a [u8] {
        match self.shared() {
            Some(value) => value,
            None => self.record.body(self.bytes),
        }
    }

    /// Its value, to keep: a large one is shared, a small one copied.
    #[must_use]
    pub fn share_value(self) -> Bytes {
        let copy = || Bytes::copy_from_slice(self.record.body(self.bytes));
        self.shared().map_or_else(copy, Bytes::clone)
    }

    /// Its value, where it may be shared: a large one.
    #[must_use]
    pub fn shared(self) -> Option<&'a Bytes> {
        self.rest.aside_of(&self.record, self.bytes)
    }

    /// The client's flags.
    #[must_use]
    pub const fn flags(self) -> u32 {
        self.record.flags()
    }

    /// The cas unique; 0 where the store keeps none.
    #[must_use]
    pub fn unique(self) -> u64 {
        self.rest.rare.unique(&self.record)
    }

    /// When it expires.
    #[must_use]
    pub fn expiry(self) -> Expiry {
        self.rest.rare.expiry(&self.record)
    }

    /// What has been done with it.
    #[must_use]
    pub const fn marks(self) -> Marks {
        self.record.marks()
    }

    /// The second of the last fetch or touch, or of the store.
    #[must_use]
    pub const fn accessed(self) -> u64 {
        self.record.accessed() as u64
    }
}

/// How large an item is in the eyes of a client: what `-I` limits, and what `me` tells.
///
/// 48 bytes of header, the key and its end, the value and its line end, 8 for a unique, 4 for flags
/// that are not 0: what memcached counts, so that the same values fit; the store itself
/// takes less.
#[must_use]
pub const fn footprint(key_len: usize, value_len: usize, flags: u32, has_unique: bool) -> usize {
    let flags_len = if flags == 0 { 0 } else { 4 };
    let unique_len = if has_unique { 8 } else { 0 };
    51_usize
        .saturating_add(key_len)
        .saturating_add(value_len)
        .saturating_add(flags_len)
        .saturating_add(unique_len)
}
