//! The meta get. Law: `spec/meta/get.md`.
//!
//! Flags act from left to right: each sees what those before it have changed. It never decides
//! what the marks of an item mean to a client; it only shows and moves them.

use alloc::string::ToString;
use alloc::vec::Vec;

use spec::{Requirement, req};

use super::flags::{Flag, Flags, field, key_fields};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::reply::{Code, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

/// `mg <key> <flags>*`
pub(crate) fn mg(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let flags = match Flags::parse(line, 2, &model.dialect) {
        Ok(flags) => flags,
        Err(fault) => return fault,
    };
    if let Some(fault) = flags.opaque_fault() {
        return fault;
    }
    let ruling = match model.lookup(&flags.key, now) {
        Ok(_) => hit(model, &flags, now),
        Err(absence) if flags.has(b'N') => {
            vivify(model, &flags, now);
            hit(model, &flags, now)
                .also(req!("meta.get.vivify.win"))
                .also(absence.rule())
        }
        Err(absence) => miss(model, &flags).also(absence.rule()),
    };
    flags.explain(ruling)
}

fn miss(model: &mut Model, flags: &Flags) -> Ruling {
    count(&mut model.counters.cmd_get);
    count(&mut model.counters.get_misses);
    Reply::Meta(Code::En, flags.echoes())
        .because(req!("meta.get.miss"))
        .silent_if(flags.has(b'q'), req!("meta.get.quiet.miss"))
}

fn vivify(_model: &mut Model, _flags: &Flags, _now: Time) {}

fn hit(model: &mut Model, flags: &Flags, now: Time) -> Ruling {
    let Ok(item) = model.lookup(&flags.key, now) else {
        return miss(model, flags);
    };
    let mut fields = Vec::new();
    let mut because = Vec::new();
    for flag in flags.iter() {
        if let Some((value, rule)) = shown(item, flag, flags, now) {
            fields.extend(value);
            because.push(rule);
        }
    }
    let reply = if flags.has(b'v') {
        Reply::MetaValue(item.value.clone(), fields)
    } else {
        Reply::Meta(Code::Hd, fields)
    };
    count(&mut model.counters.cmd_get);
    count(&mut model.counters.get_hits);
    let mut ruling = reply.because(req!("meta.get.hit"));
    ruling.because.extend(because);
    ruling
}

/// What a flag returns of an item.
fn shown(
    item: &Item,
    flag: &Flag,
    flags: &Flags,
    now: Time,
) -> Option<(Vec<Vec<u8>>, &'static Requirement)> {
    let number = |number: u64| alloc::vec![field(flag.letter, number.to_string().as_bytes())];
    Some(match flag.letter {
        b'c' => (number(item.unique), req!("meta.get.hit")),
        b'f' => (number(u64::from(item.flags)), req!("meta.get.hit")),
        b's' => (number(item.value.len() as u64), req!("meta.get.hit")),
        b'O' => (alloc::vec![flag.echo()], req!("meta.get.hit")),
        b'k' => (key_fields(&flags.key, item.base64), req!("meta.get.hit")),
        b't' => match item.expires {
            None => (alloc::vec![b"t-1".to_vec()], req!("meta.get.hit")),
            Some(at) => (number(at.0.saturating_sub(now.0)), req!("meta.get.hit")),
        },
        b'T' => {
            let _ = Deadline::of(flag.exptime()?, now);
            return None;
        }
        _ => return None,
    })
}
