//! The number grammars: one function for each kind of argument. Law: `spec/numbers.md`.
//!
//! Nothing here wraps or guesses: a token is a number of its grammar, or it is none, and the line
//! is told which rule decided. Only a dialect that deviates reads as the C library does.

use core::ops::RangeInclusive;

use spec::{Dialect, Requirement, req};

use crate::framing::Line;

/// An unsigned number of 64 bits: deltas, initial values, uniques.
pub(crate) fn unsigned64(token: &[u8], line: &Line, dialect: &Dialect) -> Option<u64> {
    let number = UNSIGNED.read(token, line, dialect)?;
    within_width(token, 22, line, dialect)?;
    u64::try_from(number)
        .ok()
        .or_else(|| wrapped_below_zero(number))
        .or_else(|| line.refusing(req!("numbers.unsigned.range")))
}

/// An unsigned number of 32 bits: settings, and the client flags of meta commands.
pub(crate) fn unsigned32(token: &[u8], line: &Line, dialect: &Dialect) -> Option<u32> {
    let number = UNSIGNED.read(token, line, dialect)?;
    within_width(token, 11, line, dialect)?;
    let truncated = req!("numbers.unsigned.narrow.truncated");
    u32::try_from(number)
        .ok()
        .or_else(|| line.deviating(dialect, truncated, truncated_unsigned(number)))
        .or_else(|| line.refusing(req!("numbers.unsigned.narrow")))
}

/// A signed number of 32 bits: every exptime but that of a classic storage line.
pub(crate) fn signed32(token: &[u8], line: &Line, dialect: &Dialect) -> Option<i32> {
    let bare_minus = (token == b"-").then_some(0);
    let number = line
        .deviating(
            dialect,
            req!("numbers.signed.digits.bare-minus"),
            bare_minus,
        )
        .or_else(|| SIGNED.read(token, line, dialect))?;
    within_width(token, 11, line, dialect)?;
    let truncated = req!("numbers.signed.range.truncated");
    i32::try_from(number)
        .ok()
        .or_else(|| line.deviating(dialect, truncated, truncated_signed(number)))
        .or_else(|| line.refusing(req!("numbers.signed.range")))
}

/// The length of a data block.
pub(crate) fn length(token: &[u8], line: &Line, dialect: &Dialect) -> Option<u64> {
    let length = u64::try_from(signed32(token, line, dialect)?).ok();
    length
        .filter(|length| *length <= LENGTH_MAX)
        .or_else(|| line.refusing(req!("numbers.length.range")))
}

/// The client flags of a classic storage line, which are the first of these words.
pub(crate) fn flags(words: &[&[u8]], line: &Line, dialect: &Dialect) -> Option<u32> {
    let number = storage(words, line, dialect)?;
    let truncated = req!("numbers.storage.flags.truncated");
    u32::try_from(number)
        .ok()
        .or_else(|| line.deviating(dialect, truncated, truncated_unsigned(number)))
        .or_else(|| line.refusing(req!("numbers.storage.flags")))
}

/// The exptime of a classic storage line, which is the first of these words.
pub(crate) fn exptime(words: &[&[u8]], line: &Line, dialect: &Dialect) -> Option<i32> {
    let number = storage(words, line, dialect)?;
    let truncated = req!("numbers.storage.exptime.truncated");
    let signless = truncated_signed(number).filter(|_| SIGNLESS.contains(&number));
    line.note_if(signless.is_some(), req!("numbers.storage.exptime.signless"));
    i32::try_from(number)
        .ok()
        .or(signless)
        .or_else(|| line.deviating(dialect, truncated, truncated_signed(number)))
        .or_else(|| line.refusing(req!("numbers.storage.exptime")))
}

/// The number that the first of these words of a storage line is, of any size.
fn storage(words: &[&[u8]], line: &Line, dialect: &Dialect) -> Option<i128> {
    let (token, behind) = words.split_first()?;
    let is_blank = |word: &[u8]| word.iter().all(is_white);
    let next = behind.iter().find(|word| !is_blank(word));
    let next = next.filter(|_| is_blank(token));
    let next = next.and_then(|word| as_the_c_library(word));
    line.deviating(dialect, req!("numbers.storage.digits.next-word"), next)
        .or_else(|| STORAGE.read(token, line, dialect))
}

