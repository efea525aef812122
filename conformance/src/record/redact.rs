//! Takes keys and values out of a recording: what is secret in it is replaced by a hash of it.
//!
//! The same bytes become the same letters, of the same length, throughout one recording. The key of
//! the hash is drawn anew for each and kept nowhere, so nobody can look for a known secret by
//! hashing it. What is not understood is taken for a secret. Commands, numbers and flags stay.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::requests::Request;

/// Replaces keys and values, alike throughout one recording.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    hash: RandomState,
}

/// Keys so short are replaced one to one.
const SHORT_KEY_BYTES: usize = 8;
/// Words behind a command that are the protocol's own, and name nothing.
const WORDS: [&[u8]; 17] = [
    b"noreply",
    b"items",
    b"slabs",
    b"sizes",
    b"settings",
    b"conns",
    b"reset",
    b"detail",
    b"on",
    b"off",
    b"dump",
    b"cachedump",
    b"now",
    b"enable",
    b"disable",
    b"all",
    b"automove",
];
/// Commands whose words are read as what they are.
const COMMANDS: [&[u8]; 21] = [
    b"get",
    b"gets",
    b"gat",
    b"gats",
    b"set",
    b"add",
    b"replace",
    b"append",
    b"prepend",
    b"cas",
    b"delete",
    b"incr",
    b"decr",
    b"touch",
    b"flush_all",
    b"stats",
    b"version",
    b"verbosity",
    b"quit",
    b"mn",
    b"shutdown",
];
/// What a reply may begin with, and be nothing but words of the protocol.
const REPLIES: [&[u8]; 19] = [
    b"STORED",
    b"NOT_STORED",
    b"EXISTS",
    b"NOT_FOUND",
    b"DELETED",
    b"TOUCHED",
    b"OK",
    b"RESET",
    b"END",
    b"ERROR",
    b"CLIENT_ERROR",
    b"SERVER_ERROR",
    b"VERSION",
    b"STAT",
    b"MN",
    b"EN",
    b"NS",
    b"EX",
    b"NF",
];

impl Redactor {
    /// As many letters as there are bytes, the same for the same bytes.
    #[must_use]
    pub fn value(&self, bytes: &[u8]) -> Vec<u8> {
        let blocks = bytes.len().div_ceil(8);
        let letters =
            (0..blocks).flat_map(|block| self.hash.hash_one((block, bytes)).to_le_bytes());
        letters
            .take(bytes.len())
            .map(|byte| b'a' + byte % 26)
            .collect()
    }

    /// Bytes that are not understood: every line of them as a value.
    #[must_use]
    pub fn lines(&self, bytes: &[u8]) -> Vec<u8> {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let redacted = lines.map(|line| {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let end = line.get(text.len()..).unwrap_or_default();
            [&self.value(text), end].concat()
        });
        redacted.collect::<Vec<_>>().concat()
    }

    /// A key: as a value, but where it is so short that two might become the same, another
    /// alphabet stands behind each of its beginnings.
    fn key(&self, key: &[u8]) -> Vec<u8> {
        if key.len() > SHORT_KEY_BYTES {
            return self.value(key);
        }
        let (mut before, mut letters) = ([].as_slice(), Vec::new());
        for (end, letter) in (1..).zip(key) {
            let alphabet = match letter {
                b'!'..=b'~' => b'!'..=b'~',
                0x80.. => 0x80..=0xff,
                _ => *letter..=*letter,
            };
            let mut shuffled: Vec<u8> = alphabet.clone().collect();
            shuffled.sort_by_key(|other| self.hash.hash_one((before, other)));
            let place = usize::from(letter - alphabet.start());
            letters.extend(shuffled.get(place));
            before = key.get(..end).unwrap_or_default();
        }
        letters
    }

    /// The request without its secrets.
    #[must_use]
    pub fn request(&self, request: &Request) -> Request {
        let meta = matches!(request.command(), b"mg" | b"ms" | b"md" | b"ma" | b"me");
        let known = meta || COMMANDS.contains(&request.command());
        if request.swallowed || !known || !request.line().ends_with(b"\r\n") {
            return Request::new(self.lines(&request.bytes));
        }
        let keys = match request.command() {
            b"get" | b"gets" => 1..usize::MAX,
            b"gat" | b"gats" => 2..usize::MAX,
            b"flush_all" | b"stats" | b"version" | b"verbosity" | b"quit" | b"mn" => 0..0,
            _ => 1..2,
        };
        let words = request.words();
        let words = words.iter().enumerate().map(|(index, word)| match index {
            0 => word.to_vec(),
            _ if keys.contains(&index) => self.key(word),
            _ if meta => self.flag(word),
            _ => self.word(word),
        });
        let line = words.collect::<Vec<_>>().join(&b' ');
        let block = request.block();
        let data = block.strip_suffix(b"\r\n").unwrap_or(block);
        let end: &[u8] = if block.is_empty() { b"" } else { b"\r\n" };
        Request::new([&line, b"\r\n".as_slice(), &self.value(data), end].concat())
    }

    /// One line of a reply, with its data block, without its secrets.
    #[must_use]
    pub fn reply(&self, reply: &[u8]) -> Vec<u8> {
        let end = reply.iter().position(|byte| *byte == b'\n');
        let end = end.map_or(reply.len(), |end| end.saturating_add(1));
        let (line, block) = reply.split_at_checked(end).unwrap_or((reply, &[]));
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return self.lines(reply);
        };
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let first = words.first().copied().unwrap_or_default();
        let shown = words.iter().enumerate().map(|(index, word)| match first {
            _ if index == 0 => self.first(word),
            b"VALUE" | b"ME" if index == 1 => self.key(word),
            b"HD" | b"VA" | b"ME" => self.flag(word),
            b"VALUE" => self.word(word),
            _ if REPLIES.contains(&first) => word.to_vec(),
            _ => self.value(word),
        });
        let line = shown.collect::<Vec<_>>().join(&b' ');
        let data = block.strip_suffix(b"\r\n").unwrap_or(block);
        let end: &[u8] = if block.is_empty() { b"" } else { b"\r\n" };
        [&line, b"\r\n".as_slice(), &self.value(data), end].concat()
    }

    fn first(&self, word: &[u8]) -> Vec<u8> {
        let own: [&[u8]; 6] = [b"VALUE", b"VA", b"HD", b"ME", b"ITEM", b"PREFIX"];
        if own.contains(&word) || REPLIES.contains(&word) || is_number(word) {
            word.to_vec()
        } else {
            self.value(word)
        }
    }

    /// A flag of a meta command: a letter, and behind it a number, or something secret.
    fn flag(&self, flag: &[u8]) -> Vec<u8> {
        let field = ["exp=", "la=", "cas=", "fetch=", "cls=", "size="];
        if field.iter().any(|name| flag.starts_with(name.as_bytes())) {
            return flag.to_vec();
        }
        match flag {
            [b'k', key @ ..] => [b"k", self.key(key).as_slice()].concat(),
            [b'M', ..] => flag.to_vec(),
            [letter, behind @ ..] if !is_number(behind) && !behind.is_empty() => {
                [&[*letter], self.value(behind).as_slice()].concat()
            }
            _ => flag.to_vec(),
        }
    }

    fn word(&self, word: &[u8]) -> Vec<u8> {
        if is_number(word) || WORDS.contains(&word) {
            word.to_vec()
        } else {
            self.value(word)
        }
    }
}

fn is_number(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}
