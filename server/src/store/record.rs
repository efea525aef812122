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

/// All of a record but its key and value: its first bytes in three words as they lie there, because
/// most of them nobody asks for most of the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Up to the second it expires at.
    first: u64,
    /// The last access, and the low bytes of the unique.
    second: u64,
    /// The high bytes of the unique.
    third: u16,
    flags: u32,
}

impl Record {
    /// A record with a value of that length, or with the handle of one that lies aside.
    pub(super) fn new(key_len: usize, value_len: Option<usize>, flags: u32) -> Self {
        let aside = if value_len.is_none() { ASIDE } else { 0 };
        let flagged = if flags == 0 { 0 } else { FLAGGED };
        let key_len = u8::try_from(key_len).unwrap_or(u8::MAX);
        let length = u16::try_from(value_len.unwrap_or(HANDLE_LEN)).unwrap_or(0) & !DEAD;
        let [l0, l1] = length.to_le_bytes();
        Self {
            first: u64::from_le_bytes([aside | flagged, key_len, l0, l1, 0, 0, 0, 0]),
            second: 0,
            third: 0,
            flags,
        }
    }

    const fn bits(&self) -> u8 {
        let [bits, ..] = self.first.to_le_bytes();
        bits
    }

    const fn set_bits(&mut self, bits: u8) {
        self.first = self.first >> 8 << 8 | bits as u64;
    }

    const fn key_len(&self) -> usize {
        let [_, key_len, ..] = self.first.to_le_bytes();
        key_len as usize
    }

    const fn length(&self) -> u16 {
        let [_, _, l0, l1, ..] = self.first.to_le_bytes();
        u16::from_le_bytes([l0, l1])
    }

    /// Later than now while the item lives; what it means is in `rare.rs`, as with the unique.
    pub(super) const fn expires(&self) -> u32 {
        let [.., e0, e1, e2, e3] = self.first.to_le_bytes();
        u32::from_le_bytes([e0, e1, e2, e3])
    }

    pub(super) const fn set_expires(&mut self, second: u32) {
        self.first = self.first << 32 >> 32 | (second as u64) << 32;
    }

    pub(super) const fn accessed(&self) -> u32 {
        let [a0, a1, a2, a3, ..] = self.second.to_le_bytes();
        u32::from_le_bytes([a0, a1, a2, a3])
    }

    pub(super) const fn set_accessed(&mut self, second: u32) {
        self.second = self.second >> 32 << 32 | second as u64;
    }

    pub(super) const fn unique(&self) -> u64 {
        self.second >> 32 | (self.third as u64) << 32
    }

    pub(super) const fn set_unique(&mut self, unique: u64) {
        let [_, _, _, _, u4, u5, ..] = unique.to_le_bytes();
        self.second = self.second << 32 >> 32 | unique << 32;
        self.third = u16::from_le_bytes([u4, u5]);
    }

    /// What changes whenever the item is used: marks, frequency and the last access.
    pub(super) const fn usage(&self) -> (u8, u32) {
        (self.bits(), self.accessed())
    }

    /// How many bytes it takes.
    pub(super) const fn len(&self) -> usize {
        self.body_start() + self.body_len()
    }

