//! The meta commands: a line into a command, a key and flags.
//!
//! It never says what a flag does. Every command takes every flag and overlooks those it has no
//! use for; a flag that is unknown, repeated or malformed is refused.

use super::base64::{self, DECODED_LEN_MAX};
use super::classic::{block_len, is_key};
use super::number;
use super::reply::Error;
use super::request::{Direction, Recovery, Refusal};
use super::token::Tokens;

/// How many words a line may have, the command and the key included.
const TOKENS_MAX: usize = 20;

/// The longest opaque, without its letter, in bytes.
const OPAQUE_LEN_MAX: usize = 32;

/// The letters that are flags.
const LETTERS: Letters = Letters::of(b"bcfhklqstuvxCDEFIJLMNOPRT");

/// Some letters.
#[derive(Clone, Copy, Debug, Default)]
struct Letters(u64);

impl Letters {
    const fn of(mut all: &[u8]) -> Self {
        let mut letters = Self(0);
        while let [first, rest @ ..] = all {
            letters.0 |= Self::bit(*first);
            all = rest;
        }
        letters
    }

    const fn has(self, letter: u8) -> bool {
        self.0 & Self::bit(letter) != 0
    }

    const fn add(&mut self, letter: u8) {
        self.0 |= Self::bit(letter);
    }

    /// From A on: all letters of ASCII stand within 64 places.
    const fn bit(letter: u8) -> u64 {
        match letter {
            b'A'..=b'z' => 1 << (letter - b'A'),
            _ => 0,
        }
    }
}

/// Which meta command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `mg`
    Get,
    /// `ms`
    Set,
    /// `md`
    Delete,
    /// `ma`
    Arithmetic,
    /// `me`
    Debug,
    /// `mn`
    Noop,
}

/// How `ms` stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `MS`
    #[default]
    Set,
    /// `ME`
    Add,
    /// `MR`
    Replace,
    /// `MA`
    Append,
    /// `MP`
    Prepend,
}

/// One flag: its letter and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag<'a> {
    /// The letter.
    pub letter: u8,
    /// Its argument.
    pub argument: &'a [u8],
}

/// A well-formed meta line.
#[derive(Clone, Debug)]
pub struct Meta<'a> {
    /// The command.
    pub command: Command,
    /// The length of the data block, for `ms`.
    pub length: usize,
    /// The unique to compare with (`C`).
    pub compare: Option<u64>,
    /// The unique to give (`E`).
    pub unique: Option<u64>,
    /// The client's flags (`F`).
    pub client_flags: Option<u32>,
    /// How far a number is to move (`D`).
    pub delta: Option<u64>,
    /// The number to start with (`J`).
    pub initial: Option<u64>,
    /// The exptime of an item made on a miss (`N`).
    pub vivify: Option<i32>,
    /// The seconds left under which a client is to recache (`R`).
    pub recache: Option<i32>,
    /// The exptime (`T`).
    pub exptime: Option<i32>,
    /// How to store (`M` of `ms`).
    pub mode: Mode,
    /// Which way to count (`M` of `ma`).
    pub direction: Direction,
    key: Key<'a>,
    /// The flags, each of which has a letter.
    flags: Tokens<'a>,
    letters: Letters,
}

#[derive(Clone, Debug)]
struct Key<'a> {
    sent: &'a [u8],
    /// Few keys are sent in base64: there is no room for one until one comes.
    decoded: Option<Box<[u8]>>,
}

