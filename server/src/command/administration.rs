//! `verbosity`, `cache_memlimit`, `refresh_certs`, `debugtime` and `shutdown`.

use std::time::Duration;

use super::Context;
use crate::protocol::{Error, Reply, Tokens, number};
use crate::time::Time;
use crate::turning::Turn;

/// The most talkative a client can make a server.
const VERBOSITY_MAX: u32 = 2;

/// The least memory, in megabytes, that a server can be brought down to.
const MEGABYTES_MIN: u32 = 8;

/// A limit above this was meant in bytes.
const MEGABYTES_MAX: u32 = 1_000_000_000;

/// Makes the server more or less talkative.
pub(super) fn verbosity(context: &Context<'_>, level: u32) -> Reply {
    context.shared.set_verbosity(level.min(VERBOSITY_MAX));
    Reply::Ok
}

/// Changes the memory limit.
pub(super) fn cache_memlimit(context: &Context<'_>, megabytes: u32) -> Reply {
    if megabytes < MEGABYTES_MIN {
        return Error::MemoryLimitTooSmall.into();
    }
    let bytes = usize::try_from(megabytes)
        .ok()
        .filter(|_| megabytes <= MEGABYTES_MAX)
        .and_then(|megabytes| megabytes.checked_mul(1024 * 1024));
    match bytes {
        Some(bytes) => {
            context.shared.store.set_limit(bytes, context.now);
            Reply::Ok
        }
        None => Error::MemoryLimitNotMegabytes.into(),
    }
}

/// Reads the certificates again. A server without TLS does not know the command.
pub(super) fn refresh_certs(context: &Context<'_>) -> Reply {
    match context.shared.refresh_certificates(context.now) {
        None => Error::Unknown.into(),
        Some(Ok(())) => Reply::Ok,
        Some(Err(_)) => Error::BadCertificates.into(),
    }
}

/// Stops the clock (`p`), lets it go (`r`), or sets it forward by seconds. The time is what it
/// shows then.
///
/// memcached has the command where it was built to be tested, and moves by all that was ever asked
/// for, each time again.
#[must_use]
pub fn debugtime(context: &Context<'_>, mut words: Tokens<'_>) -> (Reply, Time) {
    let turn = match words.next() {
        Some(b"p") => Some(Turn::Stop),
        Some(b"r") => Some(Turn::Go),
        seconds => seconds
            .and_then(number::unsigned32)
            .map(|seconds| Turn::Forward(Duration::from_secs(u64::from(seconds)))),
    };
    match turn {
        Some(turn) => (Reply::Ok, context.shared.turning.turn(turn, context.now)),
        None => (Error::Unknown.into(), context.now),
    }
}

/// Stops the server; then there is no reply.
pub(super) fn shutdown(context: &Context<'_>, mut words: Tokens<'_>) -> Option<Reply> {
    if !context.shared.settings.allows_shutdown {
        return Some(Error::ShutdownNotEnabled.into());
    }
    match (words.next(), words.next()) {
        (None | Some(b"graceful"), None) => {
            context.shared.stop();
            None
        }
        _ => Some(Error::InvalidShutdownMode.into()),
    }
}
