//! The meta commands: two letters, a key, and flags of one letter each. Law: `spec/meta/`.

pub(crate) mod arithmetic;
pub(crate) mod base64;
pub(crate) mod debug;
pub(crate) mod delete;
pub(crate) mod fields;
pub(crate) mod flags;
pub(crate) mod get;
pub(crate) mod noop;
pub(crate) mod set;