impl<'a> Meta<'a> {
    /// The key, decoded where it was sent in base64.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.key.decoded.as_deref().unwrap_or(self.key.sent)
    }

    /// Whether the key was sent in base64 (`b`).
    #[must_use]
    pub const fn is_encoded(&self) -> bool {
        self.key.decoded.is_some()
    }

    /// The flags, in the order in which they were sent.
    pub fn flags(&self) -> impl Iterator<Item = Flag<'a>> + use<'a> {
        flags(self.flags)
    }

    /// Whether a flag was sent.
    #[must_use]
    pub fn has(&self, letter: u8) -> bool {
        self.letters.has(letter)
    }

    fn blank(command: Command, key: &'a [u8]) -> Self {
        Self {
            command,
            length: 0,
            compare: None,
            unique: None,
            client_flags: None,
            delta: None,
            initial: None,
            vivify: None,
            recache: None,
            exptime: None,
            mode: Mode::Set,
            direction: Direction::Increment,
            key: Key {
                sent: key,
                decoded: None,
            },
            flags: Tokens::of(b""),
            letters: Letters::default(),
        }
    }

    /// Takes all flags. An unknown or repeated letter is reported before any bad argument; of
    /// these the last, and bad client flags only when nothing else is wrong.
    fn take(&mut self, words: Tokens<'a>) -> Result<(), Error> {
        self.flags = words;
        let mut fault = Ok(());
        for flag in flags(words) {
            self.note(flag.letter)?;
            match (self.read(flag.letter, flag.argument), fault) {
                (Ok(()), _) | (Err(Error::BadLine), Err(_)) => {}
                (found @ Err(_), _) => fault = found,
            }
        }
        fault
    }

    /// Checks what is looked at only when the flags themselves are good. Of `ms` the opaque is
    /// looked at later, when its block is let in.
    fn check(&mut self) -> Result<(), Error> {
        if let Some(mode) = self.argument(b'M') {
            self.read_mode(mode)?;
        }
        if self.command == Command::Set {
            Ok(())
        } else {
            self.check_opaque()
        }
    }

    /// Whether the opaque is short enough to be repeated.
    ///
    /// # Errors
    ///
    /// The reply, where it is not.
    pub fn check_opaque(&self) -> Result<(), Error> {
        let opaque = self.argument(b'O').unwrap_or_default();
        if opaque.len() > OPAQUE_LEN_MAX {
            return Err(Error::OpaqueTooLong);
        }
        Ok(())
    }

    fn argument(&self, letter: u8) -> Option<&'a [u8]> {
        let is_sent = self.has(letter);
        let flag = is_sent.then(|| self.flags().find(|flag| flag.letter == letter));
        flag.flatten().map(|flag| flag.argument)
    }

    /// Notes one more flag.
    fn note(&mut self, letter: u8) -> Result<(), Error> {
        if !LETTERS.has(letter) {
            return Err(Error::InvalidFlag);
        }
        if self.has(letter) {
            return Err(Error::DuplicateFlag);
        }
        self.letters.add(letter);
        Ok(())
    }

    fn read(&mut self, letter: u8, argument: &'a [u8]) -> Result<(), Error> {
        match letter {
            b'C' => self.compare = Some(unsigned(argument, Error::BadToken)?),
            b'E' => {
                // 0 is no unique: it asks for one to be made.
                let unique = unsigned(argument, Error::BadToken)?;
                self.unique = Some(unique).filter(|&unique| unique != 0);
            }
            b'D' => self.delta = Some(unsigned(argument, Error::InvalidMetaDelta)?),
            b'J' => self.initial = Some(unsigned(argument, Error::InvalidInitial)?),
            b'N' => self.vivify = Some(signed(argument)?),
            b'R' => self.recache = Some(signed(argument)?),
            b'T' => self.exptime = Some(signed(argument)?),
            b'F' => {
                let flags = number::unsigned32(argument).ok_or(Error::BadLine)?;
                self.client_flags = Some(flags);
            }
            b'b' => self.decode()?,
            _ => {}
        }
        Ok(())
    }

    /// Takes the key for base64.
    fn decode(&mut self) -> Result<(), Error> {
        let mut decoded = [0; DECODED_LEN_MAX];
        let len = base64::decode(self.key.sent, &mut decoded).ok_or(Error::BadBase64)?;
        self.key.decoded = decoded.get(..len).map(Box::from);
        Ok(())
    }

    /// The mode is its first letter; what `ms` and `ma` mean by it differs.
    fn read_mode(&mut self, argument: &[u8]) -> Result<(), Error> {
        match (self.command, argument.first()) {
            (Command::Set, Some(b'E')) => self.mode = Mode::Add,
            (Command::Set, Some(b'A')) => self.mode = Mode::Append,
            (Command::Set, Some(b'P')) => self.mode = Mode::Prepend,
            (Command::Set, Some(b'R')) => self.mode = Mode::Replace,
            (Command::Set, Some(b'S')) => self.mode = Mode::Set,
            (Command::Set, _) => return Err(Error::InvalidSetMode),
            (Command::Arithmetic, Some(b'I' | b'+')) => self.direction = Direction::Increment,
            (Command::Arithmetic, Some(b'D' | b'-')) => self.direction = Direction::Decrement,
            (Command::Arithmetic, _) => return Err(Error::InvalidArithmeticMode),
            _ => {}
        }
        Ok(())
    }
}

