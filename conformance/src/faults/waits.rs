//! How long a client waited for its replies, and the few figures that say it.
//!
//! It keeps every wait: a tail that was thrown away cannot be looked at.

use std::time::Duration;

/// What an innocent client should not wait longer for in 99 of 100 requests. It is a target, and
/// shown; whether a rule holds is settled by [`INNOCENT_MAX`](super::INNOCENT_MAX).
pub const TARGET: Duration = Duration::from_millis(10);

/// The waits of one client, or of several together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits(Vec<Duration>);

impl Waits {
    /// One more.
    pub fn add(&mut self, wait: Duration) {
        self.0.push(wait);
    }

    /// All of these as well.
    pub fn join(&mut self, others: &Waits) {
        self.0.extend_from_slice(&others.0);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The wait that so many of a thousand do not exceed, by the nearest rank; none of none.
    #[must_use]
    pub fn permille(&self, share: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * share).div_ceil(1000);
        sorted.get(rank.saturating_sub(1)).copied()
    }

    /// The longest; none of none.
    #[must_use]
    pub fn longest(&self) -> Option<Duration> {
        self.0.iter().max().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_nearest_rank() {
        let mut waits = Waits::default();
        assert_eq!((waits.permille(500), waits.longest()), (None, None));
        for number in (1..=200).rev() {
            waits.add(Duration::from_millis(number));
        }
        let of = |share| waits.permille(share).map(|wait| wait.as_millis());
        let figures = [of(500), of(990), of(1000)];
        assert_eq!(figures, [Some(100), Some(198), Some(200)]);
        assert_eq!(of(1), Some(1));
    }
}
