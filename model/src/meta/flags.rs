//! The flags that all meta commands share: how they are read and refused.
//! Law: `spec/meta/flags.md`.
//!
//! It never touches an item: what a flag does to one is in the file of the command. Those read
//! their line with [`Flags::parse`], ask [`Flags::opaque_fault`], and then walk [`Flags::iter`] in
//! order, or pick with [`Flags::has`], [`Flags::number`], [`Flags::exptime`] and [`Flags::mode`].
//! Replies are built with [`Fields`], mostly from [`Flags::echoes`].

use alloc::borrow::Cow;
use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use super::base64;
use super::fields::Fields;
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::{keys, numbers};

/// The key of a meta command, and its flags in the order they were sent, each letter once.
#[derive(Clone, Debug)]
pub(crate) struct Flags {
    /// The key itself: decoded, where it came in base64.
    pub(crate) key: Vec<u8>,
    flags: Vec<Flag>,
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
    /// `O` and `M`, and whatever is ignored.
    Text(Vec<u8>),
    /// `C`, `E`, `D`, `J` and `F`.
    Number(u64),
    /// `N`, `R` and `T`.
    Exptime(i32),
    /// `b`: what the key stands for.
    Key(Vec<u8>),
}

/// The letters that some meta command knows.
const LETTERS: &[u8] = b"bcfhklqstuvxCDEFIJLMNOPRT";

/// The longest opaque, without its letter.
const OPAQUE_MAX_BYTES: usize = 32;

impl Flags {
    /// Reads the key, and the flags from the `first` token on: 2 for most commands, 3 for `ms`.
    /// What is wrong with the line is ruled here, whatever the command would have done.
    pub(crate) fn parse(line: &Line, first: usize, dialect: &Dialect) -> Result<Flags, Ruling> {
        let Some(key) = line.argument(1) else {
            return Err(missing_key(dialect));
        };
        let tokens = line.arguments_from(first);
        let quiet = tokens.iter().any(|token| token.starts_with(b"q"));
        let reading = Reading { line, key, dialect };
        let flags = reading
            .flags(tokens)
            .map_err(|fault| fault.also(quiet.then_some(req!("meta.flags.faults.quiet"))))?;
        let decoded = flags.iter().find_map(|flag| match &flag.argument {
            Argument::Key(key) => Some(key.clone()),
            _ => None,
        });
        Ok(Flags {
            key: decoded.unwrap_or_else(|| key.to_vec()),
            flags,
        })
    }

    /// Refuses an opaque that is too long. A command asks before it does anything; only with the
    /// deviation `meta.flags.faults.change-nothing.late-opaque` some ask too late.
    pub(crate) fn opaque_fault(&self, dialect: &Dialect) -> Option<Ruling> {
        let length = self.find(b'O')?.text().len();
        let rule = if length > OPAQUE_MAX_BYTES {
            req!("meta.flags.opaque.over")
        } else {
            let shorter = req!("meta.flags.opaque.length.with-letter");
            Some(shorter).filter(|shorter| length == OPAQUE_MAX_BYTES && dialect.has(shorter))?
        };
        let quiet = self.has(b'q').then_some(req!("meta.flags.faults.quiet"));
        Some(refuse("opaque token too long", rule).also(quiet))
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
        match self.find(letter)?.argument {
            Argument::Exptime(seconds) => Some(seconds.into()),
            _ => None,
        }
    }

    /// The text behind `M`, where it was sent; its first letter is the mode.
    pub(crate) fn mode(&self) -> Option<&[u8]> {
        self.find(b'M').map(Flag::text)
    }

    /// What a reply returns where there is no item to speak of: `O` and `k`, in their order.
    pub(crate) fn echoes(&self) -> Fields {
        let mut fields = Fields::default();
        for flag in self.iter() {
            match flag.letter {
                b'O' => fields.add_opaque(flag),
                b'k' => fields.add_key(&self.key, self.has(b'b')),
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
    /// The text behind `O` or `M`; no other flag has one that matters.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.argument {
            Argument::Text(text) => text,
            _ => b"",
        }
    }
}

/// A line whose flags are being read.
struct Reading<'a> {
    line: &'a Line<'a>,
    key: &'a [u8],
    dialect: &'a Dialect,
}

