//! Numbers that look random and are the same for the same seed: the steps of SplitMix64.
//!
//! Nothing that must stay secret may hang on them.

/// How far one state is from the next.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number that looks like none of its neighbours.
#[must_use]
pub(crate) fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(STEP);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// A row of such numbers.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(1))
    }

    /// A number below this one; 0 where there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let number = mixed(self.0);
        self.0 = self.0.wrapping_add(STEP);
        number.checked_rem(bound).unwrap_or(0)
    }
}
