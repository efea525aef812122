//! Ways to spoil a reply, and the dice that choose among them. Whether a server may say what comes
//! of it is for others.

use std::ops::Range;

use super::dice;

/// Every frame begins with so many bytes.
pub(crate) const HEADER_BYTES: usize = 24;

/// A way to spoil a reply, by name; nothing where there is nothing to spoil.
pub(crate) type Operator = (&'static str, Spoil);
pub(crate) type Spoil = fn(&[u8], &mut Dice) -> Option<Vec<u8>>;

pub(crate) const OPERATORS: [Operator; 20] = [
    ("a byte is another", |reply, dice| {
        let at = dice.below(reply.len())?;
        Some(edited(reply, at..at + 1, &[dice.byte()]))
    }),
    ("a bit is flipped", |reply, dice| {
        let at = dice.below(reply.len())?;
        let bit = 1 << dice.below(8)?;
        Some(edited(reply, at..at + 1, &[reply[at] ^ bit]))
    }),
    ("a digit is another", |reply, dice| {
        let at = dice.one_of(&places(reply, |byte| byte.is_ascii_digit()))?;
        let digit = b"0123456789"[dice.below(10)?];
        Some(edited(reply, at..at + 1, &[digit]))
    }),
    ("a byte is missing", |reply, dice| {
        let at = dice.below(reply.len())?;
        Some(edited(reply, at..at + 1, b""))
    }),
    ("a byte is doubled", |reply, dice| {
        let at = dice.below(reply.len())?;
        Some(edited(reply, at..at, &[reply[at]]))
    }),
    ("a number has a zero before it", |reply, dice| {
        let at = dice.one_of(&places(reply, |byte| byte.is_ascii_digit()))?;
        Some(edited(reply, at..at, b"0"))
    }),
    ("a word is missing", |reply, dice| {
        let mut words = words(reply);
        let at = dice.below(words.len())?;
        words.remove(at);
        Some(words.join(&b' '))
    }),
    ("two words are swapped", |reply, dice| {
        let mut words = words(reply);
        let (one, other) = (dice.below(words.len())?, dice.below(words.len())?);
        words.swap(one, other);
        Some(words.join(&b' '))
    }),
    ("a word is doubled", |reply, dice| {
        let mut words = words(reply);
        let at = dice.below(words.len())?;
        words.insert(at, words[at].clone());
        Some(words.join(&b' '))
    }),
    ("a unique is another", |reply, dice| {
        let mut words = words(reply);
        let named = |word: &Vec<u8>| word.starts_with(b"c") || word.len() > 3;
        let at = dice.one_of(
            &(0..words.len())
                .filter(|at| named(&words[*at]))
                .collect::<Vec<_>>(),
        )?;
        let digits = words[at].iter().position(u8::is_ascii_digit)?;
        let old = words[at].iter().skip(digits).copied();
        let old: Vec<u8> = old.take_while(u8::is_ascii_digit).collect();
        let number = dice.near(std::str::from_utf8(&old).ok()?.parse().ok()?);
        let rest = words[at]
            .iter()
            .skip(digits)
            .skip_while(|byte| byte.is_ascii_digit());
        let rest: Vec<u8> = rest.copied().collect();
        words[at].truncate(digits);
        words[at].extend(number.to_string().into_bytes());
        words[at].extend(rest);
        Some(words.join(&b' '))
    }),
    ("the value is a neighbour's", |reply, dice| {
        let line_end = reply.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let block = reply.get(line_end..)?;
        let length = block.windows(2).position(|pair| pair == b"\r\n")?;
        let letter = b"xyz5"[dice.below(4)?];
        Some(edited(
            reply,
            line_end..line_end + length,
            &vec![letter; length],
        ))
    }),
    ("there is no reply", |_, _| Some(Vec::new())),
    ("the reply comes twice", |reply, _| {
        Some([reply, reply].concat())
    }),
    ("it is another reply", |_, dice| {
        let replies = [
            "HD",
            "EN",
            "NF",
            "NS",
            "EX",
            "STORED",
            "NOT_STORED",
            "EXISTS",
            "NOT_FOUND",
            "DELETED",
            "TOUCHED",
            "OK",
            "ERROR",
            "END",
            "0",
            "1",
            "MN",
            "CLIENT_ERROR bad",
            "SERVER_ERROR out of memory",
            "VA 0",
            "HD W",
            "HD Z",
            "HD X",
        ];
        Some([dice.one_of(&replies)?.as_bytes(), b"\r\n"].concat())
    }),
    ("the line ends in LF alone", |reply, _| {
        let at = reply.windows(2).position(|pair| pair == b"\r\n")?;
        Some(edited(reply, at..at + 1, b""))
    }),
    ("it breaks off", |reply, dice| {
        Some(reply[..dice.below(reply.len())?].to_vec())
    }),
    ("an error comes before it", |reply, _| {
        Some([b"ERROR\r\n", reply].concat())
    }),
    ("a blank stands before its line end", |reply, _| {
        let at = reply.windows(2).position(|pair| pair == b"\r\n")?;
        Some(edited(reply, at..at, b" "))
    }),
    ("a field of a frame is another", |reply, dice| {
        // The opcode, the lengths, the status, the opaque.
        let fields = [1..2, 2..4, 4..5, 5..6, 6..8, 8..12, 12..16];
        let at = dice.below(frames(reply)?.len())?;
        let begin = frames(reply)?.get(at)?.start;
        let field = fields[dice.below(fields.len())?].clone();
        let mut other = vec![0; field.len()];
        *other.last_mut()? = dice.byte() % 10;
        Some(edited(
            reply,
            begin + field.start..begin + field.end,
            &other,
        ))
    }),
    ("a unique of a frame is another", |reply, dice| {
        let at = dice.below(frames(reply)?.len())?;
        let begin = frames(reply)?.get(at)?.start;
        let old = u64::from_be_bytes(reply[begin + 16..begin + 24].try_into().ok()?);
        let unique = dice.near(old).to_be_bytes();
        Some(edited(reply, begin + 16..begin + 24, &unique))
    }),
];

/// Where each frame of a reply lies; nothing where it is no row of whole frames.
pub(crate) fn frames(reply: &[u8]) -> Option<Vec<Range<usize>>> {
    let (mut all, mut begin) = (Vec::new(), 0);
    while begin < reply.len() {
        let header = reply.get(begin..begin + HEADER_BYTES)?;
        let body = u32::from_be_bytes(header[8..12].try_into().ok()?);
        let end = begin + HEADER_BYTES + usize::try_from(body).ok()?;
        if header[0] != 0x81 || end > reply.len() {
            return None;
        }
        all.push(begin..end);
        begin = end;
    }
    Some(all)
}

fn words(reply: &[u8]) -> Vec<Vec<u8>> {
    reply
        .split(|byte| *byte == b' ')
        .map(<[u8]>::to_vec)
        .collect()
}

fn places(reply: &[u8], wanted: impl Fn(&u8) -> bool) -> Vec<usize> {
    (0..reply.len()).filter(|at| wanted(&reply[*at])).collect()
}

fn edited(reply: &[u8], at: Range<usize>, with: &[u8]) -> Vec<u8> {
    [&reply[..at.start], with, &reply[at.end..]].concat()
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(dice::Dice);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(dice::Dice::new(seed))
    }

    fn next(&mut self) -> u64 {
        self.0.below(u64::MAX)
    }

    pub(crate) fn below(&mut self, end: usize) -> Option<usize> {
        usize::try_from(self.next()).unwrap().checked_rem(end)
    }

    /// A small number, or one that is not much less than the other.
    fn near(&mut self, number: u64) -> u64 {
        match self.next() % 2 {
            0 => self.next() % 40,
            _ => number.saturating_sub(1 + self.next() % 6),
        }
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        Some(choices[self.below(choices.len())?])
    }
}
