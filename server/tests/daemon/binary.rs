//! The binary protocol on connections without sockets: each request a frame, each reply a line of
//! a transcript.

use std::fmt::Write as _;
use std::sync::Arc;

use server::{Connection, Settings, Shared, Time};

const NOW: Time = Time::from_seconds(1_800_000_000);

/// A request by its parts.
#[derive(Clone, Copy, Default)]
struct Frame<'a> {
    opcode: u8,
    extras: &'a [u8],
    key: &'a [u8],
    value: &'a [u8],
    unique: u64,
}

impl Frame<'_> {
    fn bytes(&self) -> Vec<u8> {
        let length = |bytes: usize| u32::try_from(bytes).expect("it is short").to_be_bytes();
        let body = length(self.extras.len() + self.key.len() + self.value.len());
        let [_, _, key_high, key_low] = length(self.key.len());
        let [_, _, _, extras] = length(self.extras.len());
        let mut bytes = vec![0x80, self.opcode, key_high, key_low, extras, 0, 0, 0];
        bytes.extend(body);
        bytes.extend(*b"abcd");
        bytes.extend(self.unique.to_be_bytes());
        bytes.extend([self.extras, self.key, self.value].concat());
        bytes
    }
}

fn frame<'a>(opcode: u8, extras: &'a [u8], key: &'a [u8], value: &'a [u8]) -> Frame<'a> {
    Frame {
        opcode,
        extras,
        key,
        value,
        unique: 0,
    }
}

const QUIET_SET: u8 = 0x11;
const NOOP: Frame<'static> = Frame {
    opcode: 0x0a,
    extras: b"",
    key: b"",
    value: b"",
    unique: 0,
};
/// Flags 5, no exptime.
const FIVE: &[u8] = &[0, 0, 0, 5, 0, 0, 0, 0];

fn connect(options: &str) -> Connection {
    let settings = Settings::parse(options.split_whitespace().map(str::to_owned));
    let settings = settings.expect("the options are good");
    Connection::new(Arc::new(Shared::new(settings, NOW)))
}

/// Sends the bytes in pieces of this size, and takes all that is said.
fn converse(client: &mut Connection, bytes: &[u8], piece: usize) -> Vec<u8> {
    let mut said = Vec::new();
    for piece in bytes.chunks(piece) {
        client.receive(piece, NOW);
        loop {
            let bytes = client.transmit();
            if bytes.is_empty() {
                break;
            }
            said.extend_from_slice(&bytes);
        }
    }
    said
}

/// One line for each reply.
fn readable(mut said: &[u8]) -> String {
    let mut text = String::new();
    while let Some((header, rest)) = said.split_at_checked(24) {
        let number = |range: std::ops::Range<usize>| {
            let bytes = header.get(range).expect("a header has 24 bytes");
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        let (body, rest) = rest.split_at(number(8..12));
        let _ = writeln!(
            text,
            "opcode {:02x} status {:02x} extras {} key {} unique {} opaque {}: {}",
            number(1..2),
            number(6..8),
            number(4..5),
            number(2..4),
            number(16..24),
            header.get(12..16).unwrap_or_default().escape_ascii(),
            body.escape_ascii()
        );
        said = rest;
    }
    text
}

fn play(client: &mut Connection, frames: &[Frame<'_>]) -> String {
    let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
    readable(&converse(client, &bytes, bytes.len().max(1)))
}

#[test]
fn an_item_is_stored_found_and_deleted() {
    let mut client = connect("");
    transcript!(play(
        &mut client,
        &[
            frame(0x01, FIVE, b"a key", b"one"),
            frame(0x00, b"", b"a key", b""),
            frame(0x0c, b"", b"a key", b""),
            frame(0x0e, b"", b"a key", b" two"),
            frame(0x0f, b"", b"a key", b"zero "),
            frame(0x00, b"", b"a key", b""),
            frame(0x1c, &[0, 0, 0, 9], b"a key", b""),
            frame(0x23, &[0, 0, 0, 9], b"a key", b""),
            Frame {
                unique: 77,
                ..frame(0x04, b"", b"a key", b"")
            },
            frame(0x04, b"", b"a key", b""),
            frame(0x04, b"", b"a key", b""),
            frame(0x00, b"", b"a key", b""),
            frame(0x0c, b"", b"a key", b""),
        ]
    ));
}

#[test]
fn a_quiet_request_is_answered_only_when_that_is_news() {
    let mut client = connect("");
    transcript!(play(
        &mut client,
        &[
            frame(QUIET_SET, FIVE, b"k", b"one"),
            frame(0x09, b"", b"none", b""),
            frame(0x09, b"", b"k", b""),
            frame(0x12, FIVE, b"k", b"two"),
            frame(0x14, b"", b"none", b""),
            frame(0x14, b"", b"k", b""),
            NOOP,
        ]
    ));
}

#[test]
fn a_number_begins_where_it_is_told_to() {
    let mut client = connect("");
    let up = |initial: u8, exptime: [u8; 4]| {
        let mut extras = [0; 20];
        extras[7] = 5;
        extras[15] = initial;
        extras[16..].copy_from_slice(&exptime);
        extras
    };
    transcript!(play(
        &mut client,
        &[
            frame(0x05, &up(10, [0xff; 4]), b"n", b""),
            frame(0x05, &up(10, [0; 4]), b"n", b""),
            frame(0x05, &up(10, [0; 4]), b"n", b""),
            frame(0x06, &up(10, [0; 4]), b"n", b""),
            frame(0x00, b"", b"n", b""),
            frame(0x01, FIVE, b"n", b"nan"),
            frame(0x05, &up(10, [0; 4]), b"n", b""),
        ]
    ));
}

#[test]
fn a_command_that_there_is_not_loses_no_step() {
    let mut client = connect("-I 1k -m 8");
    let large = vec![b'x'; 2000];
    transcript!(play(
        &mut client,
        &[
            frame(0x77, b"extras", b"key", b"value"),
            frame(0x01, FIVE, b"k", b"small"),
            frame(0x01, FIVE, b"k", &large),
            frame(0x00, b"", b"k", b""),
            frame(0x10, b"", b"nonsense", b""),
            NOOP,
        ]
    ));
}

#[test]
fn a_frame_of_the_wrong_shape_is_the_last() {
    for wrong in [
        frame(0x00, b"", b"", b""),
        frame(0x00, b"", b"k", b"value"),
        frame(0x01, b"", b"k", b"value"),
        frame(0x0a, b"", b"k", b""),
        frame(0x00, b"", &[b'k'; 251], b""),
    ] {
        let mut client = connect("");
        let said = play(&mut client, &[wrong, NOOP]);
        assert!(said.contains("status 04"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(client.is_closed());
    }
}

#[test]
fn however_the_bytes_are_cut_the_replies_are_the_same() {
    let large = vec![b'x'; 40_000];
    let frames = [
        frame(0x01, FIVE, b"k", &large),
        frame(QUIET_SET, FIVE, b"k", b"one"),
        frame(0x00, b"", b"k", b""),
        frame(0x77, b"extras", b"key", b"value"),
        NOOP,
    ];
    let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
    let whole = converse(&mut connect(""), &bytes, bytes.len());
    for piece in [1, 7, 23, 24, 25, 4096] {
        assert_eq!(converse(&mut connect(""), &bytes, piece), whole, "{piece}");
    }
}
