//! Replies, as bytes.
//!
//! Here, and nowhere else, a quiet reply is kept back.

use bytes::Bytes;

use super::meta::{Command, Meta};
use super::output::decimal;
use super::reply::{Anatomy, Error, MetaReply, Reply, Status};
use super::{Output, VERSION, base64};

/// About so long is a reply, its value aside: room for it is made at once.
const REPLY_LEN: usize = 32;

/// Writes a classic reply, unless it is to be kept back.
pub fn reply(reply: &Reply, quiet: bool, output: &mut Output) {
    if quiet {
        return;
    }
    output.reserve(REPLY_LEN);
    match reply {
        Reply::Stored => output.bytes(b"STORED\r\n"),
        Reply::NotStored => output.bytes(b"NOT_STORED\r\n"),
        Reply::Exists => output.bytes(b"EXISTS\r\n"),
        Reply::NotFound => output.bytes(b"NOT_FOUND\r\n"),
        Reply::Deleted => output.bytes(b"DELETED\r\n"),
        Reply::Touched => output.bytes(b"TOUCHED\r\n"),
        Reply::Ok => output.bytes(b"OK\r\n"),
        Reply::Reset => output.bytes(b"RESET\r\n"),
        Reply::Version => {
            output.bytes(b"VERSION ");
            line(VERSION.as_bytes(), output);
        }
        Reply::Number(number) => {
            output.number(*number);
            output.bytes(b"\r\n");
        }
        Reply::Statistics(statistics) => {
            for (name, value) in statistics {
                output.bytes(b"STAT ");
                output.bytes(name.as_bytes());
                output.bytes(b" ");
                line(value.as_bytes(), output);
            }
            end(output);
        }
        Reply::Lines(lines) => {
            output.bytes(lines);
            end(output);
        }
        Reply::Error(error) => self::error(*error, output),
    }
}

/// Writes an error.
pub fn error(error: Error, output: &mut Output) {
    line(error.line().as_bytes(), output);
}

/// Writes one value of a retrieval, which may be shared, and what is behind it.
#[inline]
pub fn value(
    key: &[u8],
    flags: u32,
    unique: Option<u64>,
    (value, shared): (&[u8], Option<&Bytes>),
    behind: &[u8],
    output: &mut Output,
) {
    output.reserve(REPLY_LEN + key.len());
    output.bytes(b"VALUE ");
    output.bytes(key);
    if flags == 0 {
        output.bytes(b" 0 ");
    } else {
        output.bytes(b" ");
        output.number(u64::from(flags));
        output.bytes(b" ");
    }
    output.number(u64::try_from(value.len()).unwrap_or(u64::MAX));
    if let Some(unique) = unique {
        output.bytes(b" ");
        output.number(unique);
    }
    output.bytes(b"\r\n");
    output.value(value, shared);
    output.bytes(behind);
}

/// Writes the end of a retrieval.
pub fn end(output: &mut Output) {
    output.bytes(b"END\r\n");
}

/// Writes the reply to a meta command: the facts that its flags ask for, in their order, and the
/// value of an item, which may be shared.
pub fn meta(
    meta: &Meta<'_>,
    reply: &MetaReply,
    value: Option<(&[u8], Option<&Bytes>)>,
    output: &mut Output,
) {
    if meta.has(b'q') && is_hidden_when_quiet(meta.command, reply.status) {
        return;
    }
    let mut digits = [0; 20];
    let number = reply.number.map(|number| decimal(number, &mut digits));
    let value = value.or(number.map(|digits| (digits, None)));
    output.reserve(REPLY_LEN);
    output.bytes(match reply.status {
        Status::Done => b"HD",
        Status::Value => b"VA",
        Status::Miss => b"EN",
        Status::NotFound => b"NF",
        Status::NotStored => b"NS",
        Status::Exists => b"EX",
    });
    if let Some((value, _)) = value {
        output.bytes(b" ");
        output.number(u64::try_from(value.len()).unwrap_or(u64::MAX));
    }
    for flag in meta.flags() {
        match flag.letter {
            b'O' => {
                output.bytes(b" O");
                output.bytes(flag.argument);
            }
            b'k' => {
                output.bytes(b" k");
                key(meta.key(), reply.key_is_encoded, output);
                if reply.key_is_encoded {
                    output.bytes(b" b");
                }
            }
            letter => fact(letter, reply, output),
        }
    }
    for (mark, is_set) in [
        (b" Z", reply.is_taken),
        (b" X", reply.is_stale),
        (b" W", reply.has_won),
    ] {
        if is_set {
            output.bytes(mark);
        }
    }
    output.bytes(b"\r\n");
    if let Some((value, shared)) = value {
        output.value(value, shared);
        output.bytes(b"\r\n");
    }
}

/// Which replies `q` keeps back: those that a client who sends many expects.
const fn is_hidden_when_quiet(command: Command, status: Status) -> bool {
    match command {
        Command::Get => matches!(status, Status::Miss),
        Command::Set | Command::Delete => matches!(status, Status::Done),
        Command::Arithmetic => matches!(status, Status::Done | Status::Value),
        Command::Debug | Command::Noop => false,
    }
}

/// Writes what a flag asks for, if it is known.
fn fact(letter: u8, reply: &MetaReply, output: &mut Output) {
    let number = match letter {
        b'c' => reply.unique,
        b'f' => reply.flags.map(u64::from),
        b's' => reply.size.and_then(|size| u64::try_from(size).ok()),
        b'h' => reply.was_fetched.map(u64::from),
        b'l' => reply.idle_seconds,
        b't' => match reply.seconds_left {
            Some(None) => return output.bytes(b" t-1"),
            Some(seconds) => seconds,
            None => None,
        },
        _ => None,
    };
    if let Some(number) = number {
        output.bytes(&[b' ', letter]);
        output.number(number);
    }
}

/// Writes the reply to `me`.
pub fn anatomy(key: &[u8], anatomy: Option<&Anatomy>, output: &mut Output) {
    let Some(anatomy) = anatomy else {
        return output.bytes(b"EN\r\n");
    };
    output.bytes(b"ME ");
    self::key(key, anatomy.key_is_encoded, output);
    match anatomy.seconds_left {
        Some(seconds) => field(" exp=", seconds, output),
        None => output.bytes(b" exp=-1"),
    }
    field(" la=", anatomy.idle_seconds, output);
    field(" cas=", anatomy.unique, output);
    let fetch: &[u8] = if anatomy.is_fetched { b"yes" } else { b"no" };
    output.bytes(b" fetch=");
    output.bytes(fetch);
    // There are no slab classes: all items are of one.
    output.bytes(b" cls=1");
    field(
        " size=",
        u64::try_from(anatomy.size).unwrap_or(u64::MAX),
        output,
    );
    output.bytes(b"\r\n");
}

/// Writes the reply to `mn`.
pub fn noop(output: &mut Output) {
    output.bytes(b"MN\r\n");
}

fn field(name: &str, number: u64, output: &mut Output) {
    output.bytes(name.as_bytes());
    output.number(number);
}

fn key(key: &[u8], is_encoded: bool, output: &mut Output) {
    if is_encoded {
        base64::encode(key, |quad| output.bytes(quad));
    } else {
        output.bytes(key);
    }
}

fn line(text: &[u8], output: &mut Output) {
    output.bytes(text);
    output.bytes(b"\r\n");
}
