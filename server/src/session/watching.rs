//! A connection that carries no requests any more, but what others do.
//!
//! It never asks to be woken: whoever does something pays for no system call of a watcher's. It
//! reads its buffer (`watchers`) a few times a second, and again at once while there is more.

use super::{Connection, State};
use crate::command::watch;
use crate::counters::Counter;
use crate::limits::WATCH_PAUSE;
use crate::protocol::{Reply, Tokens, encode};
use crate::time::Time;
use crate::watchers::{Event, Reason};

impl Connection {
    /// Begins to watch, or says why not.
    pub(super) fn begin_watch(&mut self, words: Tokens<'_>) {
        let reply = match watch::begin(&self.context(), words) {
            Ok(()) => {
                self.state = State::Watching;
                Reply::Ok
            }
            Err(error) => error.into(),
        };
        encode::reply(&reply, false, &mut self.output);
    }

    /// Queues what others did meanwhile.
    pub(super) fn hear(&mut self) {
        let is_over = self.is_finished || self.shared.is_stopping();
        if matches!(self.state, State::Watching) && !is_over {
            let lines = self.shared.watchers.take(self.record.number);
            self.output.bytes(&lines);
        }
    }

    /// When a watcher is to look again.
    pub(super) fn next_look(&self) -> Option<Time> {
        let watches = matches!(self.state, State::Watching);
        watches.then(|| self.now.after(WATCH_PAUSE))
    }

    /// Tells watchers that the connection is there.
    pub(super) fn tell_opened(&self) {
        self.context().tell(&Event::Opened(&self.record));
    }

    /// Stops to watch.
    pub(super) fn end_watch(&self) {
        if matches!(self.state, State::Watching) {
            self.shared.watchers.leave(self.record.number);
        }
    }

    /// Tells watchers that the connection ends, and is one no more.
    pub(super) fn tell_closed(&self, has_panicked: bool) {
        self.end_watch();
        let reason = if has_panicked {
            Reason::Error
        } else if self.reason == Reason::Normal && self.shared.is_stopping() {
            Reason::Shutdown
        } else {
            self.reason
        };
        if self.active.is_some() {
            let context = self.context();
            context.tell(&Event::Closed(&self.record, reason));
        }
    }

    /// Notes that the client and we have no TLS in common.
    pub fn fail_tls(&mut self, why: &str) {
        self.reason = Reason::Error;
        self.context().counters.count(Counter::SslHandshakeErrors);
        self.context().tell(&Event::TlsFailed(why));
    }

    /// Notes that the way to the client broke: nobody said goodbye.
    pub fn break_off(&mut self) {
        self.reason = Reason::Error;
    }

    /// Closes it, once what is queued has been sent.
    pub(super) fn close(&mut self, reason: Reason) {
        self.reason = reason;
        self.state = State::Closing;
    }
}
