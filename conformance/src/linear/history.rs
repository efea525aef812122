//! A history: what clients asked, what they were answered, and between which moments.
//!
//! An operation is for one key: a `get` of several is several operations, a `flush_all` one for
//! each key. It never holds a value twice, so that millions of operations fit in memory. What an
//! operation may do is in `step.rs`.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::step::Freedom;

/// The moment of an answer that never came.
pub const NEVER: u64 = u64::MAX;

/// A value: a plain number as itself, anything else by its place in [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(u64);

const TEXT: u64 = 1 << 63;

impl Value {
    /// A number that is different for each value.
    pub(super) fn place(self) -> u64 {
        self.0 & !TEXT
    }
}

/// What a client asks for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are memcached's commands")]
pub enum Request {
    Get,
    Set(Value),
    Add(Value),
    Replace(Value),
    Append(Value),
    Prepend(Value),
    Cas(Value, u64),
    Incr(u64),
    Decr(u64),
    Delete,
    Touch,
    Flush,
}

impl Request {
    /// The same request, with its value in another table.
    #[must_use]
    pub fn moved(self, from: &Values, to: &mut Values) -> Request {
        let mut again = |value: Value| to.of(&from.bytes(value));
        match self {
            Request::Set(value) => Request::Set(again(value)),
            Request::Add(value) => Request::Add(again(value)),
            Request::Replace(value) => Request::Replace(again(value)),
            Request::Append(value) => Request::Append(again(value)),
            Request::Prepend(value) => Request::Prepend(again(value)),
            Request::Cas(value, unique) => Request::Cas(again(value), unique),
            other => other,
        }
    }
}

/// What it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nobody knows: it was `noreply`, or the connection ended first.
    Untold,
    /// A value, and its unique, 0 where that was not asked for.
    Found(Value, u64),
    /// There is no item.
    Miss,
    /// `STORED`
    Stored,
    /// `NOT_STORED`
    NotStored,
    /// `EXISTS`
    Exists,
    /// `NOT_FOUND`
    NotFound,
    /// `DELETED`, `TOUCHED` or `OK`
    Done,
    /// The new number.
    Number(u64),
    /// The value is no number.
    NotNumeric,
    /// `SERVER_ERROR`: the server had no room, and may have dropped the item.
    NoRoom,
}

impl Reply {
    /// The same reply, with its value in another table.
    #[must_use]
    pub fn moved(self, from: &Values, to: &mut Values) -> Reply {
        match self {
            Reply::Found(value, unique) => Reply::Found(to.of(&from.bytes(value)), unique),
            other => other,
        }
    }
}

/// One request for one key.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// The number of the key.
    pub key: u32,
    /// The number of the client. It sends in the order in which its operations are listed.
    pub client: u16,
    /// When it was about to be sent.
    pub sent: u64,
    /// When its answer had been read; [`NEVER`] where it may still take effect, or never will.
    pub answered: u64,
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub reply: Reply,
}

/// Operations of many clients on many keys.
#[derive(Debug, Default)]
pub struct History {
    /// In any order, save that each client's are in its own.
    pub ops: Vec<Op>,
    /// What the values are.
    pub values: Values,
    /// What the server may do of its own accord.
    pub free: Freedom,
}

/// Where the operations of each key are.
#[derive(Debug)]
pub struct Groups {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl History {
    /// The operations and the values.
    pub fn parts(&mut self) -> (&[Op], &mut Values) {
        (&self.ops, &mut self.values)
    }

    /// Where the operations of each key are, in the order in which they stand here.
    ///
    /// # Panics
    /// When there are more than four billion.
    #[must_use]
    pub fn by_key(&self) -> Groups {
        let keys = self.ops.iter().map(|op| op.key as usize + 1).max();
        let mut starts = vec![0_u32; keys.unwrap_or(0) + 1];
        for op in &self.ops {
            if let Some(count) = starts.get_mut(op.key as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut places = vec![0_u32; self.ops.len()];
        for (place, op) in (0_u32..).zip(&self.ops) {
            if let Some(at) = next.get_mut(op.key as usize) {
                if let Some(slot) = places.get_mut(*at as usize) {
                    *slot = place;
                }
                *at += 1;
            }
        }
        Groups { starts, places }
    }
}

impl Groups {
    /// Each key, and where its operations are.
    pub fn keys(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let ranges = self.starts.iter().zip(self.starts.iter().skip(1));
        let of = |(start, end): (&u32, &u32)| {
            let range = *start as usize..*end as usize;
            self.places.get(range).unwrap_or_default()
        };
        (0..).zip(ranges.map(of))
    }
}

/// Every value that is not a plain number, once.
#[derive(Clone, Debug, Default)]
pub struct Values {
    texts: Vec<Box<[u8]>>,
    places: HashMap<Box<[u8]>, u64>,
}

impl Values {
    /// The value of these bytes.
    pub fn of(&mut self, bytes: &[u8]) -> Value {
        if let Some(number) = plain(bytes) {
            return Value(number);
        }
        if let Some(place) = self.places.get(bytes) {
            return Value(TEXT | place);
        }
        let place = self.texts.len() as u64;
        self.texts.push(bytes.into());
        self.places.insert(bytes.into(), place);
        Value(TEXT | place)
    }

    /// The value that is this number.
    pub fn number(&mut self, number: u64) -> Value {
        if number < TEXT {
            Value(number)
        } else {
            self.of(number.to_string().as_bytes())
        }
    }

    /// The bytes of a value.
    #[must_use]
    pub fn bytes(&self, value: Value) -> Vec<u8> {
        match self.text(value) {
            Some(text) => text.to_vec(),
            None => value.0.to_string().into_bytes(),
        }
    }

    /// The bytes of a value that is not a plain number.
    #[must_use]
    pub fn text(&self, value: Value) -> Option<&[u8]> {
        if value.0 & TEXT == 0 {
            return None;
        }
        let place = usize::try_from(value.0 & !TEXT).ok()?;
        self.texts.get(place).map(AsRef::as_ref)
    }

    /// The number that `incr` sees in a value: digits, up to white space or the end.
    #[must_use]
    pub fn counted(&self, value: Value) -> Option<u64> {
        let Some(text) = self.text(value) else {
            return Some(value.0);
        };
        let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
        let start = text.iter().position(|byte| !is_space(byte))?;
        let text = text.get(start..)?;
        let text = text.strip_prefix(b"+").unwrap_or(text);
        let end = text.iter().position(|byte| is_space(byte) || *byte == 0);
        let digits = text.get(..end.unwrap_or(text.len()))?;
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(digits)
            .ok()?
            .parse()
            .ok()
            .filter(|_| is_number)
    }
}

/// The number, where these are exactly its digits.
fn plain(bytes: &[u8]) -> Option<u64> {
    let canonical = match bytes {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let number: u64 = std::str::from_utf8(bytes)
        .ok()?
        .parse()
        .ok()
        .filter(|_| canonical)?;
    (number < TEXT).then_some(number)
}

/// A hash for small numbers of our own making, which nobody chooses to collide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mix(u64);

/// A table of them.
pub type Mixed = BuildHasherDefault<Mix>;

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}
