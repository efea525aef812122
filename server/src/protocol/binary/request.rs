//! What a binary frame asks for.
//!
//! It never carries anything out. A frame whose parts are not of its command's shape is refused:
//! where the next one would begin cannot be trusted then.

use nom::number::complete::{be_u32, be_u64};
use nom::{IResult, Parser};

use super::{Head, Status};
use crate::protocol::{Direction, KEY_LEN_MAX, Storage, Verb};

/// An exptime that says that a number which is not there is not to be made.
const NEVER_CREATE: u32 = u32::MAX;

/// The longest name of a mechanism.
const MECHANISM_LEN_MAX: usize = 32;

/// A request, borrowed from its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Any command that brings a value; that follows.
    Store(Storage<'a>),
    /// `get` and its kin.
    Retrieve {
        /// The key.
        key: &'a [u8],
        /// The exptime the item is given.
        exptime: Option<u32>,
        /// Whether the reply repeats the key.
        with_key: bool,
        /// Whether the reply has the value; `touch` has not.
        with_value: bool,
    },
    /// `delete`, of this key, where the item has this unique.
    Delete(&'a [u8], u64),
    /// `increment` and `decrement`.
    Step(Step<'a>),
    /// `flush`, with its delay.
    FlushAll(u32),
    /// `stat`, of these words.
    Statistics(&'a [u8]),
    /// `version`.
    Version,
    /// `noop`.
    Noop,
    /// `quit`.
    Quit,
    /// `sasl-list`.
    Mechanisms,
    /// `sasl-auth` and `sasl-step`; the token follows.
    Attempt(Attempt<'a>),
}

/// An attempt to say who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The mechanism.
    pub mechanism: &'a [u8],
    /// Whether it goes on with what was begun.
    pub is_step: bool,
    /// The length of the token.
    pub token_len: usize,
}

impl Attempt<'_> {
    /// Whether its mechanism has a name that none can have.
    #[must_use]
    pub const fn is_misnamed(&self) -> bool {
        self.mechanism.len() > MECHANISM_LEN_MAX
    }
}

/// How a number is to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Which way.
    pub direction: Direction,
    /// How far.
    pub delta: u64,
    /// Where a number that is not there begins, and its exptime.
    pub initial: Option<(u64, u32)>,
    /// The unique that the item must have; 0 for any.
    pub unique: u64,
}

impl<'a> Head<'a> {
    /// Whether success is not worth a reply.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        matches!(self.header.opcode, 0x09 | 0x0d | 0x11..=0x1a | 0x1e | 0x24)
    }

    /// What it asks for.
    ///
    /// # Errors
    ///
    /// [`Status::UnknownCommand`] where there is no such opcode, and
    /// [`Status::InvalidArguments`] where the frame does not have that command's shape.
    pub fn request(&self) -> Result<Request<'a>, Status> {
        let (key, unique) = (self.key, self.header.unique);
        if key.len() > KEY_LEN_MAX {
            return Err(Status::InvalidArguments);
        }
        let shaped = |extras: &[usize], has_key: bool| {
            let fits = extras.contains(&self.extras.len())
                && key.is_empty() != has_key
                && self.value_len() == 0;
            fits.then_some(()).ok_or(Status::InvalidArguments)
        };
        let retrieve = |exptime: Option<u32>, with_key, with_value| Request::Retrieve {
            key,
            exptime,
            with_key,
            with_value,
        };
        match self.header.opcode {
            0x00 | 0x09 => shaped(&[0], true).map(|()| retrieve(None, false, true)),
            0x0c | 0x0d => shaped(&[0], true).map(|()| retrieve(None, true, true)),
            0x1c => shaped(&[4], true).map(|()| retrieve(self.exptime(), false, false)),
            0x1d | 0x1e => shaped(&[4], true).map(|()| retrieve(self.exptime(), false, true)),
            0x23 | 0x24 => shaped(&[4], true).map(|()| retrieve(self.exptime(), true, true)),
            0x01 | 0x11 => self.storage(Verb::Set),
            0x02 | 0x12 => self.storage(Verb::Add),
            0x03 | 0x13 => self.storage(Verb::Replace),
            0x0e | 0x19 => self.joining(Verb::Append),
            0x0f | 0x1a => self.joining(Verb::Prepend),
            0x04 | 0x14 => shaped(&[0], true).map(|()| Request::Delete(key, unique)),
            0x05 | 0x15 => shaped(&[20], true).and_then(|()| self.step(Direction::Increment)),
            0x06 | 0x16 => shaped(&[20], true).and_then(|()| self.step(Direction::Decrement)),
            0x07 | 0x17 => shaped(&[0], false).map(|()| Request::Quit),
            0x08 | 0x18 => shaped(&[0, 4], false)
                .map(|()| Request::FlushAll(self.exptime().unwrap_or_default())),
            0x0a => shaped(&[0], false).map(|()| Request::Noop),
            0x0b => shaped(&[0], false).map(|()| Request::Version),
            0x10 => shaped(&[0], !key.is_empty()).map(|()| Request::Statistics(key)),
            0x20 => shaped(&[0], false).map(|()| Request::Mechanisms),
            0x21 | 0x22 => self.attempt(),
            _ => Err(Status::UnknownCommand),
        }
    }

    fn exptime(&self) -> Option<u32> {
        let parsed: IResult<&[u8], u32> = be_u32(self.extras);
        parsed.ok().map(|(_, exptime)| exptime)
    }

    /// `set`, `add` and `replace`: with a unique, `set` and `replace` are what the text protocol
    /// calls `cas`.
    fn storage(&self, verb: Verb) -> Result<Request<'a>, Status> {
        let parsed: IResult<&[u8], (u32, u32)> = (be_u32, be_u32).parse(self.extras);
        let Ok(([], (flags, exptime))) = parsed else {
            return Err(Status::InvalidArguments);
        };
        let verb = match (verb, self.header.unique) {
            (Verb::Add, _) | (_, 0) => verb,
            (_, unique) => Verb::Cas(unique),
        };
        self.store(verb, flags, exptime)
    }

    fn joining(&self, verb: Verb) -> Result<Request<'a>, Status> {
        if self.extras.is_empty() {
            self.store(verb, 0, 0)
        } else {
            Err(Status::InvalidArguments)
        }
    }

    fn attempt(&self) -> Result<Request<'a>, Status> {
        if !self.extras.is_empty() || self.key.is_empty() {
            return Err(Status::InvalidArguments);
        }
        Ok(Request::Attempt(Attempt {
            mechanism: self.key,
            is_step: self.header.opcode == 0x22,
            token_len: self.value_len(),
        }))
    }

    fn store(&self, verb: Verb, flags: u32, exptime: u32) -> Result<Request<'a>, Status> {
        if self.key.is_empty() {
            return Err(Status::InvalidArguments);
        }
        Ok(Request::Store(Storage {
            verb,
            key: self.key,
            flags,
            exptime: exptime.into(),
            length: self.value_len(),
            unique: self.header.unique,
            is_set: matches!(self.header.opcode, 0x01 | 0x11),
        }))
    }

    fn step(&self, direction: Direction) -> Result<Request<'a>, Status> {
        let parsed: IResult<&[u8], (u64, u64, u32)> = (be_u64, be_u64, be_u32).parse(self.extras);
        let Ok((_, (delta, initial, exptime))) = parsed else {
            return Err(Status::InvalidArguments);
        };
        Ok(Request::Step(Step {
            key: self.key,
            direction,
            delta,
            initial: (exptime != NEVER_CREATE).then_some((initial, exptime)),
            unique: self.header.unique,
        }))
    }
}
