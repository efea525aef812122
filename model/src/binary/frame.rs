//! The header of a request, and what is wrong with it. Law: `spec/binary/frames.md`.
//!
//! A header is judged before its body has come, so that no client can make the server wait for, or
//! hold, what it will refuse.

use alloc::vec::Vec;

use spec::{Requirement, req};

use super::{Command, Sasl, Status, explained};
use crate::options::Protocol;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::{Model, Options};

/// What every request begins with.
pub(crate) const HEADER_BYTES: usize = 24;

/// The first byte of every request.
const MAGIC: u8 = 0x80;

/// The longest key.
const KEY_MAX_BYTES: usize = 250;

/// The longest body.
const BODY_MAX_BYTES: usize = 1 << 30;

/// A request's header.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    magic: u8,
    pub(super) opcode: u8,
    pub(super) command: Command,
    pub(super) quiet: bool,
    pub(super) key_length: usize,
    pub(super) extras_length: usize,
    body_length: usize,
    pub(super) opaque: u32,
    /// The unique that the item must have, or 0.
    pub(super) unique: u64,
    /// The data type or the vbucket is not 0.
    pub(super) is_odd: bool,
}

/// A request without its value.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) header: Header,
    pub(super) extras: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// Which protocol a connection speaks whose first byte is this, and the rule that says so.
pub(crate) fn protocol(options: &Options, first: u8) -> (Protocol, Option<&'static Requirement>) {
    match options.protocol {
        Protocol::Auto if options.login => (Protocol::Text, Some(req!("authentication.text"))),
        Protocol::Auto if options.sasl => (Protocol::Binary, Some(req!("binary.sasl.text"))),
        Protocol::Auto if first == MAGIC => (Protocol::Binary, Some(req!("binary.frames.detect"))),
        Protocol::Auto => (Protocol::Text, None),
        Protocol::Text => (Protocol::Text, Some(req!("binary.frames.detect-text"))),
        Protocol::Binary => (Protocol::Binary, Some(req!("binary.frames.detect-binary"))),
    }
}

impl Header {
    /// The header that stands first in the input, if it is all there.
    pub(crate) fn read(input: &[u8]) -> Option<Header> {
        let mut bytes = input.get(..HEADER_BYTES)?.iter();
        let mut number = |width| {
            let bytes = bytes.by_ref().take(width);
            bytes.fold(0_u64, |number, byte| {
                (number << 8).wrapping_add((*byte).into())
            })
        };
        let [magic, opcode] = [number(1), number(1)].map(|byte| u8::try_from(byte).unwrap_or(0));
        let (command, quiet) = Command::of(opcode);
        let length = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Some(Header {
            magic,
            opcode,
            command,
            quiet,
            key_length: length(number(2)),
            extras_length: length(number(1)),
            is_odd: number(3) != 0,
            body_length: length(number(4)),
            opaque: u32::try_from(number(4)).unwrap_or(0),
            unique: number(8),
        })
    }

    /// How many bytes stand before the value, with the header.
    pub(crate) fn value_at(&self) -> usize {
        HEADER_BYTES
            .saturating_add(self.extras_length)
            .saturating_add(self.key_length)
    }

    /// How long the value is.
    pub(super) fn value_length(&self) -> usize {
        let others = self.extras_length.saturating_add(self.key_length);
        self.body_length.saturating_sub(others)
    }

    /// Whether it begins as a request does.
    pub(crate) fn is_request(&self) -> bool {
        self.magic == MAGIC
    }

    /// The ruling for a header behind which nobody can tell what comes; it ends the connection.
    pub(crate) fn refuse(&self, model: &Model) -> Option<Ruling> {
        if !self.is_request() {
            return Some(self.stray(model));
        }
        let length = || self.is_refused_for_its_length(model);
        let fault = self.contradicts().or_else(length)?;
        Some(self.closes_for(fault))
    }

    /// The ruling for a request that may not be, or cannot be meant, now that its extras and key
    /// are here.
    pub(crate) fn refuse_whole(&self, model: &Model, sasl: &Sasl) -> Option<Ruling> {
        let bars = sasl.bars(model, self.command);
        let fault = bars.or_else(|| self.misfits(model))?;
        Some(self.closes_for(fault))
    }