/// What a client makes of a negative exptime, at most thirty days of it, that prints no sign.
const SIGNLESS: RangeInclusive<i128> = 4_292_375_296..=4_294_967_295;

/// The longest data block a line may announce: with its line end it still counts in 31 bits.
const LENGTH_MAX: u64 = 2_147_483_645;

/// How a number may be written.
struct Grammar {
    /// The signs that may stand before the digits.
    signs: &'static [u8],
    /// What refuses any other token.
    refusing: &'static Requirement,
    /// The deviation of reading what the C library reads.
    c_library: &'static Requirement,
}

const UNSIGNED: Grammar = Grammar {
    signs: b"",
    refusing: req!("numbers.unsigned.digits"),
    c_library: req!("numbers.unsigned.digits.c-library"),
};

const SIGNED: Grammar = Grammar {
    signs: b"-",
    refusing: req!("numbers.signed.digits"),
    c_library: req!("numbers.signed.digits.c-library"),
};

const STORAGE: Grammar = Grammar {
    signs: b"-+",
    refusing: req!("numbers.storage.digits"),
    c_library: req!("numbers.storage.digits.c-library"),
};

impl Grammar {
    /// The number a token is, of any size.
    fn read(&self, token: &[u8], line: &Line, dialect: &Dialect) -> Option<i128> {
        let signed = token.first().filter(|first| b"+-".contains(first));
        let number = decimal(token).filter(|_| signed.is_none_or(|sign| self.signs.contains(sign)));
        if number.is_some() {
            line.note_if(signed == Some(&b'+'), req!("numbers.storage.plus"));
            line.note_if(has_leading_zero(token), req!("numbers.zeros"));
            return number;
        }
        let taken = as_the_c_library(token)
            .filter(|number| !self.signs.is_empty() || !hides_a_minus(token, *number));
        line.deviating(dialect, self.c_library, taken)
            .or_else(|| line.refusing(self.refusing))
    }
}

/// Digits behind at most one sign; too many of them are as large as a number can be.
fn decimal(token: &[u8]) -> Option<i128> {
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = core::str::from_utf8(digits).ok()?;
    let magnitude = digits.parse::<i128>().unwrap_or(i128::MAX);
    Some(if negative {
        magnitude.saturating_neg()
    } else {
        magnitude
    })
}

/// Whether a digit stands behind a zero that begins the number.
fn has_leading_zero(token: &[u8]) -> bool {
    matches!(token, [b'0', _, ..] | [b'+' | b'-', b'0', _, ..])
}

/// What the C library takes of a token: white space is skipped, and behind the digits white space
/// or a NUL hides the rest.
fn as_the_c_library(token: &[u8]) -> Option<i128> {
    let start = token.iter().position(|byte| !is_white(byte))?;
    let text = token.get(start..)?;
    let ends = |byte: &u8| is_white(byte) || *byte == 0;
    let end = text.iter().position(ends).unwrap_or(text.len());
    decimal(text.get(..end)?)
}

/// Whether a number that would be below zero, had its 64 bits a sign, has a minus anywhere before
/// the token's end or a NUL: who looks for one there does not look where the digits end.
fn hides_a_minus(token: &[u8], number: i128) -> bool {
    let mut text = token.split(|byte| *byte == 0);
    number >= 1 << 63 && text.next().is_some_and(|text| text.contains(&b'-'))
}

/// What the C library calls white space, but for the space, which no word holds.
fn is_white(byte: &u8) -> bool {
    (b'\t'..=b'\r').contains(byte)
}

/// A number that is longer than any of its range needs to be.
fn within_width(token: &[u8], width: usize, line: &Line, dialect: &Dialect) -> Option<()> {
    let refused = req!("numbers.width.refused");
    if token.len() <= width {
        return Some(());
    }
    line.note(req!("numbers.width"));
    if dialect.has(refused) {
        return line.refusing(refused);
    }
    line.note(req!("numbers.width.read"));
    Some(())
}

