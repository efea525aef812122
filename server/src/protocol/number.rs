//! Numbers, read exactly as the law says.
//!
//! They never wrap and are never cut: a number that does not fit is no number.

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
    i32::try_from(with_minus(token)?).ok()
}

/// The flags of a classic storage line: a sign may stand before them.
pub(super) fn flags(token: &[u8]) -> Option<u32> {
    u32::try_from(with_any_sign(token)?).ok()
}

/// The exptime of a classic storage line: a sign may stand before it, or be lost.
pub(super) fn exptime(token: &[u8]) -> Option<i32> {
    let number = with_any_sign(token)?;
    let signless = u32::try_from(number).ok().map(u32::cast_signed);
    let lost = signless.filter(|number| (SIGNLESS_MIN..0).contains(number));
    lost.or_else(|| i32::try_from(number).ok())
}

/// libmemcached writes -1 without its sign, as 2^32 - 1; what lies below this may be a date.
const SIGNLESS_MIN: i32 = -60 * 60 * 24 * 30;

/// Nine digits at most behind a space, which are a number wherever one may stand; and what is
/// behind them.
#[inline]
pub(super) fn short_behind_space(text: &[u8]) -> Option<(u32, &[u8])> {
    let text = text.strip_prefix(b" ")?;
    let (mut number, mut rest) = (0_u32, text);
    while let Some((&byte, behind)) = rest.split_first()
        && let Some(digit) = digit(byte)
    {
        // It wraps only where there are too many.
        number = number.wrapping_mul(10).wrapping_add(digit);
        rest = behind;
    }
    let is_short = (1..=9).contains(&text.len().wrapping_sub(rest.len()));
    is_short.then_some((number, rest))
}

fn with_any_sign(token: &[u8]) -> Option<i64> {
    match token.strip_prefix(b"+") {
        Some(digits) => signed(false, digits),
        None => with_minus(token),
    }
}

fn with_minus(token: &[u8]) -> Option<i64> {
    match token.strip_prefix(b"-") {
        Some(digits) => signed(true, digits),
        None => signed(false, token),
    }
}

fn signed(minus: bool, text: &[u8]) -> Option<i64> {
    let number = i64::try_from(digits(text)?).ok()?;
    Some(if minus { -number } else { number })
}

fn digits(text: &[u8]) -> Option<u64> {
    let (first, rest) = text.split_first()?;
    rest.iter()
        .try_fold(u64::from(digit(*first)?), |number, byte| {
            number.checked_mul(10)?.checked_add(digit(*byte)?.into())
        })
}

fn digit(byte: u8) -> Option<u32> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(digit.into())
}
