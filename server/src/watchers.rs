//! Who watches, and what watchers are told of what others do.
//!
//! It never keeps whoever tells waiting for a watcher: a line goes into a buffer of bounded length,
//! one for each, and what does not fit is counted and told of when there is room. While nobody
//! watches a thing, telling of it costs one load. `session::watching` reads the buffers.

use std::mem;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::WATCHERS_MAX;
use crate::protocol::escape;
use crate::roster::Record;
use crate::time::Time;

/// What may be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Keys looked up.
    Fetchers = 1,
    /// Items stored, or not.
    Mutations = 2,
    /// Items given up for want of memory.
    Evictions = 4,
    /// Items deleted.
    Deletions = 8,
    /// Connections that come and go.
    Connections = 16,
    /// What memcached tells of its inside, and of being a proxy; it never happens here.
    Elsewhere = 32,
}

impl Topic {
    /// The topic of this name.
    #[must_use]
    pub fn named(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"fetchers" => Self::Fetchers,
            b"mutations" => Self::Mutations,
            b"evictions" => Self::Evictions,
            b"deletions" => Self::Deletions,
            b"connevents" => Self::Connections,
            b"sysevents" | b"rawcmds" | b"proxyreqs" | b"proxyevents" | b"proxyuser" => {
                Self::Elsewhere
            }
            _ => return None,
        })
    }
}

/// Some of what may be watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics(u8);

impl Topics {
    /// These and one more.
    #[must_use]
    pub const fn and(self, topic: Topic) -> Self {
        Self(self.0 | topic as u8)
    }

