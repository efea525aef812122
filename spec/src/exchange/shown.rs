//! Bytes that are frames, in the notation of frames: for whoever reads what went over the wire.
//!
//! It leaves nothing out: bytes that are not whole frames, or whose lengths contradict each other,
//! are not shown so. The notation is in `README.md` beside this crate.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::binary::{HEADER_BYTES, OPCODES, length, number_of, parts};

/// These bytes as frames, where they are nothing but whole frames.
#[must_use]
pub fn frames(bytes: &[u8]) -> Option<String> {
    let mut shown = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (frame, behind) = rest.split_at_checked(length(rest.get(..HEADER_BYTES)?))?;
        shown.push(one(frame)?);
        rest = behind;
    }
    (!shown.is_empty()).then(|| shown.join(" ⏎ "))
}

/// One frame: its opcode, and each field that is not empty or 0.
fn one(frame: &[u8]) -> Option<String> {
    let (header, body) = frame.split_at_checked(HEADER_BYTES)?;
    let field = |from, to| header.get(from..to).map_or(0, number_of);
    let opcode = field(1, 2);
    let named = OPCODES.iter().find(|(_, byte)| u64::from(*byte) == opcode);
    let mut text = named.map_or_else(|| format!("0x{opcode:02x}"), |(word, _)| word.to_string());
    let third = match field(0, 1) {
        0x80 => "vbucket",
        0x81 => "status",
        _ => return None,
    };
    let numbers = [
        ("datatype", field(5, 6)),
        (third, field(6, 8)),
        ("opaque", field(12, 16)),
        ("cas", field(16, 24)),
    ];
    for (name, number) in numbers.into_iter().filter(|(_, number)| *number != 0) {
        match name {
            "status" => text.push_str(&format!(" status=0x{number:02x}")),
            _ => text.push_str(&format!(" {name}={number}")),
        }
    }
    let (extras, key) = parts(header);
    let (extras, behind) = body.split_at_checked(extras)?;
    let (key, value) = behind.split_at_checked(key)?;
    for (name, bytes) in [("extras", extras), ("key", key), ("value", value)] {
        if !bytes.is_empty() {
            let escaped = bytes.escape_ascii().to_string();
            text.push_str(&format!(" {name}={}", escaped.replace(r"\x00", r"\0")));
        }
    }
    Some(text)
}
