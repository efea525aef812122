//! The keys that are asked for most, of those that were looked at.
//!
//! It never keeps more than a few: one that is new takes the place of the one seen least, and its
//! count with it, so that a key that is truly hot cannot be missed (Metwally's Space-Saving). A
//! count may so be too high, never too low.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::KEYS_MAX;

/// Keys, and how often each was seen.
#[derive(Debug, Default)]
pub struct Hot {
    keys: Mutex<HashMap<Box<[u8]>, u64>>,
}

impl Hot {
    /// A key was seen.
    pub fn see(&self, key: &[u8]) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = keys.get_mut(key) {
            *count = count.saturating_add(1);
            return;
        }
        let mut count = 1;
        if keys.len() >= KEYS_MAX {
            let least = keys.iter().min_by_key(|&(_, count)| *count);
            if let Some((least, times)) = least.map(|(key, count)| (key.clone(), *count)) {
                keys.remove(&least);
                count = times.saturating_add(1);
            }
        }
        keys.insert(key.into(), count);
    }

    /// The keys and how often each was seen, most often first.
    #[must_use]
    pub fn most(&self) -> Vec<(Box<[u8]>, u64)> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut most: Vec<_> = keys
            .iter()
            .map(|(key, count)| (key.clone(), *count))
            .collect();
        drop(keys);
        most.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        most
    }

    /// Forgets them.
    pub fn reset(&self) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_key_is_found_among_many_and_no_more_are_kept() {
        let hot = Hot::default();
        for number in 0..100_000_u32 {
            hot.see(format!("cold{number}").as_bytes());
            if number % 10 == 0 {
                hot.see(b"hot");
            }
        }
        let most = hot.most();
        assert_eq!(most.len(), KEYS_MAX);
        assert_eq!(&*most[0].0, b"hot");
        assert!(most[0].1 >= 10_000);
        hot.reset();
        assert!(hot.most().is_empty());
    }
}
