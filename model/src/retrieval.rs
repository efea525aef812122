//! `get` and `gets`. Law: `spec/retrieval.md`.

use alloc::vec::Vec;

use spec::req;

use crate::framing::Line;
use crate::reply::{MALFORMED, Reply, Value};
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, Time, keys};

/// `get <key>+` and `gets <key>+`
pub(crate) fn get(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let keys = line.arguments_from(1);
    if keys.is_empty() {
        return MALFORMED.because(req!("retrieval.get.no-key"));
    }
    let with_unique = line.command() == b"gets";
    let mut values = Vec::new();
    let mut reasons = Vec::new();
    for key in keys {
        if let Err(rule) = keys::check(key, line) {
            return MALFORMED
                .because(rule)
                .also(req!("retrieval.get.one-bad-key"));
        }
        count(&mut model.counters.cmd_get);
        match model.lookup(key, now) {
            Err(absence) => {
                reasons.push(req!("retrieval.get.miss"));
                reasons.extend(absence.rule());
                count(&mut model.counters.get_misses);
            }
            Ok(item) => {
                item.fetched = true;
                item.accessed = now;
                values.push(Value {
                    key: key.to_vec(),
                    flags: item.flags,
                    data: item.value.clone(),
                    unique: with_unique.then_some(item.unique),
                });
                count(&mut model.counters.get_hits);
                reasons.push(req!("retrieval.get.hit"));
                if with_unique {
                    reasons.push(req!("retrieval.gets.unique"));
                }
            }
        }
    }
    let mut ruling = Reply::Values(values).because(req!("retrieval.get.end"));
    ruling.because.extend(reasons);
    ruling
}
