//! The meta noop. Law: `spec/meta/noop.md`.

use alloc::vec::Vec;

use spec::req;

use crate::reply::{Code, Reply};
use crate::ruling::Ruling;

/// `mn`: says that all before it has been answered.
pub(crate) fn mn() -> Ruling {
    Reply::Meta(Code::Mn, Vec::new()).because(req!("meta.noop.reply"))
}
