//! Asks for memory before it is needed, so that many keys are waited for at once.
//!
//! It never reads or changes anything: what is asked for too early, too late or in vain costs time
//! and nothing else. Who asks is [`Store::approach`](super::Store::approach).

#![expect(unsafe_code, reason = "nothing else in the language says so")]

/// The bytes of a cache line.
const LINE_LEN: usize = 64;

/// So many lines are asked for of what has no known length: most items are no longer.
const LINES_MAX: usize = 3;

/// Asks for the first lines of some bytes.
#[inline(always)]
pub(super) fn ask_for_bytes(bytes: &[u8]) {
    for line in bytes.chunks(LINE_LEN).take(LINES_MAX) {
        ask_for(line);
    }
}

/// Asks for the line that a value begins in.
#[inline(always)]
pub(super) fn ask_for<T: ?Sized>(value: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: it only hints at an address; it reads nothing, and does not fault on any.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = value;
}
