//! `incr` and `decr`.
//!
//! The number is stored as its decimal digits, and never as anything else.

use super::{Context, storage};
use crate::counters::Counter;
use crate::protocol::{Arithmetic, Direction, Error, Reply};
use crate::store::{Entry, NoMemory};

/// A longer value is not looked at, whatever it begins with.
const NUMBER_LEN_MAX: usize = 512 * 1024;

/// Moves a number, and replies where it stands.
pub(super) fn step(context: &Context<'_>, arithmetic: &Arithmetic<'_>) -> Reply {
    let (hits, misses) = counters(arithmetic.direction);
    let stepped = context.entry(arithmetic.key, |entry| {
        let Some(item) = entry.item() else {
            context.count(misses);
            return Ok(Reply::NotFound);
        };
        let Some(number) = number(item.value()) else {
            return Ok(Error::NonNumeric.into());
        };
        let number = moved(number, arithmetic.direction, arithmetic.delta);
        write(entry, number)?;
        context.count(hits);
        Ok(Reply::Number(number))
    });
    stepped.unwrap_or_else(|NoMemory| {
        context.count(Counter::StoreNoMemory);
        Error::OutOfMemory.into()
    })
}

/// What is counted when a number is moved, and when there is none.
pub(super) const fn counters(direction: Direction) -> (Counter, Counter) {
    match direction {
        Direction::Increment => (Counter::IncrHits, Counter::IncrMisses),
        Direction::Decrement => (Counter::DecrHits, Counter::DecrMisses),
    }
}

/// Up around 2^64, down to 0.
pub(super) const fn moved(number: u64, direction: Direction, delta: u64) -> u64 {
    match direction {
        Direction::Increment => number.wrapping_add(delta),
        Direction::Decrement => number.saturating_sub(delta),
    }
}

/// Writes a number where it has room, with spaces behind it; else stores it anew.
pub(super) fn write(entry: &mut Entry<'_>, number: u64) -> Result<u64, NoMemory> {
    let Some(item) = entry.item() else {
        return Ok(0);
    };
    let mut digits = number.to_string().into_bytes();
    if digits.len() <= item.value().len() {
        digits.resize(item.value().len(), b' ');
        return Ok(entry.overwrite(&digits, None));
    }
    let mut draft = storage::redraft(item, (&digits).into());
    // To count is not to make the value anew: a stale item stays stale.
    draft.marks = item.marks();
    entry.insert(draft)
}

/// The number that a value holds: digits, with white space before them or anything behind that.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    if value.len() > NUMBER_LEN_MAX {
        return None;
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = value.iter().position(|byte| !is_space(byte))?;
    let value = value.get(start..)?;
    let value = value.strip_prefix(b"+").unwrap_or(value);
    let digits = value.split(|byte| is_space(byte) || *byte == 0).next()?;
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
