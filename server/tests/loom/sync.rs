//! What the store is made thread-safe with, on loom: every lock and atomic is explored.
//!
//! The other version of this file, which the server is built with, is `src/sync.rs`.

use std::sync::atomic::AtomicUsize as Plain;
use std::sync::atomic::Ordering::SeqCst;

pub(crate) use crate::store::fault::Fault;
pub(crate) use loom::sync::MutexGuard as Held;
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// The same in every execution, so that each can be replayed.
pub(crate) const fn secrets() -> [u64; 2] {
    [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]
}

/// A value that one thread has at a time.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn hold(&self, _mend: impl FnOnce(&mut T)) -> Held<'_, T> {
        self.0.lock().expect("nobody panics under it")
    }
}

/// The mistake that is being made, counted from one.
static FAULT: Plain = Plain::new(0);

/// Makes a mistake from now on, or none.
pub(crate) fn make(fault: Option<Fault>) {
    FAULT.store(fault.map_or(0, |fault| fault as usize + 1), SeqCst);
}

/// Whether that mistake is to be made.
pub(crate) fn seeded(fault: Fault) -> bool {
    FAULT.load(SeqCst) == fault as usize + 1
}

/// Where memory may be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    Segment,
    Room,
    Memory,
    Value,
}

/// Whether it is refused there: that is for simulations, which have one thread.
pub(crate) const fn refuses(_refusal: Refusal) -> bool {
    false
}

/// Whether any mistake is being made.
pub(crate) fn is_seeded() -> bool {
    FAULT.load(SeqCst) != 0
}