    /// Whether all of it lies in the record, and each part where that of another record does.
    pub(super) const fn lies_like(&self, other: &Self) -> bool {
        const PLACES: u64 = u64::from_le_bytes([FLAGGED | ASIDE, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        (self.first ^ other.first) & PLACES == 0 && !self.is_aside()
    }

    /// Where its key begins.
    pub(super) const fn key_start(&self) -> usize {
        key_start(self.bits())
    }

    const fn body_start(&self) -> usize {
        self.key_start() + self.key_len()
    }

    /// The length of what lies in the record: of the value, or of the handle.
    pub(super) const fn body_len(&self) -> usize {
        (self.length() & !DEAD) as usize
    }

    pub(super) const fn is_aside(&self) -> bool {
        self.bits() & ASIDE != 0
    }

    pub(super) const fn is_dead(&self) -> bool {
        self.length() & DEAD != 0
    }

    pub(super) const fn flags(&self) -> u32 {
        self.flags
    }

    pub(super) const fn marks(&self) -> Marks {
        Marks {
            fetched: self.bits() & FETCHED != 0,
            stale: self.bits() & STALE != 0,
            won: self.bits() & WON != 0,
            encoded: self.bits() & ENCODED != 0,
        }
    }

    pub(super) fn mark(&mut self, marks: Marks) {
        let flag = |is: bool, bit: u8| u8::from(is) * bit;
        let others = self.bits() & !(FETCHED | STALE | WON | ENCODED);
        self.set_bits(
            others
                | flag(marks.fetched, FETCHED)
                | flag(marks.stale, STALE)
                | flag(marks.won, WON)
                | flag(marks.encoded, ENCODED),
        );
    }

    /// A client was served it.
    pub(super) const fn use_at(&mut self, second: u32) {
        self.first |= FETCHED as u64;
        self.set_accessed(second);
        self.bump();
    }

    pub(super) const fn is_fetched(&self) -> bool {
        self.bits() & FETCHED != 0
    }

    /// How often it was wanted lately, at most [`FREQUENCY_MAX`].
    pub(super) const fn frequency(&self) -> u8 {
        (self.bits() >> FREQUENCY_SHIFT) & FREQUENCY_MAX
    }

    pub(super) const fn set_frequency(&mut self, frequency: u8) {
        let others = self.bits() & !(FREQUENCY_MAX << FREQUENCY_SHIFT);
        self.set_bits(others | (frequency & FREQUENCY_MAX) << FREQUENCY_SHIFT);
    }

    /// Somebody wanted it.
    pub(super) const fn bump(&mut self) {
        if self.frequency() < FREQUENCY_MAX {
            self.first = self.first.wrapping_add(1 << FREQUENCY_SHIFT);
        }
    }

    /// The key, from the bytes of the record.
    pub(super) fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes
            .get(self.key_start()..self.body_start())
            .unwrap_or_default()
    }

    /// Whether the record has that key, from the bytes of the record.
    pub(super) fn has_key(&self, bytes: &[u8], key: &[u8]) -> bool {
        let start = self.key_start();
        self.key_len() == key.len()
            && bytes
                .get(start..start + key.len())
                .is_some_and(|own| is_same(own, key))
    }

    /// The value or the handle, from the bytes of the record.
    pub(super) fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.body_start()..self.len()).unwrap_or_default()
    }

    /// The handle of a value that lies aside, from the bytes of the record.
    pub(super) fn handle(&self, bytes: &[u8]) -> Option<u32> {
        let handle = self.body(bytes).first_chunk().filter(|_| self.is_aside())?;
        Some(u32::from_le_bytes(*handle))
    }

    /// Reads the record that these bytes begin with.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        #[cfg(test)]
        super::work::RECORDS.set(super::work::RECORDS.get() + 1);
        let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let (first, rest) = header.split_first_chunk()?;
        let (second, rest) = rest.split_first_chunk()?;
        let mut record = Self {
            first: u64::from_le_bytes(*first),
            second: u64::from_le_bytes(*second),
            third: u16::from_le_bytes(*rest.first_chunk()?),
            flags: 0,
        };
        if record.bits() & FLAGGED != 0 {
            record.flags = u32::from_le_bytes(*bytes.get(HEADER_LEN..)?.first_chunk()?);
        }
        Some(record)
    }

    /// Writes all of the record but its key and value. They stay where they are.
    pub(super) fn write(&self, bytes: &mut [u8]) {
        if let Some(header) = bytes.first_chunk_mut::<HEADER_LEN>() {
            put(header, 0, &self.first.to_le_bytes());
            put(header, 8, &self.second.to_le_bytes());
            put(header, 16, &self.third.to_le_bytes());
        }
        if self.bits() & FLAGGED != 0 {
            put(bytes, HEADER_LEN, &self.flags.to_le_bytes());
        }
    }

    /// Writes how the item is used.
    pub(super) fn write_usage(&self, bytes: &mut [u8]) {
        if let Some([bits, _, _, _, _, _, _, _, a0, a1, a2, a3]) = bytes.first_chunk_mut() {
            let (usage, accessed) = self.usage();
            *bits = usage;
            [*a0, *a1, *a2, *a3] = accessed.to_le_bytes();
        }
    }

    /// Writes that the record of these bytes is dead.
    pub(super) fn die(bytes: &mut [u8]) {
        if let Some([_, _, _, high]) = bytes.first_chunk_mut() {
            let [_, dead] = DEAD.to_le_bytes();
            *high |= dead;
        }
    }

    /// Writes all of it.
    pub(super) fn write_all(&self, key: &[u8], body: &[u8], bytes: &mut [u8]) {
        self.write(bytes);
        put(bytes, self.key_start(), key);
        self.write_body(body, bytes);
    }

    /// Writes the value or the handle.
    pub(super) fn write_body(&self, body: &[u8], bytes: &mut [u8]) {
        put(bytes, self.body_start(), body);
    }
}

/// Whether these are equal, which are equally long: a word at a time, the last one maybe twice.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    let (Some(left_end), Some(right_end)) = (left.last_chunk::<8>(), right.last_chunk()) else {
        return left == right;
    };
    let (left, right) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    let same = |(left, right): (&[u8; 8], &[u8; 8])| left == right;
    left_end == right_end && left.iter().zip(right).all(same)
}

/// Where the key of a record begins that has these bits.
const fn key_start(bits: u8) -> usize {
    if bits & FLAGGED == 0 {
        HEADER_LEN
    } else {
        HEADER_LEN + FLAGS_LEN
    }
}

/// Overwrites the bytes from there on.
fn put(bytes: &mut [u8], start: usize, new: &[u8]) {
    if let Some(place) = bytes.get_mut(start..start + new.len()) {
        place.copy_from_slice(new);
    }
}
