//! Keys in lines that people and programs read.
//!
//! No byte of a key can end a word or a line there.

use std::fmt::Write;

/// A key, every byte of it but letters, digits and `-._~` as `%` and two hexadecimal digits.
#[must_use]
pub fn escape(key: &[u8]) -> String {
    let mut escaped = String::with_capacity(key.len());
    for &byte in key {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // To write into a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
