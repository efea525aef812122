//! Where a line becomes a reply: exactly one, and only here.
//!
//! It never decides what a request does (`command`) or how a reply is spelled (`protocol`).

use std::mem;

use bytes::{Buf, Bytes};

use super::lines::{BLOCK_END, Keys as Ahead, Line, Order};
use super::{Connection, Keys, State};
use crate::command::retrieval::Outcome;
use crate::command::{self, Context, administration, dump, retrieval, storage};
use crate::limits::OUTPUT_HIGH_BYTES;
use crate::protocol::meta::{Command, Meta};
use crate::protocol::{
    Error, MetaReply, Output, Parsed, Recovery, Refusal, Reply, Request, Retrieval, Storage,
    Tokens, classic, encode, meta,
};

use crate::settings::Protocol;
use crate::simulated::{self, Mistake};
use crate::store::{Trail, Value};
use crate::time::Time;
use crate::watchers::Reason;

/// What stands behind a value, and behind the last one of a reply.
const LINE_END: &[u8] = b"\r\n";
const REPLY_END: &[u8] = b"\r\nEND\r\n";

impl Connection {
    /// Answers a line. Tells how many of the bytes behind it belonged to it.
    pub(super) fn dispatch(&mut self, line: &Line<'_>, rest: &[u8]) -> usize {
        match &line.order {
            Order::Meta(meta) => self.dispatch_meta(line.text, meta, rest),
            Order::Classic(parsed) => self.dispatch_classic(line.text, parsed, rest),
            Order::Refused(refusal) => {
                self.refuse(*refusal);
                0
            }
        }
    }

    fn dispatch_classic(&mut self, line: &[u8], parsed: &Parsed<'_>, rest: &[u8]) -> usize {
        let quiet = parsed.quiet;
        match &parsed.request {
            Request::Store(storage) => return self.begin_block(line, storage, quiet, rest),
            Request::Retrieve(retrieval) => self.retrieve(retrieval),
            Request::Quit => self.close(Reason::Normal),
            Request::Watch(words) => self.begin_watch(*words),
            Request::Clock(words) => self.turn_clock(*words),
            Request::Crawler(words) if self.begin_dump(*words) => {}
            other => match command::carry_out(&self.context(), other) {
                Some(reply) => encode::reply(&reply, quiet, &mut self.output),
                None => self.close(Reason::Shutdown),
            },
        }
        0
    }

    /// Turns the clock, where clients may; elsewhere there is no such command.
    fn turn_clock(&mut self, words: Tokens<'_>) {
        if !self.shared.settings.turns_clock {
            return self.refuse(classic::unknown(words));
        }
        let (reply, now) = administration::debugtime(&self.context(), words);
        self.now = now;
        encode::reply(&reply, false, &mut self.output);
    }

    /// Begins a list of all items, or refuses it. Tells whether the line asked for one.
    fn begin_dump(&mut self, words: Tokens<'_>) -> bool {
        match dump::begin(&self.context(), words) {
            None => return false,
            Some(Err(error)) => encode::error(error, &mut self.output),
            Some(Ok(dump)) => {
                encode::reply(&Reply::Ok, false, &mut self.output);
                self.state = State::Dumping(dump);
            }
        }
        true
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        match refusal.recovery {
            Recovery::Line => {}
            Recovery::Block(length) => self.swallow(length),
            Recovery::Close => {
                self.close(Reason::Error);
                return;
            }
        }
        encode::reply(&refusal.error.into(), refusal.quiet, &mut self.output);
    }

    fn swallow(&mut self, length: usize) {
        self.state = State::Swallow(length.saturating_add(BLOCK_END.len()));
    }

    fn dispatch_meta(&mut self, line: &[u8], meta: &Meta<'_>, rest: &[u8]) -> usize {
        let (context, output) = self.context_and_output();
        let reply = match meta.command {
            Command::Get => {
                let found = command::meta::get(&context, meta, |reply, item| {
                    let value = item.map(|item| (item.value(), item.shared()));
                    encode::meta(meta, reply, value, output);
                });
                if let Err(error) = found {
                    encode::error(error, &mut self.output);
                }
                return 0;
            }
            Command::Delete => command::meta::delete(&context, meta),
            Command::Arithmetic => command::meta::step(&context, meta),
            Command::Set => return self.begin_meta_block(line, meta, rest),
            Command::Debug => {
                let anatomy = command::meta::debug(&context, meta);
                encode::anatomy(meta.key(), anatomy.as_ref(), &mut self.output);
                return 0;
            }
            Command::Noop => {
                encode::noop(&mut self.output);
                return 0;
            }
        };
        self.answer_meta(meta, reply);
        0
    }

