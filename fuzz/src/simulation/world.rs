//! A server, its clients and what is between them, in one thread, while actions happen to them.
//!
//! The server's worker is the real one (`server::net::simulated`), its streams and its time are
//! ours. After each action every conversation concerned is taken as far as it goes; what it said is
//! judged at once, and what the client gets is held against that.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use conformance::explore::history::{FIRST_BINARY, Moment, Request as Ask};
use conformance::record::frames::Frames;
use conformance::record::requests::Request;
use server::net::Clock;
use server::net::simulated::Worker;
use server::simulated::{self, Refusal};
use server::{Connection, Settings, Shared, Time};

use super::action::{Action, CLIENTS};
use super::client::{Client, Sent, differ, learn_uniques};
use super::judge::{Judge, Verdict};
use super::tally::{Event, Tally};
use super::wire::{End, Shape, Wire};

/// When a simulation begins: well past the first month, so that relative and absolute exptimes
/// differ.
const START: u64 = 1_800_000_000;
/// A client so long in the middle of a request may be given up, and one so long has to be, and what
/// each KiB of it earns beside.
const PATIENCE_MIN: u64 = 10_000;
const PATIENCE_MAX: u64 = 33_000;
/// The same of one that does not read.
const UNREAD_MIN: u64 = 59_000;
const UNREAD_MAX: u64 = 62_000;
/// While a client does not read, time passes in such steps.
const STEP: u64 = 100;
/// What is answered when all is: a reply that nobody owes otherwise.
pub(super) const FENCE: &[u8] = b"MN\r\n";
const FENCE_FRAME: [u8; 24] = {
    let mut frame = [0; 24];
    frame[0] = 0x81;
    frame[1] = 0x0a;
    frame
};
const QUIT_OPCODE: u8 = 0x07;

/// What goes wrong is said in words.
pub(super) type Outcome = Result<(), String>;

/// A simulation under way.
pub(super) struct World {
    pub(super) shared: Arc<Shared>,
    worker: Worker,
    clock: Clock,
    clients: BTreeMap<u8, Client>,
    shapes: BTreeMap<u8, Shape>,
    pub(super) judge: Judge,
    pub(super) uniques: BTreeMap<Vec<u8>, Vec<u64>>,
    /// Milliseconds since the beginning.
    elapsed: u64,
    /// What time of day the system says it is.
    wall_clock: Duration,
    armed: Option<Refusal>,
    /// Memory may be refused at any time, without our doing.
    is_full: bool,
    pub(super) tally: Tally,
}

impl World {
    /// A server that has just been started.
    pub(super) fn new(options: &str, memory_bytes: Option<usize>) -> World {
        let words = options.split_whitespace().map(str::to_owned);
        let mut settings = Settings::parse(words).expect("the server knows the options");
        settings.memory_bytes = memory_bytes.unwrap_or(settings.memory_bytes);
        simulated::relent();
        simulated::share([START, START]);
        let (evicts, is_tight) = (settings.evicts, memory_bytes.is_some());
        let shared = Arc::new(Shared::new(settings, Time::from_seconds(START)));
        simulated::set_wall_clock(Duration::from_secs(START));
        let clock = Clock::start();
        World {
            worker: Worker::new(&shared, &clock),
            clock,
            clients: BTreeMap::new(),
            shapes: BTreeMap::new(),
            judge: Judge::new(evicts && is_tight, evicts),
            is_full: !evicts && is_tight,
            uniques: BTreeMap::new(),
            elapsed: 0,
            wall_clock: Duration::from_secs(START),
            armed: None,
            tally: Tally::default(),
            shared,
        }
    }

    pub(super) fn now(&self) -> model::Time {
        model::Time(START + self.elapsed / 1000)
    }

