//! The classic commands: a line into a request.
//!
//! It never reads behind the line. A refusal says how far the stream is to be skipped.

use super::KEY_LEN_MAX;
use super::number;
use super::reply::Error;
use super::request::{
    Arithmetic, Direction, Parsed, Recovery, Refusal, Request, Retrieval, Storage, Verb,
};
use super::scan;
use super::token::Tokens;

/// The longest data block a line may announce, in bytes.
const BLOCK_LEN_MAX: usize = 2_147_483_645;

/// What lines begin with that ask for keys.
const GET: &[u8] = b"get ";

/// What lines begin with that store under one.
const SET: &[u8] = b"set ";

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
        b"cas" => compare_and_swap(words),
        b"incr" => arithmetic(words, Direction::Increment),
        b"decr" => arithmetic(words, Direction::Decrement),
        b"delete" => delete(words),
        b"touch" => touch(words),
        b"flush_all" => flush_all(words),
        b"verbosity" => verbosity(words),
        b"cache_memlimit" => memory_limit(words),
        b"slabs" => Ok(turning(Request::Slabs(words), words)),
        b"lru" => Ok(turning(Request::Lru(words), words)),
        b"lru_crawler" => Ok(turning(Request::Crawler(words), words)),
        b"watch" => Ok(loudly(Request::Watch(words))),
        b"debugtime" => Ok(loudly(Request::Clock(words))),
        b"refresh_certs" => Ok(loudly(Request::RefreshCertificates)),
        b"version" => Ok(loudly(Request::Version)),
        b"stats" => Ok(loudly(Request::Statistics(words))),
        b"shutdown" => Ok(loudly(Request::Shutdown(words))),
        b"quit" => Ok(loudly(Request::Quit)),
        b"" if rest.is_empty() => Err(loud(Error::BadLine)),
        _ => Err(unknown(words)),
    }
}

/// The key of a line that asks for one by `get` and does nothing else, and how long the line is
/// with its end: most lines are such, and looked through but once.
#[must_use]
#[inline]
pub fn lone_get(input: &[u8]) -> Option<(&[u8], usize)> {
    let rest = input.strip_prefix(GET)?;
    let end = scan::position_of_either(rest, b' ', b'\n')?;
    let (key, behind) = rest.split_at_checked(end)?;
    let key = key.strip_suffix(b"\r").unwrap_or(key);
    let is_lone = behind.first() == Some(&b'\n') && !key.is_empty() && is_key(key);
    is_lone.then_some((key, GET.len() + end + 1))
}

/// A `set` whose words are one space apart, whose numbers are short and whose value is all there;
/// the value, and how long both are with their ends. Most are such, and looked through but once.
#[must_use]
#[inline]
pub fn plain_set(input: &[u8]) -> Option<(Storage<'_>, &[u8], usize)> {
    let rest = input.strip_prefix(SET)?;
    let end = scan::position_of_either(rest, b' ', b'\n')?;
    let (key, rest) = rest.split_at_checked(end)?;
    let (flags, rest) = number::short_behind_space(rest)?;
    let (exptime, rest) = number::short_behind_space(rest)?;
    let (length, rest) = number::short_behind_space(rest)?;
    let length = usize::try_from(length).ok()?;
    let (value, rest) = rest.strip_prefix(b"\r\n")?.split_at_checked(length)?;
    let rest = rest.strip_prefix(b"\r\n")?;
    if key.is_empty() || !is_key(key) {
        return None;
    }
    let storage = Storage {
        verb: Verb::Set,
        key,
        flags,
        exptime: exptime.into(),
        unique: 0,
        length,
        is_set: true,
    };
    Some((storage, value, input.len().saturating_sub(rest.len())))
}

