//! version, verbosity, quit. Law: `spec/administration.md`.

use alloc::borrow::Cow;

use spec::req;

use crate::Model;
use crate::dispatch::unknown;
use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;

/// `version`: clients and tools choose their ways by it.
pub(crate) fn version() -> Ruling {
    Reply::Version(Cow::Borrowed("1.6.45")).because(req!("administration.version"))
}

pub(crate) fn verbosity(_model: &mut Model, line: &Line) -> Ruling {
    unknown(line)
}

/// `quit`: what was asked before is answered, then the connection closes.
pub(crate) fn quit() -> Ruling {
    Reply::Nothing
        .because(req!("administration.quit"))
        .closing()
}