/// Reads a line, if its command is a meta command.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Result<Meta<'_>, Refusal>> {
    let (command, rest) = line.split_first_chunk::<2>()?;
    if !matches!(rest, [] | [b' ', ..]) {
        return None;
    }
    let command = match command {
        b"mg" => Command::Get,
        b"ms" => Command::Set,
        b"md" => Command::Delete,
        b"ma" => Command::Arithmetic,
        b"me" => Command::Debug,
        b"mn" => return Some(Ok(Meta::blank(Command::Noop, b""))),
        _ => return None,
    };
    Some(read(command, Tokens::of(rest)))
}

fn read(command: Command, mut words: Tokens<'_>) -> Result<Meta<'_>, Refusal> {
    let behind_line = |error| refuse(error, Recovery::Line);
    let key = words.next().ok_or(Error::BadLine).map_err(behind_line)?;
    let mut meta = Meta::blank(command, key);
    let mut recovery = Recovery::Line;
    let mut tokens: usize = 2;
    if command == Command::Set {
        let length = words.next().and_then(block_len);
        meta.length = length.ok_or(Error::BadLine).map_err(behind_line)?;
        recovery = Recovery::Block(meta.length);
        tokens = 3;
    }
    let refuse = |error| refuse(error, recovery);
    let mut has_punctuation = false;
    for word in words {
        tokens = tokens.saturating_add(1);
        has_punctuation |= is_punctuation(word);
    }
    if has_punctuation {
        return Err(refuse(Error::BadLine));
    }
    if command == Command::Debug {
        if !is_key(key) || ({ words }.next() == Some(b"b") && meta.decode().is_err()) {
            return Err(refuse(Error::BadLine));
        }
        return Ok(meta);
    }
    let flags = if !is_key(key) {
        Err(Error::BadLine)
    } else if tokens > TOKENS_MAX {
        Err(Error::TooManyFlags)
    } else {
        meta.take(words)
    };
    let flags = flags.map_err(|error| match command {
        Command::Arithmetic => Error::BadArithmeticFlags,
        _ => error,
    });
    flags.and_then(|()| meta.check()).map_err(refuse)?;
    Ok(meta)
}

fn flags(words: Tokens<'_>) -> impl Iterator<Item = Flag<'_>> {
    words.filter_map(|word| {
        let (&letter, argument) = word.split_first()?;
        Some(Flag { letter, argument })
    })
}

/// Whether a word begins with what can be no flag of any server.
fn is_punctuation(word: &[u8]) -> bool {
    let may_be_flag = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'z').contains(byte);
    !word.first().is_some_and(may_be_flag)
}

const fn refuse(error: Error, recovery: Recovery) -> Refusal {
    Refusal {
        error,
        quiet: false,
        recovery,
    }
}

fn unsigned(argument: &[u8], error: Error) -> Result<u64, Error> {
    number::unsigned64(argument).ok_or(error)
}

fn signed(argument: &[u8]) -> Result<i32, Error> {
    number::signed32(argument).ok_or(Error::BadToken)
}