    /// Lets this happen, and judges what comes of it.
    pub(super) async fn act(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Send(client, ask, held) => self.send(*client, ask, *held)?,
            Action::Datagram(ask) => self.datagram(ask)?,
            Action::Arrive(client) => self.arrive(*client)?,
            Action::Shape(client, shape) => drop(self.shapes.insert(*client, *shape)),
            Action::Stall(client) => self.each(*client, |wire| wire.is_stalled = true),
            Action::Read(client) => {
                self.each(*client, |wire| wire.is_stalled = false);
                self.go_on(*client)?;
            }
            Action::End(client) => {
                self.arrive(*client)?;
                self.each(*client, |wire| wire.has_ended = true);
                self.tally
                    .add(Event::End, u64::from(self.clients.contains_key(client)));
                self.go_on(*client)?;
            }
            Action::Reset(client) => self.reset(*client)?,
            Action::Pass(milliseconds) => self.pass(*milliseconds).await?,
            Action::Refuse(refusal, after) => {
                simulated::refuse(*refusal, *after);
                self.armed = Some(*refusal);
            }
            Action::Limit(bytes) => {
                let now = Time::from_seconds(self.now().0);
                self.shared.store.set_limit(*bytes, now);
                self.tally.add(Event::Limit, 1);
            }
            Action::SetClock(seconds) => {
                self.wall_clock = Duration::from_secs(*seconds);
                simulated::set_wall_clock(self.wall_clock);
                self.tally.add(Event::SetClock, 1);
            }
            Action::Close => self.close()?,
        }
        Ok(())
    }

    fn each(&mut self, client: u8, change: impl FnOnce(&mut Wire)) {
        if let Some(client) = self.clients.get(&client) {
            change(&mut client.wire.borrow_mut());
        }
    }

    fn connect(&mut self, number: u8) {
        let shape = self.shapes.get(&number).copied().unwrap_or(Shape {
            read_max: 65_536,
            write_max: 65_536,
            window: 300_000,
        });
        let wire = Wire::new(shape);
        let told = Arc::default();
        let connection = Connection::new(Arc::clone(&self.shared)).watched_by(&told);
        let serving = self.worker.clone().serve(End(Rc::clone(&wire)), connection);
        let client = Client {
            // Who is polled by hand has no budget to spend.
            conversation: Box::pin(tokio::task::unconstrained(serving)),
            wire,
            told,
            held: Vec::new(),
            sent_bytes: 0,
            queue: VecDeque::new(),
            answered: 0,
            said: Vec::new(),
            owed: VecDeque::new(),
            is_closing: false,
            waits_since: None,
            waits_for: None,
            blocked_since: None,
        };
        self.clients.insert(number, client);
        self.tally.connections += 1;
    }

    fn send(&mut self, number: u8, ask: &Ask, held: usize) -> Outcome {
        if !self.clients.contains_key(&number) {
            self.connect(number);
        }
        let bytes = self.bytes_of(ask);
        let Some(client) = self.clients.get_mut(&number) else {
            return Ok(());
        };
        if client.is_closing || client.wire.borrow().has_ended {
            return Ok(());
        }
        let closes = bytes.starts_with(b"quit\r\n") || bytes.get(1) == Some(&QUIT_OPCODE);
        let mut framed = Frames::default().push(&bytes);
        let request = match framed.pop() {
            Some(request) if number >= FIRST_BINARY => request,
            _ => Request::new(bytes.clone()),
        };
        let start = client.sent_bytes;
        client.sent_bytes += bytes.len() as u64;
        client.held.extend_from_slice(&bytes);
        client.queue.push_back(Sent {
            request,
            closes: closes && (number < FIRST_BINARY) == bytes.starts_with(b"quit"),
            start,
            end: client.sent_bytes,
            is_refused: false,
        });
        let arriving = client.held.len().saturating_sub(held);
        let rest = client.held.split_off(arriving);
        let arriving = std::mem::replace(&mut client.held, rest);
        client.wire.borrow_mut().send(&arriving);
        self.note(number, ask);
        self.go_on(number)
    }

    /// A request as it is sent now.
    pub(super) fn bytes_of(&self, ask: &Ask) -> Vec<u8> {
        let uniques = &self.uniques;
        self.decidable(ask).bytes(&Moment {
            prefix: b"",
            now: self.now().0,
            uniques: &|key| uniques.get(key).cloned().unwrap_or_default(),
        })
    }

    /// The request without `I` where it names a unique that nobody was shown: whether that is older
    /// than the item's, on which `I` depends, the judge cannot know.
    fn decidable<'a>(&self, ask: &'a Ask) -> Cow<'a, Ask> {
        use conformance::explore::history::Word::{Text, Unique};
        let is_made_up = |word: &_| match word {
            Unique("C", key, _) => !self.uniques.contains_key(key),
            _ => false,
        };
        match ask {
            Ask::Line(words, block) if words.iter().any(is_made_up) => {
                let mut words = words.clone();
                words.retain(|word| *word != Text(b"I".to_vec()));
                Cow::Owned(Ask::Line(words, block.clone()))
            }
            _ => Cow::Borrowed(ask),
        }
    }

    fn note(&mut self, number: u8, ask: &Ask) {
        if let Ask::Line(words, _) = ask {
            use conformance::explore::history::Word::Text;
            let is = |text: &str| words.first().is_some_and(|word| *word == Text(text.into()));
            self.tally.add(Event::Flush, u64::from(is("flush_all")));
            self.tally.add(Event::StatsReset, u64::from(is("stats")));
            self.tally.add(Event::Dump, u64::from(is("lru_crawler")));
            self.tally
                .add(Event::Limit, u64::from(is("cache_memlimit")));
        }
        let _ = number;
    }

    fn arrive(&mut self, number: u8) -> Outcome {
        if let Some(client) = self.clients.get_mut(&number) {
            let held = std::mem::take(&mut client.held);
            client.wire.borrow_mut().send(&held);
        }
        self.go_on(number)
    }

    fn reset(&mut self, number: u8) -> Outcome {
        let Some(client) = self.clients.get(&number) else {
            return Ok(());
        };
        let owes = client.wire.borrow().is_blocked;
        client.wire.borrow_mut().is_reset = true;
        self.tally.add(Event::Reset, 1);
        self.tally.add(Event::ResetAmidReply, u64::from(owes));
        self.go_on(number)
    }

    /// Takes a conversation as far as it goes, and judges what was said.
    fn go_on(&mut self, number: u8) -> Outcome {
        loop {
            let Some(client) = self.clients.get_mut(&number) else {
                return Ok(());
            };
            let mut context = Context::from_waker(Waker::noop());
            let polled = client.conversation.as_mut().poll(&mut context);
            let has_written = !client.wire.borrow().written.is_empty();
            self.heed_refusals();
            self.judge(number)?;
            self.compare(number)?;
            if let Poll::Ready(ended) = polled {
                return self.leave(number, ended.is_err());
            }
            let Some(client) = self.clients.get_mut(&number) else {
                return Ok(());
            };
            if client.wire.borrow().is_blocked {
                client.blocked_since = client.blocked_since.or(Some(self.elapsed));
                self.tally.add(Event::Backpressure, 1);
            }
            // Who is owed much is polled again: others are served in between.
            let goes_on = client.wire.borrow_mut().drain() || has_written;
            if goes_on {
                client.blocked_since = None;
                continue;
            }
            if client.wire.borrow().is_shut && !client.wire.borrow().has_ended {
                // Who is told that all is said, has nothing more to say either.
                client.wire.borrow_mut().has_ended = true;
                continue;
            }
            return Ok(());
        }
    }

    /// Memory may have been refused since the last look.
    pub(super) fn heed_refusals(&mut self) {
        let fired = self.armed.filter(|_| simulated::to_be_refused().is_none());
        self.judge.is_refused = fired.is_some() || self.is_full;
        if let Some(refusal) = fired {
            self.armed = None;
            self.tally.add(Event::Refused(refusal), 1);
            self.judge.excuse_all();
            for client in self.clients.values_mut() {
                let read = client.wire.borrow().read;
                let begun = client.queue.iter_mut().filter(|sent| sent.start < read);
                begun.for_each(|sent| sent.is_refused = true);
            }
        }
    }

    /// Judges what a client was told.
    fn judge(&mut self, number: u8) -> Outcome {
        let now = self.now();
        let Some(client) = self.clients.get_mut(&number) else {
            return Ok(());
        };
        let is_drained = {
            let mut told = client.told.lock().unwrap_or_else(PoisonError::into_inner);
            client.owed.extend(&told.bytes);
            client.said.append(&mut told.bytes);
            told.is_drained
        };
        let fence: &[u8] = if number >= FIRST_BINARY {
            &FENCE_FRAME
        } else {
            FENCE
        };
        if is_drained {
            client.said.extend_from_slice(fence);
        }
        let read = client.wire.borrow().read;
        while let Some(sent) = client.queue.front()
            && !client.is_closing
            && !client.said.is_empty()
        {
            // A block that is refused is answered before it is there.
            let is_early = sent.start < read && is_drained && client.said != fence;
            if sent.end > read && !is_early {
                break;
            }
            let is_refused = self.judge.is_refused;
            self.judge.is_refused |= sent.is_refused;
            let verdict = self.judge.judge(number, &sent.request, &client.said, now);
            self.judge.is_refused = is_refused;
            match verdict {
                Verdict::Said(length) => {
                    learn_uniques(&mut self.uniques, &sent.request, client.said.get(..length));
                    client.said.drain(..length);
                    if self.judge.lists(number) {
                        continue;
                    }
                    client.is_closing = sent.closes;
                    client.answered = sent.end;
                    client.queue.pop_front();
                    self.tally.commands += 1;
                }
                Verdict::Waits if self.judge.lists(number) && !is_drained => break,
                Verdict::Waits => return Err(differ(number, client, "more than that")),
                Verdict::Differs(owed) => return Err(differ(number, client, &owed)),
            }
        }
        if is_drained {
            if client.said != fence {
                return Err(differ(number, client, "nothing"));
            }
            client.said.clear();
        }
        client.note_progress(now, self.elapsed);
        Ok(())
    }

    /// Holds what a client got against what was said.
    fn compare(&mut self, number: u8) -> Outcome {
        let Some(client) = self.clients.get_mut(&number) else {
            return Ok(());
        };
        let written = std::mem::take(&mut client.wire.borrow_mut().written);
        if client.owed.len() < written.len() || client.owed.drain(..written.len()).ne(written) {
            return Err(format!("client {number} gets other bytes than were said"));
        }
        Ok(())
    }

    /// A conversation is over.
    fn leave(&mut self, number: u8, is_broken: bool) -> Outcome {
        let Some(client) = self.clients.remove(&number) else {
            return Ok(());
        };
        self.judge.leave(number);
        let wire = client.wire.borrow();
        let [reads, writes] = wire.short;
        self.tally.add(Event::ShortRead, reads);
        self.tally.add(Event::ShortWrite, writes);
        if is_broken || wire.is_reset {
            return match wire.is_reset {
                true => Ok(()),
                false => Err(format!("client {number} is let down")),
            };
        }
        let for_long = |since: Option<u64>, least| {
            since.is_some_and(|since| self.elapsed.saturating_sub(since) >= least)
        };
        let is_kicked = for_long(client.waits_since, PATIENCE_MIN)
            || for_long(client.blocked_since, UNREAD_MIN);
        if is_kicked {
            self.tally.add(Event::Kick, 1);
            return Ok(());
        }
        if !client.is_closing && !wire.has_ended && !self.shared.is_stopping() {
            return Err(format!("client {number} is closed, and nothing says why"));
        }
        if !client.owed.is_empty() {
            let owed = client.owed.len();
            return Err(format!("client {number} is closed and owed {owed} bytes"));
        }
        let unanswered = client.queue.iter().any(|sent| sent.end <= wire.read);
        if unanswered && !client.is_closing {
            return Err(format!("client {number} is closed and owed an answer"));
        }
        Ok(())
    }

    async fn pass(&mut self, milliseconds: u64) -> Outcome {
        let blocked = |client: &Client| client.wire.borrow().is_blocked;
        let mut left = milliseconds;
        while left > 0 {
            let is_fine = self.clients.values().any(blocked);
            let step = if is_fine { left.min(STEP) } else { left };
            // A day of small steps shows no more than two minutes.
            left = if is_fine { left.min(120_000) } else { left } - step.min(left);
            self.elapsed += step;
            let by = Duration::from_millis(step);
            self.wall_clock += by;
            simulated::set_wall_clock(self.wall_clock);
            tokio::time::advance(by).await;
            for number in 1..=CLIENTS {
                self.go_on(number)?;
            }
        }
        self.tally
            .add(Event::Jump, u64::from(milliseconds > 60_000));
        let overdue = self
            .clients
            .iter()
            .find(|(_, client)| self.is_overdue(client));
        match overdue {
            Some((number, _)) => Err(format!("client {number} is waited for without an end")),
            None => Ok(()),
        }
    }

    fn is_overdue(&self, client: &Client) -> bool {
        let bytes = client
            .wire
            .borrow()
            .read
            .saturating_sub(client.queue.front().map_or(0, |sent| sent.start));
        let for_long = |since: Option<u64>, most: u64| {
            since.is_some_and(|since| self.elapsed.saturating_sub(since) > most)
        };
        let is_blocked = client.wire.borrow().is_blocked;
        !is_blocked && for_long(client.waits_since, PATIENCE_MAX + bytes)
            || for_long(client.blocked_since, UNREAD_MAX)
    }

    /// The server is asked to end: whoever reads gets what is owed. Another worker takes over.
    fn close(&mut self) -> Outcome {
        self.worker.close();
        for number in 1..=CLIENTS {
            self.each(number, |wire| wire.has_ended = true);
            self.go_on(number)?;
            if self
                .clients
                .get(&number)
                .is_some_and(|client| !client.wire.borrow().is_stalled)
            {
                return Err(format!(
                    "client {number} is still there, and the server has ended"
                ));
            }
            self.reset(number)?;
        }
        self.tally.add(Event::Close, 1);
        self.worker = Worker::new(&self.shared, &self.clock);
        Ok(())
    }

    /// Everybody gets what he is owed and goes; then nothing may be left, and every item is looked
    /// at once more.
    pub(super) fn end(&mut self) -> Outcome {
        simulated::relent();
        self.armed = None;
        for number in 1..=CLIENTS {
            self.each(number, |wire| wire.is_stalled = false);
            self.arrive(number)?;
            self.each(number, |wire| wire.has_ended = true);
            self.go_on(number)?;
            if self.clients.contains_key(&number) {
                return Err(format!("client {number} has ended, and is still there"));
            }
        }
        self.shapes.clear();
        for key in self.judge.keys() {
            let line = [b"get ", key.as_slice()].concat();
            self.send(1, &Ask::Bytes([&line, b"\r\n".as_slice()].concat()), 0)?;
        }
        self.reset(1)?;
        let left = [
            ("connections", self.shared.roster.count()),
            ("bytes of unfinished blocks", self.shared.held_bytes()),
            ("unread bytes", self.shared.unread.total()),
        ];
        for (what, count) in left {
            if count > 0 {
                return Err(format!("nobody is there, and {count} {what} are left"));
            }
        }
        match self.shared.store.is_consistent() {
            true => Ok(()),
            false => Err("the accounts of the store are wrong".to_owned()),
        }
    }
}
