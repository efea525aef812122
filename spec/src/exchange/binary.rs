//! Binary frames by named fields: what a step of a binary client sends or expects.
//!
//! A field that is not named is what the others make it: a length is the length of what is there,
//! all else is zero. Nothing here knows what an opcode means. How frames are written is in
//! `README.md` beside this crate.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::template::{Bindings, Match, Template};

/// A frame with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    source: String,
    opcode: u8,
    /// A client sends it; else it is a reply.
    sent: bool,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: Name,
    template: Template,
}

/// What a field is called, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    word: &'static str,
    part: Part,
    /// How many bytes a number has; none where the field is bytes.
    width: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// In the header, so many bytes from its beginning.
    Header(usize),
    Extras,
    Key,
    Value,
}

pub(super) const HEADER_BYTES: usize = 24;

const MAGIC: Name = number("magic", Part::Header(0), 1);
const KEY_LENGTH: Name = number("keylen", Part::Header(2), 2);
const EXTRAS_LENGTH: Name = number("extlen", Part::Header(4), 1);
const VBUCKET: Name = number("vbucket", Part::Header(6), 2);
const STATUS: Name = number("status", Part::Header(6), 2);
const BODY_LENGTH: Name = number("bodylen", Part::Header(8), 4);

/// Every field there is.
const NAMES: [Name; 17] = [
    MAGIC,
    KEY_LENGTH,
    EXTRAS_LENGTH,
    number("datatype", Part::Header(5), 1),
    VBUCKET,
    STATUS,
    BODY_LENGTH,
    number("opaque", Part::Header(12), 4),
    number("cas", Part::Header(16), 8),
    number("flags", Part::Extras, 4),
    number("exptime", Part::Extras, 4),
    number("delta", Part::Extras, 8),
    number("initial", Part::Extras, 8),
    bytes("extras", Part::Extras),
    bytes("key", Part::Key),
    bytes("value", Part::Value),
    number("number", Part::Value, 8),
];

const fn number(word: &'static str, part: Part, width: usize) -> Name {
    let width = Some(width);
    Name { word, part, width }
}

const fn bytes(word: &'static str, part: Part) -> Name {
    let width = None;
    Name { word, part, width }
}

/// The opcodes that have a word of their own.
pub(super) const OPCODES: [(&str, u8); 36] = [
    ("get", 0x00),
    ("set", 0x01),
    ("add", 0x02),
    ("replace", 0x03),
    ("delete", 0x04),
    ("incr", 0x05),
    ("decr", 0x06),
    ("quit", 0x07),
    ("flush", 0x08),
    ("getq", 0x09),
    ("noop", 0x0a),
    ("version", 0x0b),
    ("getk", 0x0c),
    ("getkq", 0x0d),
    ("append", 0x0e),
    ("prepend", 0x0f),
    ("stat", 0x10),
    ("setq", 0x11),
    ("addq", 0x12),
    ("replaceq", 0x13),
    ("deleteq", 0x14),
    ("incrq", 0x15),
    ("decrq", 0x16),
    ("quitq", 0x17),
    ("flushq", 0x18),
    ("appendq", 0x19),
    ("prependq", 0x1a),
    ("verbosity", 0x1b),
    ("touch", 0x1c),
    ("gat", 0x1d),
    ("gatq", 0x1e),
    ("sasl-list", 0x20),
    ("sasl-auth", 0x21),
    ("sasl-step", 0x22),
    ("gatk", 0x23),
    ("gatkq", 0x24),
];

impl core::fmt::Display for Frame {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.source)
    }
}

impl Frame {
    /// Reads the frame that a client sends, as it stands behind `>`.
    ///
    /// # Errors
    /// When the opcode or a field is none that the grammar has.
    pub fn request(text: &str) -> Result<Frame, String> {
        Frame::parse(text, true)
    }

    /// Reads the frame that a client expects, as it stands behind `<`.
    ///
    /// # Errors
    /// When the opcode or a field is none that the grammar has.
    pub fn reply(text: &str) -> Result<Frame, String> {
        Frame::parse(text, false)
    }

