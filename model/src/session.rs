//! One client's place in the protocol: what is read next, and what became of the last request.
//!
//! It never interprets a command: a complete line goes to `dispatch.rs`, a complete data block to
//! the upload that waits for it. Splitting the input anywhere changes nothing but when it is
//! answered.

use alloc::vec::Vec;

use spec::{Requirement, req};

use crate::administration::watch::Watcher;
use crate::authentication::{self, Guesses};
use crate::binary::{self, HEADER_BYTES, Header, Request, Sasl};
use crate::dispatch::{self, Answer, Upload};
use crate::framing::Line;
use crate::limits;
use crate::options::Protocol;
use crate::reply::Reply;
use crate::ruling::{Recovery, Ruling};
use crate::statistics::count_by;
use crate::unsent::Unsent;
use crate::{Model, Time};

/// One client's connection, as the protocol sees it.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// What was received and not used yet.
    input: Vec<u8>,
    /// How much of that is known to hold no LF.
    searched: usize,
    expecting: Expecting,
    /// What the client speaks, once its first byte is here, and the rule that says so.
    protocol: Option<(Protocol, Option<&'static Requirement>)>,
    sasl: Sasl,
    /// The client has logged in, where it must.
    admitted: bool,
    guesses: Guesses,
    /// Other requests came before the next in the same write.
    pipelined: bool,
    /// What it was answered and has not heard yet.
    unsent: Unsent,
    /// A part of a block came in an earlier write.
    resumes: bool,
    /// It ends with a datagram, so that nobody is left to be told what others do.
    passing: bool,
}

