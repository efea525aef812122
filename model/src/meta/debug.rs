//! The meta debug. Law: `spec/meta/debug.md`.
//!
//! It never changes an item, not even that it was read.

use alloc::format;
use alloc::vec::Vec;

use spec::{Dialect, req};

use super::base64;
use super::flags::refuse_punctuation;
use crate::framing::Line;
use crate::memory::size_of_item;
use crate::reply::{Code, MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time, keys};

/// `me <key> [b]`
pub(crate) fn me(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let key = match read(line, &model.dialect) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    count(&mut model.counters.cmd_meta);
    let backwards = model.dialect.has(req!("meta.debug.expiry.backwards"));
    let narrow = model.dialect.has(req!("meta.debug.expiry.far.narrow"));
    let has_unique = model.options.cas;
    match model.lookup(&key, now) {
        Err(absence) => Reply::Meta(Code::En, Vec::new())
            .because(req!("meta.debug.miss"))
            .also(absence.rule()),
        Ok(item) => {
            let mut text = b"ME ".to_vec();
            text.extend(shown(&key, item));
            let expiry = expiry(item, now, backwards, narrow);
            let idle = now.0.saturating_sub(item.accessed.0);
            let fetched = if item.fetched { "yes" } else { "no" };
            let value = item.value.len() as u64;
            let size = size_of_item(key.len() as u64, value, item.flags != 0, has_unique);
            let unique = item.unique;
            let fields = format!(
                " exp={expiry} la={idle} cas={unique} fetch={fetched} cls=1 size={size}\r\n"
            );
            text.extend_from_slice(fields.as_bytes());
            Reply::Verbatim(text)
                .because(req!("meta.debug.fields"))
                .also(req!("meta.debug.fetched"))
                .also(req!("meta.debug.unnoticed"))
                .also(item.base64.then_some(req!("meta.debug.key")))
                .also(match item.expires {
                    None => req!("meta.debug.unlimited"),
                    Some(at) if is_far(at, now) && narrow => req!("meta.debug.expiry.far.narrow"),
                    Some(at) if is_far(at, now) => req!("meta.debug.expiry.far"),
                    Some(_) if backwards => req!("meta.debug.expiry.backwards"),
                    Some(_) => req!("meta.debug.expiry"),
                })
        }
    }
}

/// The key, decoded where `b` asks for it.
fn read(line: &Line, dialect: &Dialect) -> Result<Vec<u8>, Ruling> {
    let Some(key) = line.argument(1) else {
        return Err(MALFORMED.because(req!("meta.debug.no-key")));
    };
    refuse_punctuation(line.arguments_from(2), dialect)?;
    keys::check(key, line).map_err(|rule| MALFORMED.because(rule))?;
    let literal = req!("meta.debug.base64.literal");
    match line.arguments_from(2) {
        [b"b"] if dialect.has(literal) => {
            line.note(literal);
            Ok(key.to_vec())
        }
        [b"b", ..] => {
            line.note(req!("meta.debug.base64"));
            base64::decode(key, line, dialect)
                .ok_or_else(|| MALFORMED.because(req!("meta.debug.malformed")))
        }
        others => {
            line.note_if(!others.is_empty(), req!("meta.debug.other-flags"));
            Ok(key.to_vec())
        }
    }
}

fn shown(key: &[u8], item: &Item) -> Vec<u8> {
    if item.base64 {
        base64::encode(key)
    } else {
        key.to_vec()
    }
}

/// Whether so many seconds are left that 32 bits with a sign do not hold them.
fn is_far(at: Time, now: Time) -> bool {
    i32::try_from(at.0.saturating_sub(now.0)).is_err()
}

/// The seconds left; -1 where the item never expires.
fn expiry(item: &Item, now: Time, backwards: bool, narrow: bool) -> i64 {
    let Some(at) = item.expires else {
        return -1;
    };
    let left = i64::try_from(at.0.saturating_sub(now.0)).unwrap_or(i64::MAX);
    let shown = if backwards {
        left.saturating_neg()
    } else {
        left
    };
    if narrow { shown << 32 >> 32 } else { shown }
}
