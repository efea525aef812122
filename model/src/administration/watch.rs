//! `watch`: a connection that is told what others do. Law: `spec/administration.md`.
//!
//! What is written waits in a journal of bounded length until the watchers' sessions have read it;
//! nothing is written before there is one. No command depends on any of this.

use alloc::borrow::Cow;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use spec::req;

use super::dump::escaped;
use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::{Model, Time};

/// What may be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    Fetchers,
    Mutations,
    Deletions,
    /// What never happens here: evictions, the connections of a transport, a proxy.
    Other,
}

/// How many lines wait for watchers at most.
const LINES_MAX: usize = 1024;

/// What watchers are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Journal {
    lines: VecDeque<(u64, Topic, String)>,
    written: u64,
    watched: bool,
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
            b"evictions" | b"sysevents" | b"connevents" | b"proxyreqs" | b"proxyevents"
            | b"proxyuser" | b"rawcmds" => Topic::Other,
            _ => return refused(Reply::Error, req!("administration.watch.unknown")),
        });
    }
    if topics.is_empty() {
        line.note(req!("administration.watch.default"));
        topics.push(Topic::Fetchers);
    }
    model.journal.watched = true;
    let read = model.journal.written;
    let ruling = Reply::Ok.because(req!("administration.watch.begins"));
    let ruling = ruling.also(req!("administration.watch.ends"));
    (ruling, Some(Watcher { topics, read }))
}

impl Watcher {
    /// What was written since it read last, of what it wants.
    pub(crate) fn read(&mut self, journal: &Journal) -> Option<Ruling> {
        let mut text = String::new();
        let mut about = None;
        for (number, topic, line) in &journal.lines {
            if *number > self.read && self.topics.contains(topic) {
                text.push_str(line);
                about = Some(*topic);
            }
        }
        self.read = journal.written;
        let rule = match about? {
            Topic::Mutations => req!("administration.watch.mutations"),
            Topic::Deletions => req!("administration.watch.deletions"),
            Topic::Fetchers | Topic::Other => req!("administration.watch.fetchers"),
        };
        let ruling = Reply::Verbatim(text.into_bytes()).because(rule);
        Some(ruling.also(req!("administration.watch.escaped")))
    }
}

impl Journal {
    fn write(&mut self, topic: Topic, now: Time, told: &str) {
        if !self.watched {
            return;
        }
        self.written = self.written.saturating_add(1);
        let Time(now) = now;
        let line = format!("ts={now}.0 gid={} type={told}\n", self.written);
        self.lines.push_back((self.written, topic, line));
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// A key was asked for; its item has this length, where there is one.
    pub(crate) fn fetched(&mut self, key: &[u8], length: Option<usize>, now: Time) {
        let (status, class) = match length {
            Some(_) => ("found", 1),
            None => ("not_found", 0),
        };
        let (key, size) = (escaped(key), length.unwrap_or(0));
        let told = format!("item_get key={key} status={status} clsid={class} cfd=1 size={size}");
        self.write(Topic::Fetchers, now, &told);
    }

    /// A storage command came to this end.
    pub(crate) fn stored(
        &mut self,
        key: &[u8],
        command: &str,
        ended: &Reply,
        length: usize,
        now: Time,
    ) {
        let status = match ended {
            Reply::Stored => "stored",
            Reply::Exists => "exists",
            Reply::NotFound => "not_found",
            _ => "not_stored",
        };
        let key = escaped(key);
        let told = format!(
            "item_store key={key} status={status} cmd={command} ttl=0 clsid=1 cfd=1 size={length}"
        );
        self.write(Topic::Mutations, now, &told);
    }

    /// An item was deleted.
    pub(crate) fn deleted(&mut self, key: &[u8], command: &str, length: usize, now: Time) {
        let key = escaped(key);
        let told = format!("deleted key={key} cmd={command} clsid=1 size={length}");
        self.write(Topic::Deletions, now, &told);
    }
}