    const fn include(self, topic: Topic) -> bool {
        self.0 & topic as u8 != 0
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// The client wanted it so.
    #[default]
    Normal,
    /// What the client sent, or a fault of ours.
    Error,
    /// The client was waited for in vain.
    Idle,
    /// The server ends.
    Shutdown,
}

impl Reason {
    const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Error => "error",
            Self::Idle => "idle_timeout",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Something that was done.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A key was looked up; its value is so long.
    Fetched {
        /// The key.
        key: &'a [u8],
        /// What was found.
        status: &'static str,
        /// The length of the value.
        size: Option<usize>,
    },
    /// A value was stored, or was not.
    Stored {
        /// The key.
        key: &'a [u8],
        /// What came of it.
        status: &'static str,
        /// The command.
        command: &'static str,
        /// The seconds until the item expires: 0 where it never does, -1 where it has.
        ttl: i64,
        /// The length of the value.
        size: usize,
    },
    /// An item was deleted.
    Deleted {
        /// The key.
        key: &'a [u8],
        /// The command.
        command: &'static str,
        /// The length of the value.
        size: usize,
    },
    /// An item was given up for want of memory.
    Evicted {
        /// The key.
        key: &'a [u8],
        /// Whether somebody had fetched it.
        is_fetched: bool,
        /// The seconds until it would have expired: -1 where it never would.
        ttl: i64,
        /// The seconds since somebody last wanted it.
        idle_seconds: u64,
        /// The length of the value.
        size: usize,
    },
    /// Somebody connected.
    Opened(&'a Record),
    /// A connection ended.
    Closed(&'a Record, Reason),
    /// A client and we have no TLS in common.
    TlsFailed(&'a str),
}

/// Those who watch.
#[derive(Debug)]
pub struct Watchers {
    /// What any of them wants.
    wanted: AtomicU8,
    lines: AtomicU64,
    sent: AtomicU64,
    skipped: AtomicU64,
    seats: Mutex<Vec<Seat>>,
    room: usize,
}

/// One who watches.
#[derive(Debug)]
struct Seat {
    connection: u64,
    topics: Topics,
    lines: Vec<u8>,
    skipped: u64,
}

impl Watchers {
    /// Nobody, as yet; for each there is so much room.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self {
            wanted: AtomicU8::new(0),
            lines: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            seats: Mutex::default(),
            room,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seats().len()
    }

    /// How many lines went to watchers, and for how many there was no room.
    #[must_use]
    pub fn lines(&self) -> (u64, u64) {
        let [sent, skipped] = [&self.sent, &self.skipped];
        (
            sent.load(Ordering::Relaxed),
            skipped.load(Ordering::Relaxed),
        )
    }

    /// Lets the count of lines begin at 0 again.
    pub fn reset(&self) {
        self.sent.store(0, Ordering::Relaxed);
        self.skipped.store(0, Ordering::Relaxed);
    }

    /// Lets a connection watch from now on. Tells whether there was a seat.
    pub fn join(&self, connection: u64, topics: Topics) -> bool {
        let mut seats = self.seats();
        let has_seat = seats.len() < WATCHERS_MAX;
        if has_seat {
            seats.push(Seat {
                connection,
                topics,
                lines: Vec::new(),
                skipped: 0,
            });
            self.note_wanted(&seats);
        }
        has_seat
    }

    /// Forgets a connection that watched.
    pub fn leave(&self, connection: u64) {
        let mut seats = self.seats();
        seats.retain(|seat| seat.connection != connection);
        self.note_wanted(&seats);
    }

    /// The lines that wait for a watcher; it has them then.
    pub fn take(&self, connection: u64) -> Vec<u8> {
        let mut seats = self.seats();
        let seat = seats.iter_mut().find(|seat| seat.connection == connection);
        seat.map(Seat::take).unwrap_or_default()
    }

    /// Whether anybody watches such things.
    #[must_use]
    pub fn want(&self, topic: Topic) -> bool {
        Topics(self.wanted.load(Ordering::Relaxed)).include(topic)
    }

    /// Tells whoever watches such things of an event that a connection caused.
    pub fn tell(&self, event: &Event<'_>, connection: Option<u64>, now: Time) {
        let topic = event.topic();
        if !self.want(topic) {
            return;
        }
        let mut seats = self.seats();
        // Under the lock, so that each watcher reads the numbers in their order.
        let number = self.lines.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let line = line(event, number, connection.unwrap_or(0), now);
        for seat in seats.iter_mut().filter(|seat| seat.topics.include(topic)) {
            let count = if seat.push(line.as_bytes(), self.room) {
                &self.sent
            } else {
                &self.skipped
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn note_wanted(&self, seats: &[Seat]) {
        let wanted = seats.iter().fold(0, |wanted, seat| wanted | seat.topics.0);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Adds a line if there is room. Once one was skipped, those behind it are too until the
    /// watcher has read: it is told at the right place how many they were.
    fn push(&mut self, line: &[u8], room: usize) -> bool {
        let fits = self.skipped == 0 && self.lines.len().saturating_add(line.len()) <= room;
        if fits {
            self.lines.extend_from_slice(line);
        } else {
            self.skipped = self.skipped.saturating_add(1);
        }
        fits
    }

    fn take(&mut self) -> Vec<u8> {
        let mut lines = mem::take(&mut self.lines);
        let skipped = mem::take(&mut self.skipped);
        if skipped > 0 {
            lines.extend_from_slice(format!("skipped={skipped}\n").as_bytes());
        }
        lines
    }
}

impl Event<'_> {
    const fn topic(&self) -> Topic {
        match self {
            Self::Fetched { .. } => Topic::Fetchers,
            Self::Stored { .. } => Topic::Mutations,
            Self::Deleted { .. } => Topic::Deletions,
            Self::Evicted { .. } => Topic::Evictions,
            Self::Opened(_) | Self::Closed(..) | Self::TlsFailed(_) => Topic::Connections,
        }
    }
}

/// A line, in memcached's words.
fn line(event: &Event<'_>, number: u64, connection: u64, now: Time) -> String {
    let (seconds, thousandths) = (now.seconds(), now.milliseconds() % 1000);
    let what = what(event, connection);
    format!("ts={seconds}.{thousandths:03}000 gid={number} type={what}\n")
}

/// What was done. There are no slab classes: all items are of one.
fn what(event: &Event<'_>, cfd: u64) -> String {
    match *event {
        Event::Fetched { key, status, size } => {
            let (key, class) = (escape(key), u8::from(size.is_some()));
            let size = size.unwrap_or(0);
            format!("item_get key={key} status={status} clsid={class} cfd={cfd} size={size}")
        }
        Event::Stored {
            key,
            status,
            command,
            ttl,
            size,
        } => {
            let (key, end) = (escape(key), format!("clsid=1 cfd={cfd} size={size}"));
            format!("item_store key={key} status={status} cmd={command} ttl={ttl} {end}")
        }
        Event::Deleted { key, command, size } => {
            let key = escape(key);
            format!("deleted key={key} cmd={command} clsid=1 size={size}")
        }
        Event::Evicted {
            key,
            is_fetched,
            ttl,
            idle_seconds,
            size,
        } => {
            let (key, fetch) = (escape(key), if is_fetched { "yes" } else { "no" });
            let end = format!("la={idle_seconds} clsid=1 size={size}");
            format!("eviction key={key} fetch={fetch} ttl={ttl} {end}")
        }
        Event::Opened(record) => format!("conn_new {} cfd={cfd}", whereabouts(record)),
        Event::Closed(record, reason) => {
            let (whereabouts, reason) = (whereabouts(record), reason.word());
            format!("conn_close {whereabouts} reason={reason} cfd={cfd}")
        }
        Event::TlsFailed(why) => format!("conntlserr fd={cfd} msg={}", why.escape_debug()),
    }
}

/// Where a client is, in the words of a line.
fn whereabouts(record: &Record) -> String {
    let address = record.addresses.client.strip_prefix("tcp:");
    match address.and_then(|address| address.rsplit_once(':')) {
        Some((host, port)) => {
            let host = host.trim_matches(['[', ']']);
            format!("rip={host} rport={port} transport=tcp")
        }
        None => String::from("rip=unix rport=0 transport=local"),
    }
}
