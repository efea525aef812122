//! The number grammars. Law: `spec/numbers.md`.
//!
//! Nothing here wraps or guesses: a token is a number of its grammar, or it is none.

/// An unsigned number: digits only, at most 22 of them.
pub(crate) fn unsigned(token: &[u8]) -> Option<u64> {
    if token.is_empty() || token.len() > 22 || !token.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(token).ok()?.parse().ok()
}

/// A signed number of 32 bits: digits, perhaps behind a minus, at most 11 bytes.
pub(crate) fn signed(token: &[u8]) -> Option<i32> {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if digits.is_empty() || token.len() > 11 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(token).ok()?.parse().ok()
}
