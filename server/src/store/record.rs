//! How an item lies in a segment: 18 bytes, its flags if it has any, its key, its value.
//!
//! | bytes | |
//! |---|---|
//! | 1 | marks, frequency, whether flags follow, whether the value lies aside |
//! | 1 | length of the key |
//! | 2 | length of the value, and a bit that says that the record is dead |
//! | 4 | the second it expires at, or where a later one lies |
//! | 4 | the second of the last access |
//! | 6 | its unique, or where a longer one lies |
//!
//! All numbers are little-endian and all times absolute.
//! It never knows where a record lies or who refers to it: that is `shard.rs`. What lies elsewhere
//! is in `aside.rs` and `rare.rs`.

use super::item::Marks;

/// What a record takes beside flags, key and value.
pub(super) const HEADER_LEN: usize = 18;

/// What stands in the place of a value that lies aside.
pub(super) const HANDLE_LEN: usize = 4;

/// The longest value that lies in a record.
pub(super) const VALUE_LEN_MAX: usize = 0x7fff;

const FLAGS_LEN: usize = 4;

const FETCHED: u8 = 1;
const STALE: u8 = 2;
const WON: u8 = 4;
const ENCODED: u8 = 8;
const FREQUENCY_SHIFT: u32 = 4;
const FREQUENCY_MAX: u8 = 3;
const FLAGGED: u8 = 0x40;
const ASIDE: u8 = 0x80;

const DEAD: u16 = 0x8000;

/// All of a record but its key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) marks: Marks,
    pub(super) frequency: u8,
    pub(super) key_len: usize,
    /// The length of what lies in the record: of the value, or of the handle.
    pub(super) body_len: usize,
    pub(super) is_aside: bool,
    pub(super) is_dead: bool,
    /// Later than now while the item lives; what it means is in `rare.rs`, as with the unique.
    pub(super) expires: u32,
    pub(super) accessed: u32,
    pub(super) unique: u64,
    pub(super) flags: u32,
}

impl Record {
    /// How many bytes it takes.
    pub(super) const fn len(&self) -> usize {
        self.key_start() + self.key_len + self.body_len
    }

    /// Where its key begins.
    pub(super) const fn key_start(&self) -> usize {
        if self.flags == 0 {
            HEADER_LEN
        } else {
            HEADER_LEN + FLAGS_LEN
        }
    }

    /// The key, from the bytes of the record.
    pub(super) fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = self.key_start();
        bytes.get(start..start + self.key_len).unwrap_or_default()
    }

    /// Whether the record that these bytes begin with has that key.
    pub(super) fn has_key(bytes: &[u8], key: &[u8]) -> bool {
        let Some(&[bits, key_len]) = bytes.first_chunk() else {
            return false;
        };
        let start = HEADER_LEN + if bits & FLAGGED == 0 { 0 } else { FLAGS_LEN };
        usize::from(key_len) == key.len() && bytes.get(start..start + key.len()) == Some(key)
    }

    /// The value or the handle, from the bytes of the record.
    pub(super) fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = self.key_start() + self.key_len;
        bytes.get(start..start + self.body_len).unwrap_or_default()
    }

    /// Reads the record that these bytes begin with.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let &[
            bits,
            key_len,
            v0,
            v1,
            e0,
            e1,
            e2,
            e3,
            a0,
            a1,
            a2,
            a3,
            u0,
            u1,
            u2,
            u3,
            u4,
            u5,
        ] = header;
        let length = u16::from_le_bytes([v0, v1]);
        let is_aside = bits & ASIDE != 0;
        let flags = if bits & FLAGGED == 0 {
            0
        } else {
            u32::from_le_bytes(*bytes.get(HEADER_LEN..)?.first_chunk()?)
        };
        Some(Self {
            marks: Marks {
                fetched: bits & FETCHED != 0,
                stale: bits & STALE != 0,
                won: bits & WON != 0,
                encoded: bits & ENCODED != 0,
            },
            frequency: (bits >> FREQUENCY_SHIFT) & FREQUENCY_MAX,
            key_len: usize::from(key_len),
            body_len: if is_aside {
                HANDLE_LEN
            } else {
                usize::from(length & !DEAD)
            },
            is_aside,
            is_dead: length & DEAD != 0,
            expires: u32::from_le_bytes([e0, e1, e2, e3]),
            accessed: u32::from_le_bytes([a0, a1, a2, a3]),
            unique: u64::from_le_bytes([u0, u1, u2, u3, u4, u5, 0, 0]),
            flags,
        })
    }

    /// Writes all of the record but its key and value. They stay where they are.
    pub(super) fn write(&self, bytes: &mut [u8]) {
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        let bits = flag(self.marks.fetched, FETCHED)
            | flag(self.marks.stale, STALE)
            | flag(self.marks.won, WON)
            | flag(self.marks.encoded, ENCODED)
            | (self.frequency.min(FREQUENCY_MAX) << FREQUENCY_SHIFT)
            | flag(self.flags != 0, FLAGGED)
            | flag(self.is_aside, ASIDE);
        let length = if self.is_aside { 0 } else { self.body_len };
        let length = u16::try_from(length).unwrap_or(0) | if self.is_dead { DEAD } else { 0 };
        let key_len = u8::try_from(self.key_len).unwrap_or(u8::MAX);
        let [l0, l1] = length.to_le_bytes();
        let [e0, e1, e2, e3] = self.expires.to_le_bytes();
        let [a0, a1, a2, a3] = self.accessed.to_le_bytes();
        let [u0, u1, u2, u3, u4, u5, ..] = self.unique.to_le_bytes();
        let header: [u8; HEADER_LEN] = [
            bits, key_len, l0, l1, e0, e1, e2, e3, a0, a1, a2, a3, u0, u1, u2, u3, u4, u5,
        ];
        put(bytes, 0, &header);
        if self.flags != 0 {
            put(bytes, HEADER_LEN, &self.flags.to_le_bytes());
        }
    }

    /// Writes all of it.
    pub(super) fn write_all(&self, key: &[u8], body: &[u8], bytes: &mut [u8]) {
        self.write(bytes);
        put(bytes, self.key_start(), key);
        put(bytes, self.key_start() + self.key_len, body);
    }

    /// Somebody wanted it.
    pub(super) const fn bump(&mut self) {
        if self.frequency < FREQUENCY_MAX {
            self.frequency += 1;
        }
    }
}

/// Overwrites the bytes from there on.
fn put(bytes: &mut [u8], start: usize, new: &[u8]) {
    if let Some(place) = bytes.get_mut(start..start + new.len()) {
        place.copy_from_slice(new);
    }
}
