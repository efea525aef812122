//! The meta delete. Law: `spec/meta/delete.md`.
//!
//! It never takes an item away that it was asked to keep: with `I` and `x` the item stays, marked
//! or emptied. What the marks mean to a client is in `get.rs`.

use alloc::borrow::Cow;

use spec::{Requirement, req};

use super::flags::Flags;
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::memory::OUT_OF_MEMORY;
use crate::reply::{Code, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

type Rule = &'static Requirement;

/// `md <key> <flags>*`
pub(crate) fn md(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let flags = match Flags::parse(line, 2, &model.dialect) {
        Ok(flags) => flags,
        Err(fault) => return refuse(model, fault),
    };
    if let Some(fault) = flags.opaque_fault(&model.dialect) {
        return fault.also(req!("meta.delete.opaque"));
    }
    let found = model.lookup(&flags.key, now).map(|item| item.clone());
    match found {
        Err(absence) => {
            count(&mut model.counters.delete_misses);
            failed(&flags, Code::Nf, req!("meta.delete.missing"))
                .also(given(&flags, b'C', req!("meta.delete.compare.missing")))
                .also(absence.rule())
        }
        Ok(item) => match flags.number(b'C') {
            Some(unique) if unique != item.unique => {
                count(&mut model.counters.delete_misses);
                failed(&flags, Code::Ex, req!("meta.delete.compare.differs"))
                    .also(req!("meta.delete.compare.zero"))
            }
            _ => act(model, &flags, item, now),
        },
    }
}

/// Does to the item what the flags say.
fn act(model: &mut Model, flags: &Flags, item: Item, now: Time) -> Ruling {
    if flags.has(b'x') && !model.has_room_for(&flags.key, 0, client_flags(flags)) {
        return OUT_OF_MEMORY.because(req!("memory.refuse.made"));
    }
    let ruling = match (flags.has(b'x'), flags.has(b'I')) {
        (false, false) => {
            let length = item.value.len();
            model.items.remove(&flags.key);
            model.journal.deleted(&flags.key, "md", length, now);
            count(&mut model.counters.delete_hits);
            done(flags, req!("meta.delete.hit")).also(given(
                flags,
                b'T',
                req!("meta.delete.exptime-alone"),
            ))
        }
        (false, true) => {
            let item = marked(model, flags, item, now);
            model.items.insert(flags.key.clone(), item);
            done(flags, req!("meta.delete.stale"))
                .also(req!("meta.delete.stale.unique"))
                .also(req!("meta.delete.stale.again"))
                .also(req!("meta.delete.stale.exptime"))
                .also(req!("meta.delete.stale.exptime-kept"))
                .also(given(flags, b'F', req!("meta.delete.stale.client-flags")))
        }
        (true, false) => {
            count(&mut model.counters.delete_hits);
            let item = emptied(model, flags, &item, now);
            model.put(&flags.key, item, now);
            done(flags, req!("meta.delete.empty"))
                .also(req!("meta.delete.empty.client-flags"))
                .also(req!("meta.delete.empty.exptime"))
                .also(req!("meta.delete.empty.unique"))
                .also(req!("meta.delete.empty.renewed"))
                .also(loses_base64(model).unwrap_or(req!("meta.delete.empty.base64")))
        }
        (true, true) => {
            let item = emptied(model, flags, &item, now);
            let item = marked(model, flags, item, now);
            model.put(&flags.key, item, now);
            done(flags, req!("meta.delete.empty.stale")).also(req!("meta.delete.empty.stale.flags"))
        }
    };
    ruling
        .also(choice(model, flags))
        .also(given(flags, b'C', req!("meta.delete.compare.same")))
        .also(given(flags, b'C', req!("meta.delete.compare.disabled")))
}

/// The item, stale and free to be won, with another unique.
fn marked(model: &mut Model, flags: &Flags, item: Item, now: Time) -> Item {
    let deadline = flags
        .exptime(b'T')
        .map(|exptime| Deadline::of(exptime, now));
    Item {
        unique: unique(model, flags),
        expires: deadline.map_or(item.expires, |deadline| deadline.at),
        stale: true,
        won: false,
        ..item
    }
}

/// A new item in the place of this one: an empty value, what `T` and `F` say, and the old unique
/// unless `E` names another.
fn emptied(model: &mut Model, flags: &Flags, item: &Item, now: Time) -> Item {
    let exptime = flags.exptime(b'T').unwrap_or_default();
    Item {
        flags: client_flags(flags),
        expires: Deadline::of(exptime, now).at,
        unique: if flags.has(b'E') {
            unique(model, flags)
        } else {
            item.unique
        },
        base64: item.base64 && loses_base64(model).is_none(),
        ..Item::default()
    }
}

/// What `F` names, or 0.
fn client_flags(flags: &Flags) -> u32 {
    let number = flags.number(b'F');
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.unwrap_or_default()
}

/// The deviation of forgetting that the key came in base64.
fn loses_base64(model: &Model) -> Option<Rule> {
    let lost = req!("meta.delete.empty.base64.lost");
    model.dialect.has(lost).then_some(lost)
}

/// What `E` means for the item that stays.
fn choice(model: &Model, flags: &Flags) -> Option<Rule> {
    let taken = req!("meta.delete.choose.zero.taken");
    match flags.number(b'E')? {
        0 if model.dialect.has(taken) => Some(taken),
        0 => Some(req!("meta.delete.choose.zero")),
        _ => Some(req!("meta.delete.choose")),
    }
}

fn unique(model: &mut Model, flags: &Flags) -> u64 {
    if choice(model, flags) == Some(req!("meta.delete.choose.zero.taken")) {
        0
    } else {
        model.unique(flags.number(b'E'))
    }
}

fn done(flags: &Flags, rule: Rule) -> Ruling {
    flags
        .echoes()
        .coded(Code::Hd, rule)
        .silent_if(flags.has(b'q'), req!("meta.delete.quiet"))
        .also(given(flags, b'O', req!("meta.delete.return.echoed")))
        .also(given(flags, b'v', req!("meta.delete.return.nothing")))
}

fn failed(flags: &Flags, code: Code, rule: Rule) -> Ruling {
    flags
        .echoes()
        .coded(code, rule)
        .also(given(flags, b'q', req!("meta.delete.quiet.failures")))
        .also(given(flags, b'O', req!("meta.delete.return.echoed")))
}

/// A line that was refused, in the words of the dialect.
fn refuse(model: &Model, fault: Ruling) -> Ruling {
    let unnamed = req!("meta.delete.refused.unnamed");
    let kept = [
        req!("keys.length.over"),
        req!("meta.flags.key.missing"),
        req!("meta.flags.too-many"),
    ];
    let named = kept.iter().any(|rule| fault.cites(rule)) || !model.dialect.has(unnamed);
    let fault = fault.also(req!("meta.delete.refused"));
    if named {
        return fault.also(req!("meta.delete.refused.named"));
    }
    Ruling {
        reply: Reply::ClientError(Cow::Borrowed("invalid or duplicate flag")),
        ..fault.also(unnamed)
    }
}

/// The rule, if this flag was given.
fn given(flags: &Flags, letter: u8, rule: Rule) -> Option<Rule> {
    flags.has(letter).then_some(rule)
}
