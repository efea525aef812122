//! Datagrams by named fields: what a step of a client over UDP sends or expects.
//!
//! A frame header, then lines, bytes or binary frames. Datagrams keep their borders: those that a
//! client has not looked at yet are kept with their lengths. How they are written is in `README.md`
//! beside this crate.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::binary::{Frame, number_of};
use super::template::{Bindings, Match, Template};

/// A datagram with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    source: String,
    /// Request id, sequence number, total, reserved.
    header: [u16; 4],
    payload: Payload,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Payload {
    /// `text=`, which has its line end, or `bytes=`, which has what is written.
    Bytes(Template),
    /// `frames=`
    Frames(Vec<Frame>),
}

const FIELDS: [&str; 4] = ["id", "seq", "total", "reserved"];

/// How many bytes the length takes that is kept with a datagram.
const LENGTH_BYTES: usize = 4;

impl core::fmt::Display for Datagram {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.source)
    }
}

impl Datagram {
    /// Reads the datagram that a client sends, as it stands behind `>`.
    ///
    /// # Errors
    /// When a field is none that the grammar has.
    pub fn request(text: &str) -> Result<Datagram, String> {
        Datagram::parse(text, Frame::request)
    }

    /// Reads the datagram that a client expects, as it stands behind `<`.
    ///
    /// # Errors
    /// When a field is none that the grammar has.
    pub fn reply(text: &str) -> Result<Datagram, String> {
        Datagram::parse(text, Frame::reply)
    }

    fn parse(text: &str, frame: fn(&str) -> Result<Frame, String>) -> Result<Datagram, String> {
        let mut header = [0, 0, 1, 0];
        let mut payload = Payload::Bytes(Template::parse("")?);
        let mut rest = text;
        while let Some((name, value)) = rest.split_once('=') {
            let place = FIELDS.iter().position(|field| *field == name);
            match (name, place.and_then(|place| header.get_mut(place))) {
                ("text", _) => {
                    payload = Payload::Bytes(Template::parse(value)?.followed_by(b"\r\n"));
                    rest = "";
                }
                ("bytes", _) => {
                    payload = Payload::Bytes(Template::parse(value)?);
                    rest = "";
                }
                ("frames", _) => {
                    let frames = value.split('⏎').map(|text| frame(text.trim()));
                    payload = Payload::Frames(frames.collect::<Result<_, _>>()?);
                    rest = "";
                }
                (_, Some(field)) => {
                    let (number, behind) = value.split_once(' ').unwrap_or((value, ""));
                    *field = number
                        .parse()
                        .map_err(|_| format!("`{name}={number}` is no number that fits"))?;
                    rest = behind;
                }
                (_, None) => return Err(format!("a datagram has no field `{name}`")),
            }
        }
        if !rest.is_empty() {
            return Err(format!("`{rest}` is no field of a datagram"));
        }
        Ok(Datagram {
            source: text.to_owned(),
            header,
            payload,
        })
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// When a hole has nothing to be filled with.
    pub fn render(&self, bindings: &Bindings, now: u64) -> Result<Vec<u8>, String> {
        let mut bytes = self.header.map(u16::to_be_bytes).concat();
        match &self.payload {
            Payload::Bytes(template) => bytes.extend(template.render(bindings, now)?),
            Payload::Frames(frames) => {
                for frame in frames {
                    bytes.extend(frame.render(bindings, now)?);
                }
            }
        }
        Ok(bytes)
    }

    /// Compares with the first of the datagrams that were kept: with all of it.
    pub(super) fn compare(&self, kept: &[u8], bindings: &mut Bindings, now: u64) -> Match {
        let Some(end) = next(kept) else {
            return Match::Part;
        };
        let datagram = kept.get(LENGTH_BYTES..end).unwrap_or_default();
        let header = self.header.map(u16::to_be_bytes).concat();
        let pairs = header.iter().zip(datagram);
        let agreed = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        if agreed < header.len() {
            return Match::No(agreed);
        }
        let mut found = bindings.clone();
        let mut at = header.len();
        let rest = datagram.get(at..).unwrap_or_default();
        match &self.payload {
            Payload::Bytes(template) => match template.compare(rest, &mut found, now) {
                Match::Whole(length) => at += length,
                Match::Part => return Match::No(datagram.len()),
                Match::No(wrong) => return Match::No(at + wrong),
            },
            Payload::Frames(frames) => {
                for frame in frames {
                    let rest = datagram.get(at..).unwrap_or_default();
                    match frame.compare(rest, &mut found, now) {
                        Match::Whole(length) => at += length,
                        Match::Part => return Match::No(datagram.len()),
                        Match::No(wrong) => return Match::No(at + wrong),
                    }
                }
            }
        }
        if at < datagram.len() {
            return Match::No(at);
        }
        *bindings = found;
        Match::Whole(end)
    }
}

/// The datagram as it is kept: its length, then itself.
pub(super) fn keep(datagram: &[u8]) -> Vec<u8> {
    let length = u32::try_from(datagram.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), datagram].concat()
}

/// Where the next of those kept begins.
pub(super) fn next(kept: &[u8]) -> Option<usize> {
    let length = number_of(kept.get(..LENGTH_BYTES)?);
    Some(LENGTH_BYTES + usize::try_from(length).ok()?)
}

/// Those kept, as they came and one behind the other.
pub(super) fn bare(mut kept: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((datagram, rest)) = next(kept).and_then(|end| kept.split_at_checked(end)) {
        bytes.extend_from_slice(datagram.get(LENGTH_BYTES..).unwrap_or_default());
        kept = rest;
    }
    bytes
}

/// What proves silence: the meta noop, under an id of its own.
pub(super) fn fence(request: &[u8]) -> Vec<u8> {
    let header = [0xfe, 0x9c, 0, 0, 0, 1, 0, 0].as_slice();
    [header, request].concat()
}
