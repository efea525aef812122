//! `watch`: a connection that is told what others do. Law: `spec/administration.md`.
//!
//! What is written waits in a journal of bounded length until the watchers' sessions have read it;
//! nothing is written before there is one. No command depends on any of this.

use alloc::borrow::Cow;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use spec::{Requirement, req};

use super::dump::escaped;
use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::state::{Absence, Item};
use crate::{Model, Time};

/// What may be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    Fetchers,
    Mutations,
    Deletions,
    Connections,
    /// What never happens here: evictions, the inside of a server, a proxy.
    Other,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Deed {
    Lookup,
    Expired,
    Flushed,
    Storage,
    Refusal,
    Making,
    Deletion,
    Connection,
}

impl Deed {
    /// Who is told of it, and by which rule.
    fn told(self) -> (Topic, &'static Requirement) {
        match self {
            Deed::Lookup => (Topic::Fetchers, req!("administration.watch.fetchers")),
            Deed::Expired => (Topic::Fetchers, req!("administration.watch.expired")),
            Deed::Flushed => (Topic::Fetchers, req!("administration.watch.flushed")),
            Deed::Storage => (Topic::Mutations, req!("administration.watch.mutations")),
            Deed::Refusal => (Topic::Mutations, req!("administration.watch.refused")),
            Deed::Making => (Topic::Mutations, req!("administration.watch.made")),
            Deed::Deletion => (Topic::Deletions, req!("administration.watch.deletions")),
            Deed::Connection => (Topic::Connections, req!("administration.watch.connections")),
        }
    }
}

/// How many clients may watch at once.
const WATCHERS_MAX: usize = 20;

/// How many lines wait for watchers at most.
const LINES_MAX: usize = 1024;

/// What watchers are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Journal {
    lines: VecDeque<(u64, Deed, String)>,
    written: u64,
    watchers: usize,
}

/// What one watcher wants, and how far it has read.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    topics: Vec<Topic>,
    read: u64,
}

/// `watch <topic>*`
pub(crate) fn watch(model: &mut Model, line: &Line) -> (Ruling, Option<Watcher>) {
    let refused = |reply: Reply, rule| (reply.because(rule), None);
    let follows = req!("administration.watch.pipelined.refused");
    if line.pipelined && model.dialect.has(follows) {
        let told = b"ERROR cannot pipeline other commands before watch\r\n";
        return refused(Reply::Verbatim(told.into()), follows);
    }
    if !model.options.watch {
        let told = Reply::ClientError(Cow::Borrowed("watch commands not allowed"));
        return refused(told, req!("administration.watch.forbidden"));
    }
    let unknown = req!("administration.watch.deletions.unknown");
    let mut topics = Vec::new();
    for word in line.arguments_from(1) {
        topics.push(match *word {
            b"fetchers" => Topic::Fetchers,
            b"mutations" => Topic::Mutations,
            b"deletions" if model.dialect.has(unknown) => return refused(Reply::Error, unknown),
            b"deletions" => Topic::Deletions,
            b"connevents" => Topic::Connections,
            b"evictions" | b"sysevents" | b"proxyreqs" | b"proxyevents" | b"proxyuser"
            | b"rawcmds" => Topic::Other,
            _ => return refused(Reply::Error, req!("administration.watch.unknown")),
        });
    }
    if topics.is_empty() {
        line.note(req!("administration.watch.default"));
        topics.push(Topic::Fetchers);
    }
    if model.journal.watchers >= WATCHERS_MAX {
        let told = b"WATCHER_TOO_MANY log watcher limit reached\r\n";
        return refused(
            Reply::Verbatim(told.into()),
            req!("administration.watch.limit"),
        );
    }
    model.journal.watchers = model.journal.watchers.saturating_add(1);
    let read = model.journal.written;
    let ruling = Reply::Ok.because(req!("administration.watch.begins"));
    let ruling = ruling.also(req!("administration.watch.ends")).also(
        line.pipelined
            .then_some(req!("administration.watch.pipelined")),
    );
    (ruling, Some(Watcher { topics, read }))
}

