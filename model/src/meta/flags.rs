//! The flags that all meta commands share: how they are read, refused and echoed.
//! Law: `spec/meta/flags.md`.
//!
//! It never touches an item: what a flag does to one is in the file of the command. Those read
//! their line with [`Flags::parse`], ask [`Flags::opaque_fault`], walk [`Flags::iter`] in order or
//! pick with [`Flags::has`] and its like, and end with [`Flags::explain`].

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use super::base64;
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::{keys, numbers};

/// The key of a meta command, and its flags in the order they were sent, each letter once.
#[derive(Clone, Debug)]
pub(crate) struct Flags {
    /// The key itself: decoded, where it came in base64.
    pub(crate) key: Vec<u8>,
    /// The key came in base64: flag `b`.
    pub(crate) base64: bool,
    flags: Vec<Flag>,
    because: Vec<Rule>,
}

/// One flag: a letter and what stands behind it.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    pub(crate) letter: u8,
    argument: Argument,
}

/// What stands behind the letter of a flag.
#[derive(Clone, Debug)]
enum Argument {
    /// Whatever it is; most flags ignore it.
    Text(Vec<u8>),
    /// `C`, `E`, `D`, `J` and `F`.
    Number(u64),
    /// `N`, `R` and `T`: an exptime.
    Seconds(i32),
}

/// The most flags that a line may have; a `ms` counts its length among them.
const FLAGS_MAX: usize = 18;

/// The longest opaque.
const OPAQUE_MAX_BYTES: usize = 32;

type Rule = &'static Requirement;

impl Flags {
    /// Reads the key, and the flags from the `first` token on: 2 for most, 3 for `ms`. A fault is
    /// ruled here, whatever the command would have done.
    pub(crate) fn parse(line: &Line, first: usize, dialect: &Dialect) -> Result<Flags, Ruling> {
        let Some(key) = line.argument(1) else {
            return Err(missing_key(dialect));
        };
        let tokens = line.arguments_from(first);
        if tokens.iter().any(|token| is_punctuation(token)) {
            return Err(MALFORMED.because(req!("meta.flags.punctuation")));
        }
        keys::check(key, line).map_err(|rule| MALFORMED.because(rule))?;
        if line.arguments_from(2).len() > FLAGS_MAX {
            return Err(refuse(
                "options flags are too long",
                req!("meta.flags.too-many"),
            ));
        }
        let mut flags = Flags {
            key: key.to_vec(),
            base64: false,
            flags: Flags::read(tokens, line, dialect)?,
            because: Vec::new(),
        };
        if flags.has(b'b') {
            let decoded = base64::decode(key, dialect)
                .ok_or_else(|| refuse("error decoding key", req!("meta.flags.base64.malformed")))?;
            flags.base64 = true;
            flags.key = decoded.bytes;
            flags.because = decoded.because;
        }
        Ok(flags)
    }

    /// Adds how the line was read to the reasons of its ruling. Every command ends so.
    pub(crate) fn explain(&self, mut ruling: Ruling) -> Ruling {
        ruling.because.extend(&self.because);
        ruling
    }

    /// Reads the flags from left to right. The last bad argument is the one that is reported, but a
    /// flag that is unknown or repeated ends the search.
    fn read(tokens: &[&[u8]], line: &Line, dialect: &Dialect) -> Result<Vec<Flag>, Ruling> {
        let mut flags: Vec<Flag> = Vec::new();
        let mut fault = None;
        for token in tokens {
            let Some((letter, text)) = token.split_first() else {
                continue;
            };
            if flags.iter().any(|flag| flag.letter == *letter) {
                return Err(refuse("duplicate flag", req!("meta.flags.duplicate")));
            }
            if !b"bcfhklqstuvxCDEFIJLMNOPRT".contains(letter) {
                return Err(refuse("invalid flag", req!("meta.flags.unknown")));
            }
            let argument = Argument::read(*letter, text, line, dialect).unwrap_or_else(|found| {
                fault = Some(found);
                Argument::Text(vec![])
            });
            flags.push(Flag {
                letter: *letter,
                argument,
            });
        }
        match fault {
            Some(fault) => Err(fault),
            None => Ok(flags),
        }
    }

