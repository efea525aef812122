//! The classic commands: a line into a request.
//!
//! It never reads behind the line. A refusal says how far the stream is to be skipped.

use super::KEY_LEN_MAX;
use super::number;
use super::reply::Error;
use super::request::{
    Arithmetic, Direction, Parsed, Recovery, Refusal, Request, Retrieval, Storage, Verb,
};
use super::token::{TOKENS_MAX, Tokens};

/// The longest data block a line may announce, in bytes.
const BLOCK_LEN_MAX: usize = 2_147_483_645;

/// Reads a line.
///
/// # Errors
///
/// The refusal the client is to get.
pub fn parse(line: &[u8]) -> Result<Parsed<'_>, Refusal> {
    let command_len = line.iter().position(|&byte| byte == b' ');
    let (command, rest) = line.split_at(command_len.unwrap_or(line.len()));
    let words = Tokens::of(rest);
    match command {
        b"get" => retrieval(words, false),
        b"gets" => retrieval(words, true),
        b"gat" => retrieval_with_touch(words, false),
        b"gats" => retrieval_with_touch(words, true),
        b"set" => storage(words, Verb::Set),
        b"add" => storage(words, Verb::Add),
        b"replace" => storage(words, Verb::Replace),
        b"append" => storage(words, Verb::Append),
        b"prepend" => storage(words, Verb::Prepend),
        b"cas" => storage(words, Verb::Cas(0)),
        _ => {
            let quiet = !is_always_answered(command) && is_quiet(words);
            match simple(command, words) {
                Ok(request) => Ok(Parsed { request, quiet }),
                Err(error) => Err(Refusal {
                    error,
                    quiet,
                    recovery: recovery(error, rest),
                }),
            }
        }
    }
}

/// The commands that are one line and one short reply.
fn simple<'a>(command: &[u8], mut words: Tokens<'a>) -> Result<Request<'a>, Error> {
    match command {
        b"delete" => Ok(Request::Delete(key(&mut words)?)),
        b"incr" => arithmetic(words, Direction::Increment),
        b"decr" => arithmetic(words, Direction::Decrement),
        b"touch" => {
            let (key, exptime) = (key_before_argument(&mut words)?, words.next());
            let exptime = exptime.and_then(number::signed32);
            Ok(Request::Touch(key, exptime.ok_or(Error::InvalidExptime)?))
        }
        b"flush_all" => Ok(Request::FlushAll(match words.next() {
            None | Some(b"noreply") => Some(0),
            Some(delay) => number::signed32(delay),
        })),
        b"version" => Ok(Request::Version),
        b"verbosity" => {
            let level = words.next().and_then(number::unsigned32);
            Ok(Request::Verbosity(level.ok_or(Error::BadLine)?))
        }
        b"cache_memlimit" => {
            let limit = words.next().and_then(number::unsigned32);
            Ok(Request::MemoryLimit(limit.ok_or(Error::Unknown)?))
        }
        b"stats" => Ok(Request::Statistics(words)),
        b"shutdown" => Ok(Request::Shutdown(words.next())),
        b"quit" => Ok(Request::Quit),
        _ => Err(Error::Unknown),
    }
}

fn storage(mut words: Tokens<'_>, verb: Verb) -> Result<Parsed<'_>, Refusal> {
    let quiet = is_quiet(words);
    let refuse = |error, quiet, recovery| Refusal {
        error,
        quiet,
        recovery,
    };
    let shape = (words.next(), words.next(), words.next(), words.next());
    let (Some(key), Some(flags), Some(exptime), Some(length)) = shape else {
        return Err(refuse(Error::BadLine, false, Recovery::Line));
    };
    let Some(length) = block_len(length) else {
        return Err(refuse(Error::BadLine, false, Recovery::Line));
    };
    let verb = match verb {
        Verb::Cas(_) => words.next().and_then(number::unsigned64).map(Verb::Cas),
        other => Some(other),
    };
    let fits = is_key(key);
    match (verb, number::flags(flags), number::exptime(exptime)) {
        (Some(verb), Some(flags), Some(exptime)) if fits => Ok(Parsed {
            request: Request::Store(Storage {
                verb,
                key,
                flags,
                exptime,
                length,
            }),
            quiet,
        }),
        _ => Err(refuse(Error::BadLine, quiet, Recovery::Block(length))),
    }
}

fn retrieval_with_touch(mut words: Tokens<'_>, with_uniques: bool) -> Result<Parsed<'_>, Refusal> {
    let exptime = words.next();
    if { words }.next().is_none() {
        return Err(loud(Error::BadLine));
    }
    let Some(exptime) = exptime.and_then(number::signed32) else {
        return Err(loud(Error::InvalidExptime));
    };
    let mut parsed = retrieval(words, with_uniques)?;
    if let Request::Retrieve(retrieval) = &mut parsed.request {
        retrieval.exptime = Some(exptime);
    }
    Ok(parsed)
}

fn retrieval(words: Tokens<'_>, with_uniques: bool) -> Result<Parsed<'_>, Refusal> {
    let mut keys = words;
    if keys.next().is_none() {
        return Err(loud(Error::BadLine));
    }
    Ok(Parsed {
        request: Request::Retrieve(Retrieval {
            keys: words,
            with_uniques,
            exptime: None,
            is_spoiled: { words }.any(|key| !is_key(key)),
        }),
        quiet: false,
    })
}

fn arithmetic(mut words: Tokens<'_>, direction: Direction) -> Result<Request<'_>, Error> {
    let (key, delta) = (key_before_argument(&mut words)?, words.next());
    let delta = delta.and_then(number::unsigned64);
    Ok(Request::Arithmetic(Arithmetic {
        direction,
        key,
        delta: delta.ok_or(Error::InvalidDelta)?,
    }))
}

/// A key where an argument must follow.
fn key_before_argument<'a>(words: &mut Tokens<'a>) -> Result<&'a [u8], Error> {
    let key = key(words)?;
    match { *words }.next() {
        Some(_) => Ok(key),
        None => Err(Error::BadLine),
    }
}

fn key<'a>(words: &mut Tokens<'a>) -> Result<&'a [u8], Error> {
    words.next().filter(|key| is_key(key)).ok_or(Error::BadLine)
}

/// Whether a word may be a key.
#[must_use]
pub const fn is_key(word: &[u8]) -> bool {
    word.len() <= KEY_LEN_MAX
}

pub(super) fn block_len(token: &[u8]) -> Option<usize> {
    number::signed32(token)
        .and_then(|length| usize::try_from(length).ok())
        .filter(|&length| length <= BLOCK_LEN_MAX)
}

/// Whether a command has no use for `noreply`: it is nothing but its reply.
fn is_always_answered(command: &[u8]) -> bool {
    matches!(command, b"version" | b"stats")
}

/// Whether the last word is `noreply`. The command itself is one of the words counted.
fn is_quiet(words: Tokens<'_>) -> bool {
    words.take(TOKENS_MAX - 1).last() == Some(b"noreply")
}

/// A web browser is not talked to: what it sends may hold commands.
fn recovery(error: Error, rest: &[u8]) -> Recovery {
    let last = Tokens::of(rest).take(TOKENS_MAX - 1).last();
    if error == Error::Unknown && last.is_some_and(|word| word.starts_with(b"HTTP/")) {
        Recovery::Close
    } else {
        Recovery::Line
    }
}

fn loud(error: Error) -> Refusal {
    Refusal {
        error,
        quiet: false,
        recovery: Recovery::Line,
    }
}