    fn closes_for(&self, (status, rule): (Status, &'static Requirement)) -> Ruling {
        explained(self, self.fail(status).because(rule).closing())
    }

    /// No request at all.
    fn stray(&self, model: &Model) -> Ruling {
        let ruling = Reply::Nothing
            .because(req!("binary.frames.stray"))
            .also(req!("binary.frames.owed"))
            .closing();
        let lost = req!("binary.frames.owed.lost");
        if model.dialect.has(lost) {
            ruling.retracting().also(lost)
        } else {
            ruling
        }
    }

    /// The parts are longer than the whole.
    fn contradicts(&self) -> Option<(Status, &'static Requirement)> {
        let parts = self.extras_length.saturating_add(self.key_length);
        (parts > self.body_length).then_some((Status::Unknown, req!("binary.frames.lengths")))
    }

    fn is_refused_for_its_length(&self, model: &Model) -> Option<(Status, &'static Requirement)> {
        let awaited = model.dialect.has(req!("binary.frames.huge.awaited"));
        let refused = self.is_huge() && !awaited;
        refused.then_some((Status::Invalid, req!("binary.frames.huge")))
    }

    /// Nobody can mean to send so much.
    pub(super) fn is_huge(&self) -> bool {
        self.body_length > BODY_MAX_BYTES
    }

    /// Extras, a key or a value that the command does not take, or the lack of one that it needs.
    fn misfits(&self, model: &Model) -> Option<(Status, &'static Requirement)> {
        let shape = Shape::of(self.command);
        let rule = if self.key_length > KEY_MAX_BYTES {
            req!("binary.frames.key-length")
        } else if self.command == Command::Unknown {
            return None;
        } else if !shape.extras.contains(&self.extras_length) {
            req!("binary.frames.extras")
        } else if !shape.key.takes(self.key_length) {
            req!("binary.frames.key")
        } else if self.value_length() > 0 && !shape.value {
            self.unwanted_value(model)?
        } else {
            return None;
        };
        Some((Status::Invalid, rule))
    }

    /// A value that the command does not take: nothing where the dialect takes it for a request.
    fn unwanted_value(&self, model: &Model) -> Option<&'static Requirement> {
        let (rule, executed) = match self.command {
            Command::Touch | Command::Gat | Command::GatK => (
                req!("binary.touch.value"),
                req!("binary.touch.value.executed"),
            ),
            Command::Stat => (
                req!("binary.statistics.value"),
                req!("binary.statistics.value.executed"),
            ),
            _ => return Some(req!("binary.frames.value")),
        };
        (!model.dialect.has(executed)).then_some(rule)
    }
}

impl Request {
    /// A request whose value begins behind these bytes.
    pub(crate) fn new(header: Header, head: &[u8]) -> Request {
        let body = head.get(HEADER_BYTES..).unwrap_or_default();
        let (extras, key) = body
            .split_at_checked(header.extras_length)
            .unwrap_or_default();
        Request {
            extras: extras.to_vec(),
            key: key.to_vec(),
            header,
        }
    }

    /// The number of four bytes that stands here in the extras; 0 where there is none.
    pub(super) fn number32(&self, at: usize) -> u32 {
        let behind = self.extras.get(at..).unwrap_or_default();
        let bytes = behind.first_chunk().copied();
        bytes.map_or(0, u32::from_be_bytes)
    }

    /// The number of eight bytes that stands here in the extras.
    pub(super) fn number64(&self, at: usize) -> u64 {
        let behind = self.extras.get(at..).unwrap_or_default();
        let bytes = behind.first_chunk().copied();
        bytes.map_or(0, u64::from_be_bytes)
    }
}

/// What a command takes.
struct Shape {
    extras: &'static [usize],
    key: Key,
    value: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    None,
    Some,
    Any,
}

impl Key {
    fn takes(self, length: usize) -> bool {
        match self {
            Key::None => length == 0,
            Key::Some => length > 0,
            Key::Any => true,
        }
    }
}

impl Shape {
    fn of(command: Command) -> Shape {
        let (extras, key, value): (&[usize], Key, bool) = match command {
            Command::Set | Command::Add | Command::Replace => (&[8], Key::Some, true),
            Command::Append | Command::Prepend => (&[0], Key::Some, true),
            Command::SaslAuth | Command::SaslStep => (&[0], Key::Some, true),
            Command::Get | Command::GetK | Command::Delete => (&[0], Key::Some, false),
            Command::Incr | Command::Decr => (&[20], Key::Some, false),
            Command::Touch | Command::Gat | Command::GatK => (&[4], Key::Some, false),
            Command::Flush => (&[0, 4], Key::None, false),
            Command::Stat => (&[0], Key::Any, false),
            _ => (&[0], Key::None, false),
        };
        Shape { extras, key, value }
    }
}
