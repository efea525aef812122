//! What a server bounds, so that no client can make it grow. Law: `spec/limits.md`.

/// The longest line without its end that a server must wait for.
pub(crate) const LINE_MAX_BYTES: usize = 2048;