fn storage(mut words: Tokens<'_>, verb: Verb) -> Result<Parsed<'_>, Refusal> {
    let [key, flags, exptime, length] = arguments(&mut words).ok_or(loud(Error::BadLine))?;
    let length = block_len(length).ok_or(loud(Error::BadLine))?;
    let quiet = ends_in_noreply(words);
    let fits = is_key(key);
    match (number::flags(flags), number::exptime(exptime)) {
        (Some(flags), Some(exptime)) if fits => Ok(Parsed {
            request: Request::Store(Storage {
                verb,
                key,
                flags,
                exptime: exptime.into(),
                unique: 0,
                length,
                is_set: verb == Verb::Set,
            }),
            quiet,
        }),
        _ => Err(Refusal {
            error: Error::BadLine,
            quiet,
            recovery: Recovery::Block(length),
        }),
    }
}

/// `cas` has one argument more, which stands behind the length.
fn compare_and_swap(words: Tokens<'_>) -> Result<Parsed<'_>, Refusal> {
    let unique = { words }.nth(4);
    let mut parsed = storage(words, Verb::Set).map_err(|refusal| Refusal {
        // Where the unique is missing, `noreply` is taken for it.
        quiet: refusal.quiet && { words }.nth(5).is_some(),
        ..refusal
    })?;
    let Request::Store(storage) = &mut parsed.request else {
        return Ok(parsed);
    };
    parsed.quiet &= { words }.nth(5).is_some();
    match unique.and_then(number::unsigned64) {
        Some(unique) => {
            storage.verb = Verb::Cas(unique);
            storage.is_set = false;
            Ok(parsed)
        }
        None => Err(Refusal {
            error: Error::BadLine,
            quiet: parsed.quiet,
            recovery: Recovery::Block(storage.length),
        }),
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
        retrieval.exptime = Some(exptime.into());
    }
    Ok(parsed)
}

fn retrieval(words: Tokens<'_>, with_uniques: bool) -> Result<Parsed<'_>, Refusal> {
    if words.is_empty() {
        return Err(loud(Error::BadLine));
    }
    Ok(Parsed {
        request: Request::Retrieve(Retrieval {
            keys: words,
            with_uniques,
            exptime: None,
            is_spoiled: has_long_word(words.rest()),
        }),
        quiet: false,
    })
}

/// Whether one of the words is too long to be a key. Most words are not looked at: the last space
/// within a key's length ends all that began before it.
fn has_long_word(mut line: &[u8]) -> bool {
    while let Some((near, _)) = line.split_at_checked(KEY_LEN_MAX + 1) {
        let Some(space) = near.iter().rposition(|&byte| byte == b' ') else {
            return true;
        };
        line = line.get(space + 1..).unwrap_or_default();
    }
    false
}

fn arithmetic(mut words: Tokens<'_>, direction: Direction) -> Result<Parsed<'_>, Refusal> {
    let [key, delta] = arguments(&mut words).ok_or(loud(Error::BadLine))?;
    answer(words, || {
        Ok(Request::Arithmetic(Arithmetic {
            direction,
            key: checked(key)?,
            delta: number::unsigned64(delta).ok_or(Error::InvalidDelta)?,
        }))
    })
}

fn delete(mut words: Tokens<'_>) -> Result<Parsed<'_>, Refusal> {
    let [key] = arguments(&mut words).ok_or(loud(Error::BadLine))?;
    answer(words, || Ok(Request::Delete(checked(key)?)))
}

fn touch(mut words: Tokens<'_>) -> Result<Parsed<'_>, Refusal> {
    let [key, exptime] = arguments(&mut words).ok_or(loud(Error::BadLine))?;
    answer(words, || {
        let key = checked(key)?;
        let exptime = number::signed32(exptime).ok_or(Error::InvalidExptime)?;
        Ok(Request::Touch(key, exptime))
    })
}

fn flush_all(mut words: Tokens<'_>) -> Result<Parsed<'_>, Refusal> {
    // The delay may be left out: a `noreply` that stands alone is no delay.
    let is_bare = { words }.eq([b"noreply"]);
    let delay = match if is_bare { None } else { words.next() } {
        Some(delay) => number::signed32(delay),
        None => Some(0),
    };
    answer(words, || Ok(Request::FlushAll(delay)))
}

fn verbosity(mut words: Tokens<'_>) -> Result<Parsed<'_>, Refusal> {
    // A `noreply` that stands alone is a level that is no number, and still is `noreply`.
    if { words }.eq([b"noreply"]) {
        return Err(Refusal {
            quiet: true,
            ..loud(Error::BadLine)
        });
    }
    let [level] = arguments(&mut words).ok_or(loud(Error::BadLine))?;
    answer(words, || {
        let level = number::unsigned32(level).ok_or(Error::BadLine)?;
        Ok(Request::Verbosity(level))
    })
}

fn memory_limit(mut words: Tokens<'_>) -> Result<Parsed<'_>, Refusal> {
    let [megabytes] = arguments(&mut words).ok_or(loud(Error::Unknown))?;
    answer(words, || {
        let megabytes = number::unsigned32(megabytes).ok_or(Error::Unknown)?;
        Ok(Request::MemoryLimit(megabytes))
    })
}

/// The words that a command must have.
fn arguments<'a, const N: usize>(words: &mut Tokens<'a>) -> Option<[&'a [u8]; N]> {
    let mut arguments = [&b""[..]; N];
    for argument in &mut arguments {
        *argument = words.next()?;
    }
    Some(arguments)
}

/// A request or its refusal; either is kept back when `noreply` stands behind the arguments.
fn answer<'a>(
    behind: Tokens<'a>,
    read: impl FnOnce() -> Result<Request<'a>, Error>,
) -> Result<Parsed<'a>, Refusal> {
    let quiet = ends_in_noreply(behind);
    match read() {
        Ok(request) => Ok(Parsed { request, quiet }),
        Err(error) => Err(Refusal {
            quiet,
            ..loud(error)
        }),
    }
}

/// Whether the last of the words is `noreply`.
fn ends_in_noreply(words: Tokens<'_>) -> bool {
    words.last() == Some(b"noreply")
}

/// Whether a word may be a key.
#[must_use]
pub const fn is_key(word: &[u8]) -> bool {
    word.len() <= KEY_LEN_MAX
}

fn checked(key: &[u8]) -> Result<&[u8], Error> {
    if is_key(key) {
        Ok(key)
    } else {
        Err(Error::BadLine)
    }
}

/// The length of a data block.
pub(super) fn block_len(token: &[u8]) -> Option<usize> {
    number::signed32(token)
        .and_then(|length| usize::try_from(length).ok())
        .filter(|&length| length <= BLOCK_LEN_MAX)
}

/// A request that reads its own words; a `noreply` behind them keeps back every reply.
fn turning<'a>(request: Request<'a>, words: Tokens<'a>) -> Parsed<'a> {
    Parsed {
        request,
        quiet: ends_in_noreply(words),
    }
}

const fn loudly(request: Request<'_>) -> Parsed<'_> {
    Parsed {
        request,
        quiet: false,
    }
}

const fn loud(error: Error) -> Refusal {
    Refusal {
        error,
        quiet: false,
        recovery: Recovery::Line,
    }
}

/// The refusal of a command that there is not, with these words behind it.
///
/// A web browser is not talked to: what it sends may hold commands.
pub fn unknown(words: Tokens<'_>) -> Refusal {
    let is_http = words.last().is_some_and(|word| word.starts_with(b"HTTP/"));
    Refusal {
        recovery: if is_http {
            Recovery::Close
        } else {
            Recovery::Line
        },
        ..loud(Error::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::{Parsed, Request, Tokens, has_long_word, is_key, parse, plain_set};

    /// What is taken for a plain `set` is what its line says when it is taken apart.
    #[test]
    fn a_plain_set_is_the_set_that_its_line_is() {
        let words = |text: &'static str| text.split(',');
        let numbers =
            "0,7,00,12,999999999,1000000000,4294967295,000000007,0000000007,-1,+1,,1x, 3,3 ";
        let lengths = "0,3,03,000000003,000000000003,3 noreply,-3,4,3 x,x,";
        let (short, long) = ("k".repeat(250), "k".repeat(251));
        let keys = words("k,, k,k ,key:0000000000000001,k\n,k\r,\t").chain([&*short, &*long]);
        let mut plain = 0;
        let mut judge = |line: &str, end| {
            let input = format!("{line}{end}abc\r\nget k\r\n");
            if let Some((storage, value, len)) = plain_set(input.as_bytes()) {
                let (request, quiet) = (Request::Store(storage), false);
                let parsed = Ok(Parsed { request, quiet });
                assert_eq!(parse(line.as_bytes()), parsed, "{line}");
                assert_eq!((value, &input[len..]), (&b"abc"[..], "get k\r\n"));
                plain += 1;
            }
        };
        for key in keys {
            for flags in words(numbers) {
                for exptime in words(numbers) {
                    for length in words(lengths) {
                        let line = format!("set {key} {flags} {exptime} {length}");
                        for end in ["\r\n", "\n", " \r\n"] {
                            judge(&line, end);
                        }
                    }
                }
            }
        }
        // Five keys, six numbers twice, three lengths.
        assert_eq!(plain, 5 * 6 * 6 * 3);
    }

    #[test]
    fn what_is_no_plain_set_is_left_to_be_taken_apart() {
        for input in [
            "set k 0 0 3\r\nabc\r",
            "set k 0 0 3\r\nabcd\r\n",
            "set k 0 0 3\r\nab\r\n\r\n",
            "set k 0 0 999999999\r\nabc\r\n",
            "sets k 0 0 3\r\nabc\r\n",
            "set k 0 0 3",
            "set k",
            "set ",
        ] {
            assert_eq!(plain_set(input.as_bytes()), None, "{input}");
        }
    }

    #[test]
    fn a_word_is_too_long_wherever_it_stands() {
        for before in [0, 1, 2, 100, 249, 250, 251, 600] {
            for len in [1, 249, 250, 251, 252, 700] {
                for behind in [0, 1, 249, 250, 251] {
                    let spaces = [vec![b' '; before], vec![b' '; behind]];
                    let words = [b" k ".repeat(before), b" k".repeat(behind)];
                    for [before, behind] in [spaces, words] {
                        let line = [before, vec![b'w'; len], behind].concat();
                        let is_long = Tokens::of(&line).any(|word| !is_key(word));
                        assert_eq!(has_long_word(&line), is_long, "{}", line.len());
                    }
                }
            }
        }
    }
}
