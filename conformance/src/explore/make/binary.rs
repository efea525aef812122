//! Binary frames, and frames whose parts do not fit.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::history::{Frame, Request};
use super::words::{age, key, value};

/// Set, add and replace, delete, append and prepend, loud and quiet.
pub(super) fn storage() -> BoxedStrategy<Request> {
    const OPCODES: [u8; 14] = [
        0x01, 0x01, 0x01, 0x02, 0x03, 0x04, 0x0e, 0x0f, 0x11, 0x12, 0x13, 0x14, 0x19, 0x1a,
    ];
    let flags = select(vec![0_u32, 0, 7, u32::MAX]).prop_map(u32::to_be_bytes);
    let parts = (select(OPCODES.to_vec()), flags, exptime(), value());
    frame(
        parts.prop_map(|(opcode, flags, exptime, value)| match opcode {
            0x01..=0x03 | 0x11..=0x13 => (opcode, [flags, exptime].concat(), value),
            0x04 | 0x14 => (opcode, Vec::new(), Vec::new()),
            _ => (opcode, Vec::new(), value),
        }),
    )
}

/// Get, incr and decr, touch and gat, loud and quiet.
pub(super) fn other() -> BoxedStrategy<Request> {
    const OPCODES: [u8; 14] = [
        0x00, 0x00, 0x05, 0x05, 0x06, 0x09, 0x0c, 0x0d, 0x15, 0x16, 0x1c, 0x1d, 0x1e, 0x24,
    ];
    let number = || select(vec![0_u64, 1, 10, u64::MAX]).prop_map(u64::to_be_bytes);
    let vivifies = select(vec![0_u32, 100, u32::MAX]).prop_map(u32::to_be_bytes);
    let parts = (
        select(OPCODES.to_vec()),
        number(),
        number(),
        vivifies,
        exptime(),
    );
    frame(
        parts.prop_map(|(opcode, delta, initial, vivifies, exptime)| {
            let extras = match opcode {
                0x05 | 0x06 | 0x15 | 0x16 => [delta.as_slice(), &initial, &vivifies].concat(),
                0x1c..=0x1e | 0x23 | 0x24 => exptime.to_vec(),
                _ => Vec::new(),
            };
            (opcode, extras, Vec::new())
        }),
    )
}

/// What is about no item, what the protocol does not have, and frames whose parts do not fit.
pub(super) fn strange() -> BoxedStrategy<Request> {
    let plain = |opcodes: Vec<u8>| {
        select(opcodes).prop_map(|opcode| Frame {
            opcode,
            ..Frame::default()
        })
    };
    let odd = select(vec![0x00_u8, 0x01, 0x04, 0x05, 0x0e, 0x1c]);
    let extras = select(vec![0_usize, 4, 8, 20]);
    let key = prop_oneof![key(), Just(Vec::new())];
    let odd = (odd, extras, key).prop_map(|(opcode, extras, key)| Frame {
        opcode,
        extras: vec![0; extras],
        key,
        ..Frame::default()
    });
    prop_oneof![
        2 => plain(vec![0x0a]),
        1 => plain(vec![0x0b]),
        1 => plain(vec![0x08, 0x18]),
        1 => plain(vec![0x1f, 0x30, 0xff]),
        3 => odd,
    ]
    .prop_map(Request::Frame)
    .boxed()
}

/// A frame with this opcode, these extras and this value.
fn frame(parts: impl Strategy<Value = (u8, Vec<u8>, Vec<u8>)> + 'static) -> BoxedStrategy<Request> {
    let opaque = select(vec![0, 7, 0xfeed_beef]);
    let unique = prop::option::weighted(0.25, age());
    (parts, opaque, unique, key())
        .prop_map(|((opcode, extras, value), opaque, unique, key)| {
            Request::Frame(Frame {
                opcode,
                opaque,
                unique,
                extras,
                key,
                value,
            })
        })
        .boxed()
}

fn exptime() -> impl Strategy<Value = [u8; 4]> {
    select(vec![0_u32, 0, 0, 100, 3, 1000]).prop_map(u32::to_be_bytes)
}