    fn answer_meta(&mut self, meta: &Meta<'_>, reply: Result<MetaReply, Error>) {
        match reply {
            Ok(reply) => encode::meta(meta, &reply, None, &mut self.output),
            Err(error) => encode::error(error, &mut self.output),
        }
    }

    fn begin_block(
        &mut self,
        line: &[u8],
        storage: &Storage<'_>,
        quiet: bool,
        rest: &[u8],
    ) -> usize {
        if let Err(error) = storage::admit(&self.context(), storage) {
            self.swallow(storage.length);
            encode::reply(&error.into(), quiet, &mut self.output);
            return 0;
        }
        let length = storage.length.saturating_add(BLOCK_END.len());
        if let Some(block) = rest.get(..length) {
            self.store(storage, block.into(), quiet, self.now);
            return length;
        }
        self.expect_block(line, length, rest)
    }

    fn begin_meta_block(&mut self, line: &[u8], meta: &Meta<'_>, rest: &[u8]) -> usize {
        if let Err(error) = command::meta::admit(&self.context(), meta) {
            self.swallow(meta.length);
            encode::error(error, &mut self.output);
            return 0;
        }
        let length = meta.length.saturating_add(BLOCK_END.len());
        if let Some(block) = rest.get(..length) {
            self.store_meta(meta, block.into(), self.now);
            return length;
        }
        self.expect_block(line, length, rest)
    }

    /// Stores a block that came in pieces. Its line was good, and is so still.
    pub(super) fn finish_block(&mut self) {
        let State::Block(block) = mem::replace(&mut self.state, State::Line) else {
            return;
        };
        self.release_block();
        let (line, since) = (block.line, block.since);
        let block = Bytes::from(block.bytes);
        let value = Value::owned(&block);
        if self.protocol == Some(Protocol::Binary) {
            self.finish_value(&line, value, since);
        } else if !self.gate.is_open {
            self.judge_block(&value);
        } else if let Some(Ok(meta)) = meta::parse(&line) {
            self.store_meta(&meta, value, since);
        } else if let Ok(Parsed {
            request: Request::Store(storage),
            quiet,
        }) = classic::parse(&line)
        {
            self.store(&storage, value, quiet, since);
        }
    }

    /// Gives up a block for which there is no room: what is still to come of it is skipped.
    pub(super) fn abandon_block(&mut self) {
        let State::Block(block) = mem::replace(&mut self.state, State::Line) else {
            return;
        };
        let (left, line) = (block.left(), block.line);
        if left > 0 && !simulated::errs(Mistake::ForgetsToSwallow) {
            self.state = State::Swallow(left);
        }
        self.release_block();
        if self.protocol == Some(Protocol::Binary) {
            return self.abandon_value(&line);
        }
        let context = self.context();
        let quiet = if let Some(Ok(meta)) = meta::parse(&line) {
            command::meta::abandon(&context, &meta);
            false
        } else if let Ok(Parsed {
            request: Request::Store(storage),
            quiet,
        }) = classic::parse(&line)
        {
            storage::abandon(&context, &storage);
            quiet
        } else {
            return;
        };
        encode::reply(&Error::OutOfMemory.into(), quiet, &mut self.output);
    }