/// What the C library makes of a number below zero where an unsigned one is due: it counts down
/// from 2^64. What looks negative even then is refused.
fn wrapped_below_zero(number: i128) -> Option<u64> {
    let wrapped = u64::try_from(number.saturating_add(1 << 64)).ok()?;
    (1..1 << 63).contains(&wrapped).then_some(wrapped)
}

/// The lower 32 bits of a number that 64 can hold.
fn truncated_unsigned(number: i128) -> Option<u32> {
    let number = u64::try_from(number)
        .ok()
        .or_else(|| wrapped_below_zero(number))?;
    let [a, b, c, d, ..] = number.to_le_bytes();
    Some(u32::from_le_bytes([a, b, c, d]))
}

/// The lower 32 bits of a number that 64 with a sign can hold.
fn truncated_signed(number: i128) -> Option<i32> {
    let [a, b, c, d, ..] = i64::try_from(number).ok()?.to_le_bytes();
    Some(i32::from_le_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line<'static> {
        Line::read(b"", &Dialect::default())
    }

    #[test]
    fn each_grammar_ends_where_the_law_says() {
        let (line, law) = (&line(), &Dialect::default());
        assert_eq!(
            unsigned64(b"18446744073709551615", line, law),
            Some(u64::MAX)
        );
        assert_eq!(unsigned64(b"18446744073709551616", line, law), None);
        assert_eq!(unsigned64(b"", line, law), None);
        assert_eq!(unsigned64(b"-0", line, law), None);
        assert_eq!(unsigned32(b"4294967295", line, law), Some(u32::MAX));
        assert_eq!(unsigned32(b"4294967296", line, law), None);
        assert_eq!(signed32(b"2147483647", line, law), Some(i32::MAX));
        assert_eq!(signed32(b"2147483648", line, law), None);
        assert_eq!(signed32(b"-2147483648", line, law), Some(i32::MIN));
        assert_eq!(signed32(b"-2147483649", line, law), None);
        assert_eq!(length(b"2147483645", line, law), Some(2_147_483_645));
        assert_eq!(length(b"2147483646", line, law), None);
        assert_eq!(length(b"-0", line, law), Some(0));
        assert_eq!(length(b"-1", line, law), None);
        assert_eq!(flags(&[b"+4294967295"], line, law), Some(u32::MAX));
        assert_eq!(flags(&[b"4294967296"], line, law), None);
        assert_eq!(exptime(&[b"+2147483647"], line, law), Some(i32::MAX));
        assert_eq!(
            exptime(&[b"99999999999999999999999999999999999999999"], line, law),
            None
        );
        assert_eq!(
            exptime(&[b"-99999999999999999999999999999999999999999"], line, law),
            None
        );
    }

    #[test]
    fn below_zero_the_c_library_counts_down_from_the_end() {
        assert_eq!(wrapped_below_zero(-1), None);
        assert_eq!(wrapped_below_zero(-(1 << 63)), None);
        assert_eq!(wrapped_below_zero(-(1 << 63) - 1), Some((1 << 63) - 1));
        assert_eq!(wrapped_below_zero(-(1 << 64) + 1), Some(1));
        assert_eq!(wrapped_below_zero(-(1 << 64)), None);
        assert_eq!(wrapped_below_zero(1 << 64), None);
    }

    #[test]
    fn what_64_bits_cannot_hold_is_not_truncated() {
        assert_eq!(truncated_unsigned(1 << 64), None);
        assert_eq!(truncated_unsigned((1 << 64) - 1), Some(u32::MAX));
        assert_eq!(truncated_signed(1 << 63), None);
        assert_eq!(truncated_signed((1 << 63) - 1), Some(-1));
        assert_eq!(truncated_signed(-(1 << 63)), Some(0));
        assert_eq!(truncated_signed(-(1 << 63) - 1), None);
    }
}
