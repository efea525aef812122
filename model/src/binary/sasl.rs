//! `sasl-list`, `sasl-auth` and `sasl-step`. Law: `spec/binary/sasl.md`.
//!
//! The one mechanism is PLAIN, and the users are those that the server was started with. What must
//! not be told apart by the time it takes is no matter here: nothing here takes time.

use spec::{Requirement, req};

use super::{Command, Header, Request, Status};
use crate::Model;
use crate::authentication::{Guesses, TOKEN_MAX_BYTES};
use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::statistics::count;

/// How far a client has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sasl {
    /// PLAIN was begun.
    started: bool,
    authenticated: bool,
    guesses: Guesses,
}

/// The longest name of a mechanism.
const MECHANISM_MAX_BYTES: usize = 32;

/// A success of a reply that is not over yet.
const CONTINUE: u16 = 0x21;

impl Sasl {
    /// What an unauthenticated client may not ask.
    pub(super) fn bars(
        &self,
        model: &Model,
        command: Command,
    ) -> Option<(Status, &'static Requirement)> {
        let open = matches!(
            command,
            Command::SaslList | Command::SaslAuth | Command::SaslStep | Command::Version
        );
        let barred = model.options.sasl && !self.authenticated && !open;
        barred.then_some((Status::Unauthenticated, req!("binary.sasl.required")))
    }
}

/// `sasl-list`
pub(super) fn list(model: &Model, header: &Header, sasl: &mut Sasl) -> Ruling {
    if !model.options.sasl {
        return off(header);
    }
    let leaves = req!("binary.sasl.list-keeps.leaves");
    let ruling = Reply::Packets(
        [Packet {
            value: b"PLAIN".into(),
            ..header.packet()
        }]
        .into(),
    )
    .because(req!("binary.sasl.list"));
    if model.dialect.has(leaves) {
        sasl.authenticated = false;
        return ruling.also(leaves);
    }
    ruling.also(req!("binary.sasl.list-keeps"))
}

fn off(header: &Header) -> Ruling {
    header
        .fail(Status::Unknown)
        .because(req!("binary.sasl.off"))
}

/// Refuses an attempt before its token has come.
pub(super) fn refuse(model: &Model, request: &Request) -> Option<Ruling> {
    let header = &request.header;
    let length = header.value_length() as u64;
    let item = req!("binary.sasl.token-length.item");
    let as_item = model.dialect.has(item);
    let ruling = if !model.options.sasl {
        off(header)
    } else if header.key_length > MECHANISM_MAX_BYTES {
        let long = header.fail(Status::Invalid);
        long.because(req!("binary.sasl.mechanism-length"))
    } else if !as_item && length > u64::from(TOKEN_MAX_BYTES) {
        let large = header.fail(Status::OutOfMemory);
        large.because(req!("binary.sasl.token-length"))
    } else if as_item && model.too_large(&request.key, length, 0) {
        header.fail(Status::OutOfMemory).because(item)
    } else {
        return None;
    };
    Some(ruling.swallowing(length, req!("binary.sasl.swallow")))
}

/// `sasl-auth`: the mechanism is the key, the token the value.
pub(super) fn auth(model: &mut Model, request: &Request, token: &[u8], sasl: &mut Sasl) -> Ruling {
    let refused = req!("binary.sasl.again.refused");
    let again = core::mem::take(&mut sasl.authenticated);
    let plain = request.key.eq_ignore_ascii_case(b"PLAIN");
    sasl.started = plain;
    if !plain {
        return failed(model, request, sasl, req!("binary.sasl.mechanism-unknown"));
    }
    if token.is_empty() {
        let packet = Packet {
            status: CONTINUE,
            ..request.header.packet()
        };
        return Reply::Packets([packet].into()).because(req!("binary.sasl.continue"));
    }
    if again && model.dialect.has(refused) {
        return failed(model, request, sasl, refused);
    }
    let ruling = judge(model, request, token, sasl);
    ruling
        .also(req!("binary.sasl.token-judged"))
        .also(again.then_some(req!("binary.sasl.again")))
}

/// `sasl-step`: the token that `sasl-auth` did not bring.
pub(super) fn step(model: &mut Model, request: &Request, token: &[u8], sasl: &mut Sasl) -> Ruling {
    sasl.authenticated = false;
    if !sasl.started {
        return failed(model, request, sasl, req!("binary.sasl.step-first"));
    }
    judge(model, request, token, sasl).also(req!("binary.sasl.step"))
}

/// `[<authzid>] NUL <user> NUL <password>`
fn judge(model: &mut Model, request: &Request, token: &[u8], sasl: &mut Sasl) -> Ruling {
    let parts: alloc::vec::Vec<&[u8]> = token.split(|byte| *byte == 0).collect();
    let [as_whom, user, password] = parts.as_slice() else {
        return failed(model, request, sasl, req!("binary.sasl.token"));
    };
    let known = [*user, *password].join(&b':');
    let known = model
        .options
        .users
        .iter()
        .any(|one| one.as_bytes() == known);
    if !known {
        return failed(model, request, sasl, req!("binary.sasl.refused"));
    }
    if !as_whom.is_empty() && as_whom != user {
        return failed(model, request, sasl, req!("binary.sasl.authzid"));
    }
    sasl.started = false;
    sasl.authenticated = true;
    count(&mut model.counters.auth_cmds);
    let packet = Packet {
        value: b"Authenticated".into(),
        ..request.header.packet()
    };
    Reply::Packets([packet].into()).because(req!("binary.sasl.accepted"))
}

fn failed(
    model: &mut Model,
    request: &Request,
    sasl: &mut Sasl,
    rule: &'static Requirement,
) -> Ruling {
    count(&mut model.counters.auth_cmds);
    count(&mut model.counters.auth_errors);
    let ruling = request.header.fail(Status::Unauthenticated).because(rule);
    let forever = req!("binary.sasl.guesses.forever");
    let forever = model.dialect.has(forever).then_some(forever);
    sasl.guesses
        .count(ruling, req!("binary.sasl.guesses"), forever)
}
