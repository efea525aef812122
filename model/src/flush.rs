//! `flush_all`. Law: `spec/flush.md`.
//!
//! A flush never walks the items: it says which of them no longer count, and [`Model::lookup`]
//! asks.

use alloc::borrow::Cow;

use spec::{Requirement, req};

use crate::expiration::Deadline;
use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time, numbers};

/// The one flush there is: from a moment on, items stored before a moment are hidden.
///
/// The two moments are the same, but for a server that flushes early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flush {
    from: Time,
    before: Time,
}

impl Flush {
    /// Whether the item is hidden now.
    pub(crate) fn hides(self, item: &Item, now: Time) -> bool {
        self.from <= now && item.stored < self.before
    }
}

/// `flush_all [<delay>] [noreply]`
pub(crate) fn flush_all(model: &mut Model, line: &Line, now: Time) -> Ruling {
    count(&mut model.counters.cmd_flush);
    let ruling = match line.arguments_from(1) {
        _ if !model.options.flush => NOT_ALLOWED.because(req!("flush.forbidden")),
        [] | [b"noreply"] => at_once(model, now),
        [delay, ..] => match numbers::signed32(delay, line, &model.dialect) {
            Some(delay) => after(model, delay.into(), now),
            None => Reply::ClientError(Cow::Borrowed("invalid exptime argument"))
                .because(req!("flush.argument")),
        },
    };
    ruling.silent_if(line.noreply(), req!("flush.noreply"))
}

const NOT_ALLOWED: Reply = Reply::ClientError(Cow::Borrowed("flush_all not allowed"));

/// Flushes when this exptime says.
pub(crate) fn after(model: &mut Model, delay: i64, now: Time) -> Ruling {
    let deadline = Deadline::of(delay, now).at;
    match (delay, deadline) {
        (_, Some(at)) if at > now => pending(model, at, now),
        (0, _) => at_once(model, now).also(req!("flush.zero")),
        (..0, _) => at_once(model, now).also(req!("flush.negative")),
        (_, at) if is_before_the_start(at, now) && model.dialect.has(IGNORED) => {
            model.flush = None;
            Reply::Ok.because(IGNORED)
        }
        _ => at_once(model, now).also(req!("flush.past")),
    }
}

const IGNORED: &Requirement = req!("flush.past.ignored");

/// Whether a server that has just been started takes this for a date from before that: it lets its
/// time begin about a minute earlier.
fn is_before_the_start(at: Option<Time>, now: Time) -> bool {
    at.is_some_and(|at| at.0 < now.0.saturating_sub(60))
}

/// Everything is hidden now, but not what is stored from now on, even in this second.
fn at_once(model: &mut Model, now: Time) -> Ruling {
    let (from, before) = (now, now);
    let last = model.replace_flush(Flush { from, before }, now);
    model.items.retain(|_, item| item.stored < now);
    Reply::Ok
        .because(req!("flush.now"))
        .also(req!("flush.after"))
        .also(last)
}

/// Nothing is hidden yet.
fn pending(model: &mut Model, at: Time, now: Time) -> Ruling {
    let early = req!("flush.delay.tick.early");
    let (from, tick) = if model.dialect.has(early) {
        (Time(at.0.saturating_sub(1)), early)
    } else {
        (at, req!("flush.delay.tick.on-time"))
    };
    let last = model.replace_flush(Flush { from, before: at }, now);
    Reply::Ok
        .because(req!("flush.delay.waits"))
        .also(req!("flush.delay.between"))
        .also(req!("flush.delay.exptime"))
        .also(req!("flush.delay.tick"))
        .also(tick)
        .also(last)
}

impl Model {
    /// Puts this flush in the place of the last one, and gives the rule for what becomes of that.
    fn replace_flush(&mut self, flush: Flush, now: Time) -> Option<&'static Requirement> {
        let last = self.flush.replace(flush)?;
        if last.from > now {
            return Some(req!("flush.replaced"));
        }
        if self.dialect.has(req!("flush.lasts.undone")) {
            return Some(req!("flush.lasts.undone"));
        }
        self.items.retain(|_, item| !last.hides(item, now));
        Some(req!("flush.lasts"))
    }
}
