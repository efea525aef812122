//! `incr` and `decr`.
//!
//! The number is stored as its decimal digits, and never as anything else.

use super::{Context, storage};
use crate::counters::Counter;
use crate::protocol::{Arithmetic, Direction, Error, Reply};
use crate::store::NoMemory;

/// Moves a number, and replies where it stands.
pub(super) fn step(context: &Context<'_>, arithmetic: &Arithmetic<'_>) -> Reply {
    let (hits, misses) = match arithmetic.direction {
        Direction::Increment => (Counter::IncrHits, Counter::IncrMisses),
        Direction::Decrement => (Counter::DecrHits, Counter::DecrMisses),
    };
    let stepped = context.entry(arithmetic.key, |entry| {
        let Some(item) = entry.item() else {
            context.count(misses);
            return Ok(Reply::NotFound);
        };
        let Some(number) = number(item.value()) else {
            return Ok(Error::NonNumeric.into());
        };
        let number = moved(number, arithmetic.direction, arithmetic.delta);
        let draft = storage::redraft(item, number.to_string().as_bytes());
        entry.insert(draft)?;
        context.count(hits);
        Ok(Reply::Number(number))
    });
    stepped.unwrap_or_else(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Error::OutOfMemory.into()
    })
}

/// Up around 2^64, down to 0.
pub(super) fn moved(number: u64, direction: Direction, delta: u64) -> u64 {
    match direction {
        Direction::Increment => number.wrapping_add(delta),
        Direction::Decrement => number.saturating_sub(delta),
    }
}

/// The number that a value holds: digits, with white space around them or anything behind that.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"+").unwrap_or(value);
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let digits = value.split(is_end).next().unwrap_or_default();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
