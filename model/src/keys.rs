//! What a key may be. Law: `spec/keys.md`.
//!
//! A key is bytes: nothing here asks what they mean. Keys in base64 are told in `meta/flags.rs`.

use spec::{Requirement, req};

use crate::framing::Line;

/// The longest key, in bytes as they are sent.
const LENGTH_MAX_BYTES: usize = 250;

/// Refuses a key that is too long, naming the rule.
pub(crate) fn check(key: &[u8], line: &Line) -> Result<(), &'static Requirement> {
    if key.len() > LENGTH_MAX_BYTES {
        return Err(req!("keys.length.over"));
    }
    line.note_if(
        key.iter().any(u8::is_ascii_control),
        req!("keys.bytes.control"),
    );
    line.note_if(!key.is_ascii(), req!("keys.bytes.high"));
    Ok(())
}
