//! The one gate: who a client is, and what it may ask before that is known.
//!
//! It never looks a password up itself (`users`), and knows no way around itself: both protocols
//! ask here before a request is read.

use std::mem;

use super::{Connection, State};
use crate::counters::Counter;
use crate::limits::{
    BEHIND_BLOCK_BYTES, FAILURES_MAX, LINE_LEN_MAX, LOGIN_TIME, READ_BYTES, STRANGER_READ_BYTES,
    TOKEN_LEN_MAX,
};
use crate::protocol::binary::{self, Answer, Attempt, Frame, Head, Status};
use crate::protocol::frame;
use crate::protocol::login::{self, Claim};
use crate::protocol::{Error, Recovery, Reply, encode};
use crate::time::Time;
use crate::users::{Judgement, Question};
use crate::watchers::Reason;

/// What one connection has shown of itself.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) is_open: bool,
    closed_since: Option<Time>,
    failures: u32,
    has_begun: bool,
}

/// Who waits for a verdict.
#[derive(Debug)]
pub(super) enum Asker {
    Text,
    Binary(Box<[u8]>),
}

impl Gate {
    pub(super) const fn new(is_open: bool) -> Self {
        Self {
            is_open,
            closed_since: None,
            failures: 0,
            has_begun: false,
        }
    }

    /// Notes the time, and tells until when the client is to have logged in.
    pub(super) fn note(&mut self, now: Time) {
        let since = *self.closed_since.get_or_insert(now);
        self.closed_since = (!self.is_open).then_some(since);
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.closed_since.map(|since| since.after(LOGIN_TIME))
    }
}

impl Connection {
    /// How much is to be read at once: little of a stranger, and where more would be copied twice.
    #[must_use]
    pub const fn read_limit(&self) -> usize {
        if !self.gate.is_open {
            STRANGER_READ_BYTES
        } else if self.is_behind_block {
            BEHIND_BLOCK_BYTES
        } else {
            READ_BYTES
        }
    }

    /// What is to be found out before anything else of this client is carried out, where there is
    /// such a thing. It takes a while; then [`Connection::learn`] is to be called.
    pub const fn question(&mut self) -> Option<Question> {
        match &mut self.state {
            State::Judging(question, _) => question.take(),
            _ => None,
        }
    }

    /// Learns the answer to its question.
    pub fn learn(&mut self, is_right: bool, now: Time) {
        self.now = now;
        if !matches!(self.state, State::Judging(..)) {
            return;
        }
        if let State::Judging(_, asker) = mem::replace(&mut self.state, State::Line) {
            self.decide(&asker, is_right);
        }
        self.resume();
        self.note_progress(0);
    }

    /// Answers the line of a stranger. None when not all of it is there.
    pub(super) fn step_stranger(&mut self, input: &[u8]) -> Option<usize> {
        match frame::cut(input, mem::take(&mut self.scanned)) {
            frame::Frame::Line(line, used) if line.len() <= LINE_LEN_MAX => {
                self.under_way = None;
                let rest = input.get(used..).unwrap_or_default();
                match login::line(line) {
                    Ok(length) => {
                        self.expect_block(b"", length.saturating_add(2), rest);
                    }
                    Err(refusal) => {
                        let is_attempt = matches!(refusal.recovery, Recovery::Block(_));
                        self.refuse(refusal);
                        if is_attempt {
                            self.fail();
                        }
                    }
                }
                Some(used)
            }
            frame::Frame::Incomplete if input.len() <= LINE_LEN_MAX => {
                self.scanned = input.len();
                None
            }
            _ => {
                self.close(Reason::Error);
                Some(input.len())
            }
        }
    }

    /// Judges what a stranger sent behind its line.
    pub(super) fn judge_block(&mut self, block: &[u8]) {
        match login::block(block) {
            Ok(claim) => self.judge(Some(claim), Asker::Text),
            Err(error) => {
                encode::error(error, &mut self.output);
                self.fail();
            }
        }
    }

    /// Begins to read the token of an attempt, or says why not.
    pub(super) fn begin_token(
        &mut self,
        head: &Head<'_>,
        attempt: &Attempt<'_>,
        input: &[u8],
        rest: &[u8],
    ) -> usize {
        let refused = if attempt.is_misnamed() {
            Some(Status::InvalidArguments)
        } else if attempt.token_len > TOKEN_LEN_MAX {
            Some(Status::OutOfMemoryForToken)
        } else {
            None
        };
        if let Some(status) = refused {
            self.state = State::Swallow(attempt.token_len);
            binary::write(head, &Answer::Failed(status), &mut self.output);
            return 0;
        }
        let head_len = input.len().saturating_sub(rest.len());
        let head = input.get(..head_len).unwrap_or_default();
        if attempt.token_len == 0 {
            self.judge_token(head, attempt, b"");
            return 0;
        }
        self.expect_block(head, attempt.token_len, rest)
    }

    /// Judges an attempt whose token has come.
    pub(super) fn judge_token(&mut self, head: &[u8], attempt: &Attempt<'_>, token: &[u8]) {
        let has_begun = mem::take(&mut self.gate.has_begun);
        let is_plain = attempt.mechanism.eq_ignore_ascii_case(login::MECHANISM);
        let is_first = !attempt.is_step;
        if is_first && is_plain && token.is_empty() {
            self.gate.has_begun = true;
            self.reply_to(head, &Answer::Failed(Status::Continue));
            return;
        }
        let claim = login::plain(token).filter(|_| is_plain && (is_first || has_begun));
        self.gate.has_begun = attempt.is_step && has_begun;
        self.judge(claim, Asker::Binary(head.into()));
    }

    fn judge(&mut self, claim: Option<Claim<'_>>, asker: Asker) {
        let judgement = claim.map(|claim| self.shared.users().judge(claim.name, claim.password));
        match judgement {
            None => self.decide(&asker, false),
            Some(Judgement::Known(is_right)) => self.decide(&asker, is_right),
            Some(Judgement::Slow(question)) => self.state = State::Judging(Some(question), asker),
        }
    }

    /// Opens the gate or shuts it, and says so.
    fn decide(&mut self, asker: &Asker, is_right: bool) {
        let counters = self.context().counters;
        counters.count(Counter::AuthCmds);
        if !is_right {
            counters.count(Counter::AuthErrors);
        }
        self.gate.is_open = is_right;
        self.gate.note(self.now);
        match asker {
            Asker::Text => {
                let reply = if is_right {
                    Reply::Stored
                } else {
                    Error::AuthenticationFailure.into()
                };
                encode::reply(&reply, false, &mut self.output);
            }
            Asker::Binary(head) if is_right => self.reply_to(head, &Answer::Authenticated),
            Asker::Binary(head) => self.reply_to(head, &Answer::Failed(Status::NotAllowed)),
        }
        if is_right {
            self.gate.has_begun = false;
        } else {
            self.fail();
        }
    }

    fn reply_to(&mut self, head: &[u8], answer: &Answer) {
        if let Frame::Head(head, _) = binary::cut(head) {
            binary::write(&head, answer, &mut self.output);
        }
    }

    /// Counts an attempt that failed, and closes after too many.
    fn fail(&mut self) {
        self.gate.failures = self.gate.failures.saturating_add(1);
        if self.gate.failures >= FAILURES_MAX {
            self.close(Reason::Error);
        }
    }
}
