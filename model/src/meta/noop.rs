//! The meta noop. Law: `spec/meta/noop.md`.
//!
//! It never looks at anything.

use spec::req;

use super::fields::Fields;
use crate::framing::Line;
use crate::reply::Code;
use crate::ruling::Ruling;

/// `mn`: says that all before it has been answered.
pub(crate) fn mn(line: &Line) -> Ruling {
    let arguments = !line.arguments_from(1).is_empty();
    Fields::default()
        .coded(Code::Mn, req!("meta.noop.reply"))
        .also(req!("meta.noop.order"))
        .also(arguments.then_some(req!("meta.noop.arguments")))
}
