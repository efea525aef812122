//! One client of a storm: what it asks, and how it takes down the answer.
//!
//! Its keys are of three kinds: registers, whose values grow across size classes; counters about to
//! gain or lose a digit; and logs, to which all append. How that is said is in `speech/`, and what
//! it cannot read ends its connection. It never judges.

use std::io::{self, BufReader, Write};
use std::time::Duration;

use super::speech::{Asked, Hearing, Manner, Speech, line};
use super::{Plan, Weather};
use crate::dice::Dice;
use crate::linear::history::{NEVER, Op, Reply, Request, Value, Values};
use crate::target::address::Wire;

/// So many keys a round has; a third of each kind.
pub(super) const KEYS: u32 = 9;
/// How long an answer may take.
const REPLY_MAX: Duration = Duration::from_secs(5);
/// A log is started anew when it is so long.
const LOG_MAX: usize = 400;
/// Numbers that are about to gain a digit, or to lose one.
const EDGES: [&str; 8] = [
    "8",
    "9",
    "10",
    "98",
    "99",
    "100",
    "999999",
    "999999999999999999",
];
/// Longer values of a register, which are rarer the longer they are.
const LENGTHS: [usize; 4] = [150, 1_200, 9_000, 70_000];

/// What a client took down.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) ops: Vec<Op>,
    pub(super) values: Values,
    pub(super) broken: Option<String>,
}

/// One client with its connection.
pub(super) struct Client {
    wire: BufReader<Box<dyn Wire>>,
    number: u16,
    round: u64,
    weather: Weather,
    speech: Speech,
    plan: Plan,
    dice: Dice,
    count: u64,
    uniques: [u64; KEYS as usize],
    lengths: [usize; KEYS as usize],
    log: Log,
}

/// The name of a key in a round.
pub(super) fn key(plan: &Plan, round: u64, key: u32) -> String {
    format!("{}{round}:{key}", plan.prefix)
}

impl Client {
    pub(super) fn new(
        plan: &Plan,
        number: u16,
        weather: Weather,
        speech: Speech,
        mut wire: Box<dyn Wire>,
    ) -> Client {
        let round = weather.round;
        wire.patience(REPLY_MAX, REPLY_MAX);
        let seed = plan.seed ^ (u64::from(number) << 48) ^ (round << 20);
        Client {
            wire: BufReader::new(wire),
            number,
            round,
            weather,
            speech,
            plan: plan.clone(),
            dice: Dice::new(seed),
            count: 0,
            uniques: [0; KEYS as usize],
            lengths: [0; KEYS as usize],
            log: Log::default(),
        }
    }

    /// Asks until this moment, or until the connection ends.
    pub(super) fn run(&mut self, now: &dyn Fn() -> u64, end: u64) {
        while now() < end {
            let done = if self.number == self.plan.clients {
                self.fill()
            } else {
                self.ask(now)
            };
            if let Err(problem) = done {
                self.log.broken = Some(format!("client {}: {problem}", self.number));
                return;
            }
        }
    }

    pub(super) fn finish(self) -> Log {
        self.log
    }

    /// Stores so that others must go.
    fn fill(&mut self) -> io::Result<()> {
        self.count += 1;
        let length = LENGTHS
            .get(usize::try_from(self.dice.below(3)).unwrap_or(0))
            .unwrap_or(&1);
        let name = format!("{}f{}:{}", self.plan.prefix, self.round, self.count);
        let exptime = self.weather.exptime;
        let head = format!("set {name} 0 {exptime} {length}\r\n");
        let request = [head.as_bytes(), &vec![b'f'; *length], b"\r\n"].concat();
        self.wire.get_mut().write_all(&request)?;
        line(&mut self.wire).map(drop)
    }

    /// One request or two, and their answers.
    fn ask(&mut self, now: &dyn Fn() -> u64) -> io::Result<()> {
        if self.plan.flushes && self.dice.below(400) == 0 {
            return self.exchange(&[(0, Request::Flush)], false, now);
        }
        let key = u32::try_from(self.dice.below(u64::from(KEYS))).unwrap_or(0);
        let request = match key % 3 {
            0 => self.register(key),
            1 => self.counter(key),
            _ => self.append(key),
        };
        match self.dice.below(16) {
            0 => {
                let other = (key + 1) % KEYS;
                self.exchange(&[(key, Request::Get), (other, Request::Get)], false, now)
            }
            1 if request != Request::Get => self.exchange(&[(key, request)], true, now),
            _ => self.exchange(&[(key, request)], false, now),
        }
    }