    pub(super) fn context_since(&self, sent: Time) -> Context<'_> {
        Context {
            sent,
            ..self.context()
        }
    }

    fn store_meta(&mut self, meta: &Meta<'_>, block: Value<'_>, sent: Time) {
        let reply = match block.before(BLOCK_END) {
            Some(value) => command::meta::set(&self.context_since(sent), meta, value),
            None => Err(Error::BadDataChunk),
        };
        self.answer_meta(meta, reply);
    }

    fn store(&mut self, storage: &Storage<'_>, block: Value<'_>, quiet: bool, sent: Time) {
        let reply = match block.before(BLOCK_END) {
            Some(value) => storage::store(&self.context_since(sent), storage, value, |_| ()).0,
            None => Error::BadDataChunk.into(),
        };
        encode::reply(&reply, quiet, &mut self.output);
    }

    fn retrieve(&mut self, retrieval: &Retrieval<'_>) {
        if retrieval.is_spoiled {
            self.spoil(retrieval);
            return;
        }
        let mut keys = retrieval.keys;
        let all = keys.rest();
        if !self.answer_keys(&mut keys, retrieval.with_uniques, retrieval.exptime) {
            let answered = all.len().saturating_sub(keys.rest().len());
            let mut keys = Bytes::copy_from_slice(all);
            keys.advance(answered);
            self.state = State::Keys(Keys {
                keys,
                with_uniques: retrieval.with_uniques,
                exptime: retrieval.exptime,
            });
        }
    }

    /// One bad key is the whole reply, but the keys before it have been looked up.
    fn spoil(&mut self, retrieval: &Retrieval<'_>) {
        let good = retrieval.keys.take_while(|key| classic::is_key(key));
        let mut outcome = Outcome::default();
        for key in good {
            let sought = (key, self.shared.store.trail(key));
            let hit = retrieval::fetch(&self.context(), sought, retrieval.exptime, |_| ());
            outcome.note(hit.as_ref());
        }
        outcome.count(&self.context(), retrieval.exptime);
        encode::reply(&Reply::Error(Error::BadLine), false, &mut self.output);
    }

    /// Goes on with a retrieval for which there was no room.
    pub(super) fn answer_more_keys(&mut self) {
        let State::Keys(mut more) = mem::replace(&mut self.state, State::Line) else {
            return;
        };
        let mut keys = Tokens::of(&more.keys);
        if !self.answer_keys(&mut keys, more.with_uniques, more.exptime) {
            let left = keys.rest().len();
            more.keys.advance(more.keys.len().saturating_sub(left));
            self.state = State::Keys(more);
        }
    }

    /// Answers keys while there is room, ends the reply after the last, and tells whether it did.
    fn answer_keys(
        &mut self,
        keys: &mut Tokens<'_>,
        with_uniques: bool,
        exptime: Option<i64>,
    ) -> bool {
        let (context, output) = self.context_and_output();
        loop {
            let some = Ahead::of_line(*keys, &context.shared.store);
            if some.is_empty() {
                encode::end(output);
                return true;
            }
            let mut outcome = Outcome::default();
            for &(key, trail, behind) in some.iter() {
                if output.queued_bytes() >= OUTPUT_HIGH_BYTES {
                    break;
                }
                let wanted = (with_uniques, exptime);
                let hit = show(&context, (key, trail), wanted, LINE_END, output);
                outcome.note(hit.as_ref());
                *keys = behind;
            }
            outcome.count(&context, exptime);
            if output.queued_bytes() >= OUTPUT_HIGH_BYTES {
                return false;
            }
        }
    }

    /// Answers lines that ask for one key each, while there is room. Tells how many bytes they
    /// are.
    pub(super) fn answer_gets(&mut self, input: &[u8]) -> usize {
        let (context, output) = self.context_and_output();
        let gets = Ahead::of_lines(input, &context.shared.store);
        let mut used = 0;
        let mut outcome = Outcome::default();
        for &(key, trail, end) in gets.iter() {
            let hit = show(&context, (key, trail), (false, None), REPLY_END, output);
            if hit.is_none() {
                encode::end(output);
            }
            outcome.note(hit.as_ref());
            used = end;
            if output.queued_bytes() >= OUTPUT_HIGH_BYTES {
                break;
            }
        }
        outcome.count(&context, None);
        used
    }

    /// Answers plain sets, while there is room. Tells how many bytes they are.
    pub(super) fn answer_sets(&mut self, input: &[u8]) -> usize {
        let (mut context, output) = self.context_and_output();
        let sets = Ahead::of_sets(input, &context.shared.store);
        let mut used = 0;
        for (_, trail, (storage, value, end)) in sets.iter() {
            context.trail = Some(*trail);
            let reply = match storage::admit(&context, storage) {
                Ok(()) => storage::store(&context, storage, (*value).into(), |_| ()).0,
                Err(error) => error.into(),
            };
            encode::reply(&reply, false, output);
            used = *end;
            if output.queued_bytes() >= OUTPUT_HIGH_BYTES {
                break;
            }
        }
        used
    }
}

/// Looks a key up, and writes its item and what is behind it.
#[inline(always)]
fn show(
    context: &Context<'_>,
    (key, trail): (&[u8], Trail),
    (with_uniques, exptime): (bool, Option<i64>),
    behind: &[u8],
    output: &mut Output,
) -> Option<()> {
    retrieval::fetch(context, (key, trail), exptime, |item| {
        let unique = with_uniques.then_some(item.unique());
        let value = (item.value(), item.shared());
        encode::value(key, item.flags(), unique, value, behind, output);
    })
}
