//! `touch`, `gat` and `gatk`. Law: `spec/binary/touch.md`.

use spec::{Requirement, req};

use super::Request;
use super::retrieval::{hit, miss};
use crate::expiration::Deadline;
use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::state::{Absence, Item};
use crate::statistics::count;
use crate::{Model, Time};

/// `touch`
pub(super) fn touch(model: &mut Model, request: &Request, now: Time) -> Ruling {
    let ruling = match touched(model, request, now) {
        Err(_) => miss(request, req!("binary.touch.miss")),
        Ok(item) => {
            let packet = Packet {
                unique: item.unique,
                extras: item.flags.to_be_bytes().into(),
                ..request.header.packet()
            };
            Reply::Packets([packet].into())
                .because(req!("binary.touch.hit"))
                .also(req!("binary.touch.flags"))
        }
    };
    ruling.also(unread(request))
}

/// `gat` and `gatk`, and their quiet twins.
pub(super) fn gat(model: &mut Model, request: &Request, now: Time) -> Ruling {
    let ruling = match touched(model, request, now) {
        Err(_) => miss(request, req!("binary.touch.gat-miss")),
        Ok(item) => hit(request, item, req!("binary.touch.gat")),
    };
    ruling.also(unread(request))
}

/// A value that nobody refused: it is read as the next request.
fn unread(request: &Request) -> Option<&'static Requirement> {
    let value = request.header.value_length() > 0;
    value.then_some(req!("binary.touch.value.executed"))
}

/// Gives the item its new deadline, if there is one.
fn touched<'a>(
    model: &'a mut Model,
    request: &Request,
    now: Time,
) -> Result<&'a mut Item, Absence> {
    let key = request.key.as_slice();
    let found = model.lookup(key, now).map(|_| ());
    model.prefixes.get(key, found.is_ok());
    count(&mut model.counters.cmd_touch);
    if found.is_ok() {
        count(&mut model.counters.touch_hits);
    } else {
        count(&mut model.counters.touch_misses);
    }
    let item = model.items.get_mut(key).ok_or(Absence::Unknown)?;
    item.expires = Deadline::of(request.number32(0).into(), now).at;
    item.fetched = true;
    item.accessed = now;
    Ok(item)
}
