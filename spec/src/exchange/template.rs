//! Bytes with holes: what a step sends or expects.
//!
//! A template never guesses: a hole matches digits, a line or a bound name, and all else is byte
//! for byte. How templates are written is in `README.md` beside this crate.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What the holes of an exchange stand for so far.
pub type Bindings = BTreeMap<String, Vec<u8>>;

/// Bytes with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

impl core::fmt::Display for Template {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.source)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    /// `{a*1048576}`: these bytes, so many times.
    Repeated(Vec<u8>, usize),
    /// `{number}` or `{number n}`, `{unique u}`: digits, bound to the name where there is one.
    Digits(Option<String>),
    /// `{any}`: whatever stands before the end of the line.
    Any,
    /// `{word}`: whatever stands before a space or the end of the line, a byte at least.
    Word,
    /// `{u}`: what the name was bound to.
    Bound(String),
    /// `{now+100}`: the time, moved by so many seconds.
    Now(i64),
}

/// How much one hole may stand for, so that no file takes memory that nobody meant.
const REPEATED_MAX_BYTES: usize = 4 << 20;

/// A repetition up to this length is kept as the bytes it stands for.
const SPELT_OUT_MAX_BYTES: usize = 1 << 10;

/// How far a template agrees with the bytes received so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It agrees with the first so many bytes; the names it binds are bound.
    Whole(usize),
    /// It agrees so far; more bytes are needed.
    Part,
    /// It disagrees, first at this byte.
    No(usize),
}

impl Template {
    /// Reads a template as it stands behind `>` or `<`.
    ///
    /// # Errors
    /// When an escape or a hole is none that the grammar has.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Parts::default();
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            match next {
                '\\' => parts.literal(&[escape(&mut rest)?]),
                '{' => {
                    let (hole, after) = rest
                        .as_str()
                        .split_once('}')
                        .ok_or("a `{` needs its `}`; `\\{` is a brace")?;
                    parts.hole(hole)?;
                    rest = after.chars();
                }
                '⏎' => parts.end_line(&mut rest),
                plain => parts.literal(plain.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Ok(Template {
            source: text.to_owned(),
            parts: parts.done,
        })
    }

    /// The same template with these bytes behind it.
    #[must_use]
    pub fn followed_by(mut self, bytes: &[u8]) -> Template {
        self.parts.push(Part::Bytes(bytes.to_vec()));
        self
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// When a hole has nothing to be filled with.
    pub fn render(&self, bindings: &Bindings, now: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(literal) => bytes.extend_from_slice(literal),
                Part::Repeated(piece, count) => bytes.extend(piece.repeat(*count)),
                Part::Now(offset) => bytes.extend_from_slice(moved(now, *offset).as_bytes()),
                Part::Bound(name) => bytes.extend_from_slice(
                    bindings
                        .get(name)
                        .ok_or_else(|| format!("nothing bound `{name}` before"))?,
                ),
                Part::Digits(_) | Part::Any | Part::Word => {
                    return Err("only an expectation has holes".into());
                }
            }
        }
        Ok(bytes)
    }

    /// Compares with what was received, from its first byte.
    pub fn compare(&self, received: &[u8], bindings: &mut Bindings, now: u64) -> Match {
        let mut at = 0;
        // What this template binds holds within it at once, and beyond it only once all agrees.
        let mut found = Bindings::new();
        for part in &self.parts {
            let rest = received.get(at..).unwrap_or_default();
            let step = match part {
                Part::Bytes(literal) => literally(rest, literal),
                Part::Repeated(piece, count) => literally(rest, &piece.repeat(*count)),
                Part::Now(offset) => literally(rest, moved(now, *offset).as_bytes()),
                Part::Any => span(rest, |byte| byte != b'\r' && byte != b'\n', 0),
                Part::Word => span(rest, |byte| !b" \r\n".contains(&byte), 1),
                Part::Bound(name) => match found.get(name).or(bindings.get(name)) {
                    Some(bound) => literally(rest, bound),
                    None => Match::No(0),
                },
                Part::Digits(None) => span(rest, |byte| byte.is_ascii_digit(), 1),
                Part::Digits(Some(name)) => match found.get(name).or(bindings.get(name)) {
                    Some(bound) => literally(rest, bound),
                    None => span(rest, |byte| byte.is_ascii_digit(), 1),
                },
            };
            match step {
                Match::Whole(length) => {
                    if let Part::Digits(Some(name)) = part {
                        found.insert(
                            name.clone(),
                            rest.get(..length).unwrap_or_default().to_vec(),
                        );
                    }
                    at += length;
                }
                Match::Part => return Match::Part,
                Match::No(wrong) => return Match::No(at + wrong),
            }
        }
        bindings.extend(found);
        Match::Whole(at)
    }
}

