//! The binary protocol: what a frame asks, and which function rules it. Law: `spec/binary/`.
//!
//! What a command does to an item is the same as in text; here it is read from a frame and answered
//! with one. How frames are cut out of the stream is in `session.rs`. Start at `frame.rs`.

mod administration;
mod arithmetic;
mod deletion;
mod frame;
mod retrieval;
pub(crate) mod sasl;
mod statistics;
mod storage;
mod touch;

use spec::{Requirement, req};

use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::{Model, Time};

pub(crate) use frame::{HEADER_BYTES, Header, Request, protocol};
pub(crate) use sasl::Sasl;

/// What an opcode asks for; a quiet twin asks for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Get,
    GetK,
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Delete,
    Incr,
    Decr,
    Touch,
    Gat,
    GatK,
    Flush,
    Noop,
    Version,
    Quit,
    Stat,
    SaslList,
    SaslAuth,
    SaslStep,
    Unknown,
}

impl Command {
    /// What this opcode asks for, and whether it is a quiet one.
    fn of(opcode: u8) -> (Command, bool) {
        match opcode {
            0x00 => (Command::Get, false),
            0x09 => (Command::Get, true),
            0x0c => (Command::GetK, false),
            0x0d => (Command::GetK, true),
            0x01 => (Command::Set, false),
            0x11 => (Command::Set, true),
            0x02 => (Command::Add, false),
            0x12 => (Command::Add, true),
            0x03 => (Command::Replace, false),
            0x13 => (Command::Replace, true),
            0x0e => (Command::Append, false),
            0x19 => (Command::Append, true),
            0x0f => (Command::Prepend, false),
            0x1a => (Command::Prepend, true),
            0x04 => (Command::Delete, false),
            0x14 => (Command::Delete, true),
            0x05 => (Command::Incr, false),
            0x15 => (Command::Incr, true),
            0x06 => (Command::Decr, false),
            0x16 => (Command::Decr, true),
            0x1c => (Command::Touch, false),
            0x1d => (Command::Gat, false),
            0x1e => (Command::Gat, true),
            0x23 => (Command::GatK, false),
            0x24 => (Command::GatK, true),
            0x08 => (Command::Flush, false),
            0x18 => (Command::Flush, true),
            0x0a => (Command::Noop, false),
            0x0b => (Command::Version, false),
            0x07 => (Command::Quit, false),
            0x17 => (Command::Quit, true),
            0x10 => (Command::Stat, false),
            0x20 => (Command::SaslList, false),
            0x21 => (Command::SaslAuth, false),
            0x22 => (Command::SaslStep, false),
            _ => (Command::Unknown, false),
        }
    }
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    NotFound,
    Exists,
    TooLarge,
    Invalid,
    NotStored,
    NonNumeric,
    Unauthenticated,
    Unknown,
    OutOfMemory,
}

impl Status {
    fn code(self) -> u16 {
        match self {
            Status::NotFound => 0x01,
            Status::Exists => 0x02,
            Status::TooLarge => 0x03,
            Status::Invalid => 0x04,
            Status::NotStored => 0x05,
            Status::NonNumeric => 0x06,
            Status::Unauthenticated => 0x20,
            Status::Unknown => 0x81,
            Status::OutOfMemory => 0x82,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Status::NotFound => "Not found",
            Status::Exists => "Data exists for key.",
            Status::TooLarge => "Too large.",
            Status::Invalid => "Invalid arguments",
            Status::NotStored => "Not stored.",
            Status::NonNumeric => "Non-numeric server-side value for incr or decr",
            Status::Unauthenticated => "Auth failure.",
            Status::Unknown => "Unknown command",
            Status::OutOfMemory => "Out of memory",
        }
    }
}

impl Header {
    /// The beginning of a reply to this request.
    fn packet(&self) -> Packet {
        Packet {
            opcode: self.opcode,
            opaque: self.opaque,
            ..Packet::default()
        }
    }

    /// Nothing but success, and the unique of the item where it has one.
    fn done(&self, unique: u64) -> Reply {
        let packet = Packet {
            unique,
            ..self.packet()
        };
        Reply::Packets([packet].into())
    }

    fn fail(&self, status: Status) -> Reply {
        let packet = Packet {
            status: status.code(),
            value: status.text().into(),
            ..self.packet()
        };
        Reply::Packets([packet].into())
    }
}

/// Whether a server that collects replies sends all it has with this one: a noop's, or an error
/// that is told in words.
pub(crate) fn is_sent_at_once(packet: &Packet) -> bool {
    packet.opcode == 0x0a || packet.status != 0 && packet.key.is_empty()
}

