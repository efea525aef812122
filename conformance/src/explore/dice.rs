//! Numbers that look random and are the same in every run: what generated histories are made of.
//!
//! It never asks the system for anything. Who throws is `make/`.

use crate::dice::{self, mixed};

/// Throws that only the seed decides.
#[derive(Clone, Debug)]
pub struct Dice(dice::Dice);

impl Dice {
    /// The dice of this history of this seed.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Dice {
        Dice(dice::Dice::new(mixed(seed) ^ number))
    }

    /// A number below the end, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.0.below(end)).unwrap_or(0)
    }

    /// Whether it happens, once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these, each as likely as the others.
    ///
    /// # Panics
    /// Where there is none.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.below(choices.len());
        *choices.get(at).expect("there is a choice")
    }

    /// Which of these weights it falls on.
    pub fn weighed(&mut self, weights: &[usize]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            match rest.checked_sub(*weight) {
                Some(less) => rest = less,
                None => return at,
            }
        }
        0
    }
}
