//! `touch`, `gat` and `gats`. Law: `spec/touch.md`.
//!
//! They change when an item dies, and nothing else of it. What `gat` answers is made as in
//! `retrieval.rs`.

use alloc::borrow::Cow;

use spec::req;

use crate::dispatch::incomplete;
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::retrieval::{Found, bad_key};
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, Time, keys, numbers};

const INVALID_EXPTIME: Reply = Reply::ClientError(Cow::Borrowed("invalid exptime argument"));

/// `touch <key> <exptime> [noreply]`
pub(crate) fn touch(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let [key, exptime, ..] = line.arguments_from(1) else {
        let bad_line = req!("touch.missing.client-error");
        let no_command = req!("touch.missing.error");
        return incomplete(model, bad_line, no_command).also(req!("touch.missing"));
    };
    let ruling = if let Err(rule) = keys::check(key, line) {
        MALFORMED.because(rule).also(req!("touch.key"))
    } else if let Some(exptime) = numbers::signed32(exptime, line, &model.dialect) {
        touch_until(model, key, Deadline::of(exptime.into(), now), now)
    } else {
        INVALID_EXPTIME.because(req!("touch.exptime"))
    };
    ruling.silent_if(line.noreply(), req!("framing.noreply"))
}

fn touch_until(model: &mut Model, key: &[u8], deadline: Deadline, now: Time) -> Ruling {
    count(&mut model.counters.cmd_touch);
    match model.lookup(key, now) {
        Err(absence) => {
            count(&mut model.counters.touch_misses);
            Reply::NotFound
                .because(req!("touch.miss"))
                .also(absence.rule())
        }
        Ok(item) => {
            item.expires = deadline.at;
            item.fetched = true;
            item.accessed = now;
            count(&mut model.counters.touch_hits);
            Reply::Touched
                .because(req!("touch.hit"))
                .also(deadline.because)
                .also(deadline.has_passed(now).then_some(req!("touch.past")))
                .also(req!("touch.unchanged"))
        }
    }
}

/// `gat <exptime> <key>+` and `gats <exptime> <key>+`; neither knows `noreply`.
pub(crate) fn gat(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let empty = req!("touch.gat.no-key.empty");
    let [exptime, keys @ ..] = line.arguments_from(1) else {
        let bad_line = req!("touch.gat.no-key.client-error");
        return incomplete(model, bad_line, empty).also(req!("touch.gat.no-key"));
    };
    if keys.is_empty() {
        if !model.dialect.has(empty) {
            return MALFORMED
                .because(req!("touch.gat.no-key.client-error"))
                .also(req!("touch.gat.no-key"));
        }
        line.note(empty);
    }
    let Some(exptime) = numbers::signed32(exptime, line, &model.dialect) else {
        return INVALID_EXPTIME.because(req!("touch.gat.exptime"));
    };
    line.note_if(line.noreply(), req!("touch.gat.noreply"));
    fetch_until(model, line, keys, Deadline::of(exptime.into(), now), now)
}

fn fetch_until(
    model: &mut Model,
    line: &Line,
    keys: &[&[u8]],
    deadline: Deadline,
    now: Time,
) -> Ruling {
    let mut found = Found::asked(line);
    for key in keys {
        if let Err(rule) = keys::check(key, line) {
            return bad_key(model, rule)
                .also(req!("touch.gat.bad-key"))
                .also(req!("touch.gat.bad-key-after"));
        }
        count(&mut model.counters.cmd_touch);
        match model.lookup(key, now) {
            Err(absence) => {
                found.miss(req!("touch.gat.miss"), absence);
                count(&mut model.counters.touch_misses);
                model.prefixes.get(key, false);
            }
            Ok(item) => {
                item.expires = deadline.at;
                found.hit(req!("touch.gat.hit"), key, item, now);
                count(&mut model.counters.touch_hits);
                model.prefixes.get(key, true);
            }
        }
    }
    line.note_if(deadline.at.is_none(), req!("touch.gat.zero"));
    line.note_if(deadline.has_passed(now), req!("touch.gat.past"));
    line.note_if(line.command() == b"gats", req!("touch.gats.unique"));
    line.note(deadline.because);
    found
        .ruling(req!("touch.gat.many"))
        .also(req!("touch.gat.unchanged"))
}
