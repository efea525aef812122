//! Cuts what a client sends into requests.
//!
//! Where a request ends only the protocol knows, so the model's session reads along, on a model
//! that forgets everything at once. Nothing is judged here, and no byte is lost or changed. Frames
//! of the binary protocol are cut in `frames.rs`.

use model::{Model, Recovery, Session, Time};

use super::frames::{Frame, Verb};
use crate::base64;

/// A client's bytes, as requests.
#[derive(Debug)]
pub struct Requests {
    empty: Model,
    model: Model,
    session: Session,
    /// Bytes that nobody has looked at.
    input: Vec<u8>,
    /// The request that is not yet whole.
    request: Vec<u8>,
    /// So many bytes more that the last request's error throws away.
    swallow: u64,
}

/// A whole request: a line, and its data block where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// How many of them are its line.
    line_length: usize,
    /// It is what an error throws away, and no request at all.
    pub swallowed: bool,
    /// It is a frame of the binary protocol, or was sent where one is due.
    is_framed: bool,
    /// When its first byte came, where its last came later.
    pub began: Option<Time>,
}

/// The items that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touches {
    /// None.
    Nothing,
    /// Those of these keys.
    Keys(Vec<Vec<u8>>),
    /// All there are.
    Everything,
}

/// What becomes of its item when a request is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has a new value.
    Stores,
    /// Its value has more to it.
    Extends,
    /// Its value is another number.
    Counts,
    /// Its value stays, or goes with it.
    Nothing,
}

/// A line so long without its end is looked at as it is: the protocol has something to say of it.
const LINE_MAX_BYTES: usize = 2048;
/// A request so large is no request that a server would take.
const REQUEST_MAX_BYTES: usize = 8 << 20;
/// Requests are cut by their form, which no clock changes.
const NO_TIME: Time = Time(0);

impl Requests {
    /// Reads along as a model of this kind would.
    #[must_use]
    pub fn new(empty: Model) -> Requests {
        Requests {
            model: empty.clone(),
            empty,
            session: Session::new(),
            input: Vec::new(),
            request: Vec::new(),
            swallow: 0,
        }
    }

    /// Takes more bytes: the requests that are now whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Request> {
        self.input.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some(piece) = self.piece() {
            whole.extend(self.take(&piece));
        }
        whole
    }

    /// What is here of a request that is not yet whole.
    #[must_use]
    pub fn unfinished(&self) -> Vec<u8> {
        [self.request.as_slice(), &self.input].concat()
    }

    /// The next bytes that can be looked at as one.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let waiting = self.input.len();
        let line_end = self.input.iter().position(|byte| *byte == b'\n');
        let length = match (line_end, usize::try_from(self.swallow)) {
            (_, Ok(swallow @ 1..)) => swallow.min(waiting),
            (Some(end), _) => end.saturating_add(1),
            (None, _) if !self.request.is_empty() || waiting > LINE_MAX_BYTES => waiting,
            (None, _) => return None,
        };
        let rest = self.input.split_off(length);
        let piece = std::mem::replace(&mut self.input, rest);
        (!piece.is_empty()).then_some(piece)
    }

    fn take(&mut self, piece: &[u8]) -> Option<Request> {
        self.request.extend_from_slice(piece);
        let rulings = self.session.receive(&mut self.model, piece, NO_TIME);
        let swallowed = self.swallow > 0;
        self.swallow = self.swallow.saturating_sub(piece.len() as u64);
        if let Some(Recovery::Swallow(bytes)) = rulings.last().map(|ruling| ruling.recovery) {
            self.swallow = bytes;
        }
        let whole = swallowed || !rulings.is_empty() || self.session.is_closed();
        if !whole && self.request.len() < REQUEST_MAX_BYTES {
            return None;
        }
        self.model = self.empty.clone();
        // A line may have come in pieces: it ends where it ends.
        Some(Request {
            swallowed,
            ..Request::new(std::mem::take(&mut self.request))
        })
    }
}

