//! Numbers, read exactly as the law says.
//!
//! They never wrap and are never cut: a number that does not fit is no number.

use nom::bytes::complete::tag;
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, opt};
use nom::sequence::pair;
use nom::{IResult, Parser};

/// The most bytes a 32-bit number may be written with.
const SHORT_LEN_MAX: usize = 11;

/// The most bytes a 64-bit number may be written with.
const LONG_LEN_MAX: usize = 22;

/// Digits that make a number below 2^64.
pub(super) fn unsigned64(token: &[u8]) -> Option<u64> {
    (token.len() <= LONG_LEN_MAX)
        .then(|| digits(token))
        .flatten()
}

/// Digits that make a number below 2^32.
pub(crate) fn unsigned32(token: &[u8]) -> Option<u32> {
    if token.len() > SHORT_LEN_MAX {
        return None;
    }
    u32::try_from(digits(token)?).ok()
}

/// Digits, behind a minus sign or not, that make a 32-bit number.
pub(crate) fn signed32(token: &[u8]) -> Option<i32> {
    if token.len() > SHORT_LEN_MAX {
        return None;
    }
    let (minus, digits) = sign(token)?;
    i32::try_from(signed(minus, digits)?).ok()
}

/// The flags of a classic storage line: a sign may stand before them.
pub(super) fn flags(token: &[u8]) -> Option<u32> {
    u32::try_from(with_any_sign(token)?).ok()
}

/// The exptime of a classic storage line: a sign may stand before it.
pub(super) fn exptime(token: &[u8]) -> Option<i32> {
    i32::try_from(with_any_sign(token)?).ok()
}

fn with_any_sign(token: &[u8]) -> Option<i64> {
    match token.strip_prefix(b"+") {
        Some(digits) => signed(false, digits),
        None => sign(token).and_then(|(minus, digits)| signed(minus, digits)),
    }
}

fn sign(token: &[u8]) -> Option<(bool, &[u8])> {
    let parsed: IResult<_, _> = all_consuming(pair(opt(tag("-")), digit1)).parse(token);
    let (_, (sign, digits)) = parsed.ok()?;
    Some((sign.is_some(), digits))
}

fn signed(minus: bool, text: &[u8]) -> Option<i64> {
    let number = i64::try_from(digits(text)?).ok()?;
    Some(if minus { -number } else { number })
}

fn digits(text: &[u8]) -> Option<u64> {
    let parsed: IResult<_, _> = all_consuming(digit1).parse(text);
    let (_, digits): (&[u8], &[u8]) = parsed.ok()?;
    digits.iter().try_fold(0_u64, |number, digit| {
        number
            .checked_mul(10)?
            .checked_add(u64::from(digit.wrapping_sub(b'0')))
    })
}