impl Reading<'_> {
    /// The flags, from left to right. The last of several bad arguments is reported, but a flag
    /// that is unknown or repeated ends the search.
    fn flags(&self, tokens: &[&[u8]]) -> Result<Vec<Flag>, Ruling> {
        refuse_punctuation(tokens, self.dialect)?;
        keys::check(self.key, self.line).map_err(|rule| {
            MALFORMED
                .because(rule)
                .also(req!("meta.flags.base64.length"))
        })?;
        refuse_too_many(self.line, self.dialect)?;
        let mut flags: Vec<Flag> = Vec::new();
        let mut fault = None;
        for token in tokens {
            let letter = token.first().copied().unwrap_or_default();
            self.known(letter, &flags).map_err(|refusal| match fault {
                None => refusal,
                Some(_) => refusal.also(req!("meta.flags.faults.letter")),
            })?;
            let text = token.get(1..).unwrap_or_default();
            let argument = self.argument(letter, text).unwrap_or_else(|found| {
                // meta.flags.faults.last: only bad client flags do not displace what was found.
                if letter != b'F' || fault.is_none() {
                    fault = Some(found.also(req!("meta.flags.faults.last")));
                }
                Argument::Text(Vec::new())
            });
            flags.push(Flag { letter, argument });
        }
        fault.map_or(Ok(flags), Err)
    }

    /// What this letter wants behind it.
    fn argument(&self, letter: u8, text: &[u8]) -> Result<Argument, Ruling> {
        let Reading { line, dialect, .. } = *self;
        let number = || numbers::unsigned64(text, line, dialect).map(Argument::Number);
        match letter {
            b'b' => return self.decoded(),
            b'N' | b'R' | b'T' => numbers::signed32(text, line, dialect).map(Argument::Exptime),
            b'F' => {
                numbers::unsigned32(text, line, dialect).map(|flags| Argument::Number(flags.into()))
            }
            b'C' | b'D' | b'E' | b'J' => number(),
            b'M' => return self.mode(text),
            b'O' => Some(Argument::Text(text.to_vec())),
            b'P' | b'L' => {
                line.note(req!("meta.flags.hints"));
                Some(Argument::Text(Vec::new()))
            }
            _ => {
                line.note_if(!text.is_empty(), req!("meta.flags.argument.ignored"));
                Some(Argument::Text(Vec::new()))
            }
        }
        .ok_or_else(|| match letter {
            b'F' => MALFORMED.because(req!("meta.flags.number.client-flags")),
            b'D' => refuse(
                "invalid numeric delta value",
                req!("meta.flags.number.delta"),
            ),
            b'J' => refuse(
                "invalid numeric initial value",
                req!("meta.flags.number.initial"),
            ),
            _ => refuse(
                "bad token in command line format",
                req!("meta.flags.number.bad"),
            ),
        })
    }

    fn decoded(&self) -> Result<Argument, Ruling> {
        base64::decode(self.key, self.line, self.dialect)
            .map(Argument::Key)
            .ok_or_else(|| refuse("error decoding key", req!("meta.flags.base64.malformed")))
    }

    fn mode(&self, text: &[u8]) -> Result<Argument, Ruling> {
        let one_letter = req!("meta.flags.mode.one-letter");
        if text.len() != 1 {
            if self.dialect.has(one_letter) {
                return Err(refuse("incorrect length for M token", one_letter));
            }
            self.line.note(req!("meta.flags.mode.first-letter"));
        }
        self.line.note(req!("meta.flags.mode"));
        Ok(Argument::Text(text.to_vec()))
    }

    /// Refuses a letter that is repeated or unknown.
    fn known(&self, letter: u8, before: &[Flag]) -> Result<(), Ruling> {
        let fewer = req!("meta.flags.letters.fewer");
        if before.iter().any(|flag| flag.letter == letter) {
            Err(refuse("duplicate flag", req!("meta.flags.duplicate")))
        } else if b"Ex".contains(&letter) && self.dialect.has(fewer) {
            Err(refuse("invalid flag", fewer))
        } else if LETTERS.contains(&letter) {
            Ok(())
        } else if is_punctuation(letter) {
            let text = if letter < 127 {
                "invalid flag"
            } else {
                "duplicate flag"
            };
            Err(refuse(text, req!("meta.flags.punctuation.as-letter"))
                .also(req!("meta.flags.punctuation")))
        } else {
            Err(refuse("invalid flag", req!("meta.flags.unknown")))
        }
    }
}

fn missing_key(dialect: &Dialect) -> Ruling {
    let bare = req!("meta.flags.key.missing.error");
    if dialect.has(bare) {
        Reply::Error.because(bare)
    } else {
        MALFORMED.because(req!("meta.flags.key.missing.client-error"))
    }
    .also(req!("meta.flags.key.missing"))
}

/// Refuses a flag that is neither a letter nor a digit, nor one of the signs between `Z` and `a`.
pub(crate) fn refuse_punctuation(tokens: &[&[u8]], dialect: &Dialect) -> Result<(), Ruling> {
    let malformed = req!("meta.flags.punctuation.malformed");
    let mut first = tokens.iter().filter_map(|token| token.first());
    if dialect.has(malformed) && first.any(|first| is_punctuation(*first)) {
        Err(MALFORMED
            .because(malformed)
            .also(req!("meta.flags.punctuation")))
    } else {
        Ok(())
    }
}

fn is_punctuation(first: u8) -> bool {
    !matches!(first, b'0'..=b'9' | b'A'..=b'z')
}

fn refuse_too_many(line: &Line, dialect: &Dialect) -> Result<(), Ruling> {
    let seventeen = req!("meta.flags.too-many.seventeen");
    let (most, rule) = if dialect.has(seventeen) {
        (17, seventeen)
    } else {
        (18, req!("meta.flags.too-many.eighteen"))
    };
    if line.arguments_from(2).len() <= most {
        return Ok(());
    }
    let text = if dialect.has(seventeen) && line.command() != b"mg" {
        "options flags too long"
    } else {
        "options flags are too long"
    };
    Err(refuse(text, rule).also(req!("meta.flags.too-many")))
}

fn refuse(text: &'static str, rule: &'static Requirement) -> Ruling {
    Reply::ClientError(Cow::Borrowed(text)).because(rule)
}
