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
    input: Vec<u8>,
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
        let mut input = core::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut rest = input.as_slice();
        let mut rulings = Vec::new();
        while let Some(mut ruling) = self.next(model, &mut rest, now) {
            match ruling.recovery {
                Recovery::Next => {}
                Recovery::Swallow(bytes) => self.expecting = Expecting::Swallow(bytes),
                Recovery::Close => self.expecting = Expecting::End,
            }
            if ruling.retracts {
                retract(&mut rulings);
            }
            if !rulings.is_empty() {
                ruling.because.push(req!("concurrency.order"));
            }
            count_by(&mut model.counters.bytes_written, ruling.bytes().len());
            rulings.push(ruling);
        }
        self.input = rest.to_vec();
        rulings
    }

    /// Ends the session, for the client will send nothing more: a ruling where that cuts a data
    /// block off.
    pub fn end(&mut self) -> Option<Ruling> {
        let expecting = core::mem::replace(&mut self.expecting, Expecting::End);
        matches!(expecting, Expecting::Data(..)).then(|| {
            Reply::Nothing
                .because(req!("concurrency.upload.aborted"))
                .closing()
        })
    }

    /// Lets time act on the session: output and closes that no input caused.
    pub fn tick(&mut self, _model: &mut Model, _now: Time) -> Vec<Ruling> {
        Vec::new()
    }

    /// Whether the server has closed this connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.expecting, Expecting::End)
    }

    /// The next request's ruling, once the request is complete.
    fn next(&mut self, model: &mut Model, input: &mut &[u8], now: Time) -> Option<Ruling> {
        loop {
            match core::mem::take(&mut self.expecting) {
                Expecting::Line => {
                    let Some((line, taken)) = Line::cut(input) else {
                        return overlong(input);
                    };
                    skip(model, input, taken);
                    match dispatch::rule(model, &line, now) {
                        Answer::Ruled(mut ruling) => {
                            ruling.because.extend(line.because());
                            return Some(ruling);
                        }
                        Answer::AwaitsData(upload) => {
                            self.expecting = Expecting::Data(upload, line.because());
                        }
                    }
                }
                Expecting::Data(upload, mut because) => {
                    let length = upload.length();
                    let Some(block) = input.get(..length.saturating_add(2)) else {
                        if !because.contains(&BLOCK_WAITED[0]) {
                            because.extend(BLOCK_WAITED);
                        }
                        self.expecting = Expecting::Data(upload, because);
                        return None;
                    };
                    let mut ruling = upload.finish(model, block, now);
                    ruling.because.extend(because);
                    skip(model, input, block.len());
                    return Some(ruling);
                }
                Expecting::Swallow(left) => {
                    let taken =
                        usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
                    skip(model, input, taken);
                    let left = left.saturating_sub(taken as u64);
                    if left > 0 {
                        self.expecting = Expecting::Swallow(left);
                        return None;
                    }
                }
                Expecting::End => {
                    *input = &[];
                    self.expecting = Expecting::End;
                    return None;
                }
            }
        }
    }
}

/// What rules a data block that did not come with its line.
const BLOCK_WAITED: [&Requirement; 3] = [
    req!("storage.block.whole"),
    req!("concurrency.upload.invisible"),
    req!("concurrency.upload.last"),
];

/// A line that has not ended and must not grow further.
fn overlong(input: &[u8]) -> Option<Ruling> {
    (input.len() > limits::LINE_MAX_BYTES)
        .then(|| Reply::Nothing.because(req!("limits.line.closes")).closing())
}

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
