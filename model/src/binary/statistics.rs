//! `stat`. Law: `spec/binary/statistics.md`.
//!
//! The lists are those of the text chapter, a packet for each line and an empty one behind them.

use alloc::vec::Vec;

use spec::{Requirement, req};

use super::{Request, Status};
use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::statistics;
use crate::{Model, Time};

/// `stat`, alone or with the name of a list.
pub(super) fn stat(model: &mut Model, request: &Request, now: Time) -> Ruling {
    let name = request.key.as_slice();
    let meant = meant(model, name);
    let (value, shortened) = (request.header.value_length() > 0, meant != name);
    list(model, request, meant, now)
        .also(value.then_some(req!("binary.statistics.value.executed")))
        .also(shortened.then_some(req!("binary.statistics.unknown.beginning")))
}

fn list(model: &mut Model, request: &Request, name: &[u8], now: Time) -> Ruling {
    match name {
        b"reset" => {
            let mut ruling = statistics::reset(model);
            ruling.reply = request.header.done(0);
            ruling.also(req!("binary.statistics.reset"))
        }
        detail if detail.starts_with(b"detail") => self::detail(model, request, detail),
        name => match statistics::named(model, name, now) {
            Some(ruling) => listed(request, ruling),
            None => unknown(request),
        },
    }
}

/// The name that is meant: the whole of it, or what it begins with where the dialect takes that.
fn meant<'a>(model: &Model, name: &'a [u8]) -> &'a [u8] {
    const BEGINNINGS: [&[u8]; 5] = [
        b"reset",
        b"settings",
        b"detail dump",
        b"detail on",
        b"detail off",
    ];
    let beginning = req!("binary.statistics.unknown.beginning");
    let known = BEGINNINGS.into_iter();
    let mut known = known.filter(|known| name.starts_with(known));
    match known.next() {
        Some(known) if model.dialect.has(beginning) => known,
        _ => name,
    }
}

/// A packet for each line of the list, and an empty one.
fn listed(request: &Request, list: Ruling) -> Ruling {
    let mut packets = Vec::new();
    if let Reply::Stats(lines) = list.reply {
        packets.extend(lines.into_iter().map(|(name, value)| Packet {
            key: name.into_bytes(),
            value: value.into_bytes(),
            ..request.header.packet()
        }));
    }
    packets.push(request.header.packet());
    let mut ruling = Reply::Packets(packets).because(req!("binary.statistics.list"));
    ruling.because.extend(LISTED);
    ruling.because.extend(list.because);
    ruling
}

/// What rules the lists, and the counters in the one that has no name.
const LISTED: [&Requirement; 3] = [
    req!("binary.statistics.named"),
    req!("binary.statistics.counted"),
    req!("binary.statistics.counted-less"),
];

fn unknown(request: &Request) -> Ruling {
    request
        .header
        .fail(Status::NotFound)
        .because(req!("binary.statistics.unknown"))
}

/// `stat detail on|off|dump`
fn detail(model: &mut Model, request: &Request, words: &[u8]) -> Ruling {
    let allowed = req!("statistics.detail.forbidden.allowed");
    if !model.options.dumps && !model.dialect.has(allowed) {
        let forbidden = request.header.fail(Status::NotFound);
        return forbidden.because(req!("binary.statistics.detail-forbidden"));
    }
    match words {
        b"detail on" => model.prefixes.count_from_now(true),
        b"detail off" => model.prefixes.count_from_now(false),
        b"detail dump" => {
            let mut dump = Vec::new();
            model.prefixes.dump().reply.print(&mut dump);
            let detailed = Packet {
                key: b"detailed".into(),
                value: dump,
                ..request.header.packet()
            };
            return Reply::Packets([detailed, request.header.packet()].into())
                .because(req!("binary.statistics.detail"))
                .also(req!("binary.statistics.detail-counts"));
        }
        _ => return unknown(request),
    }
    request
        .header
        .done(0)
        .because(req!("binary.statistics.detail"))
}
