//! Binary frames, and frames that are none.

use super::super::history::{Frame, Request};
use super::{Dice, key, value};

/// Set, add and replace, delete, append and prepend, loud and quiet.
pub(super) fn storage(dice: &mut Dice) -> Request {
    const OPCODES: [u8; 14] = [
        0x01, 0x01, 0x01, 0x02, 0x03, 0x04, 0x0e, 0x0f, 0x11, 0x12, 0x13, 0x14, 0x19, 0x1a,
    ];
    let opcode = dice.one_of(&OPCODES);
    let flags = dice.one_of(&[0_u32, 0, 7, u32::MAX]).to_be_bytes();
    let exptime = exptime(dice);
    let (extras, value) = match opcode {
        0x01..=0x03 | 0x11..=0x13 => ([flags, exptime].concat(), value(dice)),
        0x04 | 0x14 => (Vec::new(), Vec::new()),
        _ => (Vec::new(), value(dice)),
    };
    frame(opcode, extras, value, dice)
}

/// Get, incr and decr, touch and gat, loud and quiet.
pub(super) fn other(dice: &mut Dice) -> Request {
    const OPCODES: [u8; 14] = [
        0x00, 0x00, 0x05, 0x05, 0x06, 0x09, 0x0c, 0x0d, 0x15, 0x16, 0x1c, 0x1d, 0x1e, 0x24,
    ];
    let opcode = dice.one_of(&OPCODES);
    let extras = match opcode {
        0x05 | 0x06 | 0x15 | 0x16 => {
            let mut number = || dice.one_of(&[0_u64, 1, 10, u64::MAX]).to_be_bytes();
            let (delta, initial) = (number(), number());
            let exptime = dice.one_of(&[0_u32, 100, u32::MAX]).to_be_bytes();
            [delta.as_slice(), &initial, &exptime].concat()
        }
        0x1c..=0x1e | 0x23 | 0x24 => exptime(dice).to_vec(),
        _ => Vec::new(),
    };
    frame(opcode, extras, Vec::new(), dice)
}

/// What is about no item, what the protocol does not have, and frames whose parts do not fit.
pub(super) fn strange(dice: &mut Dice) -> Request {
    const ODD: [u8; 6] = [0x00, 0x01, 0x04, 0x05, 0x0e, 0x1c];
    let plain = |opcode| Frame {
        opcode,
        ..Frame::default()
    };
    Request::Frame(match dice.below(8) {
        0 | 1 => plain(0x0a),
        2 => plain(0x0b),
        3 => plain(dice.one_of(&[0x08, 0x18])),
        4 => plain(dice.one_of(&[0x1f, 0x30, 0xff])),
        _ => Frame {
            extras: vec![0; dice.one_of(&[0, 4, 8, 20])],
            key: match dice.once_in(2) {
                true => key(dice),
                false => Vec::new(),
            },
            ..plain(dice.one_of(&ODD))
        },
    })
}

fn frame(opcode: u8, extras: Vec<u8>, value: Vec<u8>, dice: &mut Dice) -> Request {
    Request::Frame(Frame {
        opcode,
        opaque: dice.one_of(&[0, 7, 0xfeed_beef]),
        unique: dice.once_in(4).then(|| dice.weighed(&[5, 1])),
        extras,
        key: key(dice),
        value,
    })
}

fn exptime(dice: &mut Dice) -> [u8; 4] {
    dice.one_of(&[0_u32, 0, 0, 100, 3, 1000]).to_be_bytes()
}
