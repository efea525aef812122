//! `delete`. Law: `spec/deletion.md`.

use alloc::borrow::Cow;

use spec::req;

use crate::dispatch::incomplete;
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, Time, keys};

/// `delete <key> [noreply]`
pub(crate) fn delete(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let [_, key, behind @ ..] = line.arguments_from(0) else {
        return incomplete(
            model,
            req!("deletion.tokens"),
            req!("deletion.tokens.error"),
        );
    };
    let zero = matches!(behind, [b"0"] | [b"0", b"noreply"]);
    let odd = !zero && !matches!(behind, [] | [b"noreply"]);
    let ruling = if odd && model.dialect.has(req!("deletion.arguments.refused")) {
        USAGE.because(req!("deletion.arguments.refused"))
    } else if let Err(rule) = keys::check(key, line) {
        MALFORMED.because(rule).also(req!("deletion.key"))
    } else {
        remove(model, key, now)
            .also(zero.then_some(req!("deletion.zero")))
            .also(odd.then_some(req!("deletion.arguments.ignored")))
    };
    ruling.silent_if(line.noreply(), req!("deletion.noreply"))
}

const USAGE: Reply = Reply::ClientError(Cow::Borrowed(
    "bad command line format.  Usage: delete <key> [noreply]",
));

fn remove(model: &mut Model, key: &[u8], now: Time) -> Ruling {
    model.prefixes.delete(key);
    match model.lookup(key, now) {
        Err(absence) => {
            count(&mut model.counters.delete_misses);
            Reply::NotFound
                .because(req!("deletion.missing"))
                .also(absence.rule())
        }
        Ok(item) => {
            let length = item.value.len();
            model.items.remove(key);
            model.journal.deleted(key, "delete", length, now);
            count(&mut model.counters.delete_hits);
            Reply::Deleted
                .because(req!("deletion.deleted"))
                .also(req!("deletion.gone"))
                .also(req!("deletion.unique"))
        }
    }
}
