//! The uniques of a server, by those that the model made up in their places.
//!
//! Both are only names: what counts is that one name always stands for the other, and that those a
//! server chooses for a key only grow. Who names one in a request is `history.rs`.

use std::collections::BTreeMap;

/// A unique that large is one that a client chose: both must show it.
const CHOSEN_MIN: u64 = 5_000_000_000;

/// What was shown of each key, the latest last.
#[derive(Clone, Debug, Default)]
pub struct Uniques {
    shown: BTreeMap<Vec<u8>, Vec<Pair>>,
}

/// The uniques of one key as the model has them, and as the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The model's.
    pub ruled: u64,
    /// The server's.
    pub seen: u64,
}

impl Uniques {
    /// What was shown of this key.
    #[must_use]
    pub fn of(&self, key: &[u8]) -> &[Pair] {
        self.shown.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the server may show this where the model rules that, after what it showed before and
    /// what of this key stands in the same reply. Where nobody knows the key, it may.
    #[must_use]
    pub fn may_be(&self, key: &[u8], pair: Pair, beside: &[(Vec<u8>, Pair)]) -> bool {
        let Pair { ruled, seen } = pair;
        if ruled == 0 || seen == 0 || ruled >= CHOSEN_MIN {
            return ruled == seen;
        }
        if key.is_empty() {
            return true;
        }
        let beside = beside.iter().filter(|(of, _)| of == key);
        let known = self.of(key).iter().chain(beside.map(|(_, pair)| pair));
        let server_made = known.filter(|known| known.ruled < CHOSEN_MIN);
        let mut newest = 0;
        for known in server_made {
            if known.ruled == ruled {
                return known.seen == seen;
            }
            newest = newest.max(known.seen);
        }
        seen > newest
    }

    /// Notes what was shown.
    pub fn learn(&mut self, shown: Vec<(Vec<u8>, Pair)>) {
        for (key, pair) in shown
            .into_iter()
            .filter(|(key, pair)| pair.ruled != 0 && !key.is_empty())
        {
            let of_key = self.shown.entry(key).or_default();
            of_key.retain(|known| *known != pair);
            of_key.push(pair);
        }
    }

    /// Forgets everything: whoever comes next has other keys.
    pub fn clear(&mut self) {
        self.shown.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(ruled: u64, seen: u64) -> Pair {
        Pair { ruled, seen }
    }

    #[test]
    fn a_unique_that_was_shown_stays_and_a_new_one_is_larger() {
        let mut uniques = Uniques::default();
        assert!(uniques.may_be(b"a", pair(1, 70), &[]));
        uniques.learn(vec![(b"a".to_vec(), pair(1, 70))]);
        assert!(uniques.may_be(b"a", pair(1, 70), &[]));
        assert!(!uniques.may_be(b"a", pair(1, 71), &[]));
        assert!(!uniques.may_be(b"a", pair(2, 70), &[]));
        assert!(uniques.may_be(b"a", pair(2, 71), &[]));
        assert!(uniques.may_be(b"b", pair(2, 5), &[]));
    }

    #[test]
    fn none_and_one_that_a_client_chose_are_the_same_for_both() {
        let uniques = Uniques::default();
        assert!(!uniques.may_be(b"a", pair(0, 5), &[]));
        assert!(!uniques.may_be(b"a", pair(5, 0), &[]));
        assert!(!uniques.may_be(b"a", pair(CHOSEN_MIN, 5), &[]));
        assert!(uniques.may_be(b"a", pair(CHOSEN_MIN, CHOSEN_MIN), &[]));
    }

    #[test]
    fn what_stands_in_the_same_reply_counts() {
        let beside = [(b"a".to_vec(), pair(3, 9))];
        let uniques = Uniques::default();
        assert!(!uniques.may_be(b"a", pair(3, 10), &beside));
        assert!(uniques.may_be(b"a", pair(3, 9), &beside));
    }
}
