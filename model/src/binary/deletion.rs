//! `delete`. Law: `spec/binary/deletion.md`.

use spec::req;

use super::storage::{Outcome, told};
use super::{Request, Status};
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, Time};

/// `delete` and its quiet twin.
pub(super) fn delete(model: &mut Model, request: &Request, now: Time) -> Ruling {
    model.prefixes.delete(&request.key);
    let outcome = remove(model, request, now);
    told(outcome, request, req!("binary.deletion.quiet"))
}

fn remove(model: &mut Model, request: &Request, now: Time) -> Outcome {
    let (header, key) = (&request.header, request.key.as_slice());
    let Ok(present) = model.lookup(key, now).map(|item| item.unique) else {
        count(&mut model.counters.delete_misses);
        let missing = header.fail(Status::NotFound);
        return Err(missing.because(req!("binary.deletion.missing")));
    };
    let compares = header.unique != 0;
    if compares && header.unique != present {
        let differs = header.fail(Status::Exists);
        return Err(differs.because(req!("binary.deletion.unique-differs")));
    }
    model.items.remove(key);
    count(&mut model.counters.delete_hits);
    Ok(header
        .done(0)
        .because(req!("binary.deletion.deleted"))
        .also(compares.then_some(req!("binary.deletion.unique-same"))))
}
