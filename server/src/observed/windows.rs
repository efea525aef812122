//! How the hits went in the last minute, five minutes and hour.
//!
//! It never knows the time: it is told the counts every [`STEP`], and keeps as many as an hour has.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the counts are to be told.
pub const STEP: Duration = Duration::from_secs(10);

/// So many steps are kept, and one for their beginning.
const STEPS: usize = 361;

/// The windows: their names, and how many steps they have.
pub(super) const WINDOWS: [(&str, usize); 3] = [("1m", 6), ("5m", 30), ("1h", 360)];

/// Counts of hits and misses, the last one first.
#[derive(Debug, Default)]
pub struct Windows {
    counts: Mutex<VecDeque<(u64, u64)>>,
}

impl Windows {
    /// So many hits and misses there have been by now.
    pub fn step(&self, hits: u64, misses: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.push_front((hits, misses));
        counts.truncate(STEPS);
    }

    /// The share of hits in so many steps up to now, or in as many as there have been. None where
    /// nothing was asked for.
    pub(super) fn ratio(&self, steps: usize, (hits, misses): (u64, u64)) -> Option<f64> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let last = counts.len().checked_sub(1);
        let at = last.map(|last| last.min(steps.saturating_sub(1)));
        let before = at.and_then(|at| counts.get(at)).copied();
        // Whoever resets the statistics lets the counts begin at 0 again.
        let before = before.filter(|&(h, m)| h <= hits && m <= misses);
        let (hits_before, misses_before) = before.unwrap_or_default();
        let (hits, misses) = (hits - hits_before, misses - misses_before);
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more digits")]
        let share = |hits: u64, all: u64| hits as f64 / all as f64;
        let all = hits.saturating_add(misses);
        (all > 0).then(|| share(hits, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_what_came_in_it_and_no_more() {
        let windows = Windows::default();
        assert_eq!(windows.ratio(6, (0, 0)), None);
        assert_eq!(windows.ratio(6, (1, 3)), Some(0.25));
        for step in 0..400 {
            windows.step(step * 10, 1000);
        }
        assert_eq!(windows.ratio(6, (3990, 1000)), Some(1.0));
        assert_eq!(windows.ratio(6, (3990, 1050)), Some(0.5));
        assert_eq!(windows.ratio(6, (1, 1)), Some(0.5), "after a reset");
        let counts = windows.counts.lock().expect("nobody panicked").len();
        assert_eq!(counts, STEPS);
    }
}
