//! A server that we did not start: somebody's cache.
//!
//! It gets only exchanges about keys of our own, under a prefix nobody else uses, and those are
//! deleted again. What cannot be made so is skipped, and says why. An exchange is played on the
//! model before it is sent: if it no longer shows its rule there, or a byte of it could concern
//! somebody else, it is not sent at all.

use model::{Host, Model, Options, Time};
use spec::exchange::{Direction, Event, Exchange, Fence, Peer, Protocol, Received, replay};
use spec::{Dialect, Kind};

use super::address::Address;
use super::guard::{Permits, admits};
use super::prefix::{Owned, own};
use super::socket::Socket;
use crate::dice::mixed;

/// How the model's clock stands while an exchange is rehearsed.
const REHEARSAL: Time = Time(1_800_000_000);
/// The client that cleans up; no exchange has so many.
const CLEANER: u8 = 255;

/// Somebody's cache.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Where it listens.
    pub address: Address,
    /// What its owner allows.
    pub permits: Permits,
    /// What our prefix is made of.
    pub seed: u64,
    /// What it is held to.
    pub dialect: Box<Dialect>,
}

/// An exchange that may be played there.
#[derive(Debug)]
pub struct Rehearsed {
    owned: Owned,
    flushes: bool,
    miss: String,
}

impl Foreign {
    /// The exchange as it may be played there.
    ///
    /// # Errors
    /// With the reason why it may not be.
    pub fn rehearse(&self, exchange: &Exchange) -> Result<Rehearsed, String> {
        let header = &exchange.header;
        if header.protocols.contains(&Protocol::Udp) {
            let reason = "datagrams are answered there, but tried on a server of our own (--spawn)";
            return Err(reason.to_owned());
        }
        if !header.options.is_empty() || !header.users.is_empty() {
            let options = &header.options;
            return Err(format!(
                "it needs a server started with `{options}` (--spawn)"
            ));
        }
        let prefix = self.prefix(exchange);
        let dialects = self.dialects(exchange);
        let shown = |exchange: &Exchange, used| {
            let mut played = dialects
                .iter()
                .map(|dialect| rehearsal(exchange, dialect, used));
            played.find_map(|played| played)
        };
        if shown(exchange, false).is_none() {
            return Err("the model does not follow it in this dialect".to_owned());
        }
        let fleeting = own(exchange, &prefix, true)?;
        let lasting = own(exchange, &prefix, false)?;
        // A short expiry where that changes nothing; all keys are deleted afterwards in any case.
        let choices = [fleeting, lasting].into_iter();
        let mut shown =
            choices.filter_map(|owned| Some((shown(&owned.exchange, header.exclusive)?, owned)));
        let (events, owned) = shown.next().ok_or(if header.exclusive {
            "it needs a server that nobody else uses (--spawn)"
        } else {
            "with keys of our own it would no longer show its rule"
        })?;
        let mut flushes = false;
        for client in 1..CLEANER {
            let sent = sent_by(&events, client);
            admits(&sent, prefix.as_bytes(), self.permits)?;
            flushes |= admits(
                &sent,
                prefix.as_bytes(),
                Permits {
                    flush: false,
                    ..self.permits
                },
            )
            .is_err();
        }
        let miss = format!("{prefix}fence");
        Ok(Rehearsed {
            owned,
            flushes,
            miss,
        })
    }

    /// Keys of this exchange begin so, and nobody else's.
    fn prefix(&self, exchange: &Exchange) -> String {
        let run = letters(mixed(self.seed), 7);
        let place = format!("{}:{}", exchange.file, exchange.line);
        let place = place
            .bytes()
            .fold(0, |hash, byte| mixed(hash ^ u64::from(byte)));
        format!("ts{run}{}-", letters(place, 7))
    }

    /// In which dialects the model may show this example.
    fn dialects(&self, exchange: &Exchange) -> Vec<Dialect> {
        let name = exchange.requirement.name;
        let line = match exchange.requirement.kind {
            Kind::Rule => String::new(),
            Kind::Alternative => format!("elect {name}"),
            Kind::Deviation => format!("deviate {name}"),
        };
        let shows = Dialect::parse("its own", &line).unwrap_or_default();
        vec![(*self.dialect).clone(), Dialect::default(), shows]
    }
}

impl Rehearsed {
    /// What is played.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.owned.exchange
    }

    /// The clients to play it with; what an earlier run may have left behind is gone.
    #[must_use]
    pub fn clients(&self, address: &Address) -> Socket {
        let mut clients = self.newcomers(address);
        self.clean(&mut clients);
        clients
    }

    /// The clients to play it with, where there was no earlier run.
    #[must_use]
    pub fn newcomers(&self, address: &Address) -> Socket {
        Socket::new(address.clone()).missing(&self.miss)
    }

    /// Deletes whatever was stored.
    pub fn clean(&self, clients: &mut Socket) {
        let mut requests = Vec::new();
        for key in &self.owned.keys {
            let harmless = |byte: &u8| byte.is_ascii_graphic();
            if key.len() <= 250 && key.iter().all(harmless) {
                requests.extend([b"delete ", key.as_slice(), b"\r\n"].concat());
            }
        }
        if self.flushes {
            // A flush that is still to come would strike whoever comes next.
            requests.extend(b"flush_all\r\n");
        }
        let Some(expected) = requests
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            .checked_sub(1)
        else {
            return;
        };
        clients.send(CLEANER, &requests);
        let mut replies = 0;
        while replies <= expected {
            match clients.receive(CLEANER, false) {
                Received::Bytes(bytes) => {
                    replies += bytes.iter().filter(|byte| **byte == b'\n').count();
                }
                Received::Nothing | Received::Closed => return,
            }
        }
    }
}

/// Plays it on the model; all that happened, if it shows its rule there.
fn rehearsal(exchange: &Exchange, dialect: &Dialect, used: bool) -> Option<Vec<Event>> {
    let options = Options::of(&exchange.header).ok()?;
    let mut host = Host::new(Model::new(options, dialect.clone()), REHEARSAL);
    if used {
        let traffic = b"set somebodys 0 0 1\r\na\r\nget somebodys\r\nget none\r\nincr none 1\r\n";
        host.send(CLEANER, traffic);
    }
    replay(exchange, &mut host).ok()
}

fn sent_by(events: &[Event], client: u8) -> Vec<u8> {
    let fences = [Fence::Noop, Fence::Miss, Fence::Frame].map(Fence::request);
    let own = events.iter().filter(|event| {
        event.client == client
            && event.direction == Direction::Sent
            && !fences.contains(&event.bytes.as_slice())
    });
    own.flat_map(|event| event.bytes.clone()).collect()
}

fn letters(mut number: u64, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..count {
        let letter = u8::try_from(number % 26).unwrap_or_default();
        text.push(char::from(b'a' + letter));
        number /= 26;
    }
    text
}
