//! Replies, as binary frames.
//!
//! Here, and nowhere else, a quiet binary reply is kept back.

use bytes::Bytes;

use super::{Head, Header};
use crate::protocol::login::MECHANISM;
use crate::protocol::{Output, VERSION};

/// What a reply begins with.
const MAGIC: u8 = 0x81;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Done,
    /// There is no such item.
    NotFound,
    /// There is one, or it has another unique.
    Exists,
    /// An item may not be so large.
    TooLarge,
    /// The frame is not of its command's shape.
    InvalidArguments,
    /// There was nothing to join the value to.
    NotStored,
    /// The value is no number.
    NonNumeric,
    /// It is not allowed, or not to this client.
    NotAllowed,
    /// The client is to say more about who it is.
    Continue,
    /// There is no such command.
    UnknownCommand,
    /// No memory for an item.
    OutOfMemory,
    /// No memory for a longer number.
    OutOfMemoryForNumber,
    /// No memory for a first number.
    OutOfMemoryForInitial,
    /// No room for the token of an attempt to log in.
    OutOfMemoryForToken,
}

impl Status {
    const fn code(self) -> u16 {
        match self {
            Self::Done => 0x00,
            Self::NotFound => 0x01,
            Self::Exists => 0x02,
            Self::TooLarge => 0x03,
            Self::InvalidArguments => 0x04,
            Self::NotStored => 0x05,
            Self::NonNumeric => 0x06,
            Self::NotAllowed => 0x20,
            Self::Continue => 0x21,
            Self::UnknownCommand => 0x81,
            Self::OutOfMemory
            | Self::OutOfMemoryForNumber
            | Self::OutOfMemoryForInitial
            | Self::OutOfMemoryForToken => 0x82,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Done | Self::Continue => "",
            Self::NotFound => "Not found",
            Self::Exists => "Data exists for key.",
            Self::TooLarge => "Too large.",
            Self::InvalidArguments => "Invalid arguments",
            Self::NotStored => "Not stored.",
            Self::NonNumeric => "Non-numeric server-side value for incr or decr",
            Self::NotAllowed => "Auth failure.",
            Self::UnknownCommand => "Unknown command",
            Self::OutOfMemory => "Out of memory allocating item",
            Self::OutOfMemoryForNumber => "Out of memory incrementing value",
            Self::OutOfMemoryForInitial => "Out of memory allocating new item",
            Self::OutOfMemoryForToken => "Out of memory",
        }
    }
}

/// The reply to a binary request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done; the item, where there is one, has this unique now.
    Done(u64),
    /// A number and its unique.
    Number(u64, u64),
    /// An item that was found.
    Found {
        /// The client's flags.
        flags: u32,
        /// Its value, where that is asked for.
        value: Option<Bytes>,
        /// Its unique.
        unique: u64,
        /// Whether the key is repeated.
        with_key: bool,
    },
    /// An item that was not found by a retrieval, and whether the key is repeated.
    Missed {
        /// Whether the key stands in the place of the text.
        with_key: bool,
    },
    /// Names and values, each in a frame of its own, then an empty one.
    Statistics(Vec<(String, String)>),
    /// The version.
    Version,
    /// How a client may say who it is.
    Mechanisms,
    /// The client is who it says.
    Authenticated,
    /// It went wrong.
    Failed(Status),
}

/// Writes the reply to a request, unless it is to be kept back.
pub fn write(head: &Head<'_>, answer: &Answer, output: &mut Output) {
    let header = &head.header;
    match answer {
        Answer::Done(_) | Answer::Number(..) | Answer::Missed { .. } if head.is_quiet() => {}
        Answer::Done(unique) => {
            Parts::default().write(header, Status::Done, *unique, output);
        }
        Answer::Number(number, unique) => {
            let value = &number.to_be_bytes();
            Parts::valued(value).write(header, Status::Done, *unique, output);
        }
        Answer::Found {
            flags,
            value,
            unique,
            with_key,
        } => {
            let parts = Parts {
                extras: &flags.to_be_bytes(),
                key: if *with_key { head.key } else { b"" },
                value: b"",
                large: value.as_ref(),
            };
            parts.write(header, Status::Done, *unique, output);
        }
        Answer::Missed { with_key: true } => {
            let parts = Parts {
                key: head.key,
                ..Parts::default()
            };
            parts.write(header, Status::NotFound, 0, output);
        }
        Answer::Missed { with_key: false } => fail(header, Status::NotFound, output),
        Answer::Statistics(statistics) => {
            for (name, value) in statistics {
                let parts = Parts {
                    key: name.as_bytes(),
                    ..Parts::valued(value.as_bytes())
                };
                parts.write(header, Status::Done, 0, output);
            }
            Parts::default().write(header, Status::Done, 0, output);
        }
        Answer::Version => {
            let parts = Parts::valued(VERSION.as_bytes());
            parts.write(header, Status::Done, 0, output);
        }
        Answer::Mechanisms => {
            Parts::valued(MECHANISM).write(header, Status::Done, 0, output);
        }
        Answer::Authenticated => {
            Parts::valued(b"Authenticated").write(header, Status::Done, 0, output);
        }
        Answer::Failed(status) => fail(header, *status, output),
    }
}

/// Writes a reply that says what is wrong.
pub fn fail(header: &Header, status: Status, output: &mut Output) {
    Parts::valued(status.text().as_bytes()).write(header, status, 0, output);
}

/// What stands behind the header of a reply.
#[derive(Default)]
struct Parts<'a> {
    extras: &'a [u8],
    key: &'a [u8],
    value: &'a [u8],
    large: Option<&'a Bytes>,
}

impl<'a> Parts<'a> {
    fn valued(value: &'a [u8]) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    fn write(&self, header: &Header, status: Status, unique: u64, output: &mut Output) {
        let (extras, key) = (self.extras.len(), self.key.len());
        let value = self.value.len() + self.large.map_or(0, Bytes::len);
        let body = u32::try_from(extras + key + value).unwrap_or(u32::MAX);
        output.bytes(&[MAGIC, header.opcode]);
        output.bytes(&u16::try_from(key).unwrap_or(u16::MAX).to_be_bytes());
        output.bytes(&[u8::try_from(extras).unwrap_or(u8::MAX), 0]);
        output.bytes(&status.code().to_be_bytes());
        output.bytes(&body.to_be_bytes());
        output.bytes(&header.opaque.to_be_bytes());
        output.bytes(&unique.to_be_bytes());
        output.bytes(self.extras);
        output.bytes(self.key);
        output.bytes(self.value);
        if let Some(large) = self.large {
            output.value(large, Some(large));
        }
    }
}
