//! What the store is made thread-safe with.
//!
//! The store names no lock, no atomic and no source of chance but these, so that its files run
//! unchanged on loom's: `tests/loom/sync.rs` is the other version of this file. Nothing here knows
//! what is in the store.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::simulated::{self, Mistake};
pub(crate) use crate::simulated::{Refusal, refuses};
pub(crate) use crate::store::fault::Fault;
pub(crate) use std::sync::MutexGuard as Held;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// A value that one thread has at a time.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Waits until nobody else has the value. One whose holder panicked is mended first.
    #[inline(always)]
    pub(crate) fn hold(&self, mend: impl FnOnce(&mut T)) -> Held<'_, T> {
        self.0.lock().unwrap_or_else(|poisoned| {
            self.0.clear_poison();
            let mut held = PoisonError::into_inner(poisoned);
            mend(&mut held);
            held
        })
    }
}

/// Numbers that nobody outside can know, but for a simulation.
pub(crate) fn secrets() -> [u64; 2] {
    simulated::secrets().unwrap_or_else(|| {
        let state = RandomState::new();
        [1, 2].map(|number: u64| state.hash_one(number))
    })
}

/// Whether that mistake is to be made.
#[inline(always)]
pub(crate) fn seeded(fault: Fault) -> bool {
    simulated::errs(Mistake::Store(fault))
}