#[derive(Clone, Debug, Default)]
enum Expecting {
    /// A command line, or the header, extras and key of a binary request.
    #[default]
    Request,
    /// The data block of a storage command, and its line end; the rules its line rested on.
    Data(Upload, Vec<&'static Requirement>),
    /// The value of a binary request.
    Value(binary::Upload),
    /// The token of a login, so long, and its line end; the rules its line rested on.
    Token(usize, Vec<&'static Requirement>),
    /// So many bytes that nobody wants.
    Swallow(u64),
    /// Nothing: the client watches others.
    Watch(Watcher),
    /// Nothing: the connection is closed.
    End,
}

impl Session {
    /// A client that has just connected.
    #[must_use]
    pub fn new() -> Session {
        Session::default()
    }

    /// A client whose requests are those of one datagram.
    pub(crate) fn of_datagram() -> Session {
        Session {
            passing: true,
            ..Session::default()
        }
    }

    /// Reads what the client sent: one ruling for each request that is now answered.
    pub fn receive(&mut self, model: &mut Model, bytes: &[u8], now: Time) -> Vec<Ruling> {
        self.read(model, bytes, now);
        self.transmit(model)
    }

    /// Reads a part of what the client sent in one write.
    pub fn read(&mut self, model: &mut Model, bytes: &[u8], now: Time) {
        let mut split = self.is_amid_a_request();
        let mut input = core::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut rest = input.as_slice();
        while let Some(mut ruling) = self.next(model, &mut rest, now) {
            match ruling.recovery {
                Recovery::Next => {}
                Recovery::Swallow(bytes) => {
                    ruling.because.push(req!("framing.swallow"));
                    self.expecting = Expecting::Swallow(bytes);
                }
                Recovery::Close => self.expecting = Expecting::End,
            }
            if core::mem::take(&mut split) {
                ruling.because.push(req!("framing.split"));
            }
            if core::mem::replace(&mut self.pipelined, true) {
                ruling.because.push(req!("framing.pipeline"));
                ruling.because.push(req!("concurrency.order"));
            }
            ruling.print();
            count_by(&mut model.counters.bytes_written, ruling.bytes().len());
            self.unsent.push(ruling, &model.dialect);
            self.resume();
        }
        let used = input.len().saturating_sub(rest.len());
        input.drain(..used);
        self.input = input;
    }

    /// All of the write is read: what the client hears of it, and of what was held back before.
    pub fn transmit(&mut self, model: &Model) -> Vec<Ruling> {
        self.pipelined = false;
        let swallows = matches!(self.expecting, Expecting::Swallow(_));
        self.resumes = !self.passing && (swallows || self.is_uploading());
        self.unsent.hand_over(self.resumes, &model.dialect)
    }

    /// A block is whole: if a part of it came before, a server that holds back replies reads no
    /// more than that, and so has nothing else to read.
    fn resume(&mut self) {
        if core::mem::take(&mut self.resumes) {
            self.unsent.push_out();
        }
    }

    /// The rulings of what was read and not transmitted yet, or is held back.
    #[must_use]
    pub fn unsent(&self) -> &[Ruling] {
        self.unsent.rulings()
    }

    /// How many bytes of a data block are still to come.
    #[must_use]
    pub fn awaited_bytes(&self) -> u64 {
        let here = self.input.len();
        let awaited = match &self.expecting {
            Expecting::Data(upload, _) => upload.length().saturating_add(2).saturating_sub(here),
            Expecting::Value(upload) => upload.length().saturating_sub(here),
            Expecting::Swallow(left) => return *left,
            _ => 0,
        };
        awaited as u64
    }

    /// Lets time act on the session: output and closes that no input caused.
    pub fn tick(&mut self, model: &mut Model, _now: Time) -> Vec<Ruling> {
        let Expecting::Watch(watcher) = &mut self.expecting else {
            return Vec::new();
        };
        let mut told: Vec<Ruling> = watcher.read(&model.journal).into_iter().collect();
        told.iter_mut().for_each(Ruling::print);
        told
    }

    /// Ends the session: the client sends nothing more, and what it has not finished is dropped.
    pub fn end(&mut self, model: &mut Model) -> Ruling {
        if matches!(self.expecting, Expecting::Watch(_)) {
            model.journal.left();
        }
        let unfinished = self.is_amid_a_request();
        let binary = matches!(self.protocol, Some((Protocol::Binary, _)));
        let cut = (unfinished && binary).then_some(req!("binary.frames.cut"));
        let uploading = self.is_uploading();
        let late = (!self.unsent.is_empty()).then_some(req!("framing.pipeline.prompt.late"));
        *self = Session {
            expecting: Expecting::End,
            ..Session::default()
        };
        Reply::Nothing
            .because(req!("framing.half-close"))
            .also(unfinished.then_some(req!("framing.half-close.unfinished")))
            .also(cut)
            .also(uploading.then_some(req!("concurrency.upload.aborted")))
            .also(late)
            .closing()
    }

    /// Whether the server has closed this connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.expecting, Expecting::End)
    }

    /// Whether a part of a request is here.
    #[must_use]
    pub fn is_amid_a_request(&self) -> bool {
        let awaits = self.is_uploading() || matches!(self.expecting, Expecting::Token(..));
        awaits || !self.input.is_empty()
    }

    /// Whether a data block or a value is still to come.
    pub(crate) fn is_uploading(&self) -> bool {
        matches!(self.expecting, Expecting::Data(..) | Expecting::Value(_))
    }

    /// The next request's ruling, once the request is complete.
    fn next(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        match core::mem::take(&mut self.expecting) {
            Expecting::Request => self.request(model, input, now),
            Expecting::Data(upload, because) => self.data(upload, because, model, input, now),
            Expecting::Value(upload) => self.value(upload, model, input, now),
            Expecting::Token(length, because) => self.token(length, because, model, input),
            Expecting::Swallow(left) => {
                self.swallow(left, model, input)?;
                self.request(model, input, now)
            }
            Expecting::Watch(watcher) => {
                *input = &[];
                self.expecting = Expecting::Watch(watcher);
                None
            }
            Expecting::End => {
                *input = &[];
                self.expecting = Expecting::End;
                None
            }
        }
    }

    /// Reads a request of the protocol that the connection speaks: its first byte decides.
    fn request(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        let first = *input.first()?;
        let spoken = self
            .protocol
            .get_or_insert_with(|| binary::protocol(&model.options, first));
        let (protocol, rule) = *spoken;
        let ruling = match protocol {
            Protocol::Binary => self.frame(model, input, now)?,
            Protocol::Auto | Protocol::Text => self.line(model, input, now)?,
        };
        self.protocol = Some((protocol, None));
        Some(ruling.also(rule))
    }

    /// Reads what stands before the value of a binary request.
    fn frame(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        let header = Header::read(input)?;
        if let Some(ruling) = header.refuse(model) {
            let awaited = req!("binary.frames.lengths.awaited");
            let awaited =
                Some(awaited).filter(|rule| header.is_request() && model.dialect.has(rule));
            if awaited.is_some() {
                input.get(..header.value_at())?;
            }
            skip(model, input, HEADER_BYTES);
            return Some(ruling.also(awaited));
        }
        let head = input.get(..header.value_at())?;
        if let Some(ruling) = header.refuse_whole(model, &self.sasl) {
            skip(model, input, head.len());
            return Some(ruling);
        }
        let request = Request::new(header, head);
        skip(model, input, head.len());
        match binary::rule(model, request, &mut self.sasl, now) {
            binary::Answer::Ruled(ruling) => Some(ruling),
            binary::Answer::AwaitsValue(upload) => self.value(upload, model, input, now),
        }
    }

    /// Reads the value of a binary request.
    fn value(
        &mut self,
        upload: binary::Upload,
        model: &mut Model,
        input: &mut &[u8],
        now: Time,
    ) -> Option<Ruling> {
        let Some(value) = input.get(..upload.length()) else {
            self.expecting = Expecting::Value(upload);
            return None;
        };
        skip(model, input, value.len());
        Some(upload.finish(model, value, &mut self.sasl, now))
    }

    /// Reads a line. One that grew too long is refused whether or not its end is here.
    fn line(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        let text = *input;
        let unsearched = text.get(self.searched..).unwrap_or_default();
        let found = unsearched.iter().position(|byte| *byte == b'\n');
        let end = found.map(|at| at.saturating_add(self.searched));
        self.searched = if found.is_some() { 0 } else { text.len() };
        let line = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        let stranger = model.options.login && !self.admitted;
        if stranger && authentication::is_overlong(line) {
            let rule = req!("authentication.line-length");
            return Some(limits::overlong(line, &model.dialect).also(rule));
        }
        if limits::is_overlong(line, &model.dialect) {
            return Some(limits::overlong(line, &model.dialect));
        }
        skip(model, input, end?.saturating_add(1));
        let mut line = Line::read(line, &model.dialect);
        line.pipelined = self.pipelined;
        if stranger {
            return self.login(model, &line, input);
        }
        limits::explain(&line);
        match dispatch::rule(model, &line, now) {
            Answer::Ruled(mut ruling) => {
                ruling.because.extend(line.because());
                Some(ruling)
            }
            Answer::Watches(mut ruling, watcher) => {
                ruling.because.extend(line.because());
                if self.passing {
                    model.journal.left();
                } else {
                    self.expecting = Expecting::Watch(watcher);
                }
                Some(ruling)
            }
            Answer::AwaitsData(upload) => self.data(upload, line.because(), model, input, now),
        }
    }

    /// Reads a stranger's line: a login or nothing.
    fn login(&mut self, model: &mut Model, line: &Line, input: &mut &[u8]) -> Option<Ruling> {
        match authentication::line(model, line) {
            authentication::Answer::Ruled(mut ruling) => {
                ruling.because.extend(line.because());
                Some(ruling)
            }
            authentication::Answer::Failed(mut ruling) => {
                ruling.because.extend(line.because());
                Some(self.guessed(model, ruling))
            }
            authentication::Answer::AwaitsToken(length) => {
                self.token(length, line.because(), model, input)
            }
        }
    }

    /// Reads the token of a login and its line end.
    fn token(
        &mut self,
        length: usize,
        because: Vec<&'static Requirement>,
        model: &mut Model,
        input: &mut &[u8],
    ) -> Option<Ruling> {
        let length_of_all = length.saturating_add(2);
        let Some(block) = input.get(..length_of_all) else {
            self.expecting = Expecting::Token(length, because);
            return None;
        };
        skip(model, input, length_of_all);
        let (mut ruling, admitted) = authentication::judge(model, block);
        self.admitted = admitted;
        ruling.because.extend(because);
        Some(if admitted {
            ruling
        } else {
            self.guessed(model, ruling)
        })
    }

    /// Counts an attempt to log in that failed.
    fn guessed(&mut self, model: &Model, ruling: Ruling) -> Ruling {
        let forever = req!("authentication.guesses.forever");
        let forever = model.dialect.has(forever).then_some(forever);
        self.guesses
            .count(ruling, req!("authentication.guesses"), forever)
    }

    /// Reads a data block and its line end.
    fn data(
        &mut self,
        upload: Upload,
        mut because: Vec<&'static Requirement>,
        model: &mut Model,
        input: &mut &[u8],
        now: Time,
    ) -> Option<Ruling> {
        let length = upload.length().saturating_add(2);
        let Some(block) = input.get(..length) else {
            if !because.contains(&BLOCK_WAITED[0]) {
                because.extend(BLOCK_WAITED);
            }
            self.expecting = Expecting::Data(upload, because);
            return None;
        };
        skip(model, input, length);
        let mut ruling = upload.finish(model, block, now);
        ruling.because.extend(because);
        Some(ruling)
    }

    /// Throws bytes away; nothing while there are more to come.
    fn swallow(&mut self, left: u64, model: &mut Model, input: &mut &[u8]) -> Option<()> {
        let here = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        skip(model, input, here);
        let left = left.saturating_sub(here as u64);
        if left > 0 {
            self.expecting = Expecting::Swallow(left);
            return None;
        }
        self.resume();
        Some(())
    }
}

/// What rules a data block that did not come with its line.
const BLOCK_WAITED: [&Requirement; 3] = [
    req!("storage.block.whole"),
    req!("concurrency.upload.invisible"),
    req!("concurrency.upload.last"),
];

/// So many bytes have been read.
fn skip(model: &mut Model, input: &mut &[u8], bytes: usize) {
    count_by(&mut model.counters.bytes_read, bytes);
    *input = input.get(bytes..).unwrap_or_default();
}
