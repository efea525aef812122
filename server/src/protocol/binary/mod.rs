//! The binary protocol: frames into requests, replies into frames.
//!
//! It never looks at a value, which may be long and arrives later; and it never lets a frame say
//! something about its length that the server does not hold it to.
//! Requests are told apart in `request.rs`; replies are written in `reply.rs`.

mod reply;
mod request;

use nom::number::streaming::{be_u8, be_u16, be_u32, be_u64};
use nom::{IResult, Parser};

pub use reply::{Answer, Status, fail, write};
pub use request::{Attempt, Request, Step};

/// What a request begins with; a connection whose first byte this is speaks the binary protocol.
pub const MAGIC: u8 = 0x80;

/// The length of what every frame begins with.
const HEADER_LEN: usize = 24;

/// A longer body is not even skipped.
const BODY_LEN_MAX: usize = 1024 * 1024 * 1024;

/// The parts of a header that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The number of the command.
    pub opcode: u8,
    /// What the reply repeats.
    pub opaque: u32,
    /// The unique that the item must have; 0 for any.
    pub unique: u64,
    key_len: usize,
    extras_len: usize,
    body_len: usize,
}

/// A request but for its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// Its header.
    pub header: Header,
    extras: &'a [u8],
    key: &'a [u8],
}

/// What stands at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// All of a request but its value, and how many bytes that takes.
    Head(Head<'a>, usize),
    /// Less than that.
    Incomplete,
    /// No request, and nobody knows where the next begins: a last reply where one can be given.
    Broken(Option<(Header, Status)>),
}

impl Header {
    /// Whether who has not logged in may ask it: `version`, and how to log in.
    #[must_use]
    pub const fn is_for_strangers(&self) -> bool {
        matches!(self.opcode, 0x0b | 0x20..=0x22)
    }
}

impl<'a> Head<'a> {
    /// The key, where it has one.
    #[must_use]
    pub const fn key(&self) -> Option<&'a [u8]> {
        if self.key.is_empty() {
            None
        } else {
            Some(self.key)
        }
    }

    /// How many bytes of value follow.
    #[must_use]
    pub const fn value_len(&self) -> usize {
        let header = &self.header;
        header.body_len - header.extras_len - header.key_len
    }
}

/// Cuts the head of a request.
#[must_use]
pub fn cut(input: &[u8]) -> Frame<'_> {
    let Ok((body, header)) = header(input) else {
        return Frame::Incomplete;
    };
    if input.first().is_some_and(|first| *first != MAGIC) {
        return Frame::Broken(None);
    }
    if let Some(status) = fault(&header) {
        return Frame::Broken(Some((header, status)));
    }
    let Some((head, _)) = body.split_at_checked(header.extras_len + header.key_len) else {
        return Frame::Incomplete;
    };
    let (extras, key) = head.split_at(header.extras_len);
    let head = Head {
        header,
        extras,
        key,
    };
    Frame::Head(head, HEADER_LEN + extras.len() + key.len())
}

/// The lengths of a header contradict each other, or go beyond what there can be.
const fn fault(header: &Header) -> Option<Status> {
    if header.key_len + header.extras_len > header.body_len {
        Some(Status::UnknownCommand)
    } else if header.body_len > BODY_LEN_MAX {
        Some(Status::InvalidArguments)
    } else {
        None
    }
}

fn header(input: &[u8]) -> IResult<&[u8], Header> {
    let (rest, fields) = (
        be_u8, be_u8, be_u16, be_u8, be_u8, be_u16, be_u32, be_u32, be_u64,
    )
        .parse(input)?;
    let (_magic, opcode, key_len, extras_len, _data_type, _bucket, body_len, opaque, unique) =
        fields;
    let header = Header {
        opcode,
        opaque,
        unique,
        key_len: usize::from(key_len),
        extras_len: usize::from(extras_len),
        body_len: usize::try_from(body_len).unwrap_or(usize::MAX),
    };
    Ok((rest, header))
}
