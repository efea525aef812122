//! The keys with the largest values, of those that were looked at.
//!
//! It never keeps more than a few, and never one for long that is gone: with each that comes while
//! there is no room, one that is kept is measured again, in turn. What is told is measured at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::KEYS_MAX;

/// Keys, and how long their values were when last seen.
#[derive(Debug, Default)]
pub struct Big {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    keys: Vec<(Box<[u8]>, usize)>,
    /// The last that was measured again.
    turn: usize,
}

impl Big {
    /// A key was seen whose value is so long. `measure` tells how long a value is now, if it is
    /// there.
    pub fn see(&self, key: &[u8], len: usize, measure: impl Fn(&[u8]) -> Option<usize>) {
        let Kept { keys, turn } = &mut *self.kept();
        if let Some((_, known)) = keys.iter_mut().find(|(known, _)| **known == *key) {
            *known = len;
            return;
        }
        if keys.len() >= KEYS_MAX {
            *turn = (*turn + 1) % KEYS_MAX;
            if let Some(kept) = keys.get_mut(*turn) {
                // What is gone is the least of all.
                kept.1 = measure(&kept.0).unwrap_or(0);
            }
            if let Some(least) = keys.iter_mut().min_by_key(|kept| kept.1)
                && least.1 <= len
            {
                *least = (key.into(), len);
            }
            return;
        }
        keys.push((key.into(), len));
    }

    /// The keys and how long their values are now, the largest first.
    #[must_use]
    pub fn largest(&self, measure: impl Fn(&[u8]) -> Option<usize>) -> Vec<(Box<[u8]>, usize)> {
        let keys = &mut self.kept().keys;
        keys.retain_mut(|(key, known)| {
            let len = measure(key);
            *known = len.unwrap_or_default();
            len.is_some()
        });
        let mut largest = keys.clone();
        largest.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        largest
    }

    /// Forgets them.
    pub fn reset(&self) {
        self.kept().keys.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(key: &[u8]) -> Option<usize> {
        std::str::from_utf8(key).ok()?.parse().ok()
    }

    #[test]
    fn the_largest_are_kept_and_no_more() {
        let big = Big::default();
        // Each is as long as its key says, in an order that is no order.
        for step in 0..10_007_usize {
            let len = step * 7919 % 10_007;
            big.see(len.to_string().as_bytes(), len, number);
        }
        let largest: Vec<_> = big.largest(number).into_iter().map(|one| one.1).collect();
        let expected: Vec<_> = (10_007 - KEYS_MAX..10_007).rev().collect();
        assert_eq!(largest, expected);
        big.reset();
        assert!(big.largest(number).is_empty());
    }

    #[test]
    fn what_is_gone_makes_room_and_is_not_told() {
        let big = Big::default();
        for len in 1000..1000 + KEYS_MAX {
            big.see(len.to_string().as_bytes(), len, number);
        }
        let only_small = |key: &[u8]| number(key).filter(|&len| len < 1000);
        for len in 1..=KEYS_MAX {
            big.see(len.to_string().as_bytes(), len, only_small);
        }
        let largest = big.largest(only_small);
        assert_eq!(largest.len(), KEYS_MAX, "the small ones took their places");
        assert!(big.largest(|_| None).is_empty());
    }

    #[test]
    fn a_value_that_changes_its_length_is_told_as_it_is() {
        let big = Big::default();
        big.see(b"k", 10, |_| Some(10));
        big.see(b"k", 20, |_| Some(20));
        assert_eq!(big.largest(|_| Some(30)), [(b"k"[..].into(), 30)]);
    }
}
