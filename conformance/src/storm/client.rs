//! One client of a storm: what it asks, and how it takes down the answer.
//!
//! Its keys are of three kinds: registers, whose values grow across size classes; counters about to
//! gain or lose a digit; and logs, to which all append. It reads replies by itself, and what it
//! cannot read ends its connection. It never judges.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use super::Plan;
use crate::linear::history::{NEVER, Op, Reply, Request, Value, Values};
use crate::target::address::Wire;

/// So many keys a round has; a third of each kind.
pub(super) const KEYS: u32 = 9;
/// How long an answer may take.
const REPLY_MAX: Duration = Duration::from_secs(5);
/// An item of ours is gone after so many seconds, whatever happens to us.
const EXPTIME: u32 = 600;
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
    plan: Plan,
    chance: u64,
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
    pub(super) fn new(plan: &Plan, number: u16, round: u64, mut wire: Box<dyn Wire>) -> Client {
        wire.patience(REPLY_MAX, REPLY_MAX);
        let seed = plan.seed ^ (u64::from(number) << 48) ^ (round << 20);
        Client {
            wire: BufReader::new(wire),
            number,
            round,
            plan: plan.clone(),
            chance: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
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

    fn below(&mut self, bound: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 20) % bound
    }

    /// Stores so that others must go.
    fn fill(&mut self) -> io::Result<()> {
        self.count += 1;
        let length = LENGTHS
            .get(usize::try_from(self.below(3)).unwrap_or(0))
            .unwrap_or(&1);
        let name = format!("{}f{}:{}", self.plan.prefix, self.round, self.count);
        let head = format!("set {name} 0 {EXPTIME} {length}\r\n");
        let request = [head.as_bytes(), &vec![b'f'; *length], b"\r\n"].concat();
        self.wire.get_mut().write_all(&request)?;
        self.line().map(drop)
    }

    /// One request or two, and their answers.
    fn ask(&mut self, now: &dyn Fn() -> u64) -> io::Result<()> {
        if self.plan.flushes && self.below(400) == 0 {
            return self.exchange(&[(0, Request::Flush)], false, now);
        }
        let key = u32::try_from(self.below(u64::from(KEYS))).unwrap_or(0);
        let request = match key % 3 {
            0 => self.register(key),
            1 => self.counter(key),
            _ => self.append(key),
        };
        match self.below(16) {
            0 => {
                let other = (key + 1) % KEYS;
                self.exchange(&[(key, Request::Get), (other, Request::Get)], false, now)
            }
            1 if request != Request::Get => self.exchange(&[(key, request)], true, now),
            _ => self.exchange(&[(key, request)], false, now),
        }
    }

    fn register(&mut self, key: u32) -> Request {
        let kind = self.below(12);
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
        match self.below(24) {
            0 => {
                let edge = usize::try_from(self.below(EDGES.len() as u64)).unwrap_or(0);
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
        match self.below(10) {
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
            if grows && self.below(odds.pow(3)) == 0 {
                let letter = b'a' + u8::try_from(self.count % 26).unwrap_or(0);
                text.resize(length, letter);
            }
        }
        self.log.values.of(&text)
    }

    /// Sends requests, the keys of several `get` in one, and takes down what comes back.
    fn exchange(
        &mut self,
        asked: &[(u32, Request)],
        quiet: bool,
        now: &dyn Fn() -> u64,
    ) -> io::Result<()> {
        let bytes = self.bytes(asked, quiet);
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
        let mut replies = vec![Reply::Untold; asked.len()];
        if quiet {
            // What was sent without a reply is done when something behind it is answered.
            while !self.line()?.starts_with("VERSION") {}
        } else if let [(_, Request::Get), ..] = asked {
            replies.fill(Reply::Miss);
            self.found(asked, &mut replies)?;
        } else if let (Some(reply), [(_, request)]) = (replies.first_mut(), asked) {
            *reply = self.told(*request)?;
        }
        let answered = now();
        for (op, reply) in self.log.ops.iter_mut().skip(first).zip(replies) {
            (op.answered, op.reply) = (answered, reply);
        }
        Ok(())
    }

    fn bytes(&self, asked: &[(u32, Request)], quiet: bool) -> Vec<u8> {
        let name = |at: u32| key(&self.plan, self.round, at);
        let Some((at, request)) = asked.first() else {
            return Vec::new();
        };
        let end = if quiet { " noreply\r\n" } else { "\r\n" };
        let block = |command: &str, value: Value, unique: &str| {
            let data = self.log.values.bytes(value);
            let length = data.len();
            let line = format!("{command} {} 0 {EXPTIME} {length}{unique}{end}", name(*at));
            [line.as_bytes(), &data, b"\r\n"].concat()
        };
        let mut bytes = match request {
            Request::Get => {
                let names: Vec<String> = asked.iter().map(|(at, _)| name(*at)).collect();
                format!("gets {}\r\n", names.join(" ")).into_bytes()
            }
            Request::Set(value) => block("set", *value, ""),
            Request::Add(value) => block("add", *value, ""),
            Request::Replace(value) => block("replace", *value, ""),
            Request::Append(value) => block("append", *value, ""),
            Request::Prepend(value) => block("prepend", *value, ""),
            Request::Cas(value, unique) => block("cas", *value, &format!(" {unique}")),
            Request::Incr(delta) => format!("incr {} {delta}{end}", name(*at)).into_bytes(),
            Request::Decr(delta) => format!("decr {} {delta}{end}", name(*at)).into_bytes(),
            Request::Delete => format!("delete {}{end}", name(*at)).into_bytes(),
            Request::Touch => format!("touch {} {EXPTIME}{end}", name(*at)).into_bytes(),
            Request::Flush => format!("flush_all{end}").into_bytes(),
        };
        if quiet {
            bytes.extend_from_slice(b"version\r\n");
        }
        bytes
    }

    /// What `gets` found, up to `END`.
    fn found(&mut self, asked: &[(u32, Request)], replies: &mut [Reply]) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let words: Vec<&str> = line.split(' ').collect();
            let [_, name, _, length, unique] = words.as_slice() else {
                return if line == "END" {
                    Ok(())
                } else {
                    Err(strange(&line))
                };
            };
            let length: usize = length.parse().map_err(|_| strange(&line))?;
            let unique: u64 = unique.parse().map_err(|_| strange(&line))?;
            let mut data = vec![0; length + 2];
            self.wire.read_exact(&mut data)?;
            if !data.ends_with(b"\r\n") {
                return Err(strange(&format!("{line} and a block of another length")));
            }
            data.truncate(length);
            let value = self.log.values.of(&data);
            let at = asked
                .iter()
                .position(|(at, _)| key(&self.plan, self.round, *at) == *name);
            let Some((slot, (at, _))) = at.and_then(|at| replies.get_mut(at).zip(asked.get(at)))
            else {
                return Err(strange(&line));
            };
            *slot = Reply::Found(value, unique);
            if let Some(known) = self.uniques.get_mut(*at as usize) {
                *known = unique;
            }
            if let Some(known) = self.lengths.get_mut(*at as usize) {
                *known = length;
            }
        }
    }

    fn told(&mut self, request: Request) -> io::Result<Reply> {
        let line = self.line()?;
        Ok(match line.as_str() {
            "STORED" => Reply::Stored,
            "NOT_STORED" => Reply::NotStored,
            "EXISTS" => Reply::Exists,
            "NOT_FOUND" => Reply::NotFound,
            "DELETED" if request == Request::Delete => Reply::Done,
            "TOUCHED" if request == Request::Touch => Reply::Done,
            "OK" if request == Request::Flush => Reply::Done,
            line if line.starts_with("SERVER_ERROR") => Reply::NoRoom,
            line if line.starts_with("CLIENT_ERROR cannot") => Reply::NotNumeric,
            line => Reply::Number(line.parse().map_err(|_| strange(line))?),
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.wire.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::Error::other("the connection ended")),
        }
    }
}

fn strange(line: &str) -> io::Error {
    io::Error::other(format!("a reply that nobody expects: `{line}`"))
}
