//! Plays an exchange against a peer, and says where they part.
//!
//! One engine for every source and every target. It never waits by the clock: a peer says when
//! nothing more will come, and silence is proved by a fence, a request whose reply must come next.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::template::{Bindings, Match};
use super::{Action, Exchange, Header, Message, Protocol, Step, datagram};

/// Something that answers like a memcached: the model, a server in this process, a socket.
pub trait Peer {
    /// The time, in seconds of the Unix epoch.
    fn now(&mut self) -> u64;
    /// Sends bytes as this client, connecting it first where it is new.
    fn send(&mut self, client: u8, bytes: &[u8]);
    /// Sends this datagram as this client; a peer without UDP drops it.
    fn datagram(&mut self, client: u8, bytes: &[u8]) {
        let _ = (client, bytes);
    }
    /// More bytes for this client, or one more datagram. `hurry` says that silence is what one
    /// hopes for.
    fn receive(&mut self, client: u8, hurry: bool) -> Received;
    /// This client will send nothing more.
    fn half_close(&mut self, client: u8);
    /// Lets time pass.
    fn pass(&mut self, seconds: u64);
    /// The request whose reply shows that nothing else was owed.
    fn fence(&self) -> Fence {
        Fence::Noop
    }
}

/// A request that changes nothing, and whose reply is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fence {
    /// The meta noop, made for this.
    #[default]
    Noop,
    /// A `get` that misses, for servers without the meta commands.
    Miss,
    /// The binary noop, for clients that speak binary.
    Frame,
}

impl Fence {
    /// The request.
    #[must_use]
    pub fn request(self) -> &'static [u8] {
        match self {
            Fence::Noop => b"mn\r\n",
            Fence::Miss => b"get a-fence-and-no-key-of-any-example\r\n",
            Fence::Frame => b"\x80\x0a\0\0\0\0\0\0\0\0\0\0FENC\0\0\0\0\0\0\0\0",
        }
    }

    fn reply(self) -> &'static [u8] {
        match self {
            Fence::Noop => b"MN\r\n",
            Fence::Miss => b"END\r\n",
            Fence::Frame => b"\x81\x0a\0\0\0\0\0\0\0\0\0\0FENC\0\0\0\0\0\0\0\0",
        }
    }
}

/// What a client finds when it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing, and as far as the peer can tell nothing will come.
    Nothing,
    /// The end: the server has closed.
    Closed,
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Sent,
    /// From the server to the client.
    Received,
}

/// One thing that happened while an exchange was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The client.
    pub client: u8,
    /// Which way.
    pub direction: Direction,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Where an exchange and a peer part.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The line of the step that failed.
    pub line: u32,
    /// What it says there.
    pub expected: String,
    /// What came instead, not yet consumed by an earlier step.
    pub received: Vec<u8>,
    /// How many of its first bytes are as expected, where a byte differs.
    pub agreed: Option<usize>,
    /// Whether the server had closed; where it had not, and nothing came, that was waited for.
    pub closed: bool,
    /// All that happened.
    pub events: Vec<Event>,
}

/// Plays one exchange.
///
/// # Errors
/// When what the peer does is not what the exchange expects.
pub fn replay<P: Peer + ?Sized>(
    exchange: &Exchange,
    peer: &mut P,
) -> Result<Vec<Event>, Box<Failure>> {
    let mut player = Player {
        peer,
        bindings: Bindings::new(),
        clients: BTreeMap::new(),
        events: Vec::new(),
        header: &exchange.header,
    };
    for step in &exchange.steps {
        player.play(step)?;
    }
    let line = exchange
        .steps
        .last()
        .map_or(exchange.line, |step| step.line);
    let clients: Vec<u8> = player.clients.keys().copied().collect();
    for client in clients {
        player.silence(line, client)?;
    }
    Ok(player.events)
}

struct Player<'a, P: ?Sized> {
    peer: &'a mut P,
    bindings: Bindings,
    clients: BTreeMap<u8, Client>,
    events: Vec<Event>,
    header: &'a Header,
}

/// What the player knows of one client.
#[derive(Default)]
struct Client {
    unread: Vec<u8>,
    half_closed: bool,
    closed: bool,
    /// What must be among the lines that are skipped next, and the lines that say so.
    among: Vec<(u32, Message)>,
}

