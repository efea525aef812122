//! The lines of a file of options, and a command line as such a file would have it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| fuzz::config(input));