    fn parse(text: &str, sent: bool) -> Result<Frame, String> {
        let mut words = fields(text).into_iter();
        let opcode = opcode(words.next().unwrap_or_default())?;
        let mut fields: Vec<Field> = Vec::new();
        for word in words {
            let field = Field::parse(word)?;
            let foreign = if sent { STATUS } else { VBUCKET };
            if field.name == foreign {
                let word = foreign.word;
                return Err(format!("a frame in this direction has no `{word}=`"));
            }
            if fields.iter().any(|other| other.name == field.name) {
                return Err(format!("`{}=` stands twice", field.name.word));
            }
            fields.push(field);
        }
        Ok(Frame {
            source: text.to_owned(),
            opcode,
            sent,
            fields,
        })
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// When a hole has nothing to be filled with.
    pub fn render(&self, bindings: &Bindings, now: u64) -> Result<Vec<u8>, String> {
        let (mut extras, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        for field in &self.fields {
            match field.name.part {
                Part::Header(_) => {}
                Part::Extras => extras.extend(field.render(bindings, now)?),
                Part::Key => key.extend(field.render(bindings, now)?),
                Part::Value => value.extend(field.render(bindings, now)?),
            }
        }
        let mut header = [0; HEADER_BYTES];
        put(&mut header, 0, &[self.magic(), self.opcode]);
        let length = |bytes: &[&Vec<u8>]| bytes.iter().map(|bytes| bytes.len() as u64).sum();
        put(&mut header, 2, &KEY_LENGTH.encode(length(&[&key]))?);
        put(&mut header, 4, &EXTRAS_LENGTH.encode(length(&[&extras]))?);
        let body = length(&[&extras, &key, &value]);
        put(&mut header, 8, &BODY_LENGTH.encode(body)?);
        for field in &self.fields {
            if let Part::Header(at) = field.name.part {
                put(&mut header, at, &field.render(bindings, now)?);
            }
        }
        Ok([header.as_slice(), &extras, &key, &value].concat())
    }

    /// Compares with what was received, from its first byte.
    pub fn compare(&self, received: &[u8], bindings: &mut Bindings, now: u64) -> Match {
        let Some(header) = received.get(..HEADER_BYTES) else {
            let begins = received.is_empty() || received.starts_with(&[self.magic()]);
            return if begins { Match::Part } else { Match::No(0) };
        };
        let mut found = bindings.clone();
        if let Err(wrong) = self.compare_header(header, &mut found, now) {
            return Match::No(wrong);
        }
        let length = length(header);
        let Some(body) = received.get(HEADER_BYTES..length) else {
            return Match::Part;
        };
        if let Err(wrong) = self.compare_body(header, body, &mut found, now) {
            return Match::No(HEADER_BYTES + wrong);
        }
        *bindings = found;
        Match::Whole(length)
    }

    /// The place of the first byte of the header that is not as expected.
    fn compare_header(
        &self,
        header: &[u8],
        bindings: &mut Bindings,
        now: u64,
    ) -> Result<(), usize> {
        if header.get(1) != Some(&self.opcode) {
            return Err(1);
        }
        for name in NAMES {
            let (Part::Header(at), Some(width)) = (name.part, name.width) else {
                continue;
            };
            let here = header.get(at..at + width).unwrap_or_default();
            let named = self.fields.iter().find(|field| field.name == name);
            let agrees = match named {
                Some(field) => field.compare(here, bindings, now).is_ok(),
                None => self.unnamed(name, header, number_of(here)),
            };
            if !agrees {
                return Err(at);
            }
        }
        Ok(())
    }

    /// Whether a header field that the frame does not name may have this value.
    fn unnamed(&self, name: Name, header: &[u8], value: u64) -> bool {
        let widths = |part| {
            let fields = self
                .fields
                .iter()
                .filter(move |field| field.name.part == part);
            fields.map(|field| field.name.width)
        };
        if name == VBUCKET {
            // In a reply the status stands there, and is compared by its own name.
            return true;
        }
        if name == MAGIC {
            return value == u64::from(self.magic());
        }
        if name == KEY_LENGTH {
            return value == 0 || widths(Part::Key).next().is_some();
        }
        if name == EXTRAS_LENGTH {
            let fixed: Option<usize> = widths(Part::Extras).sum();
            return fixed.is_none_or(|fixed| value == fixed as u64);
        }
        if name == BODY_LENGTH {
            let (extras, key) = parts(header);
            let others = (extras + key) as u64;
            return value == others || value > others && widths(Part::Value).next().is_some();
        }
        value == 0
    }

    /// The place of the first byte of the body that is not as expected.
    fn compare_body(
        &self,
        header: &[u8],
        body: &[u8],
        bindings: &mut Bindings,
        now: u64,
    ) -> Result<(), usize> {
        let (extras, key) = parts(header);
        let mut extras_at = 0;
        for field in &self.fields {
            let (from, to) = match field.name.part {
                Part::Header(_) => continue,
                Part::Extras => {
                    let from = extras_at;
                    extras_at = field.name.width.map_or(extras, |width| from + width);
                    (from, extras_at)
                }
                Part::Key => (extras, extras + key),
                Part::Value => (extras + key, body.len()),
            };
            let here = body.get(from..to).unwrap_or_default();
            field
                .compare(here, bindings, now)
                .map_err(|wrong| from + wrong)?;
        }
        Ok(())
    }

    fn magic(&self) -> u8 {
        if self.sent { 0x80 } else { 0x81 }
    }
}

/// How many bytes the frame takes whose header this is.
pub(super) fn length(header: &[u8]) -> usize {
    let body = number_of(header.get(8..12).unwrap_or_default());
    usize::try_from(body).map_or(usize::MAX, |body| body.saturating_add(HEADER_BYTES))
}

/// Where the next frame begins, if this one is all there.
pub(super) fn next(received: &[u8]) -> Option<usize> {
    let length = length(received.get(..HEADER_BYTES)?);
    (length <= received.len()).then_some(length)
}

impl Field {
    /// `name=value`; a number may be written `0x…`.
    fn parse(text: &str) -> Result<Field, String> {
        let (word, value) = text.split_once('=').unwrap_or((text, ""));
        let name = NAMES
            .into_iter()
            .find(|name| name.word == word)
            .ok_or_else(|| format!("a frame has no field `{word}`"))?;
        let problem = || format!("`{text}` is no number that fits");
        let value = match value.strip_prefix("0x").filter(|_| name.width.is_some()) {
            Some(digits) => {
                let number = u64::from_str_radix(digits, 16).map_err(|_| problem())?;
                number.to_string()
            }
            None => value.to_owned(),
        };
        let template = Template::parse(&value)?;
        let field = Field { name, template };
        if name.width.is_some() && !value.starts_with('{') {
            field.render(&Bindings::new(), 0).map_err(|_| problem())?;
        }
        Ok(field)
    }

    fn render(&self, bindings: &Bindings, now: u64) -> Result<Vec<u8>, String> {
        let bytes = self.template.render(bindings, now)?;
        if self.name.width.is_none() {
            return Ok(bytes);
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        let number = text
            .parse()
            .map_err(|_| format!("`{}={text}` is no number", self.name.word))?;
        self.name.encode(number)
    }

    /// Compares all of what stands in the field's place; a number as its digits.
    fn compare(&self, here: &[u8], bindings: &mut Bindings, now: u64) -> Result<(), usize> {
        let mut text = match self.name.width {
            Some(_) => number_of(here).to_string().into_bytes(),
            None => here.to_vec(),
        };
        // A hole ends where another byte follows.
        text.extend_from_slice(b"\r\n");
        let template = self.template.clone().followed_by(b"\r\n");
        let wrong = match template.compare(&text, bindings, now) {
            Match::Whole(length) if length == text.len() => return Ok(()),
            Match::Whole(length) => length,
            Match::No(wrong) => wrong,
            Match::Part => here.len(),
        };
        Err(if self.name.width.is_some() { 0 } else { wrong })
    }
}

impl Name {
    /// The number in network byte order.
    fn encode(self, number: u64) -> Result<Vec<u8>, String> {
        let bytes = number.to_be_bytes();
        let width = self.width.unwrap_or(bytes.len());
        let (above, used) = bytes.split_at(bytes.len() - width);
        if above.iter().any(|byte| *byte != 0) {
            return Err(format!("`{}={number}` does not fit", self.word));
        }
        Ok(used.to_vec())
    }
}

/// A field goes on until a space that a field's name and `=` follow; the first piece is the opcode.
fn fields(text: &str) -> Vec<&str> {
    let begins = |at: usize| {
        let behind = text.get(at + 1..).unwrap_or_default();
        let mut behind = NAMES.iter().map(|name| behind.strip_prefix(name.word));
        behind.any(|value| value.is_some_and(|value| value.starts_with('=')))
    };
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(' ').filter(|(at, _)| begins(*at)) {
        pieces.push(text.get(from..at).unwrap_or_default());
        from = at + 1;
    }
    pieces.push(text.get(from..).unwrap_or_default());
    pieces
}

/// An opcode's word, or the byte itself as `0xHH`.
fn opcode(word: &str) -> Result<u8, String> {
    if let Some((_, opcode)) = OPCODES.iter().find(|(name, _)| *name == word) {
        return Ok(*opcode);
    }
    word.strip_prefix("0x")
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .ok_or_else(|| format!("`{word}` is no opcode; a byte is written `0x1f`"))
}

/// How long the extras and the key are, as this header says.
pub(super) fn parts(header: &[u8]) -> (usize, usize) {
    let part = |from, to| {
        let number = number_of(header.get(from..to).unwrap_or_default());
        usize::try_from(number).unwrap_or(usize::MAX)
    };
    (part(4, 5), part(2, 4))
}

/// A number in network byte order.
pub(super) fn number_of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn put(header: &mut [u8; HEADER_BYTES], at: usize, bytes: &[u8]) {
    for (place, byte) in header.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}
