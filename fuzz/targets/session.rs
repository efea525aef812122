//! Whole sessions against the law itself, cut anywhere.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| fuzz::session(input));