/// A request whose header, extras and key are here.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    request: Request,
    /// When they came: the exptime counts from there.
    arrived: Time,
}

impl Upload {
    /// The length of the value that is still to come.
    pub(crate) fn length(&self) -> usize {
        self.request.header.value_length()
    }

    /// Rules the request now that its value is here.
    pub(crate) fn finish(
        self,
        model: &mut Model,
        value: &[u8],
        sasl: &mut Sasl,
        now: Time,
    ) -> Ruling {
        let Upload { request, arrived } = self;
        let ruling = match request.header.command {
            Command::SaslAuth => sasl::auth(model, &request, value, sasl),
            Command::SaslStep => sasl::step(model, &request, value, sasl),
            _ => storage::store(model, &request, value, arrived, now),
        };
        explained(&request.header, ruling)
    }
}

/// What a request leads to, once its header, extras and key are here.
pub(crate) enum Answer {
    /// Its ruling.
    Ruled(Ruling),
    /// Its value first.
    AwaitsValue(Upload),
}

/// Rules a request that is well made, or lets it wait for its value.
pub(crate) fn rule(model: &mut Model, request: Request, sasl: &mut Sasl, now: Time) -> Answer {
    let ruling = match request.header.command {
        Command::Set | Command::Add | Command::Replace | Command::Append | Command::Prepend => {
            storage::refuse(model, &request, now)
        }
        Command::SaslAuth | Command::SaslStep => sasl::refuse(model, &request),
        _ => Some(command(model, &request, sasl, now)),
    };
    let odd = |byte: &u8| !byte.is_ascii_graphic();
    let odd = request.key.iter().any(odd);
    match ruling {
        Some(ruling) => Answer::Ruled(
            explained(&request.header, ruling).also(odd.then_some(req!("binary.frames.key-bytes"))),
        ),
        None => Answer::AwaitsValue(Upload {
            request,
            arrived: now,
        }),
    }
}

/// Rules a request that has no value.
fn command(model: &mut Model, request: &Request, sasl: &mut Sasl, now: Time) -> Ruling {
    let header = &request.header;
    match header.command {
        Command::Get | Command::GetK => retrieval::get(model, request, now),
        Command::Touch => touch::touch(model, request, now),
        Command::Gat | Command::GatK => touch::gat(model, request, now),
        Command::Incr | Command::Decr => arithmetic::rule(model, request, now),
        Command::Delete => deletion::delete(model, request, now),
        Command::Flush => administration::flush(model, request, now),
        Command::Noop => administration::noop(header),
        Command::Version => administration::version(header),
        Command::Quit => administration::quit(header),
        Command::Stat => statistics::stat(model, request, now),
        Command::SaslList => sasl::list(model, header, sasl),
        _ => unknown(model, header),
    }
}

/// An opcode that the protocol does not have: its body is nobody's.
fn unknown(model: &Model, header: &Header) -> Ruling {
    let ruling = header
        .fail(Status::Unknown)
        .because(req!("binary.frames.unknown"))
        .also(administration::verbosity(header));
    let eaten = header.extras_length.saturating_add(header.key_length);
    let value = header.value_length();
    if eaten.saturating_add(value) == 0 {
        return ruling;
    }
    let twice = req!("binary.frames.unknown-body.twice");
    let swallowed = if model.dialect.has(twice) {
        value.saturating_add(eaten)
    } else {
        value
    };
    ruling
        .also(model.dialect.has(twice).then_some(twice))
        .swallowing(swallowed as u64, req!("binary.frames.unknown-body"))
}

/// Adds what holds of every request and reply, whatever the command.
pub(crate) fn explained(header: &Header, ruling: Ruling) -> Ruling {
    let failed = match &ruling.reply {
        Reply::Packets(packets) => packets.iter().any(|packet| packet.status != 0),
        _ => false,
    };
    let quiet = if failed {
        req!("binary.frames.quiet-errors")
    } else {
        req!("binary.frames.quiet")
    };
    let mut ruling = ruling
        .also(req!("binary.frames.reply"))
        .also((header.opaque != 0).then_some(req!("binary.frames.opaque")))
        .also(header.is_odd.then_some(req!("binary.frames.ignored")))
        .also(header.quiet.then_some(quiet));
    if failed {
        ruling.because.extend(ERRORS);
    }
    ruling
}

const ERRORS: [&Requirement; 2] = [
    req!("binary.frames.error"),
    req!("binary.frames.error-text"),
];
