//! Which function rules which command.

use spec::{Requirement, req};

use crate::administration::watch::{self, Watcher};
use crate::administration::{dump, settings};
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::{Recovery, Ruling};
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
    /// Its ruling, and from then on nothing but what others do.
    Watches(Ruling, Watcher),
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
    if let Some(ruling) = too_short(model, line) {
        return ruling.into();
    }
    let Some(arity) = Arity::of(line.command()) else {
        line.note_if(line.noreply(), req!("framing.noreply.foreign"));
        return command(model, line, now);
    };
    if line.arguments_from(arity.most).is_empty() {
        line.settle_noreply(arity.needed, &model.dialect);
    } else if model.dialect.has(req!("framing.extra.refused")) {
        line.note(req!("framing.extra"));
        return Reply::Error.because(req!("framing.extra.refused")).into();
    } else {
        line.note(req!("framing.extra"));
        line.note(req!("framing.extra.ignored"));
        line.settle_noreply(arity.needed, &model.dialect);
    }
    match command(model, line, now) {
        Answer::Ruled(ruling) => explained(model, line, ruling).into(),
        later => later,
    }
}

/// Adds what follows from `noreply` and from the length, whatever the command ruled.
fn explained(model: &Model, line: &Line, ruling: Ruling) -> Ruling {
    let stores = Arity::of(line.command()).is_some_and(|arity| arity.needed >= 5);
    let unknown_length = stores && ruling.recovery == Recovery::Next;
    line.note_if(unknown_length, req!("framing.swallow.unknown"));
    if !line.noreply() {
        return ruling;
    }
    let refused = matches!(ruling.reply, Reply::ClientError(_) | Reply::ServerError(_));
    if ruling.silent {
        return ruling.also(refused.then_some(req!("framing.noreply.errors")));
    }
    let hidden = req!("framing.noreply.malformed.hidden");
    let ruling = ruling.also(req!("framing.noreply.malformed"));
    if model.dialect.has(hidden) {
        ruling.silent_if(true, hidden)
    } else {
        ruling.also(req!("framing.noreply.malformed.told"))
    }
}

/// How many tokens a command that takes `noreply` needs, and how many it knows with `noreply`.
struct Arity {
    needed: usize,
    most: usize,
}

impl Arity {
    fn of(command: &[u8]) -> Option<Arity> {
        let (needed, most) = match command {
            b"set" | b"add" | b"replace" | b"append" | b"prepend" => (5, 6),
            b"cas" => (6, 7),
            b"touch" | b"incr" | b"decr" => (3, 4),
            b"delete" => (2, 4),
            b"flush_all" => (1, 3),
            b"verbosity" | b"cache_memlimit" => (2, 3),
            _ => return None,
        };
        Some(Arity { needed, most })
    }
}

/// A line without a command, or with one that the dialect finds too short to be any.
fn too_short(model: &Model, line: &Line) -> Option<Ruling> {
    let refused = req!("framing.line.short.refused");
    if line.arguments_from(0).is_empty() {
        let error = req!("framing.empty.error");
        let client_error = req!("framing.empty.client-error");
        return Some(incomplete(model, client_error, error).also(req!("framing.empty")));
    }
    let short = line.length_bytes < LENGTH_MIN_BYTES;
    line.note_if(short, req!("framing.line.short"));
    (short && model.dialect.has(refused)).then(|| MALFORMED.because(refused))
}

/// The length, with its end, below which memcached 1.6.45 reads no line.
const LENGTH_MIN_BYTES: usize = 4;

/// Lets the command's own chapter rule.
fn command(model: &mut Model, line: &Line, now: Time) -> Answer {
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
        b"shutdown" => administration::shutdown(model, line).into(),
        b"watch" => match watch::watch(model, line) {
            (ruling, Some(watcher)) => Answer::Watches(ruling, watcher),
            (ruling, None) => ruling.into(),
        },
        b"refresh_certs" => administration::refresh_certs().into(),
        b"cache_memlimit" => settings::cache_memlimit(model, line).into(),
        b"slabs" => settings::slabs(model, line).into(),
        b"lru" => settings::lru(model, line).into(),
        b"lru_crawler" => match line.argument(1) {
            Some(b"metadump" | b"mgdump") => dump::dump(model, line, now).into(),
            _ => settings::crawler(model, line).into(),
        },
        _ => strange(model, line).into(),
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

/// A command that the protocol does not have, or a request of another protocol.
fn strange(model: &Model, line: &Line) -> Ruling {
    let closes = |rule| Reply::Nothing.because(rule).closing();
    match line.arguments_from(0) {
        [alone] if alone.starts_with(b"HTTP/") => {
            let closed = req!("framing.http-alone.closed");
            line.note(req!("framing.http-alone"));
            if model.dialect.has(closed) {
                return closes(closed);
            }
        }
        [.., last] if last.starts_with(b"HTTP/") => return closes(req!("framing.http")),
        _ => {}
    }
    let mut ruling = unknown(line);
    ruling.silent = line.silences_unknown(&model.dialect);
    ruling
}

/// A command that the protocol does not have.
pub(crate) fn unknown(line: &Line) -> Ruling {
    let command = line.command();
    let upper = command.iter().any(u8::is_ascii_uppercase);
    line.note_if(upper, req!("framing.case"));
    line.note_if(command.starts_with(b"\x80"), req!("framing.binary-later"));
    Reply::Error.because(req!("framing.unknown"))
}
