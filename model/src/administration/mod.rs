//! What operators ask and turn. Law: `spec/administration.md`.
//!
//! Nothing here touches an item. The settings are in `settings.rs`, the dumps in `dump.rs`, and who
//! is told what others do in `watch.rs`.

pub(crate) mod dump;
pub(crate) mod settings;
pub(crate) mod watch;

use alloc::borrow::Cow;

use spec::req;

use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::{Model, numbers};

/// The version it says it is: clients and tools choose their ways by it.
pub(crate) const VERSION: &str = "1.6.45";

/// `version`; it knows no noreply.
pub(crate) fn version() -> Ruling {
    Reply::Version(Cow::Borrowed(VERSION))
        .because(req!("administration.version"))
        .also(req!("administration.version.number"))
        .also(req!("administration.version.arguments"))
}

/// The highest verbosity; a level above it is taken as this.
const VERBOSITY_MAX: u32 = 2;

/// `verbosity <level> [noreply]`
pub(crate) fn verbosity(model: &mut Model, line: &Line) -> Ruling {
    let Some(level) = line.argument(1) else {
        return missing(model);
    };
    let ruling = match numbers::unsigned32(level, line, &model.dialect) {
        Some(level) => {
            model.verbosity = level.min(VERBOSITY_MAX);
            Reply::Ok.because(req!("administration.verbosity.ok"))
        }
        None => MALFORMED.because(req!("administration.verbosity.bad-level")),
    };
    ruling.silent_if(line.noreply(), req!("administration.verbosity.noreply"))
}

fn missing(model: &Model) -> Ruling {
    let error = req!("administration.verbosity.missing.error");
    if model.dialect.has(error) {
        Reply::Error.because(error)
    } else {
        MALFORMED.because(req!("administration.verbosity.missing"))
    }
}

/// `shutdown [graceful]`; with `-A` only.
pub(crate) fn shutdown(model: &Model, line: &Line) -> Ruling {
    let error = req!("administration.shutdown.refused.error");
    match line.arguments_from(1) {
        _ if !model.options.shutdown && model.dialect.has(error) => {
            Reply::Verbatim(b"ERROR: shutdown not enabled\r\n".into()).because(error)
        }
        _ if !model.options.shutdown => {
            Reply::Verbatim(b"SERVER_ERROR: shutdown not enabled\r\n".into())
                .because(req!("administration.shutdown.refused.server-error"))
        }
        [] | [b"graceful"] => Reply::Nothing
            .because(req!("administration.shutdown.ends"))
            .closing(),
        _ => Reply::ClientError(Cow::Borrowed("invalid shutdown mode"))
            .because(req!("administration.shutdown.mode")),
    }
}

/// `refresh_certs`: there is no TLS here.
pub(crate) fn refresh_certs() -> Ruling {
    Reply::Verbatim(b"Error TLS not enabled\r\n".into())
        .because(req!("administration.certificates"))
}

/// `quit`: what was asked before is answered, then the connection closes.
pub(crate) fn quit() -> Ruling {
    let mut ruling = Reply::Nothing
        .because(req!("administration.quit"))
        .closing();
    ruling.because.extend([
        req!("administration.quit.answered"),
        req!("administration.quit.dropped"),
        req!("administration.quit.arguments"),
        req!("administration.quit.others"),
    ]);
    ruling
}
