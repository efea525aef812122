//! How a reply is read: the inverse of how it is printed.
//!
//! It never knows what was asked, so an empty list, which is `END` alone, is read as no values. It
//! reads one reply, by its first word, and says how many bytes it took.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use super::{Code, Packet, Reply, Value};

impl Reply {
    /// The reply that stands at the beginning of these bytes, and how many of them it took; nothing
    /// where it is not all there, or is none that a server may say.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Reply, usize)> {
        let mut rest = bytes;
        let reply = reply(&mut rest)?;
        Some((reply, bytes.len().checked_sub(rest.len())?))
    }
}

fn reply(rest: &mut &[u8]) -> Option<Reply> {
    let whole = *rest;
    if whole.first().is_some_and(|byte| !byte.is_ascii()) {
        return packets(rest).map(Reply::Packets);
    }
    let line = line(rest)?;
    let (word, after) = match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (line.get(..space)?, line.get(space.checked_add(1)?..)),
        None => (line, None),
    };
    if let Some(code) = Code::of(word) {
        return Some(Reply::Meta(code, after.map_or(Vec::new(), flags)));
    }
    match (word, after) {
        (b"STORED", None) => Some(Reply::Stored),
        (b"NOT_STORED", None) => Some(Reply::NotStored),
        (b"EXISTS", None) => Some(Reply::Exists),
        (b"NOT_FOUND", None) => Some(Reply::NotFound),
        (b"DELETED", None) => Some(Reply::Deleted),
        (b"TOUCHED", None) => Some(Reply::Touched),
        (b"OK", None) => Some(Reply::Ok),
        (b"RESET", None) => Some(Reply::Reset),
        (b"ERROR", None) => Some(Reply::Error),
        (b"VERSION", Some(version)) => Some(Reply::Version(text(version)?)),
        (b"CLIENT_ERROR", Some(problem)) => Some(Reply::ClientError(text(problem)?)),
        (b"SERVER_ERROR", Some(problem)) => Some(Reply::ServerError(text(problem)?)),
        (b"VA", Some(after)) => meta_value(after, rest),
        (b"VALUE" | b"END" | b"STAT" | b"ITEM" | b"PREFIX", _) => {
            *rest = whole;
            list(word, rest)
        }
        (digits, None) => number(digits).map(Reply::Number),
        _ => None,
    }
}

/// One packet; or those of a list, up to the one without a name.
fn packets(rest: &mut &[u8]) -> Option<Vec<Packet>> {
    let mut packets = Vec::new();
    loop {
        let packet = Packet::read(rest)?;
        let listed = packet.opcode == STAT && !packet.key.is_empty();
        packets.push(packet);
        if !listed {
            return Some(packets);
        }
    }
}

/// The opcode whose reply is a list.
const STAT: u8 = 0x10;

/// A list of what its first word says, up to its `END`.
fn list(word: &[u8], rest: &mut &[u8]) -> Option<Reply> {
    match word {
        b"STAT" => entries(rest, statistic).map(Reply::Stats),
        b"ITEM" | b"PREFIX" => entries(rest, |line, _| Some(line.to_vec())).map(Reply::Dump),
        _ => entries(rest, value).map(Reply::Values),
    }
}

fn entries<T>(rest: &mut &[u8], entry: impl Fn(&[u8], &mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let mut entries = Vec::new();
    loop {
        let line = line(rest)?;
        if line == b"END" {
            return Some(entries);
        }
        entries.push(entry(line, rest)?);
    }
}

/// `STAT <name> <value>`
fn statistic(line: &[u8], _rest: &mut &[u8]) -> Option<(String, String)> {
    let line = core::str::from_utf8(line.strip_prefix(b"STAT ")?).ok()?;
    let (name, value) = line.split_once(' ')?;
    Some((name.to_owned(), value.to_owned()))
}

/// `VALUE <key> <flags> <length> [<unique>]`, then the data block.
fn value(line: &[u8], rest: &mut &[u8]) -> Option<Value> {
    let mut words = line.strip_prefix(b"VALUE ")?.split(|byte| *byte == b' ');
    let key = words.next()?.to_vec();
    let flags = number(words.next()?)?;
    let data = block(words.next()?, rest)?;
    let unique = match words.next() {
        Some(unique) => Some(number(unique)?),
        None => None,
    };
    words.next().is_none().then_some(Value {
        key,
        flags,
        data,
        unique,
    })
}

/// What stands behind `VA`: a length and flags, then the data block.
fn meta_value(line: &[u8], rest: &mut &[u8]) -> Option<Reply> {
    let mut words = flags(line);
    if words.is_empty() {
        return None;
    }
    let length = words.remove(0);
    Some(Reply::MetaValue(block(&length, rest)?, words))
}

/// A data block of this length, and its line end.
fn block(length: &[u8], rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (data, after) = rest.split_at_checked(number(length)?)?;
    *rest = after.strip_prefix(b"\r\n")?;
    Some(data.to_vec())
}

/// A line, without its end.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = rest.get(..end)?.strip_suffix(b"\r")?;
    *rest = rest.get(end.checked_add(1)?..)?;
    Some(line)
}

fn flags(words: &[u8]) -> Vec<Vec<u8>> {
    let words = words.split(|byte| *byte == b' ');
    words.map(<[u8]>::to_vec).collect()
}

/// Digits, and nothing but digits.
fn number<T: FromStr>(digits: &[u8]) -> Option<T> {
    let only = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let digits = core::str::from_utf8(digits).ok().filter(|_| only)?;
    digits.parse().ok()
}

fn text(bytes: &[u8]) -> Option<Cow<'static, str>> {
    let text = core::str::from_utf8(bytes).ok()?;
    Some(Cow::Owned(text.to_owned()))
}
