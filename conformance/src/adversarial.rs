//! A server that obeys the law and is unkind about it, for authors of clients.
//!
//! It is the model, and takes every freedom that a server has, by a seed: it evicts at random, cuts
//! its replies anywhere, gives uniques near the end of their range and leaves gaps between them,
//! pads a number one time and not the next, elects any of the alternatives. It never says what a
//! lawful server may not say, and never answers out of order. The same seed and the same requests
//! make the same replies, cut at the same places. `serve.rs` puts it on a port.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Model, Options, Reply, Ruling, Session, Time};
use spec::Dialect;
use spec::exchange::{Peer, Received};

use crate::dice::Dice;
use crate::record::requests::{Request, Requests, Touches};

/// A lawful and unkind server, and its clients.
#[derive(Debug)]
pub struct Adversary {
    empty: Model,
    model: Model,
    now: Time,
    seed: u64,
    fickle: bool,
    /// The last unique that it gave.
    unique: u64,
    clients: BTreeMap<u8, Client>,
}

#[derive(Debug)]
struct Client {
    session: Session,
    requests: Requests,
    /// How many bytes of the request that is not yet whole the session has.
    begun: usize,
    output: Vec<u8>,
    dice: Dice,
}

/// Of so many items that are asked for, one is evicted first.
const EVICTED_ONE_IN: u64 = 8;
/// The first unique is so far from the last there can be.
const UNIQUES_LEFT: u64 = 1 << 40;
/// Between two uniques there are fewer than this.
const UNIQUES_GAP: u64 = 1 << 12;
/// The longest of the short pieces that replies are cut into.
const PIECE_MAX_BYTES: u64 = 5;
/// The longest pause between two of them.
const PAUSE_MAX_MILLIS: u64 = 4;

impl Adversary {
    /// One that does what this seed says. Only a fickle one evicts, and pads numbers or not.
    #[must_use]
    pub fn new(seed: u64, fickle: bool, now: Time) -> Adversary {
        let empty = Model::new(Options::default(), dialect(seed));
        Adversary {
            model: empty.clone(),
            empty,
            now,
            seed,
            fickle,
            unique: u64::MAX - UNIQUES_LEFT,
            clients: BTreeMap::new(),
        }
    }

    /// This client is gone, and its number may be given to another.
    pub fn disconnect(&mut self, client: u8) {
        self.clients.remove(&client);
    }

    /// How long to wait before this client is sent its next piece.
    pub fn pause(&mut self, client: u8) -> Duration {
        let dice = &mut self.client(client).dice;
        Duration::from_millis(dice.below(PAUSE_MAX_MILLIS))
    }

    fn client(&mut self, client: u8) -> &mut Client {
        let (empty, seed) = (&self.empty, self.seed);
        self.clients.entry(client).or_insert_with(|| Client {
            session: Session::new(),
            requests: Requests::new(empty.clone()),
            begun: 0,
            output: Vec::new(),
            dice: Dice::new(seed ^ u64::from(client).rotate_left(32)),
        })
    }

    fn serve(&mut self, client: &mut Client, request: &Request) {
        let keys = match request.touches() {
            Touches::Keys(keys) => keys,
            Touches::Nothing | Touches::Everything => Vec::new(),
        };
        for key in &keys {
            if self.fickle && client.dice.below(EVICTED_ONE_IN) == 0 {
                self.model.forget(key);
            }
        }
        let begun = std::mem::take(&mut client.begun);
        let rest = request.bytes.get(begun..).unwrap_or_default();
        let rulings = client.session.receive(&mut self.model, rest, self.now);
        if let ([key], [ruling]) = (keys.as_slice(), rulings.as_slice()) {
            self.choose(key, ruling, &mut client.dice);
        }
        for ruling in rulings {
            client.output.extend_from_slice(ruling.bytes());
        }
    }

    /// Lets watchers hear.
    fn tick(&mut self) {
        for client in self.clients.values_mut() {
            for ruling in client.session.tick(&mut self.model, self.now) {
                client.output.extend_from_slice(ruling.bytes());
            }
        }
    }

    /// Takes the freedoms of an item that was just stored or counted in.
    fn choose(&mut self, key: &[u8], ruling: &Ruling, dice: &mut Dice) {
        if !matches!(ruling.reply, Reply::Stored | Reply::Number(_)) {
            return;
        }
        if self.fickle && matches!(ruling.reply, Reply::Number(_)) && dice.below(2) == 0 {
            self.model.settle_incr(key);
        }
        self.unique = self.unique.saturating_add(1 + dice.below(UNIQUES_GAP));
        self.model.adopt_unique(key, self.unique);
    }
}

impl Peer for Adversary {
    fn now(&mut self) -> u64 {
        self.now.0
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        if !self.clients.contains_key(&client) {
            self.model.connected(self.now);
        }
        self.client(client);
        if let Some(mut speaker) = self.clients.remove(&client) {
            let was_closed = speaker.session.is_closed();
            for request in speaker.requests.push(bytes) {
                self.serve(&mut speaker, &request);
            }
            // A storage command counts its time from its line, which is here before its block.
            let unfinished = speaker.requests.unfinished();
            let new = unfinished.get(speaker.begun..).unwrap_or_default();
            let rulings = speaker.session.receive(&mut self.model, new, self.now);
            speaker
                .output
                .extend(rulings.iter().flat_map(Ruling::bytes));
            speaker.begun = unfinished.len();
            if speaker.session.is_closed() && !was_closed {
                self.model.disconnected(self.now);
            }
            self.clients.insert(client, speaker);
            self.tick();
        }
    }

    fn receive(&mut self, client: u8, _hurry: bool) -> Received {
        let client = self.client(client);
        let owed = client.output.len();
        if owed > 0 {
            let piece = if client.dice.below(2) == 0 {
                client.dice.below(PIECE_MAX_BYTES)
            } else {
                client.dice.below(owed as u64)
            };
            let length = usize::try_from(piece).map_or(owed, |piece| piece.saturating_add(1));
            let rest = client.output.split_off(length.min(owed));
            Received::Bytes(std::mem::replace(&mut client.output, rest))
        } else if client.session.is_closed() {
            Received::Closed
        } else {
            Received::Nothing
        }
    }

    fn half_close(&mut self, client: u8) {
        self.client(client);
        if let Some(client) = self.clients.get_mut(&client) {
            client.session.end(&mut self.model);
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now.0 = self.now.0.saturating_add(1);
            self.tick();
        }
    }
}

/// The alternatives that this seed elects, of those that some known server has; no deviation.
#[must_use]
pub fn dialect(seed: u64) -> Dialect {
    let mut dice = Dice::new(!seed);
    let known = [Dialect::MEMCACHED_1_6_45, Dialect::MEMCACHED_1_6_18];
    let lines = || known.into_iter().flat_map(str::lines);
    let offered: BTreeSet<&str> = lines()
        .filter_map(|line| line.strip_prefix("elect "))
        .collect();
    let elected: BTreeSet<&str> = offered.into_iter().filter(|_| dice.below(2) == 0).collect();
    let mut text: String = elected
        .iter()
        .map(|name| format!("elect {name}\n"))
        .collect();
    let excuses: BTreeSet<&str> = lines()
        .filter(|line| line.starts_with("fails "))
        .filter(|line| {
            line.rsplit(' ')
                .next()
                .is_some_and(|name| elected.contains(name))
        })
        .collect();
    for excuse in excuses {
        text.push_str(excuse);
        text.push('\n');
    }
    Dialect::parse("adversarial", &text).expect("every line is one of a shipped dialect")
}
