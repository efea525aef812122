//! One client's connection, without the socket.
//!
//! Bytes go in, bytes come out, and the time is told: it never waits, reads a clock or knows what
//! carries the bytes. However the input is cut, the output is the same.
//! `dispatch.rs` is where a line becomes a reply; `gate.rs` is what a stranger meets before, and
//! `watching.rs` what a watcher is told.

mod binary;
mod block;
pub mod datagram;
mod dispatch;
mod gate;
mod lines;
#[cfg(debug_assertions)]
pub mod onlooker;
#[cfg(not(debug_assertions))]
mod onlooker;
mod watching;

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use crate::command::Context;
use crate::command::dump::Dump;
use crate::counters::Counter;
use crate::limits::{
    BLOCK_TIME, BYTES_PER_SECOND, DUMPED_BYTES, LINE_TIME, OUTPUT_HIGH_BYTES, UNREAD_TIME,
};
use crate::log::{self, Kind};
use crate::protocol::Output;
use crate::protocol::binary::MAGIC;
use crate::protocol::frame::{self, Frame};
use crate::roster::{Addresses, Record};
use crate::settings::Protocol;
use crate::shared::Shared;
use crate::simulated::{self, Mistake};
use crate::store::Trail;
use crate::time::Time;
use crate::users::Question;
use crate::watchers::Reason;
use block::Block;
use gate::{Asker, Gate};
use lines::{LINES_MAX, Lines};

/// What the next bytes are.
#[derive(Debug)]
enum State {
    /// A command line, or the head of a binary frame.
    Line,
    /// The rest of a data block.
    Block(Block),
    /// So many bytes that nobody wants.
    Swallow(usize),
    /// Not asked for yet: these keys are answered first, as room for the values comes.
    Keys(Keys),
    /// Not asked for yet: it is to be found out first who the client is.
    Judging(Option<Question>, Asker),
    /// Not asked for yet: all items are told of first, as room for their lines comes.
    Dumping(Dump),
    /// Nothing that is listened to: the client watches others.
    Watching,
    /// Nothing: what is queued is sent, and then the connection is closed.
    Closing,
}

/// The rest of a retrieval that has more to say than fits.
#[derive(Debug)]
struct Keys {
    keys: Bytes,
    with_uniques: bool,
    exptime: Option<i64>,
}

/// One client's connection.
#[derive(Debug)]
pub struct Connection {
    shared: Arc<Shared>,
    worker: usize,
    record: Arc<Record>,
    protocol: Option<Protocol>,
    state: State,
    input: BytesMut,
    scanned: usize,
    output: Output,
    held_bytes: usize,
    /// Whether the last that came was the end of a large block.
    is_behind_block: bool,
    now: Time,
    active: Option<Time>,
    under_way: Option<UnderWay>,
    /// Where the one key of the line that is being answered is to be looked for.
    trail: Option<Trail>,
    is_finished: bool,
    reason: Reason,
    gate: Gate,
    #[cfg(debug_assertions)]
    onlooker: onlooker::Onlooker,
}

/// A line or a block of which not all has come.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    since: Time,
    bytes: u64,
}

