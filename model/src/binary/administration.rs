//! `noop`, `version`, `quit` and `flush`. Law: `spec/binary/administration.md`.

use spec::{Requirement, req};

use super::storage::told;
use super::{Header, Request, Status};
use crate::administration::VERSION;
use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, Time, flush};

/// `noop`
pub(super) fn noop(header: &Header) -> Ruling {
    header.done(0).because(req!("binary.administration.noop"))
}

/// `version`
pub(super) fn version(header: &Header) -> Ruling {
    let packet = Packet {
        value: VERSION.into(),
        ..header.packet()
    };
    Reply::Packets([packet].into()).because(req!("binary.administration.version"))
}

/// `quit` and its quiet twin: what was asked before is answered, then the connection closes.
pub(super) fn quit(header: &Header) -> Ruling {
    header
        .done(0)
        .because(req!("binary.administration.quit"))
        .silent_if(header.quiet, req!("binary.administration.quit-quiet"))
        .closing()
}

/// The rule for the one opcode that has a name and no meaning.
pub(super) fn verbosity(header: &Header) -> Option<&'static Requirement> {
    (header.opcode == 0x1b).then_some(req!("binary.administration.verbosity"))
}

/// `flush` and its quiet twin.
pub(super) fn flush(model: &mut Model, request: &Request, now: Time) -> Ruling {
    let header = &request.header;
    if !model.options.flush {
        let forbidden = header.fail(Status::Unauthenticated);
        return forbidden.because(req!("binary.administration.flush-forbidden"));
    }
    count(&mut model.counters.cmd_flush);
    let mut ruling = flush::after(model, request.number32(0).into(), now)
        .also(req!("binary.administration.flush"));
    ruling.reply = header.done(0);
    let delayed = request.number32(0) != 0;
    let ruling = ruling.also(delayed.then_some(req!("binary.administration.flush-delay")));
    told(
        Ok(ruling),
        request,
        req!("binary.administration.flush-quiet"),
    )
}
