//! What is done to a store: operations that proptest makes.
//!
//! It never looks at a store. Sizes, deadlines and uniques lean to where a record has no room for
//! them. Who does all this, and knows what must come of it, is `plain.rs`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use server::store::Expiry;

use crate::plain::{Change, Ends, Put, Step};

const KEYS: usize = 40;
/// Fewer under an interpreter, which is some thousand times slower.
const STEPS_MAX: usize = if cfg!(miri) { 24 } else { 800 };

fn key() -> impl Strategy<Value = Vec<u8>> {
    (0..KEYS).prop_map(|number| {
        let mut key = format!("{number}:").into_bytes();
        key.resize(key.len() + number * 6 % 230, b'k');
        key
    })
}

/// Soon, never, or at a time that no record has room for.
fn ends() -> impl Strategy<Value = Ends> {
    let soon = (0..5_u64).prop_map(Ends::In);
    let far = (0..4_u64).prop_map(|step| Ends::At(Expiry::at(0xeffe_ffff + step * 0x1_0000)));
    let farthest = (0..3_u64).prop_map(|step| Ends::At(Expiry::at(u64::MAX - 1 - step)));
    let never = Just(Ends::At(Expiry::NEVER));
    prop_oneof![1 => soon, 1 => far, 1 => farthest, 2 => never]
}

/// A unique that a client may choose, where it chooses one.
fn chosen() -> impl Strategy<Value = Option<u64>> {
    let edges = prop_oneof![
        u64::MAX - 8..=u64::MAX,
        (1 << 47) - 4..(1 << 47) + 5_u64,
        0..9_u64
    ];
    prop::option::weighted(0.2, edges)
}

fn put(lengths: usize) -> impl Strategy<Value = Put> {
    let value = (any::<u8>(), 0..lengths).prop_map(|(byte, length)| vec![byte; length]);
    let flags = select(vec![0, 77, u32::MAX]);
    (value, flags, ends(), chosen(), any::<bool>()).prop_map(
        |(value, flags, expiry, unique, encoded)| Put {
            value,
            flags,
            expiry,
            unique,
            encoded,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Fetch),
        ends().prop_map(Change::Touch),
        Just(Change::Stale),
        Just(Change::Win),
        chosen().prop_map(Change::Renumber),
        (any::<u8>(), chosen()).prop_map(|(byte, unique)| Change::Overwrite(byte, unique)),
    ]
}

/// Some steps with values below this length.
pub(crate) fn steps(lengths: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        50 => (key(), put(lengths)).prop_map(|(key, put)| Step::Put(key, put)),
        30 => (key(), change()).prop_map(|(key, change)| Step::Change(key, change)),
        10 => key().prop_map(Step::Remove),
        5 => (0..3_u64).prop_map(Step::Pass),
        1 => Just(Step::Flush),
        1 => (1..4_u64).prop_map(Step::FlushIn),
    ];
    vec(step, 1..=STEPS_MAX)
}