impl Request {
    /// A request of these bytes, the first line of which is its line.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Request {
        let line_end = bytes.iter().position(|byte| *byte == b'\n');
        Request {
            line_length: line_end.map_or(bytes.len(), |end| end.saturating_add(1)),
            bytes,
            swallowed: false,
            is_framed: false,
            began: None,
        }
    }

    /// One that was sent as a frame.
    pub(super) fn framed(bytes: Vec<u8>) -> Request {
        Request {
            line_length: 0,
            is_framed: true,
            ..Request::new(bytes)
        }
    }

    /// Whether it begins as no frame does, where one is due: the server is to close.
    pub(super) fn is_astray(&self) -> bool {
        self.is_framed && !Frame::may_begin(&self.bytes)
    }

    /// The frame that it is.
    #[must_use]
    pub fn frame(&self) -> Option<Frame<'_>> {
        Frame::read(&self.bytes).filter(|_| self.is_framed)
    }

    /// Its line, with the line's end.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        self.bytes.get(..self.line_length).unwrap_or_default()
    }

    /// Its data block, with the block's end; empty where it has none.
    #[must_use]
    pub fn block(&self) -> &[u8] {
        if self.is_framed {
            return self.frame().map_or(&[], |frame| frame.value);
        }
        self.bytes.get(self.line_length..).unwrap_or_default()
    }

    /// The words of its line, the command first.
    #[must_use]
    pub fn words(&self) -> Vec<&[u8]> {
        self.each_word().collect()
    }

    /// Its command.
    #[must_use]
    pub fn command(&self) -> &[u8] {
        self.each_word().next().unwrap_or_default()
    }

    fn each_word(&self) -> impl Iterator<Item = &[u8]> {
        let line = self.line();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let words = line.split(|byte| *byte == b' ');
        words.filter(|word| !word.is_empty())
    }

    /// What stands behind this flag of a meta command.
    #[must_use]
    pub fn flag(&self, letter: u8) -> Option<&[u8]> {
        let (from, count) = match self.command() {
            b"ms" => (3, usize::MAX),
            b"mg" | b"md" | b"ma" => (2, usize::MAX),
            // Only what stands beside the key is looked at.
            b"me" => (2, 1),
            _ => return None,
        };
        let mut flags = self.each_word().skip(from).take(count);
        flags.find_map(|word| word.strip_prefix(&[letter]))
    }

    /// The items it is about.
    #[must_use]
    pub fn touches(&self) -> Touches {
        if self.is_framed {
            let frame = self.frame();
            return frame.map_or(Touches::Nothing, |frame| frame.touches());
        }
        let keys = |from: usize, count: usize| {
            let keys = self.each_word().skip(from).take(count);
            Touches::Keys(keys.map(<[u8]>::to_vec).collect())
        };
        match self.command() {
            _ if self.swallowed => Touches::Nothing,
            b"get" | b"gets" => keys(1, usize::MAX),
            b"gat" | b"gats" => keys(2, usize::MAX),
            b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => keys(1, 1),
            b"delete" | b"incr" | b"decr" | b"touch" => keys(1, 1),
            b"mg" | b"ms" | b"md" | b"ma" | b"me" if self.flag(b'b').is_some() => {
                let key = self.each_word().nth(1).unwrap_or_default();
                Touches::Keys(base64::decode(key).into_iter().collect())
            }
            b"mg" | b"ms" | b"md" | b"ma" | b"me" => keys(1, 1),
            b"flush_all" => Touches::Everything,
            _ => Touches::Nothing,
        }
    }

    /// Whether it only looks.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        if let Some(frame) = self.frame() {
            return frame.verb() == Verb::Get;
        }
        let changes = [b'N', b'T', b'E', b'R'];
        match self.command() {
            b"get" | b"gets" | b"me" => true,
            b"mg" => changes.iter().all(|flag| self.flag(*flag).is_none()),
            _ => false,
        }
    }

    /// Whether it may be answered by nothing, depending on what there is.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        match self.frame() {
            Some(frame) => frame.is_quiet(),
            None => self.flag(b'q').is_some(),
        }
    }

    /// What becomes of its item when it is done.
    #[must_use]
    pub fn change(&self) -> Change {
        if let Some(frame) = self.frame() {
            return frame.change();
        }
        match self.command() {
            b"incr" | b"decr" | b"ma" => Change::Counts,
            b"set" | b"add" | b"replace" | b"cas" | b"ms" => Change::Stores,
            b"append" | b"prepend" => Change::Extends,
            _ => Change::Nothing,
        }
    }
}