impl<P: Peer + ?Sized> Player<'_, P> {
    fn play(&mut self, step: &Step) -> Result<(), Box<Failure>> {
        let Step {
            line,
            client,
            action,
            ..
        } = step;
        self.clients.entry(*client).or_default();
        match action {
            Action::Send(message) => {
                let now = self.peer.now();
                let bytes = message
                    .render(&self.bindings, now)
                    .map_err(|problem| self.failure(*line, *client, &problem))?;
                self.send(*client, &bytes);
                Ok(())
            }
            Action::Expect(message) => self.expect(*line, *client, message, false),
            Action::ExpectAmong(message) => {
                self.client(*client).among.push((*line, message.clone()));
                Ok(())
            }
            Action::ExpectLater(message) => self.expect(*line, *client, message, true),
            Action::Silent => self.silence(*line, *client),
            Action::Closed => self.closed(*line, *client),
            Action::HalfClose => {
                self.peer.half_close(*client);
                self.client(*client).half_closed = true;
                Ok(())
            }
            Action::Pass { seconds } => {
                self.peer.pass(*seconds);
                Ok(())
            }
        }
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        match self.header.protocol(client) {
            Protocol::Text | Protocol::Binary => self.peer.send(client, bytes),
            Protocol::Udp => self.peer.datagram(client, bytes),
        }
        self.events.push(Event {
            client,
            direction: Direction::Sent,
            bytes: bytes.to_vec(),
        });
    }

    fn client(&mut self, client: u8) -> &mut Client {
        self.clients.entry(client).or_default()
    }

    /// Reads once; false when nothing more will come.
    fn read(&mut self, client: u8, hurry: bool) -> bool {
        match self.peer.receive(client, hurry) {
            Received::Bytes(bytes) => {
                let kept = match self.header.protocol(client) {
                    Protocol::Text | Protocol::Binary => bytes.clone(),
                    Protocol::Udp => datagram::keep(&bytes),
                };
                self.client(client).unread.extend(kept);
                self.events.push(Event {
                    client,
                    direction: Direction::Received,
                    bytes,
                });
                true
            }
            Received::Nothing => false,
            Received::Closed => {
                self.client(client).closed = true;
                false
            }
        }
    }

    fn expect(
        &mut self,
        line: u32,
        client: u8,
        message: &Message,
        later: bool,
    ) -> Result<(), Box<Failure>> {
        loop {
            let unread = core::mem::take(&mut self.client(client).unread);
            let (from, found) = self.seek(message, &unread, later);
            if let Match::Whole(length) = found {
                self.among(client, unread.get(..from).unwrap_or_default())?;
                let rest = unread.get(from + length..).unwrap_or_default();
                self.client(client).unread = rest.to_vec();
                return Ok(());
            }
            self.client(client).unread = unread;
            let agreed = if let Match::No(agreed) = found {
                Some(agreed)
            } else {
                None
            };
            if (agreed.is_some() && !later) || !self.read(client, false) {
                let failure = self.failure(line, client, &message.to_string());
                return Err(Box::new(Failure { agreed, ..*failure }));
            }
        }
    }

    /// Looks among what was skipped for all that must be there, each wherever it stands.
    fn among(&mut self, client: u8, skipped: &[u8]) -> Result<(), Box<Failure>> {
        for (line, message) in core::mem::take(&mut self.client(client).among) {
            if !matches!(self.seek(&message, skipped, true), (_, Match::Whole(_))) {
                self.client(client).unread = skipped.to_vec();
                return Err(self.failure(line, client, &message.to_string()));
            }
        }
        Ok(())
    }

    /// Compares with the first line or frame; with `later`, with the first that does not disagree.
    /// The number is where that begins.
    fn seek(&mut self, message: &Message, unread: &[u8], later: bool) -> (usize, Match) {
        let now = self.peer.now();
        let mut from = 0;
        loop {
            let rest = unread.get(from..).unwrap_or_default();
            let mut found = message.compare(rest, &mut self.bindings, now);
            if let Match::No(_) = found {
                // A clock that ticked since the request was sent is no disagreement.
                found = message.compare(rest, &mut self.bindings, now.saturating_sub(1));
            }
            match (&found, message.end_of_first(rest)) {
                (Match::No(_), Some(end)) if later => from += end,
                _ => return (from, found),
            }
        }
    }

    /// Nothing more has come, and a fence shows that nothing will.
    fn silence(&mut self, line: u32, client: u8) -> Result<(), Box<Failure>> {
        let known = self.client(client);
        if known.closed || known.half_closed || !self.header.fence {
            while !self.client(client).closed && self.read(client, true) {}
        } else {
            let (request, reply) = self.fence(client);
            self.send(client, &request);
            while self.client(client).unread != reply {
                let so_far = &self.client(client).unread;
                if !reply.starts_with(so_far) || !self.read(client, false) {
                    return Err(self.failure(line, client, "nothing but the reply to a fence"));
                }
            }
            self.client(client).unread.clear();
        }
        if self.client(client).unread.is_empty() {
            Ok(())
        } else {
            Err(self.failure(line, client, "nothing"))
        }
    }

    /// The request that proves silence to this client, and the reply as it is kept.
    fn fence(&self, client: u8) -> (Vec<u8>, Vec<u8>) {
        let text = self.peer.fence();
        match self.header.protocol(client) {
            Protocol::Text => (text.request().into(), text.reply().into()),
            Protocol::Binary => (Fence::Frame.request().into(), Fence::Frame.reply().into()),
            Protocol::Udp => (
                datagram::fence(text.request()),
                datagram::keep(&datagram::fence(text.reply())),
            ),
        }
    }

    fn closed(&mut self, line: u32, client: u8) -> Result<(), Box<Failure>> {
        while self.read(client, false) {}
        let known = self.client(client);
        if known.closed && known.unread.is_empty() {
            Ok(())
        } else {
            Err(self.failure(
                line,
                client,
                "the connection closed, and nothing before that",
            ))
        }
    }

    fn failure(&mut self, line: u32, client: u8, expected: &str) -> Box<Failure> {
        let protocol = self.header.protocol(client);
        let Client { unread, closed, .. } = self.client(client);
        let closed = *closed;
        let received = match protocol {
            Protocol::Text | Protocol::Binary => unread.clone(),
            Protocol::Udp => datagram::bare(unread),
        };
        let events = core::mem::take(&mut self.events);
        Box::new(Failure {
            line,
            expected: expected.to_owned(),
            received,
            agreed: None,
            closed,
            events,
        })
    }
}
