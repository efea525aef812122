//! What a key may be. Law: `spec/keys.md`.

use spec::{Requirement, req};

/// The longest key, in bytes as they are sent.
const LENGTH_MAX: usize = 250;

/// Refuses a key that is too long, naming the rule.
pub(crate) fn check(key: &[u8]) -> Result<(), &'static Requirement> {
    if key.len() > LENGTH_MAX {
        Err(req!("keys.length.over"))
    } else {
        Ok(())
    }
}