    fn register(&mut self, key: u32) -> Request {
        let kind = self.dice.below(12);
        if kind < 5 {
            return Request::Get;
        }
        let value = self.fresh(true);
        match kind {
            5 | 6 => Request::Set(value),
            7 | 8 => Request::Add(value),
            9 => Request::Replace(value),
            10 => Request::Delete,
            _ => match self.uniques.get(key as usize) {
                Some(0) | None => Request::Get,
                Some(unique) => Request::Cas(value, *unique),
            },
        }
    }

    fn counter(&mut self, key: u32) -> Request {
        match self.dice.below(24) {
            0 => {
                let edge = usize::try_from(self.dice.below(EDGES.len() as u64)).unwrap_or(0);
                let edge = EDGES.get(edge).unwrap_or(&"0");
                Request::Set(self.log.values.of(edge.as_bytes()))
            }
            1 => Request::Delete,
            2 => Request::Add(self.log.values.number(99)),
            3 => Request::Touch,
            4..=8 => Request::Get,
            9..=12 => Request::Decr(1 + u64::from(key % 2)),
            _ => Request::Incr(1),
        }
    }

    fn append(&mut self, key: u32) -> Request {
        let long = self
            .lengths
            .get(key as usize)
            .is_some_and(|length| *length > LOG_MAX);
        let value = self.fresh(false);
        match self.dice.below(10) {
            0..=3 => Request::Get,
            4 if long => Request::Set(value),
            4 => Request::Add(value),
            5 => Request::Prepend(value),
            _ if long => Request::Set(value),
            _ => Request::Append(value),
        }
    }

    /// A value that nobody stored before.
    fn fresh(&mut self, grows: bool) -> Value {
        self.count += 1;
        let mut text = format!("<{}.{}>", self.number, self.count).into_bytes();
        for (odds, length) in (4_u64..).zip(LENGTHS) {
            if grows && self.dice.below(odds.pow(3)) == 0 {
                let letter = b'a' + u8::try_from(self.count % 26).unwrap_or(0);
                text.resize(length, letter);
            }
        }
        self.log.values.of(&text)
    }

    /// Sends requests, several only of `get`, and takes down what comes back.
    fn exchange(
        &mut self,
        asked: &[(u32, Request)],
        quiet: bool,
        now: &dyn Fn() -> u64,
    ) -> io::Result<()> {
        let exptime = self.weather.exptime;
        let manner = Manner { quiet, exptime };
        let spoken = asked.iter().map(|(at, request)| Asked {
            name: key(&self.plan, self.round, *at),
            request: *request,
        });
        let spoken: Vec<Asked> = spoken.collect();
        let bytes = self.speech.write(&spoken, manner, &self.log.values);
        let sent = now();
        let first = self.log.ops.len();
        for (key, request) in asked {
            self.log.ops.push(Op {
                key: *key,
                client: self.number,
                sent,
                answered: NEVER,
                request: *request,
                reply: Reply::Untold,
            });
        }
        self.wire.get_mut().write_all(&bytes)?;
        let mut hearing = Hearing {
            wire: &mut self.wire,
            values: &mut self.log.values,
        };
        let replies = self.speech.read(&mut hearing, &spoken, manner)?;
        let answered = now();
        for ((key, _), reply) in asked.iter().zip(&replies) {
            self.learn(*key, *reply);
        }
        for (op, reply) in self.log.ops.iter_mut().skip(first).zip(replies) {
            (op.answered, op.reply) = (answered, reply);
        }
        Ok(())
    }

    /// Remembers the unique that was shown, and how long the value is.
    fn learn(&mut self, key: u32, reply: Reply) {
        let Reply::Found(value, unique) = reply else {
            return;
        };
        if let Some(known) = self.uniques.get_mut(key as usize) {
            *known = unique;
        }
        if let Some(known) = self.lengths.get_mut(key as usize) {
            *known = self.log.values.bytes(value).len();
        }
    }

    /// Whether none of the keys has an item.
    pub(super) fn finds_nothing(&mut self) -> io::Result<bool> {
        for at in 0..KEYS {
            let request = format!("get {}\r\n", key(&self.plan, self.round, at));
            self.wire.get_mut().write_all(request.as_bytes())?;
            if line(&mut self.wire)? != "END" {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
