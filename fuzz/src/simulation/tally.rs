//! What was done to a server in simulations, by kind.

use std::collections::BTreeMap;
use std::fmt;

use server::simulated::Refusal;

use super::action::REFUSALS;

/// Something that is done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// It read less than there was.
    ShortRead,
    /// It wrote less than it had.
    ShortWrite,
    /// It had to wait for a client to read.
    Backpressure,
    /// A client sent nothing more, and still read.
    End,
    /// A client broke off.
    Reset,
    /// The same while a reply was on its way.
    ResetAmidReply,
    /// A client was waited for in vain.
    Kick,
    /// More than a minute passed at once.
    Jump,
    /// The clock of the system was set, back or forth.
    SetClock,
    /// All items were flushed.
    Flush,
    /// All items were told of.
    Dump,
    /// A request came in a datagram.
    Datagram,
    /// The counts began again.
    StatsReset,
    /// The store was given another size.
    Limit,
    /// The server was asked to end.
    Close,
    /// Memory was refused.
    Refused(Refusal),
}

const EVENTS: [Event; 15] = [
    Event::ShortRead,
    Event::ShortWrite,
    Event::Backpressure,
    Event::End,
    Event::Reset,
    Event::ResetAmidReply,
    Event::Kick,
    Event::Jump,
    Event::SetClock,
    Event::Flush,
    Event::Dump,
    Event::Datagram,
    Event::StatsReset,
    Event::Limit,
    Event::Close,
];

/// How much was done.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests that were judged.
    pub commands: u64,
    /// Connections that were made.
    pub connections: u64,
    /// What was done beside.
    pub events: BTreeMap<Event, u64>,
}

impl Tally {
    /// So many more of this.
    pub(super) fn add(&mut self, event: Event, count: u64) {
        if count > 0 {
            *self.events.entry(event).or_default() += count;
        }
    }

    /// The same, and what another counted.
    pub fn merge(&mut self, other: &Tally) {
        self.commands += other.commands;
        self.connections += other.connections;
        for (event, count) in &other.events {
            self.add(*event, *count);
        }
    }

    /// What has never been done.
    #[must_use]
    pub fn missing(&self) -> Vec<Event> {
        let all = EVENTS.into_iter().chain(REFUSALS.map(Event::Refused));
        all.filter(|event| !self.events.contains_key(event))
            .collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12} commands", self.commands)?;
        writeln!(f, "{:>12} connections", self.connections)?;
        for event in EVENTS.into_iter().chain(REFUSALS.map(Event::Refused)) {
            let count = self.events.get(&event).copied().unwrap_or(0);
            writeln!(f, "{count:>12} {event:?}")?;
        }
        Ok(())
    }
}
