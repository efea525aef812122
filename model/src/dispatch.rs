//! Which function rules which command.

use spec::{Requirement, req};

use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::storage::{self, Store};
use crate::{
    Model, Time, administration, arithmetic, deletion, flush, meta, retrieval, statistics, touch,
};

/// What a command line leads to.
pub(crate) enum Answer {
    /// Its ruling.
    Ruled(Ruling),
    /// A data block first.
    AwaitsData(Upload),
}

impl From<Ruling> for Answer {
    fn from(ruling: Ruling) -> Answer {
        Answer::Ruled(ruling)
    }
}

/// A storage command whose data block is still to come.
#[derive(Clone, Debug)]
pub(crate) enum Upload {
    Classic(Store),
    Meta(meta::set::MetaSet),
}

impl Upload {
    /// The length of the data block, without its line end.
    pub(crate) fn length(&self) -> usize {
        match self {
            Upload::Classic(store) => store.length,
            Upload::Meta(set) => set.length,
        }
    }

    /// Rules the command now that its data block and two bytes after it are here.
    pub(crate) fn finish(self, model: &mut Model, block: &[u8], now: Time) -> Ruling {
        match self {
            Upload::Classic(store) => store.finish(model, block, now),
            Upload::Meta(set) => set.finish(model, block, now),
        }
    }
}

/// Rules a command line.
pub(crate) fn rule(model: &mut Model, line: &Line, now: Time) -> Answer {
    match line.command() {
        b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => {
            storage::line(model, line, now)
        }
        b"ms" => meta::set::line(model, line, now),
        b"get" | b"gets" => retrieval::get(model, line, now).into(),
        b"gat" | b"gats" => touch::gat(model, line, now).into(),
        b"touch" => touch::touch(model, line, now).into(),
        b"incr" | b"decr" => arithmetic::rule(model, line, now).into(),
        b"delete" => deletion::delete(model, line, now).into(),
        b"flush_all" => flush::flush_all(model, line, now).into(),
        b"mn" => meta::noop::mn(line).into(),
        b"mg" => meta::get::mg(model, line, now).into(),
        b"md" => meta::delete::md(model, line, now).into(),
        b"ma" => meta::arithmetic::ma(model, line, now).into(),
        b"me" => meta::debug::me(model, line, now).into(),
        b"stats" => statistics::stats(model, line, now).into(),
        b"version" => administration::version().into(),
        b"verbosity" => administration::verbosity(model, line).into(),
        b"quit" => administration::quit().into(),
        _ => unknown(line).into(),
    }
}

/// A line that is too short for its command: a bad line, or no command at all, as the dialect
/// elects.
pub(crate) fn incomplete(
    model: &Model,
    bad_line: &'static Requirement,
    no_command: &'static Requirement,
) -> Ruling {
    if model.dialect.has(no_command) {
        Reply::Error.because(no_command)
    } else {
        MALFORMED.because(bad_line)
    }
}

/// A command that the protocol does not have.
pub(crate) fn unknown(_line: &Line) -> Ruling {
    Reply::Error.because(req!("framing.unknown"))
}
