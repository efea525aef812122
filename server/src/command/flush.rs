//! `flush_all`.

use super::{Context, expiration};
use crate::counters::Counter;
use crate::protocol::{Error, Reply};

/// Hides all items, at once or after a delay; no delay means that it was no number.
pub(super) fn flush_all(context: &Context<'_>, delay: Option<i64>) -> Reply {
    context.count(Counter::CmdFlush);
    if !context.shared.settings.allows_flush {
        return Error::FlushNotAllowed.into();
    }
    let Some(delay) = delay else {
        return Error::InvalidExptime.into();
    };
    let store = &context.shared.store;
    let now = context.now.seconds();
    match expiration::expiry(delay, context.now).second() {
        Some(second) if now < second => {
            // What the one before has hidden stays hidden.
            store.settle(context.now);
            store.flush_at(second);
            context.shared.set_oldest(second);
        }
        Some(_) | None => {
            store.flush();
            context.shared.set_oldest(now);
        }
    }
    Reply::Ok
}