    /// Refuses an opaque that is too long. Who has nothing to do before asks at once.
    pub(crate) fn opaque_fault(&self) -> Option<Ruling> {
        let too_long = self.text(b'O')?.len() > OPAQUE_MAX_BYTES;
        too_long.then(|| refuse("opaque token too long", req!("meta.flags.opaque.over")))
    }

    /// The flags, in the order they were sent.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter()
    }

    /// Whether the flag was sent.
    pub(crate) fn has(&self, letter: u8) -> bool {
        self.find(letter).is_some()
    }

    /// The number behind `C`, `E`, `D`, `J` or `F`, where it was sent.
    pub(crate) fn number(&self, letter: u8) -> Option<u64> {
        match self.find(letter)?.argument {
            Argument::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The exptime behind `N`, `R` or `T`, where it was sent.
    pub(crate) fn exptime(&self, letter: u8) -> Option<i64> {
        self.find(letter)?.exptime()
    }

    /// The text behind any other flag, where it was sent.
    pub(crate) fn text(&self, letter: u8) -> Option<&[u8]> {
        self.find(letter)?.text()
    }

    /// What every reply echoes where there is no item to speak of: `O` and `k`, in their order.
    pub(crate) fn echoes(&self) -> Vec<Vec<u8>> {
        let mut fields = Vec::new();
        for flag in self.iter() {
            match flag.letter {
                b'O' => fields.push(flag.echo()),
                b'k' => fields.extend(key_fields(&self.key, self.base64)),
                _ => {}
            }
        }
        fields
    }

    fn find(&self, letter: u8) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.letter == letter)
    }
}

impl Flag {
    /// The exptime behind `N`, `R` or `T`.
    pub(crate) fn exptime(&self) -> Option<i64> {
        match self.argument {
            Argument::Seconds(seconds) => Some(i64::from(seconds)),
            _ => None,
        }
    }

    /// The flag as it was sent, for `O`.
    pub(crate) fn echo(&self) -> Vec<u8> {
        field(self.letter, self.text().unwrap_or_default())
    }

    fn text(&self) -> Option<&[u8]> {
        match &self.argument {
            Argument::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Argument {
    /// Reads what this letter wants behind it.
    fn read(letter: u8, text: &[u8], line: &Line, dialect: &Dialect) -> Result<Argument, Ruling> {
        let number = || numbers::unsigned64(text, line, dialect).map(Argument::Number);
        match letter {
            b'N' | b'R' | b'T' => numbers::signed32(text, line, dialect)
                .map(Argument::Seconds)
                .ok_or_else(bad),
            b'C' | b'E' => number().ok_or_else(bad),
            b'D' => number().ok_or_else(|| {
                refuse(
                    "invalid numeric delta value",
                    req!("meta.flags.number.delta"),
                )
            }),
            b'J' => number().ok_or_else(|| {
                refuse(
                    "invalid numeric initial value",
                    req!("meta.flags.number.initial"),
                )
            }),
            b'F' => numbers::unsigned32(text, line, dialect)
                .map(|flags| Argument::Number(flags.into()))
                .ok_or_else(|| MALFORMED.because(req!("meta.flags.number.client-flags"))),
            _ => Ok(Argument::Text(text.to_vec())),
        }
    }
}

/// One field of a reply: its letter and its text.
pub(crate) fn field(letter: u8, text: &[u8]) -> Vec<u8> {
    let mut field = vec![letter];
    field.extend_from_slice(text);
    field
}

/// What `k` echoes: the key, or its base64 and the field that says so.
pub(crate) fn key_fields(key: &[u8], base64: bool) -> Vec<Vec<u8>> {
    if base64 {
        vec![field(b'k', &base64::encode(key)), b"b".to_vec()]
    } else {
        vec![field(b'k', key)]
    }
}

fn missing_key(_dialect: &Dialect) -> Ruling {
    MALFORMED.because(req!("meta.flags.key.missing"))
}

/// Neither a letter nor a digit, nor one of the signs between `Z` and `a`.
fn is_punctuation(token: &[u8]) -> bool {
    let first = token.first().copied().unwrap_or_default();
    !matches!(first, b'0'..=b'9' | b'A'..=b'z')
}

fn bad() -> Ruling {
    refuse(
        "bad token in command line format",
        req!("meta.flags.number.bad"),
    )
}

fn refuse(text: &'static str, rule: Rule) -> Ruling {
    Reply::ClientError(Cow::Borrowed(text)).because(rule)
}
