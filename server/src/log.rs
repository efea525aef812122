//! What the server tells its operator.
//!
//! It never waits for whoever reads it: lines go into a bounded queue, and what does not fit is
//! counted and told of later. It never passes on bytes that could move a terminal or look like
//! another line. `net::log` writes the lines down.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many lines may wait to be written.
const LINES_MAX: usize = 1024;

/// The longest piece of a client's bytes that is shown; escaped, it grows fourfold at most.
const SHOWN_BYTES_MAX: usize = 200;

/// Lines of one kind share a limit of lines for each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What the operator asked for; never held back.
    Operator,
    /// Clients that were refused, or waited for in vain.
    Client,
    /// What the system did not give.
    System,
    /// What clients say and are told (`-vv`); as many as the queue takes.
    Talk,
}

/// A line, and what it is about.
#[derive(Debug)]
pub struct Line {
    /// What it is about.
    pub kind: Kind,
    /// Its text, without an end.
    pub text: String,
}

/// The queue of lines. Until somebody opens it, nothing is kept.
#[derive(Debug, Default)]
pub struct Log {
    queue: OnceLock<SyncSender<Option<Line>>>,
    lost: AtomicU64,
}

impl Log {
    /// Begins to keep lines, for whoever takes them from here; behind the last comes none. Nothing
    /// when somebody does already.
    pub fn open(&self) -> Option<Receiver<Option<Line>>> {
        let (sender, receiver) = sync_channel(LINES_MAX);
        self.queue.set(sender).ok().map(|()| receiver)
    }

    /// Says a line, unless too many wait.
    pub fn say(&self, kind: Kind, text: impl Into<String>) {
        let Some(queue) = self.queue.get() else {
            return;
        };
        let text = text.into();
        if queue.try_send(Some(Line { kind, text })).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says that there is no more to say.
    pub fn end(&self) {
        if let Some(queue) = self.queue.get() {
            // Where too many lines wait, nobody reads them: nobody would miss the last one.
            let _ = queue.try_send(None);
        }
    }

    /// How many lines were lost since somebody asked last.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

/// A client's bytes, for people: one line, and nothing that a terminal would obey.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let piece = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
    let more = if piece.len() < bytes.len() { "…" } else { "" };
    format!("{}{more}", piece.escape_ascii())
}
