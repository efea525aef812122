//! One client's place in the protocol: what is read next, and what became of the last request.
//!
//! It never interprets a command: a complete line goes to `dispatch.rs`, a complete data block to
//! the upload that waits for it. Splitting the input anywhere changes nothing but when it is
//! answered.

use alloc::vec::Vec;

use spec::{Requirement, req};

use crate::dispatch::{self, Answer, Upload};
use crate::framing::Line;
use crate::limits;
use crate::reply::{Code, Reply};
use crate::ruling::{Recovery, Ruling};
use crate::statistics::count_by;
use crate::{Model, Time};

/// One client's connection, as the protocol sees it.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// What was received and not used yet.
    input: Vec<u8>,
    /// How much of that is known to hold no LF.
    searched: usize,
    expecting: Expecting,
}

#[derive(Clone, Debug, Default)]
enum Expecting {
    /// A command line.
    #[default]
    Line,
    /// The data block of a storage command, and its line end; the rules its line rested on.
    Data(Upload, Vec<&'static Requirement>),
    /// So many bytes that nobody wants.
    Swallow(u64),
    /// Nothing: the connection is closed.
    End,
}

impl Session {
    /// A client that has just connected.
    #[must_use]
    pub fn new() -> Session {
        Session::default()
    }

    /// Reads what the client sent: one ruling for each request that is now complete.
    pub fn receive(&mut self, model: &mut Model, bytes: &[u8], now: Time) -> Vec<Ruling> {
        let mut split = self.is_amid_a_request();
        let mut input = core::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut rest = input.as_slice();
        let mut rulings = Vec::new();
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
            if !rulings.is_empty() {
                ruling.because.push(req!("framing.pipeline"));
                ruling.because.push(req!("concurrency.order"));
            }
            if ruling.retracts {
                retract(&mut rulings);
            }
            ruling.print();
            count_by(&mut model.counters.bytes_written, ruling.bytes().len());
            rulings.push(ruling);
        }
        let used = input.len().saturating_sub(rest.len());
        input.drain(..used);
        self.input = input;
        rulings
    }

    /// Lets time act on the session: output and closes that no input caused.
    pub fn tick(&mut self, _model: &mut Model, _now: Time) -> Vec<Ruling> {
        Vec::new()
    }

    /// Ends the session: the client sends nothing more, and what it has not finished is dropped.
    pub fn end(&mut self) -> Ruling {
        let unfinished = self.is_amid_a_request();
        let uploading = matches!(self.expecting, Expecting::Data(..));
        *self = Session {
            expecting: Expecting::End,
            ..Session::default()
        };
        Reply::Nothing
            .because(req!("framing.half-close"))
            .also(unfinished.then_some(req!("framing.half-close.unfinished")))
            .also(uploading.then_some(req!("concurrency.upload.aborted")))
            .closing()
    }

    /// Whether the server has closed this connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.expecting, Expecting::End)
    }

    fn is_amid_a_request(&self) -> bool {
        !self.input.is_empty() || matches!(self.expecting, Expecting::Data(..))
    }

    /// The next request's ruling, once the request is complete.
    fn next(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        match core::mem::take(&mut self.expecting) {
            Expecting::Line => self.line(model, input, now),
            Expecting::Data(upload, because) => self.data(upload, because, model, input, now),
            Expecting::Swallow(left) => {
                self.swallow(left, model, input)?;
                self.line(model, input, now)
            }
            Expecting::End => {
                *input = &[];
                self.expecting = Expecting::End;
                None
            }
        }
    }

    /// Reads a line. One that grew too long is refused whether or not its end is here.
    fn line(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        let text = *input;
        let unsearched = text.get(self.searched..).unwrap_or_default();
        let found = unsearched.iter().position(|byte| *byte == b'\n');
        let end = found.map(|at| at.saturating_add(self.searched));
        self.searched = if found.is_some() { 0 } else { text.len() };
        let line = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        if limits::is_overlong(line, &model.dialect) {
            return Some(limits::overlong(line, &model.dialect));
        }
        skip(model, input, end?.saturating_add(1));
        let line = Line::read(line, &model.dialect);
        limits::explain(&line);
        match dispatch::rule(model, &line, now) {
            Answer::Ruled(mut ruling) => {
                ruling.because.extend(line.because());
                Some(ruling)
            }
            Answer::AwaitsData(upload) => self.data(upload, line.because(), model, input, now),
        }
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
        Some(())
    }
}

/// What rules a data block that did not come with its line.
const BLOCK_WAITED: [&Requirement; 3] = [
    req!("storage.block.whole"),
    req!("concurrency.upload.invisible"),
    req!("concurrency.upload.last"),
];

/// Takes back all replies since the last one that is surely sent.
fn retract(rulings: &mut [Ruling]) {
    let unsent = rulings.iter_mut().rev();
    for ruling in unsent.take_while(|ruling| ruling.reply != Reply::Meta(Code::Mn, Vec::new())) {
        ruling.silent = true;
    }
}

/// So many bytes have been read.
fn skip(model: &mut Model, input: &mut &[u8], bytes: usize) {
    count_by(&mut model.counters.bytes_read, bytes);
    *input = input.get(bytes..).unwrap_or_default();
}
