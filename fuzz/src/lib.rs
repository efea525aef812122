//! The adversary: what each fuzz target does, as plain functions over bytes.
//!
//! A function here panics when a promise is broken and returns otherwise. The targets in `targets/`
//! hand it to the fuzzer; `tests/` replays the corpus and the law's own examples on stable.

#![forbid(unsafe_code)]

mod session;

pub use session::session;
