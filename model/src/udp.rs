//! Datagrams: a frame header, and requests behind it. Law: `spec/udp.md`.
//!
//! A datagram is a connection of its own that ends with it: what it says is read by a new session,
//! and nothing of it is left for the next. How replies are cut into datagrams is decided here, what
//! they are is not.

use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use crate::reply::Reply;
use crate::{Model, Ruling, Session, Time};

/// Request id, sequence number, total and a reserved field, of two bytes each.
const HEADER_BYTES: usize = 8;

/// The largest datagram that is sent.
const DATAGRAM_MAX_BYTES: usize = 1400;

/// A server's end of UDP. It has no memory, unless the dialect has.
#[derive(Clone, Debug, Default)]
pub struct Datagrams {
    /// A request that was begun in an earlier datagram, of this id: only a deviation waits for its
    /// end.
    unfinished: Option<(Session, Vec<u8>)>,
    /// It does not listen any more.
    deaf: bool,
}

/// What a datagram is answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The datagrams to send, in order.
    pub datagrams: Vec<Vec<u8>>,
    /// The rules that force them.
    pub because: Vec<&'static Requirement>,
}

impl Datagrams {
    /// Answers a datagram.
    pub fn receive(&mut self, model: &mut Model, datagram: &[u8], now: Time) -> Answer {
        let mut answer = Answer::default();
        if let Some((session, id)) = self.unfinished.take() {
            // What awaits a data block takes the frame header for its beginning.
            self.play(session, &id, datagram, model, now, &mut answer);
            return answer;
        }
        let Some((header, requests)) = datagram.split_at_checked(HEADER_BYTES) else {
            return answer.explained(req!("udp.frame.short"));
        };
        if requests.is_empty() {
            return answer.explained(req!("udp.frame.short"));
        }
        let (id, others) = header.split_at_checked(2).unwrap_or_default();
        let (sequence, others) = others.split_at_checked(2).unwrap_or_default();
        let (total, reserved) = others.split_at_checked(2).unwrap_or_default();
        if total != [0, 1] {
            return answer.explained(req!("udp.frame.total"));
        }
        if self.deaf {
            return answer;
        }
        if sequence != [0, 0] || reserved != [0, 0] {
            answer.because.push(req!("udp.frame.ignored"));
        }
        self.play(
            Session::of_datagram(),
            id,
            requests,
            model,
            now,
            &mut answer,
        );
        answer
    }

    /// Lets a session read what came, and ends it.
    fn play(
        &mut self,
        mut session: Session,
        id: &[u8],
        bytes: &[u8],
        model: &mut Model,
        now: Time,
        answer: &mut Answer,
    ) {
        for ruling in session.receive(model, bytes, now) {
            if self.deaf {
                return;
            }
            answer.explain(&ruling);
            if is_endless(&ruling) {
                self.refuse(&model.dialect, id, answer);
            } else {
                answer.reply(&ruling, id, &model.dialect);
            }
        }
        self.leave(session, id, &model.dialect, answer);
    }

    /// A request whose reply would go on for as long as the server likes.
    fn refuse(&mut self, dialect: &Dialect, id: &[u8], answer: &mut Answer) {
        let deaf = req!("udp.request.endless.deaf");
        let silent = req!("udp.request.endless-told.silent");
        self.deaf = dialect.has(deaf);
        answer.because.push(if self.deaf {
            deaf
        } else {
            req!("udp.request.endless")
        });
        if dialect.has(silent) {
            answer.because.push(silent);
        } else {
            answer.because.push(req!("udp.request.endless-told.error"));
            answer.respond(id, b"ERROR\r\n");
        }
    }

    /// Forgets what was not finished.
    fn leave(&mut self, session: Session, id: &[u8], dialect: &Dialect, answer: &mut Answer) {
        if !session.is_amid_a_request() {
            return;
        }
        let awaited = req!("udp.request.block.awaited");
        let uploading = session.is_uploading();
        answer.because.push(if uploading && dialect.has(awaited) {
            self.unfinished = Some((session, id.to_vec()));
            awaited
        } else if uploading {
            req!("udp.request.block")
        } else {
            req!("udp.request.whole")
        });
    }
}

/// Whether this would begin lines without end: a dump, or what a watcher is told.
fn is_endless(ruling: &Ruling) -> bool {
    let begins = [
        req!("administration.dump.live"),
        req!("administration.dump.keys"),
        req!("administration.watch.begins"),
        req!("administration.watch.limit"),
    ];
    begins.into_iter().any(|rule| ruling.cites(rule))
}

impl Answer {
    fn explained(mut self, rule: &'static Requirement) -> Answer {
        self.because.push(rule);
        self
    }

    /// Why a request is answered as it is.
    fn explain(&mut self, ruling: &Ruling) {
        if !self.datagrams.is_empty() {
            self.because.push(req!("udp.request.several"));
        }
        self.because.extend(&ruling.because);
        self.because.push(req!("udp.request.alike"));
        let bad = [
            req!("administration.dump.bad"),
            req!("administration.dump.class"),
        ];
        if bad.into_iter().any(|rule| ruling.cites(rule)) {
            self.because.push(req!("udp.request.endless-bad"));
        }
    }

    /// The response to a request, where it has a reply.
    fn reply(&mut self, ruling: &Ruling, id: &[u8], dialect: &Dialect) {
        let each = req!("udp.response.whole.each-key");
        if ruling.closes() {
            self.leave_off(ruling, id, dialect);
        }
        match &ruling.reply {
            _ if ruling.bytes().is_empty() => self.because.push(req!("udp.request.silent")),
            Reply::Values(values) if values.len() > 1 && dialect.has(each) => {
                self.because.push(each);
                let last = values.len().saturating_sub(1);
                for (at, value) in values.iter().enumerate() {
                    let mut response = Vec::new();
                    value.print(&mut response);
                    if at == last {
                        response.extend_from_slice(b"END\r\n");
                    }
                    self.respond(id, &response);
                }
            }
            _ => {
                self.because.push(req!("udp.response.whole"));
                self.respond(id, ruling.bytes());
            }
        }
    }

    /// A request that would close a connection.
    fn leave_off(&mut self, ruling: &Ruling, id: &[u8], dialect: &Dialect) {
        let header = req!("udp.request.quit.header");
        self.because.push(req!("udp.request.quit"));
        let alone = self.datagrams.is_empty() && ruling.cites(req!("administration.quit"));
        if alone && dialect.has(header) {
            self.because.push(header);
            self.datagrams.push([id, &[0; 6]].concat());
        }
    }

    /// Cuts a response into datagrams.
    fn respond(&mut self, id: &[u8], response: &[u8]) {
        let room = DATAGRAM_MAX_BYTES.saturating_sub(HEADER_BYTES);
        let pieces = response.chunks(room);
        let total = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
        if total > 1 {
            self.because.push(req!("udp.response.fragments"));
        }
        self.because.push(req!("udp.response.header"));
        self.because.push(req!("udp.response.size"));
        for (sequence, piece) in (0_u16..).zip(pieces) {
            let (sequence, total) = (sequence.to_be_bytes(), total.to_be_bytes());
            self.datagrams
                .push([id, &sequence, &total, &[0, 0], piece].concat());
        }
    }
}
