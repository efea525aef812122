//! Cuts what a client of the binary protocol sends into requests, and reads what each is about.
//!
//! A frame says itself how long it is. Whether it is a good one, the model rules, and never this.
//! Text is cut in `requests.rs`.

use super::requests::{Change, Request, Touches};

/// Every frame begins with so many bytes.
pub(crate) const HEADER_BYTES: usize = 24;
const MAGIC: u8 = 0x80;
/// A frame so large is none that a server would take.
const FRAME_MAX_BYTES: usize = 8 << 20;

/// A client's bytes, as frames.
#[derive(Debug, Default)]
pub struct Frames {
    /// The frame that is not yet whole.
    input: Vec<u8>,
    /// One was too large; where the next begins nobody looks for.
    lost: bool,
}

/// The fields of a frame that a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What is asked for.
    pub opcode: u8,
    /// What the reply must show again.
    pub opaque: [u8; 4],
    /// What the item's unique must be; 0 is any.
    pub unique: u64,
    /// What stands before the key.
    pub extras: &'a [u8],
    /// The key.
    pub key: &'a [u8],
    /// What stands behind it.
    pub value: &'a [u8],
}

/// Requests that differ only in what becomes of their reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `get`, and `getk`, which names the key.
    Get,
    /// `set`
    Set,
    /// `add`
    Add,
    /// `replace`
    Replace,
    /// `delete`
    Delete,
    /// `increment`
    Incr,
    /// `decrement`
    Decr,
    /// `append`
    Append,
    /// `prepend`
    Prepend,
    /// `touch`
    Touch,
    /// `gat`, and `gatk`, which names the key.
    Gat,
    /// `flush`
    Flush,
    /// `stat`
    Stat,
    /// Whatever is about who somebody is.
    Login,
    /// Any other.
    Other,
}

impl Frames {
    /// Takes more bytes: the requests that are now whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Request> {
        if self.lost {
            return Vec::new();
        }
        self.input.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some(length) = self.length() {
            self.lost = length > FRAME_MAX_BYTES;
            if self.lost {
                self.input.clear();
            }
            if self.input.len() < length || self.input.is_empty() {
                break;
            }
            let rest = self.input.split_off(length);
            let bytes = std::mem::replace(&mut self.input, rest);
            whole.push(Request::framed(bytes));
        }
        whole
    }

    /// What is here of a request that is not yet whole.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        &self.input
    }

    /// Whether nobody knows any more where a frame begins.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// How long the next one is; of what is no frame, all that is here.
    fn length(&self) -> Option<usize> {
        if !Frame::may_begin(&self.input) {
            return Some(self.input.len());
        }
        let header: &[u8; HEADER_BYTES] = self.input.first_chunk()?;
        Some(whole_length(header))
    }
}

/// How long a frame with this header is, whichever side sent it.
pub(crate) fn whole_length(header: &[u8; HEADER_BYTES]) -> usize {
    let [_, _, _, _, _, _, _, _, b3, b2, b1, b0, ..] = *header;
    let body = usize::try_from(u32::from_be_bytes([b3, b2, b1, b0]));
    body.map_or(usize::MAX, |body| body.saturating_add(HEADER_BYTES))
}

impl<'a> Frame<'a> {
    /// Whether these bytes begin as a client's frame does.
    pub(super) fn may_begin(bytes: &[u8]) -> bool {
        bytes.first().is_none_or(|magic| *magic == MAGIC)
    }

    /// The fields of these bytes, where they are a frame.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Frame<'a>> {
        let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [
            magic,
            opcode,
            k1,
            k0,
            extras,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            rest @ ..,
        ] = *header;
        let [o3, o2, o1, o0, unique @ ..] = rest;
        if magic != MAGIC || bytes.len() != whole_length(header) {
            return None;
        }
        let (extras, body) = body.split_at_checked(extras.into())?;
        let (key, value) = body.split_at_checked(u16::from_be_bytes([k1, k0]).into())?;
        Some(Frame {
            opcode,
            opaque: [o3, o2, o1, o0],
            unique: u64::from_be_bytes(unique),
            extras,
            key,
            value,
        })
    }

    /// What it asks for.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self.opcode {
            0x00 | 0x09 | 0x0c | 0x0d => Verb::Get,
            0x01 | 0x11 => Verb::Set,
            0x02 | 0x12 => Verb::Add,
            0x03 | 0x13 => Verb::Replace,
            0x04 | 0x14 => Verb::Delete,
            0x05 | 0x15 => Verb::Incr,
            0x06 | 0x16 => Verb::Decr,
            0x0e | 0x19 => Verb::Append,
            0x0f | 0x1a => Verb::Prepend,
            0x1c => Verb::Touch,
            0x1d | 0x1e | 0x23 | 0x24 => Verb::Gat,
            0x08 | 0x18 => Verb::Flush,
            0x10 => Verb::Stat,
            0x20..=0x22 => Verb::Login,
            _ => Verb::Other,
        }
    }

    /// Whether it may be answered by nothing.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        matches!(self.opcode, 0x09 | 0x0d | 0x11..=0x1a | 0x1e | 0x24)
    }

    /// The items it is about.
    pub(super) fn touches(&self) -> Touches {
        match self.verb() {
            Verb::Flush => Touches::Everything,
            Verb::Stat | Verb::Login | Verb::Other => Touches::Nothing,
            _ if self.key.is_empty() => Touches::Nothing,
            _ => Touches::Keys(vec![self.key.to_vec()]),
        }
    }

    /// What becomes of its item, where it is done.
    pub(super) fn change(&self) -> Change {
        match self.verb() {
            Verb::Set | Verb::Add | Verb::Replace => Change::Stores,
            Verb::Append | Verb::Prepend => Change::Extends,
            Verb::Incr | Verb::Decr => Change::Counts,
            _ => Change::Nothing,
        }
    }

    /// Whether these bytes begin a reply to it, or to another that looks alike.
    pub(super) fn is_answered_by(&self, replies: &[u8; HEADER_BYTES]) -> bool {
        let [
            magic,
            opcode,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            o3,
            o2,
            o1,
            o0,
            ..,
        ] = *replies;
        magic == 0x81 && opcode == self.opcode && [o3, o2, o1, o0] == self.opaque
    }

    /// Whether a reply to one of them could be one to the other.
    pub(super) fn is_answered_as(&self, other: &Frame<'_>) -> bool {
        self.opcode == other.opcode && self.opaque == other.opaque
    }

    /// The number of 32 bits at this place of the extras.
    pub(super) fn number32(&self, at: usize) -> Option<u32> {
        let bytes = self.extras.get(at..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    }

    /// The number of 64 bits that the extras begin with.
    pub(super) fn number64(&self) -> Option<u64> {
        Some(u64::from_be_bytes(*self.extras.first_chunk()?))
    }
}
