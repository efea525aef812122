//! Operations on the store, against the plain map that its own tests have.

#[path = "../../server/tests/store/plain.rs"]
mod plain;

use server::store::Expiry;

use plain::{Change, Ends, Put, START, Step, Trial};

const KEYS: u8 = 48;

/// Too little for all that there may be, and more than enough.
const LITTLE_BYTES: usize = 24 * 1024;
const ENOUGH_BYTES: usize = 1024 * 1024;

/// What an input does to a store. With little memory it may forget, but never misremember; with
/// enough, it forgets nothing.
///
/// # Panics
/// When it does, takes more memory than it may, or loses count of it.
pub fn history(input: &[u8]) {
    let mut bytes = input.iter().copied();
    let steps: Vec<Step> = std::iter::from_fn(|| step(&mut bytes)).collect();
    Trial::new(LITTLE_BYTES).run(&steps);
    let mut roomy = Trial::new(ENOUGH_BYTES);
    roomy.run(&steps);
    assert_eq!(roomy.forgotten, 0, "there was room for all");
}

/// The next step, while there are bytes.
fn step(bytes: &mut impl Iterator<Item = u8>) -> Option<Step> {
    let what = bytes.next()?;
    let mut next = || bytes.next().unwrap_or(0);
    Some(match what % 16 {
        0..=6 => Step::Put(key(next()), put(&mut next)),
        7..=11 => Step::Change(key(next()), change(&mut next)),
        12 => Step::Remove(key(next())),
        13 => Step::Pass(u64::from(next() % 4)),
        14 => Step::Flush,
        _ => Step::FlushIn(u64::from(next() % 4) + 1),
    })
}

/// Of many lengths, the longest there may be among them.
fn key(number: u8) -> Vec<u8> {
    let number = number % KEYS;
    let mut key = format!("{number}:").into_bytes();
    key.resize(key.len() + usize::from(number) * 6 % 245, b'k');
    key
}

fn put(next: &mut impl FnMut() -> u8) -> Put {
    let len = usize::from(next()) << (next() % 5);
    Put {
        value: vec![next(); len],
        flags: u32::from(next()).wrapping_neg(),
        expiry: ends(next()),
        unique: chosen(next()),
        encoded: next() % 2 == 1,
    }
}

fn change(next: &mut impl FnMut() -> u8) -> Change {
    match next() % 6 {
        0 => Change::Fetch,
        1 => Change::Touch(ends(next())),
        2 => Change::Stale,
        3 => Change::Win,
        4 => Change::Renumber(chosen(next())),
        _ => Change::Overwrite(next(), chosen(next())),
    }
}

/// Soon, never, or at a time that no record has room for.
fn ends(byte: u8) -> Ends {
    let step = u64::from(byte / 4);
    match byte % 4 {
        0 | 1 => Ends::At(Expiry::NEVER),
        2 => Ends::In(step % 8),
        _ if step % 2 == 0 => Ends::At(Expiry::at(START + (step << 26))),
        _ => Ends::At(Expiry::at(u64::MAX - step)),
    }
}

/// A unique that a client may choose, where it chooses one.
fn chosen(byte: u8) -> Option<u64> {
    let step = u64::from(byte / 4);
    match byte % 4 {
        0 | 1 => None,
        2 => Some((1 << 47) - 32 + step),
        _ => Some(u64::MAX - step),
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use std::panic::catch_unwind;

    use fastrand::Rng;
    use server::simulated::{self, Fault, Mistake};

    /// Bytes like those that a fuzzer comes to after a while: some thousands, of no order.
    fn input(seed: u64) -> Vec<u8> {
        let mut bytes = vec![0; 8000];
        Rng::with_seed(seed).fill(&mut bytes);
        bytes
    }

    #[test]
    fn it_finds_mistakes_of_the_store() {
        for fault in [
            Fault::ForgetsToRelocate,
            Fault::LosesMarks,
            Fault::KeepsBothRecords,
            Fault::AppendsAcrossFlushes,
            Fault::EvictsWithoutRemoving,
            Fault::SplitsWithoutMoving,
            Fault::TrustsTags,
        ] {
            simulated::make(Some(Mistake::Store(fault)));
            let found = (1..60).any(|seed| catch_unwind(|| super::history(&input(seed))).is_err());
            simulated::make(None);
            assert!(found, "{fault:?} was not found");
        }
        (1..20).for_each(|seed| super::history(&input(seed)));
    }
}