impl Watcher {
    /// What was written since it read last, of what it wants.
    pub(crate) fn read(&mut self, journal: &Journal) -> Option<Ruling> {
        let mut text = String::new();
        let mut because = Vec::new();
        for (number, deed, line) in &journal.lines {
            let (topic, rule) = deed.told();
            if *number > self.read && self.topics.contains(&topic) {
                text.push_str(line);
                because.push(rule);
            }
        }
        self.read = journal.written;
        let mut ruling = Reply::Verbatim(text.into_bytes()).because(because.pop()?);
        ruling.because.extend(because);
        Some(ruling.also(req!("administration.watch.escaped")))
    }
}

impl Journal {
    fn write(&mut self, deed: Deed, now: Time, told: &str) {
        if self.watchers == 0 {
            return;
        }
        self.written = self.written.saturating_add(1);
        let Time(now) = now;
        let line = format!("ts={now}.0 gid={} type={told}\n", self.written);
        self.lines.push_back((self.written, deed, line));
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// A key was looked up; its item has this length, where there is one.
    pub(crate) fn fetched(&mut self, key: &[u8], found: Result<usize, Absence>, now: Time) {
        let (deed, status, class) = match found {
            Ok(_) => (Deed::Lookup, "found", 1),
            Err(Absence::Unknown) => (Deed::Lookup, "not_found", 0),
            Err(Absence::Expired) => (Deed::Expired, "expired", 0),
            Err(Absence::Flushed) => (Deed::Flushed, "flushed", 0),
        };
        let (key, size) = (escaped(key), found.unwrap_or_default());
        let told = format!("item_get key={key} status={status} clsid={class} cfd=1 size={size}");
        self.write(deed, now, &told);
    }

    /// An item was deleted.
    pub(crate) fn deleted(&mut self, key: &[u8], command: &str, length: usize, now: Time) {
        let key = escaped(key);
        let told = format!("deleted key={key} cmd={command} clsid=1 size={length}");
        self.write(Deed::Deletion, now, &told);
    }

    /// A watcher is gone.
    pub(crate) fn left(&mut self) {
        self.watchers = self.watchers.saturating_sub(1);
    }

    /// A client connected.
    pub(crate) fn opened(&mut self, now: Time) {
        let told = "conn_new rip=unix rport=0 transport=local cfd=1";
        self.write(Deed::Connection, now, told);
    }

    /// A connection ended.
    pub(crate) fn closed(&mut self, now: Time) {
        let told = "conn_close rip=unix rport=0 transport=local reason=normal cfd=1";
        self.write(Deed::Connection, now, told);
    }
}

impl Model {
    /// A client connected, which some watch for.
    pub fn connected(&mut self, now: Time) {
        self.journal.opened(now);
    }

    /// A client's connection ended, which some watch for.
    pub fn disconnected(&mut self, now: Time) {
        self.journal.closed(now);
    }

    /// Tells what came of a storage command whose block was so long: of the item that is there now,
    /// where it was stored.
    pub(crate) fn tell_stored(
        &mut self,
        key: &[u8],
        command: &str,
        status: &str,
        sent: usize,
        now: Time,
    ) {
        let deed = match status {
            "too_large" => Deed::Refusal,
            _ => Deed::Storage,
        };
        let stored = self.items.get(key).filter(|_| status == "stored");
        let length = stored.map_or(sent, |item| item.value.len());
        let expires = stored.and_then(|item| item.expires).unwrap_or(now);
        let left = expires.0.saturating_sub(now.0);
        let key = escaped(key);
        let end = format!("ttl={left} clsid=1 cfd=1 size={length}");
        let told = format!("item_store key={key} status={status} cmd={command} {end}");
        self.journal.write(deed, now, &told);
    }

    /// Tells of a number that was made.
    pub(crate) fn tell_made(&mut self, key: &[u8], item: &Item, now: Time) {
        let (key, length) = (escaped(key), item.value.len());
        let end = format!("ttl=0 clsid=1 cfd=1 size={length}");
        let told = format!("item_store key={key} status=stored cmd=add {end}");
        self.journal.write(Deed::Making, now, &told);
    }
}

/// What came of a storage command, in the words of a line.
pub(crate) fn status(ended: &Reply) -> &'static str {
    match ended {
        Reply::Stored => "stored",
        Reply::Exists => "exists",
        Reply::NotFound => "not_found",
        _ => "not_stored",
    }
}