impl Connection {
    /// A connection that has just been opened.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self::between(shared, Addresses::default())
    }

    /// A connection that has just been opened, with the addresses that `stats conns` shows.
    #[must_use]
    pub fn between(shared: Arc<Shared>, addresses: Addresses) -> Self {
        let worker = shared.next_worker();
        let client = &addresses.client;
        if shared.verbosity() > 1 {
            shared.log.say(Kind::Talk, format!("{client}: connected"));
        }
        shared.counters(worker).count(Counter::TotalConnections);
        let record = shared.roster.enter(addresses, shared.started);
        Self::of(shared, worker, record)
    }

    fn of(shared: Arc<Shared>, worker: usize, record: Arc<Record>) -> Self {
        Self {
            now: shared.started,
            record,
            protocol: shared.settings.protocol,
            gate: Gate::new(!shared.settings.needs_login()),
            shared,
            worker,
            state: State::Line,
            input: BytesMut::new(),
            scanned: 0,
            output: Output::default(),
            held_bytes: 0,
            is_behind_block: false,
            active: None,
            under_way: None,
            trail: None,
            is_finished: false,
            reason: Reason::default(),
            #[cfg(debug_assertions)]
            onlooker: onlooker::Onlooker::default(),
        }
    }

    /// A connection that speaks this, or what its first byte says.
    #[must_use]
    pub fn speaking(mut self, protocol: Option<Protocol>) -> Self {
        self.protocol = protocol;
        self
    }

    /// A client that is not connected: nobody counts or lists it.
    fn unlisted(shared: Arc<Shared>, now: Time) -> Self {
        let record = Arc::new(Record::unlisted());
        let mut connection = Self::of(shared, 0, record);
        connection.now = now;
        connection
    }

    /// Takes what the client sent, and carries out all that is complete. Without bytes it only
    /// learns the time.
    pub fn receive(&mut self, bytes: &[u8], now: Time) {
        let read = self.note_arrival(bytes.len(), now);
        if !bytes.is_empty() {
            self.is_behind_block = false;
        }
        if self.input.is_empty() {
            let used = self.consume(bytes);
            self.input
                .extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            self.input.extend_from_slice(bytes);
            self.resume();
        }
        self.note_progress(read);
        self.show();
    }

    /// Learns the time, and that so many bytes have come.
    fn note_arrival(&mut self, len: usize, now: Time) -> u64 {
        self.now = now;
        self.gate.note(now);
        let is_first = self.active.is_none();
        if len > 0 || is_first {
            self.active = Some(now);
            self.record.stir(now);
        }
        if is_first {
            self.tell_opened();
        }
        let read = u64::try_from(len).unwrap_or(u64::MAX);
        self.context().counters.add(Counter::BytesRead, read);
        read
    }

    /// Takes the next bytes for the client; empty when there are none for now.
    pub fn transmit(&mut self) -> Bytes {
        self.prepare();
        let bytes = self.output.take_piece();
        self.note_sent(bytes.len());
        self.note_taken();
        bytes
    }

    /// Goes on where all that was said has been sent, so that there is more to say if there can be.
    pub fn prepare(&mut self) {
        if self.output.queued_bytes() == 0 {
            self.resume();
            self.note_progress(0);
            self.hear();
            self.show();
        }
    }

    /// Whether all that came has been carried out, so that there is nothing to go on with.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.input.is_empty() && matches!(self.state, State::Line)
    }

    /// What is to be sent next, as far as it has been prepared.
    #[must_use]
    pub const fn output(&self) -> &Output {
        &self.output
    }

    /// Learns that so many bytes of the output have been sent.
    pub fn sent(&mut self, mut len: usize) {
        if simulated::errs(Mistake::DropsRestOfWrite) {
            len = self.output.queued_bytes();
        }
        self.output.advance(len);
        self.note_sent(len);
        self.note_taken();
    }

    fn note_sent(&self, len: usize) {
        let written = u64::try_from(len).unwrap_or(u64::MAX);
        self.context().counters.add(Counter::BytesWritten, written);
    }

    /// Learns that the client will send nothing more. It still gets every reply it is owed.
    pub const fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Whether everything has been said, so that the socket is to be closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.output.queued_bytes() == 0
            && match self.state {
                State::Closing => true,
                State::Keys(_) | State::Dumping(_) | State::Judging(..) => false,
                _ => self.is_finished && self.scanned == self.input.len(),
            }
    }

    /// Whether more bytes would be carried out now; otherwise what is queued is to be sent first.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !matches!(
            self.state,
            State::Closing | State::Keys(_) | State::Dumping(_) | State::Judging(..)
        ) && self.output.queued_bytes() < OUTPUT_HIGH_BYTES
    }

    /// When [`Connection::tick`] is to be called, if no bytes come before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if let Some(look) = self.next_look() {
            return Some(look);
        }
        let active = self.active.unwrap_or(self.shared.started);
        let idle = self.idle_timeout().map(|timeout| active.after(timeout));
        let waits = !simulated::errs(Mistake::WaitsForEver);
        let under_way = self.under_way.filter(|_| waits);
        let under_way = under_way.map(|UnderWay { since, bytes }| {
            let least = if matches!(self.state, State::Line) {
                LINE_TIME
            } else {
                BLOCK_TIME
            };
            let earned = Duration::from_secs(bytes / BYTES_PER_SECOND);
            since.after(least.saturating_add(earned))
        });
        let login = self.gate.deadline();
        idle.into_iter().chain(under_way).chain(login).min()
    }

    /// Learns the time, and closes a connection that has done nothing for too long.
    pub fn tick(&mut self, now: Time) {
        self.now = now;
        if self.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.give_up();
        }
    }

    /// How long the client may read nothing of what it is sent, before
    /// [`Connection::give_up`] is to be called.
    #[must_use]
    pub fn unread_limit(&self) -> Duration {
        let idle = self.idle_timeout().unwrap_or(UNREAD_TIME);
        idle.min(UNREAD_TIME)
    }

    /// Closes a connection whose client is waited for in vain.
    pub fn give_up(&mut self) {
        self.context().counters.count(Counter::IdleKicks);
        self.tell(1, |name| format!("{name}: closed: waited for in vain"));
        self.output = Output::default();
        self.end_watch();
        self.close(Reason::Idle);
    }

    /// Tells the operator, where that is wanted.
    fn tell(&self, verbosity: u32, line: impl FnOnce(&str) -> String) {
        if self.shared.verbosity() >= verbosity {
            let kind = if verbosity > 1 {
                Kind::Talk
            } else {
                Kind::Client
            };
            let line = line(&self.record.addresses.client);
            self.shared.log.say(kind, line);
        }
    }

    fn idle_timeout(&self) -> Option<Duration> {
        let seconds = self.shared.settings.idle_timeout_seconds?;
        Some(Duration::from_secs(seconds))
    }

    /// Notes whether a line or a block is under way, and how much of it has come.
    fn note_progress(&mut self, more_bytes: u64) {
        let waits = match self.state {
            State::Line => self.scanned > 0,
            State::Block(_) | State::Swallow(_) => true,
            State::Keys(_)
            | State::Dumping(_)
            | State::Judging(..)
            | State::Watching
            | State::Closing => false,
        };
        if !waits {
            self.under_way = None;
        } else if let Some(under_way) = &mut self.under_way {
            under_way.bytes = under_way.bytes.saturating_add(more_bytes);
        } else {
            self.under_way = Some(UnderWay {
                since: self.now,
                bytes: 0,
            });
        }
    }

    fn context(&self) -> Context<'_> {
        let (shared, record) = (&self.shared, &self.record);
        context(shared, self.worker, self.now, record, self.trail)
    }

    /// What a command may use, and where the reply goes.
    fn context_and_output(&mut self) -> (Context<'_>, &mut Output) {
        let (shared, record) = (&self.shared, &self.record);
        let context = context(shared, self.worker, self.now, record, self.trail);
        (context, &mut self.output)
    }

    /// Gives back the room that an unfinished block took.
    fn release_block(&mut self) {
        self.shared.release(mem::take(&mut self.held_bytes));
    }

    /// Goes on with what has been received.
    fn resume(&mut self) {
        let mut input = mem::take(&mut self.input);
        let used = self.consume(&input);
        input.advance(used);
        self.input = input;
    }

    /// Carries out what is complete while there is room for replies. Tells how many bytes that
    /// took.
    fn consume(&mut self, input: &[u8]) -> usize {
        let mut used = 0;
        while self.output.queued_bytes() < OUTPUT_HIGH_BYTES {
            let rest = input.get(used..).unwrap_or_default();
            let Some(step) = self.step(rest, LINES_MAX) else {
                break;
            };
            used = used.saturating_add(step);
        }
        used
    }

    /// Which protocol it is: the first byte tells.
    fn speaks_binary(&mut self, input: &[u8]) -> bool {
        let told = |first: &u8| {
            if *first == MAGIC {
                Protocol::Binary
            } else {
                Protocol::Text
            }
        };
        self.protocol = self.protocol.or_else(|| input.first().map(told));
        self.protocol == Some(Protocol::Binary)
    }

    /// Takes one step, of so many lines at most. None when the rest of the input does not allow
    /// one.
    fn step(&mut self, input: &[u8], lines_max: usize) -> Option<usize> {
        let speaks_binary = self.speaks_binary(input);
        match &mut self.state {
            State::Line if !input.is_empty() => match (speaks_binary, self.gate.is_open) {
                (true, _) => self.step_binary(input),
                (false, true) => self.step_text(input, lines_max),
                (false, false) => self.step_stranger(input),
            },
            State::Closing | State::Watching => (!input.is_empty()).then_some(input.len()),
            State::Keys(_) => {
                self.answer_more_keys();
                Some(0)
            }
            State::Judging(..) | State::Line => None,
            State::Dumping(_) if self.output.queued_bytes() >= DUMPED_BYTES => None,
            State::Dumping(dump) => {
                let mut dump = *dump;
                match dump.next(&self.context()) {
                    Some(lines) => {
                        self.output.bytes(&lines);
                        self.state = State::Dumping(dump);
                    }
                    None => {
                        self.output.bytes(dump.end());
                        self.state = State::Line;
                    }
                }
                Some(0)
            }
            State::Swallow(left) => {
                let skipped = input.len().min(*left);
                *left -= skipped;
                if *left == 0 {
                    self.under_way = None;
                    self.state = State::Line;
                    return Some(skipped);
                }
                (skipped > 0).then_some(skipped)
            }
            State::Block(_) => self.step_block(input),
        }
    }

    /// Answers lines while there is room and the stream goes on as they were read. Tells how many
    /// bytes belonged to them.
    fn answer_lines(&mut self, input: &[u8], lines: &Lines<'_>) -> usize {
        let mut used = 0;
        for line in lines.iter() {
            let goes_on = matches!(self.state, State::Line) && used == line.start;
            if !goes_on || self.output.queued_bytes() >= OUTPUT_HIGH_BYTES {
                break;
            }
            self.tell(2, |name| format!("{name}: < {}", log::shown(line.text)));
            let rest = input.get(line.end..).unwrap_or_default();
            self.trail = line.trail;
            used = line.end.saturating_add(self.dispatch(line, rest));
        }
        self.trail = None;
        used
    }

    /// Cuts a line, and those behind it, and answers them. None when not all of the first is there.
    fn step_text(&mut self, input: &[u8], lines_max: usize) -> Option<usize> {
        if self.scanned == 0 && lines_max > 1 && self.shared.verbosity() < 2 {
            let used = match input.first() {
                Some(b'g') => self.answer_gets(input),
                Some(b's') => self.answer_sets(input),
                _ => 0,
            };
            if used > 0 {
                self.under_way = None;
                return Some(used);
            }
        }
        let scanned = mem::take(&mut self.scanned);
        match frame::cut(input, scanned) {
            Frame::Line(line, used) => {
                if simulated::errs(Mistake::KeepsScanned) {
                    self.scanned = scanned;
                }
                self.under_way = None;
                let lines = Lines::read(input, (line, used), lines_max, &self.shared.store);
                Some(self.answer_lines(input, &lines))
            }
            Frame::Incomplete => {
                self.scanned = input.len();
                None
            }
            Frame::TooLong => {
                self.tell(1, |name| format!("{name}: closed: its line is too long"));
                self.close(Reason::Error);
                Some(input.len())
            }
        }
    }
}

fn context<'a>(
    shared: &'a Shared,
    worker: usize,
    now: Time,
    record: &Record,
    trail: Option<Trail>,
) -> Context<'a> {
    Context {
        shared,
        counters: shared.counters(worker),
        now,
        sent: now,
        connection: record.listed(),
        trail,
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let has_panicked = thread::panicking();
        if has_panicked {
            self.context().counters.count(Counter::Panics);
        }
        self.tell_closed(has_panicked);
        self.tell(2, |name| format!("{name}: gone"));
        if !simulated::errs(Mistake::KeepsHeldRoom) {
            self.release_block();
        }
        if !simulated::errs(Mistake::StaysListed) {
            self.shared.roster.leave(self.record.number);
        }
    }
}
