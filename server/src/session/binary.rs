//! Where a binary frame becomes a reply: exactly one, and only here.
//!
//! It never decides what a request does (`command`) or how a reply is spelled (`protocol`).

use super::{Connection, State};
use crate::command::binary as command;
use crate::protocol::binary::{self, Answer, Frame, Head, Request, Status};
use crate::protocol::{Error, Storage, Verb};
use crate::store::Value;
use crate::time::Time;
use crate::watchers::Reason;

impl Connection {
    /// Answers the frame at the start of the input. None when not all of its head is there.
    pub(super) fn step_binary(&mut self, input: &[u8]) -> Option<usize> {
        match binary::cut(input) {
            Frame::Head(head, used) => {
                self.scanned = 0;
                self.under_way = None;
                let rest = input.get(used..).unwrap_or_default();
                Some(used.saturating_add(self.dispatch_binary(&head, input, rest)))
            }
            Frame::Incomplete => {
                self.scanned = input.len();
                None
            }
            Frame::Broken(last_reply) => {
                if let Some((header, status)) = last_reply {
                    binary::fail(&header, status, &mut self.output);
                }
                self.close(Reason::Error);
                Some(input.len())
            }
        }
    }

    /// Answers a request. Tells how many of the bytes behind its head belonged to it.
    fn dispatch_binary(&mut self, head: &Head<'_>, input: &[u8], rest: &[u8]) -> usize {
        if !self.gate.is_open && !head.header.is_for_strangers() {
            self.close(Reason::Error);
            binary::fail(&head.header, Status::NotAllowed, &mut self.output);
            return 0;
        }
        let answer = match self.request(head) {
            Ok(Request::Store(storage)) => return self.begin_value(head, &storage, input, rest),
            Ok(Request::Attempt(attempt)) => return self.begin_token(head, &attempt, input, rest),
            Ok(Request::Quit) => {
                self.close(Reason::Normal);
                Answer::Done(0)
            }
            Ok(request) => match command::carry_out(&self.context(), &request) {
                Some(answer) => answer,
                None => return 0,
            },
            Err(Status::UnknownCommand) => {
                self.state = State::Swallow(head.value_len());
                Answer::Failed(Status::UnknownCommand)
            }
            Err(status) => {
                self.close(Reason::Error);
                Answer::Failed(status)
            }
        };
        binary::write(head, &answer, &mut self.output);
        0
    }

    /// What a frame asks for. Without `-S` nobody is asked who he is.
    fn request<'a>(&self, head: &Head<'a>) -> Result<Request<'a>, Status> {
        match head.request() {
            Ok(Request::Mechanisms | Request::Attempt(_))
                if !self.shared.settings.has_sasl_login =>
            {
                Err(Status::UnknownCommand)
            }
            request => request,
        }
    }

    fn begin_value(
        &mut self,
        head: &Head<'_>,
        storage: &Storage<'_>,
        input: &[u8],
        rest: &[u8],
    ) -> usize {
        if let Err(answer) = command::admit(&self.context(), storage) {
            self.state = State::Swallow(storage.length);
            binary::write(head, &answer, &mut self.output);
            return 0;
        }
        if let Some(value) = rest.get(..storage.length) {
            self.store_value(head, storage, value.into(), self.now);
            return storage.length;
        }
        let head_len = input.len().saturating_sub(rest.len());
        let head = input.get(..head_len).unwrap_or_default();
        self.expect_block(head, storage.length, rest)
    }

    /// Stores a value that came in pieces. Its head was good, and is so still.
    pub(super) fn finish_value(&mut self, head: &[u8], value: Value<'_>, since: Time) {
        let Frame::Head(parsed, _) = binary::cut(head) else {
            return;
        };
        match parsed.request() {
            Ok(Request::Store(storage)) => self.store_value(&parsed, &storage, value, since),
            Ok(Request::Attempt(attempt)) => self.judge_token(head, &attempt, &value),
            _ => {}
        }
    }

    /// Answers a request whose value finds no room.
    pub(super) fn abandon_value(&mut self, head: &[u8]) {
        if let Frame::Head(head, _) = binary::cut(head)
            && let Ok(Request::Store(storage)) = head.request()
        {
            let context = self.context();
            crate::command::storage::abandon(&context, &storage);
            let answer = command::failed(Error::OutOfMemory);
            binary::write(&head, &answer, &mut self.output);
        }
    }

    fn store_value(
        &mut self,
        head: &Head<'_>,
        storage: &Storage<'_>,
        value: Value<'_>,
        since: Time,
    ) {
        let not_stored = match storage.verb {
            Verb::Add => Status::Exists,
            Verb::Replace => Status::NotFound,
            _ => Status::NotStored,
        };
        let context = self.context_since(since);
        let answer = command::store(&context, storage, value, not_stored);
        binary::write(head, &answer, &mut self.output);
    }
}