/// The parts read so far.
#[derive(Default)]
struct Parts {
    done: Vec<Part>,
}

impl Parts {
    fn literal(&mut self, bytes: &[u8]) {
        match self.done.last_mut() {
            Some(Part::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.done.push(Part::Bytes(bytes.to_vec())),
        }
    }

    /// `⏎`, with the one space that may stand on each side of it.
    fn end_line(&mut self, rest: &mut core::str::Chars<'_>) {
        if let Some(Part::Bytes(last)) = self.done.last_mut()
            && last.last() == Some(&b' ')
        {
            last.pop();
        }
        if let Some(after) = rest.as_str().strip_prefix(' ') {
            *rest = after.chars();
        }
        self.literal(b"\r\n");
    }

    fn hole(&mut self, hole: &str) -> Result<(), String> {
        if let Some((text, count)) = hole.rsplit_once('*') {
            let count: usize = count
                .parse()
                .map_err(|_| format!("`{{{hole}}}` repeats how often?"))?;
            let template = Template::parse(text)?;
            let [Part::Bytes(bytes)] = template.parts.as_slice() else {
                return Err(format!("`{{{hole}}}` can repeat plain bytes only"));
            };
            if bytes.len().saturating_mul(count) > REPEATED_MAX_BYTES {
                return Err(format!("`{{{hole}}}` is longer than 4 MiB"));
            }
            if bytes.len().saturating_mul(count) <= SPELT_OUT_MAX_BYTES {
                self.literal(&bytes.repeat(count));
            } else {
                self.done.push(Part::Repeated(bytes.clone(), count));
            }
            return Ok(());
        }
        let part = match hole.split_once(' ').unwrap_or((hole, "")) {
            ("number" | "unique", "") => Part::Digits(None),
            ("number" | "unique", name) => Part::Digits(Some(name.to_owned())),
            ("any", "") => Part::Any,
            ("word", "") => Part::Word,
            ("now", "") => Part::Now(0),
            (now, "") if now.starts_with("now") => Part::Now(
                now.trim_start_matches("now")
                    .parse()
                    .map_err(|_| format!("`{{{hole}}}` is not `{{now+N}}` or `{{now-N}}`"))?,
            ),
            (name, "") if !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()) => {
                Part::Bound(name.to_owned())
            }
            _ => return Err(format!("no hole is written `{{{hole}}}`")),
        };
        self.done.push(part);
        Ok(())
    }
}

fn escape(rest: &mut core::str::Chars<'_>) -> Result<u8, String> {
    match rest.next() {
        Some('r') => Ok(b'\r'),
        Some('n') => Ok(b'\n'),
        Some('t') => Ok(b'\t'),
        Some('0') => Ok(0),
        Some(c @ ('\\' | '{' | '}')) => u8::try_from(c).map_err(|_| "no byte".to_owned()),
        Some('x') => {
            let digits: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}` is no byte"))
        }
        other => Err(format!("`\\{}` is no escape", other.unwrap_or(' '))),
    }
}

fn moved(now: u64, offset: i64) -> String {
    now.saturating_add_signed(offset).to_string()
}

fn literally(rest: &[u8], literal: &[u8]) -> Match {
    match literal.iter().zip(rest).position(|(want, got)| want != got) {
        Some(wrong) => Match::No(wrong),
        None if rest.len() < literal.len() => Match::Part,
        None => Match::Whole(literal.len()),
    }
}

/// The longest run of such bytes; where it ends is only known once another byte follows.
fn span(rest: &[u8], belongs: impl Fn(u8) -> bool, least: usize) -> Match {
    match rest.iter().position(|byte| !belongs(*byte)) {
        None => Match::Part,
        Some(length) if length < least => Match::No(length),
        Some(length) => Match::Whole(length),
    }
}
