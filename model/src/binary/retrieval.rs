//! `get` and `getk`. Law: `spec/binary/retrieval.md`.

use spec::{Requirement, req};

use super::{Command, Request, Status};
use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

/// `get` and `getk`, and their quiet twins.
pub(super) fn get(model: &mut Model, request: &Request, now: Time) -> Ruling {
    let key = request.key.as_slice();
    count(&mut model.counters.cmd_get);
    let Ok(item) = model.lookup(key, now) else {
        count(&mut model.counters.get_misses);
        model.prefixes.get(key, false);
        return miss(request, req!("binary.retrieval.miss"));
    };
    item.fetched = true;
    item.accessed = now;
    let ruling = hit(request, item, req!("binary.retrieval.hit"));
    count(&mut model.counters.get_hits);
    model.prefixes.get(key, true);
    ruling
}

/// Whether the reply shows the key.
fn shows_key(request: &Request) -> bool {
    matches!(request.header.command, Command::GetK | Command::GatK)
}

/// The item, with its key where that was asked for.
pub(super) fn hit(request: &Request, item: &Item, rule: &'static Requirement) -> Ruling {
    let header = &request.header;
    let mut packet = Packet {
        unique: item.unique,
        extras: item.flags.to_be_bytes().into(),
        value: item.value.clone(),
        ..header.packet()
    };
    let shows_key = shows_key(request);
    if shows_key {
        packet.key.clone_from(&request.key);
    }
    let compares = header.unique != 0;
    Reply::Packets([packet].into())
        .because(rule)
        .also(req!("binary.retrieval.shared"))
        .also(shows_key.then_some(req!("binary.retrieval.key")))
        .also(header.quiet.then_some(req!("binary.retrieval.quiet-hit")))
        .also(compares.then_some(req!("binary.retrieval.unique")))
}

/// No item: a quiet request is not told.
pub(super) fn miss(request: &Request, rule: &'static Requirement) -> Ruling {
    let header = &request.header;
    let ruling = if shows_key(request) {
        let packet = Packet {
            status: Status::NotFound.code(),
            key: request.key.clone(),
            ..header.packet()
        };
        Reply::Packets([packet].into())
            .because(rule)
            .also(req!("binary.retrieval.miss-key"))
    } else {
        header.fail(Status::NotFound).because(rule)
    };
    ruling.silent_if(header.quiet, req!("binary.retrieval.quiet-miss"))
}
