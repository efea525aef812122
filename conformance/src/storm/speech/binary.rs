//! Binary frames, one for each request and one back.

use std::io;

use super::{Asked, Hearing, Manner, strange};
use crate::linear::history::{Reply, Request, Value, Values};

const NOOP: u8 = 0x0a;
const HEADER_BYTES: usize = 24;
/// With this exptime `incr` and `decr` make nothing where nothing is.
const MAKES_NOTHING: u32 = u32::MAX;

/// A frame that does nothing.
pub(super) fn noop() -> Vec<u8> {
    frame(NOOP, "", &[], &[], 0)
}

/// Whether the next frame answers one that does nothing.
pub(super) fn is_noop(hearing: &mut Hearing<'_>) -> io::Result<bool> {
    Ok(answer(hearing)?.opcode == NOOP)
}

pub(super) fn write(asked: &[Asked], manner: Manner, values: &Values) -> Vec<u8> {
    let each = asked.iter().map(|asked| one(asked, manner, values));
    each.collect::<Vec<_>>().concat()
}

fn one(Asked { name, request }: &Asked, manner: Manner, values: &Values) -> Vec<u8> {
    let exptime = manner.exptime.to_be_bytes();
    let stored = [[0; 4], exptime].concat();
    let either = |loud, quiet| if manner.quiet { quiet } else { loud };
    let block = |opcode, extras: &[u8], value: &Value, unique| {
        frame(opcode, name, extras, &values.bytes(*value), unique)
    };
    let counted = |delta: u64| {
        let initial = 0_u64.to_be_bytes();
        [delta.to_be_bytes(), initial].concat().into_iter()
    };
    let counting = |opcode, delta: &u64| {
        let extras: Vec<u8> = counted(*delta).chain(MAKES_NOTHING.to_be_bytes()).collect();
        frame(opcode, name, &extras, &[], 0)
    };
    match request {
        Request::Get => frame(0x00, name, &[], &[], 0),
        Request::Set(value) => block(either(0x01, 0x11), &stored, value, 0),
        Request::Cas(value, unique) => block(either(0x01, 0x11), &stored, value, *unique),
        Request::Add(value) => block(either(0x02, 0x12), &stored, value, 0),
        Request::Replace(value) => block(either(0x03, 0x13), &stored, value, 0),
        Request::Append(value) => block(either(0x0e, 0x19), &[], value, 0),
        Request::Prepend(value) => block(either(0x0f, 0x1a), &[], value, 0),
        Request::Incr(delta) => counting(either(0x05, 0x15), delta),
        Request::Decr(delta) => counting(either(0x06, 0x16), delta),
        Request::Delete => frame(either(0x04, 0x14), name, &[], &[], 0),
        Request::Touch => frame(0x1c, name, &exptime, &[], 0),
        Request::Flush => frame(either(0x08, 0x18), "", &[], &[], 0),
    }
}

fn frame(opcode: u8, key: &str, extras: &[u8], value: &[u8], unique: u64) -> Vec<u8> {
    let body = [extras, key.as_bytes(), value].concat();
    let key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    let extras_length = u8::try_from(extras.len()).unwrap_or(u8::MAX);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut bytes = vec![0x80, opcode];
    bytes.extend_from_slice(&key_length.to_be_bytes());
    bytes.extend_from_slice(&[extras_length, 0, 0, 0]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&unique.to_be_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// A frame that came back.
struct Answer {
    opcode: u8,
    status: u16,
    unique: u64,
    value: Vec<u8>,
}

pub(super) fn read(hearing: &mut Hearing<'_>, asked: &[Asked]) -> io::Result<Vec<Reply>> {
    let mut reply = |asked: &Asked| {
        let answer = answer(hearing)?;
        told(hearing.values, asked.request, &answer)
    };
    asked.iter().map(&mut reply).collect()
}

fn answer(hearing: &mut Hearing<'_>) -> io::Result<Answer> {
    let header = hearing.bytes(HEADER_BYTES)?;
    let number = |from: usize, to: usize| {
        let bytes = header.get(from..to).unwrap_or_default();
        bytes
            .iter()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    if number(0, 1) != 0x81 {
        return Err(strange(&header.escape_ascii().to_string()));
    }
    let size = |from, to| usize::try_from(number(from, to)).unwrap_or(usize::MAX);
    let (key, extras, body) = (size(2, 4), size(4, 5), size(8, 12));
    let body = hearing.bytes(body)?;
    Ok(Answer {
        opcode: header.get(1).copied().unwrap_or_default(),
        status: u16::try_from(number(6, 8)).unwrap_or(u16::MAX),
        unique: number(16, 24),
        value: body.get(key + extras..).unwrap_or_default().to_vec(),
    })
}

fn told(values: &mut Values, request: Request, answer: &Answer) -> io::Result<Reply> {
    Ok(match (answer.status, request) {
        (0, Request::Get) => Reply::Found(values.of(&answer.value), answer.unique),
        (0, Request::Incr(_) | Request::Decr(_)) => match answer.value.as_slice().try_into() {
            Ok(number) => Reply::Number(u64::from_be_bytes(number)),
            Err(_) => return Err(strange("a number that has not eight bytes")),
        },
        (0, Request::Delete | Request::Touch | Request::Flush) => Reply::Done,
        (0, _) => Reply::Stored,
        (1, Request::Get) => Reply::Miss,
        (1, Request::Replace(_)) => Reply::NotStored,
        (1, _) => Reply::NotFound,
        (2, Request::Add(_)) => Reply::NotStored,
        (2, _) => Reply::Exists,
        (5, _) => Reply::NotStored,
        (6, _) => Reply::NotNumeric,
        (0x03 | 0x82, _) => Reply::NoRoom,
        (status, _) => return Err(strange(&format!("status {status:#04x}"))),
    })
}
