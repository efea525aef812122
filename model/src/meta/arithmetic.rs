//! The meta arithmetic. Law: `spec/meta/arithmetic.md`.
//!
//! It never reads or writes a number in an item: that is `arithmetic.rs`, which `incr` and `decr`
//! share. Here is what flags add to it: comparing, creating, and what the reply returns.

use alloc::borrow::Cow;
use alloc::string::ToString;

use spec::{Requirement, req};

use super::fields::Fields;
use super::flags::Flags;
use crate::arithmetic::{self, Changed, Delta, NON_NUMERIC, Unchanged};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::memory::OUT_OF_MEMORY;
use crate::reply::{Code, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

type Rule = &'static Requirement;

/// `ma <key> <flags>*`
pub(crate) fn ma(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let read = Flags::parse(line, 2, &model.dialect);
    let flags = match read {
        Ok(flags) => flags,
        Err(fault) => return refuse(model, fault),
    };
    let delta = match delta(&flags, line) {
        Ok(delta) => delta,
        Err(fault) => return fault,
    };
    match flags.opaque_fault(&model.dialect) {
        Some(fault) => refuse_opaque(model, &flags, delta, now, fault),
        None => act(model, &flags, delta, now),
    }
}

/// How much, and in which direction; a fault of the mode is ruled.
fn delta(flags: &Flags, line: &Line) -> Result<Delta, Ruling> {
    let by = flags.number(b'D').unwrap_or(1);
    let Some(mode) = flags.mode() else {
        return Ok(Delta::Incr(by));
    };
    line.note_if(
        matches!(mode, [_, _, ..]),
        req!("meta.arithmetic.mode.first-letter"),
    );
    match mode.first() {
        Some(b'I' | b'+') => {
            line.note(req!("meta.arithmetic.mode.up"));
            Ok(Delta::Incr(by))
        }
        Some(b'D' | b'-') => {
            line.note(req!("meta.arithmetic.mode.down"));
            Ok(Delta::Decr(by))
        }
        _ => Err(
            Reply::ClientError(Cow::Borrowed("invalid mode for ma M token"))
                .because(req!("meta.arithmetic.mode.unknown")),
        ),
    }
}

fn act(model: &mut Model, flags: &Flags, delta: Delta, now: Time) -> Ruling {
    if let Some(differs) = compare(model, flags, now) {
        return differs;
    }
    match arithmetic::change(model, &flags.key, delta, now) {
        Ok(changed) => counted(model, flags, changed, now),
        Err(Unchanged::NoRoom) => OUT_OF_MEMORY.because(req!("memory.refuse.made")),
        Err(Unchanged::Missing(absence)) if flags.has(b'N') => {
            create(model, flags, now).also(absence.rule())
        }
        Err(Unchanged::Missing(absence)) => {
            count(delta.misses(model));
            failed(flags, Code::Nf, req!("meta.arithmetic.missing"))
                .also(given(
                    flags,
                    b'J',
                    req!("meta.arithmetic.create.initial-alone"),
                ))
                .also(absence.rule())
        }
        Err(Unchanged::NonNumeric(rule)) => NON_NUMERIC
            .because(req!("meta.arithmetic.non-numeric"))
            .also(rule),
    }
}

/// What `C` says against counting. 0 compares nothing.
fn compare(model: &mut Model, flags: &Flags, now: Time) -> Option<Ruling> {
    let asked = flags.number(b'C').filter(|asked| *asked != 0)?;
    let late = req!("meta.arithmetic.compare.first.non-numeric");
    let item = model.find(&flags.key, now).ok()?.clone();
    if item.unique == asked {
        return None;
    }
    model.journal.fetched(&flags.key, Ok(item.value.len()), now);
    let is_no_number = item.value.is_empty() || arithmetic::is_large(model, &flags.key, &item);
    if is_no_number && model.dialect.has(late) {
        return Some(NON_NUMERIC.because(late));
    }
    let differs = failed(flags, Code::Ex, req!("meta.arithmetic.compare.differs"))
        .also(req!("meta.arithmetic.compare.first"))
        .also(req!("meta.arithmetic.compare.disabled"));
    Some(differs)
}

/// The reply for an item that was counted, and what flags still do to that.
fn counted(model: &mut Model, flags: &Flags, changed: Changed, now: Time) -> Ruling {
    let choice = choice(model, flags);
    let mut item = changed.item.clone();
    item.unique = choice
        .and_then(|choice| choice.unique)
        .unwrap_or(item.unique);
    let mut fields = act_on(model, flags, &mut item, false, now);
    if changed.renewed {
        fields.cite(req!("meta.arithmetic.exptime.grown"));
        fields.cite(req!("meta.arithmetic.choose.grown"));
        keep_of_old(model, &changed.item, &mut item, &mut fields);
    }
    model.items.insert(flags.key.clone(), item);
    let mut ruling = reply(
        flags,
        fields,
        changed.number,
        req!("meta.arithmetic.counted"),
    )
    .also(choice.map(|choice| choice.because))
    .also(given(flags, b'D', req!("meta.arithmetic.delta")))
    .also(given(flags, b'C', req!("meta.arithmetic.compare.same")))
    .also(given(flags, b'C', req!("meta.arithmetic.compare.zero")))
    .also(req!("meta.arithmetic.kept"))
    .also(req!("meta.arithmetic.unique"))
    .also(req!("meta.arithmetic.stale"))
    .also(req!("meta.arithmetic.base64"))
    .also(req!("meta.arithmetic.exptime.kept"));
    let rests_on = |rule: Rule, own: Rule| changed.because.contains(&rule).then_some(own);
    let end = rests_on(req!("arithmetic.incr.wraps"), req!("meta.arithmetic.wraps")).or(rests_on(
        req!("arithmetic.decr.clamps"),
        req!("meta.arithmetic.clamps"),
    ));
    ruling.because.extend(end);
    ruling.because.extend(changed.because);
    ruling.silent_if(flags.has(b'q'), req!("meta.arithmetic.quiet"))
}

/// The deviation of letting `T` and `E` act on an item that a longer number has displaced.
fn keep_of_old(model: &Model, old: &Item, item: &mut Item, fields: &mut Fields) {
    let lost = req!("meta.arithmetic.exptime.grown.lost");
    if model.dialect.has(lost) {
        item.expires = old.expires;
        fields.cite(lost);
    }
    let lost = req!("meta.arithmetic.choose.grown.lost");
    if model.dialect.has(lost) {
        item.unique = old.unique;
        fields.cite(lost);
    }
}

/// Makes an item of the number behind `J`; the delta is not applied to it.
fn create(model: &mut Model, flags: &Flags, now: Time) -> Ruling {
    let number = flags.number(b'J').unwrap_or_default();
    let value = number.to_string().into_bytes();
    if !model.has_room_for(&flags.key, value.len() as u64, 0) {
        return OUT_OF_MEMORY.because(req!("memory.refuse.made"));
    }
    let choice = choice(model, flags);
    let chosen = choice.and_then(|choice| choice.unique);
    let raw = req!("meta.arithmetic.create.base64.raw");
    let prints_raw = model.dialect.has(raw);
    let mut item = Item {
        value,
        unique: chosen.unwrap_or_else(|| model.next_unique()),
        base64: flags.has(b'b') && !prints_raw,
        ..Item::default()
    };
    let fields = act_on(model, flags, &mut item, true, now);
    model.tell_made(&flags.key, &item, now);
    model.put(&flags.key, item, now);
    let shown = req!("meta.arithmetic.quiet.created.shown");
    let shows = model.dialect.has(shown);
    reply(flags, fields, number, req!("meta.arithmetic.create"))
        .also(choice.map(|choice| choice.because))
        .also(req!("meta.arithmetic.create.zero"))
        .also(req!("meta.arithmetic.create.delta"))
        .also(req!("meta.arithmetic.create.compare"))
        .also(req!("meta.arithmetic.create.base64"))
        .also(prints_raw.then_some(raw))
        .also(shows.then_some(shown))
        .silent_if(
            flags.has(b'q') && !shows,
            req!("meta.arithmetic.quiet.created"),
        )
}

/// What `E` chooses, none where that is left to the server, and the rule.
#[derive(Clone, Copy)]
struct Choice {
    unique: Option<u64>,
    because: Rule,
}

fn choice(model: &Model, flags: &Flags) -> Option<Choice> {
    let asked = flags.number(b'E')?;
    let taken = req!("meta.arithmetic.choose.zero.taken");
    let because = match asked {
        _ if !model.options.cas => req!("meta.arithmetic.choose.disabled"),
        0 if model.dialect.has(taken) => taken,
        0 => req!("meta.arithmetic.choose.zero"),
        _ => req!("meta.arithmetic.choose"),
    };
    let is_unique = model.options.cas && (asked != 0 || because == taken);
    let unique = is_unique.then_some(asked);
    Some(Choice { unique, because })
}

/// Lets the flags act on the item and show it, from left to right.
fn act_on(model: &Model, flags: &Flags, item: &mut Item, created: bool, now: Time) -> Fields {
    let is_cut = flags.opaque_fault(&model.dialect).is_some();
    let mut fields = Fields::default();
    for flag in flags.iter() {
        match flag.letter {
            b'O' if is_cut => break,
            b'O' => {
                fields.add_opaque(flag);
                fields.cite(req!("meta.arithmetic.return.echoed"));
            }
            b'k' => fields.add_key(&flags.key, flags.has(b'b')),
            b'c' => {
                fields.add_number(b'c', item.unique, req!("meta.arithmetic.return.unique"));
            }
            b't' => show_time_left(model, item, now, &mut fields),
            b'T' => {
                let deadline = deadline(flags, b'T', now);
                item.expires = deadline.at;
                fields.cite(deadline.because);
                fields.cite(req!("meta.arithmetic.exptime"));
            }
            b'N' if created => {
                let deadline = deadline(flags, b'N', now);
                item.expires = deadline.at;
                fields.cite(deadline.because);
                fields.cite(req!("meta.arithmetic.create.exptime"));
                fields.cite(req!("meta.arithmetic.create.order"));
            }
            b's' => fields.cite(req!("meta.arithmetic.return.nothing")),
            _ => {}
        }
    }
    fields
}

fn deadline(flags: &Flags, letter: u8, now: Time) -> Deadline {
    Deadline::of(flags.exptime(letter).unwrap_or_default(), now)
}

fn show_time_left(model: &Model, item: &Item, now: Time, fields: &mut Fields) {
    fields.cite(req!("meta.arithmetic.exptime.order"));
    let rule = req!("meta.arithmetic.return.exptime");
    let Some(expires) = item.expires else {
        return fields.add(b't', b"-1", rule);
    };
    let wraps = req!("meta.arithmetic.return.dead.wraps");
    match expires.0.saturating_sub(now.0) {
        0 if model.dialect.has(wraps) => fields.add_number(b't', u32::MAX.into(), wraps),
        0 => fields.add_number(b't', 0, req!("meta.arithmetic.return.dead")),
        left => fields.add_number(b't', left, rule),
    }
}

fn reply(flags: &Flags, fields: Fields, number: u64, rule: Rule) -> Ruling {
    if flags.has(b'v') {
        let number = number.to_string().into_bytes();
        fields
            .valued(number, rule)
            .also(req!("meta.arithmetic.value"))
            .also(req!("meta.arithmetic.value.bare"))
            .also(given(flags, b'q', req!("meta.arithmetic.quiet.value")))
    } else {
        fields.coded(Code::Hd, rule)
    }
}

fn failed(flags: &Flags, code: Code, rule: Rule) -> Ruling {
    flags.echoes().coded(code, rule).also(given(
        flags,
        b'q',
        req!("meta.arithmetic.quiet.failures"),
    ))
}

/// A line whose opaque is too long: nothing is done. The deviation is to find that out too late.
fn refuse_opaque(
    model: &mut Model,
    flags: &Flags,
    delta: Delta,
    now: Time,
    fault: Ruling,
) -> Ruling {
    let late = req!("meta.arithmetic.opaque.late");
    if !model.dialect.has(late) {
        return fault.also(req!("meta.arithmetic.opaque"));
    }
    let ruling = act(model, flags, delta, now);
    match ruling.reply {
        Reply::ClientError(_) => ruling,
        _ => fault.also(late),
    }
}

/// A line that was refused, in the words of the dialect.
fn refuse(model: &Model, fault: Ruling) -> Ruling {
    let fault = fault.also(req!("meta.arithmetic.refused"));
    let cites = |rules: &[Rule]| rules.iter().any(|rule| fault.cites(rule));
    if cites(&[
        req!("meta.flags.key.missing"),
        req!("meta.flags.punctuation.malformed"),
    ]) {
        return fault;
    }
    let named = req!("meta.arithmetic.refused.key.named");
    let is_long = cites(&[req!("keys.length.over"), req!("meta.flags.too-many")]);
    let (fault, rule) = match is_long {
        true if model.dialect.has(named) => {
            return fault.also(named).also(req!("meta.arithmetic.refused.key"));
        }
        true => (
            fault.also(req!("meta.arithmetic.refused.key")),
            req!("meta.arithmetic.refused.key.unnamed"),
        ),
        false => (fault, req!("meta.arithmetic.refused.unnamed")),
    };
    Ruling {
        reply: Reply::ClientError(Cow::Borrowed("invalid or duplicate flag")),
        ..fault.also(rule)
    }
}

/// The rule, if this flag was given.
fn given(flags: &Flags, letter: u8, rule: Rule) -> Option<Rule> {
    flags.has(letter).then_some(rule)
}
