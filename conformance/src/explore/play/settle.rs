//! What became of one write: every world in which the server took some freedom that the law leaves
//! is ruled, and those stay that say what it said.
//!
//! A server in this process takes none, so there is one world. Elsewhere the clock may have ticked
//! on the way, and a number may have got a new item. Which bytes say the same is decided in
//! `refine.rs`.

use std::collections::BTreeMap;

use model::{Model, Ruling, Session, Time};
use spec::Requirement;
use spec::exchange::Received;

use super::past::Write;
use super::{Difference, Player, Said};
use crate::explore::uniques::{Pair, Uniques};
use crate::refine::{Compared, compare};

/// What the server may be by now: all of it that a client can come to see.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    model: Model,
    sessions: BTreeMap<u8, Session>,
}

/// A world after one write, and what it owes for that.
pub(super) type Ruled = (World, Vec<Ruling>);

/// The worlds that say what was said.
#[derive(Default)]
pub(super) struct Agreed {
    pub(super) worlds: Vec<World>,
    /// What the first of them shows and rules.
    pub(super) shown: Vec<(Vec<u8>, Pair)>,
    pub(super) rulings: Vec<Ruling>,
    /// So many bytes all of them say.
    pub(super) length: usize,
}

impl Agreed {
    /// Those that say as much as the first that says what was said.
    pub(super) fn of(after: Vec<Ruled>, heard: Vec<Heard>) -> Agreed {
        let mut agreed = Agreed::default();
        for ((world, rulings), heard) in after.into_iter().zip(heard) {
            match heard {
                Heard::Alike(shown, length) if agreed.worlds.is_empty() => {
                    agreed = Agreed {
                        worlds: vec![world],
                        shown,
                        rulings,
                        length,
                    };
                }
                Heard::Alike(_, length) if length == agreed.length => agreed.worlds.push(world),
                _ => {}
            }
        }
        agreed
    }
}

/// How the replies compare with what was received.
pub(super) enum Heard {
    /// They are the same; these uniques were shown, and so many bytes were read.
    Alike(Vec<(Vec<u8>, Pair)>, usize),
    InPart,
    /// They part at this ruling.
    Otherwise(usize),
}

impl World {
    /// A server that nobody has spoken to.
    pub(super) fn new(model: Model) -> World {
        World {
            model,
            sessions: BTreeMap::new(),
        }
    }

    pub(super) fn has_closed(&self, client: u8) -> bool {
        self.sessions.get(&client).is_some_and(Session::is_closed)
    }

    /// What follows when a client sends this then.
    pub(super) fn rule(mut self, client: u8, bytes: &[u8], then: Time) -> Ruled {
        let session = self.sessions.entry(client).or_default();
        let rulings = session.receive(&mut self.model, bytes, then);
        (self, rulings)
    }

    /// Reads a part of what a client sends in one write.
    fn read(&mut self, client: u8, bytes: &[u8], then: Time) {
        let session = self.sessions.entry(client).or_default();
        session.read(&mut self.model, bytes, then);
    }

    /// What the client hears once all of its write is read.
    fn transmit(mut self, client: u8) -> Ruled {
        let session = self.sessions.entry(client).or_default();
        let rulings = session.transmit(&self.model);
        (self, rulings)
    }

    /// The ruling of what was read last.
    fn last(&self, client: u8) -> Option<&Ruling> {
        self.sessions.get(&client)?.unsent().last()
    }

    /// Whether the client is owed what it has not heard yet.
    fn holds_back(&self, client: u8) -> bool {
        self.sessions
            .get(&client)
            .is_some_and(|session| !session.unsent().is_empty())
    }

    /// Whether the client sent a part of a request, or has not heard yet what it is owed.
    fn is_amid(&self, client: u8) -> bool {
        let amid = self
            .sessions
            .get(&client)
            .is_some_and(Session::is_amid_a_request);
        amid || self.holds_back(client)
    }

    /// Whether any client is, or is to send what nobody wants any more.
    pub(super) fn has_anybody_amid(&self) -> bool {
        let mut clients = self.sessions.keys();
        clients.any(|client| self.is_amid(*client) || self.awaited_bytes(*client) > 0)
    }

    /// How much of a data block the server waits for.
    pub(super) fn awaited_bytes(&self, client: u8) -> u64 {
        self.sessions.get(&client).map_or(0, Session::awaited_bytes)
    }

    /// What follows when a client sends this then, which is read in two pieces.
    fn rule_pieces(self, client: u8, (beginning, rest): (&[u8], &[u8]), then: Time) -> Ruled {
        let (world, mut rulings) = self.rule(client, beginning, then);
        let (world, more) = world.rule(client, rest, then);
        rulings.extend(more);
        (world, rulings)
    }

    /// The world in which the number that was counted last is in a new item, if anybody could tell.
    fn renewed(&self, key: &[u8], now: u64) -> Option<World> {
        let look = |model: &Model| {
            let bytes = [b"mg ", key, b" k s f h v\r\n"].concat();
            let rulings = Session::new().receive(&mut model.clone(), &bytes, Time(now));
            rulings.first().map(|ruling| ruling.bytes().to_vec())
        };
        let mut renewed = self.clone();
        renewed.model.settle_incr(key);
        (look(&renewed.model) != look(&self.model)).then_some(renewed)
    }
}

/// As many worlds are kept apart at once.
const WORLDS_MAX: usize = 16;

impl Player {
    /// Lets the model rule, and reads until a world is found that says what the server does.
    pub(super) fn settle(
        &mut self,
        client: u8,
        requests: &[Vec<u8>],
        cut: usize,
        keys: &[Vec<u8>],
        now: u64,
    ) -> Result<(), Difference> {
        let before = std::mem::take(&mut self.worlds);
        // Where earlier requests are answered among these, nobody knows which reply is whose.
        let amid = before.iter().any(|world| world.is_amid(client));
        let asked = if amid { &[] } else { keys };
        // Elsewhere the clock may tick on the way.
        let mut ticks = vec![now.saturating_sub(1), now.saturating_add(1)];
        let mut write = self.taken_down(client, requests, (keys, asked), now);
        let (mut after, before): (Vec<Ruled>, _) = if self.server.is_real() {
            (ruled(&before, client, (requests, keys), now), before)
        } else {
            ticks.clear();
            let bytes = requests.concat();
            // What came in one piece may matter: memcached loses replies that it has not sent.
            let pieces = bytes.split_at(cut.min(bytes.len()));
            let before = before.into_iter();
            let after = before.map(|world| world.rule_pieces(client, pieces, Time(now)));
            (after.collect(), Vec::new())
        };
        let mut noted = None;
        self.cite(&after);
        loop {
            let unread = &self.unread.entry(client).or_default();
            let heard: Vec<Heard> = after
                .iter()
                .map(|(_, rulings)| heard(rulings, unread, asked, &self.uniques))
                .collect();
            if heard.iter().any(|heard| matches!(heard, Heard::Alike(..))) {
                let agreed = Agreed::of(after, heard);
                if let Some(mut write) = noted.or(write) {
                    write.received = unread.get(..agreed.length).unwrap_or_default().to_vec();
                    self.past.note(&before, write);
                }
                return self.agree(client, keys, agreed, now);
            }
            let waits = heard.iter().any(|heard| matches!(heard, Heard::InPart));
            if waits && self.read(client) {
                continue;
            }
            match ticks.pop() {
                Some(then) if !waits => {
                    after.extend(ruled(&before, client, (requests, keys), then));
                }
                None if !waits && write.is_some() => {
                    // Perhaps its clock ticked at another moment, and only now it shows.
                    noted = write.take();
                    after.extend(noted.iter().flat_map(|write| self.past.ruled_anew(write)));
                }
                _ => return Err(self.part(client, &after, &heard)),
            }
        }
    }

    /// A write as the past remembers it, where the server's clock is its own.
    fn taken_down(
        &self,
        client: u8,
        requests: &[Vec<u8>],
        (keys, asked): (&[Vec<u8>], &[Vec<u8>]),
        now: u64,
    ) -> Option<Write> {
        self.server.is_real().then(|| Write {
            client,
            requests: requests.to_vec(),
            keys: keys.to_vec(),
            asked: asked.to_vec(),
            now,
            received: Vec::new(),
            uniques: self.uniques.clone(),
        })
    }

    /// Notes which rules the model cited.
    pub(super) fn cite(&mut self, after: &[Ruled]) {
        let rulings = after.iter().take(1).flat_map(|(_, rulings)| rulings);
        let cited = rulings.flat_map(|ruling| &ruling.because);
        self.rules.extend(cited.map(|rule| rule.name));
    }

    /// Keeps the worlds that say what was said.
    fn agree(
        &mut self,
        client: u8,
        keys: &[Vec<u8>],
        agreed: Agreed,
        now: u64,
    ) -> Result<(), Difference> {
        self.worlds = agreed.worlds;
        self.uniques.learn(agreed.shown);
        let unread = self.unread.entry(client).or_default();
        unread.drain(..agreed.length);
        if self.server.is_real() {
            let renewed = all_renewed(&self.worlds, keys, &agreed.rulings, now);
            self.worlds.extend(renewed);
            self.worlds.truncate(WORLDS_MAX);
        }
        self.conclude(client, &agreed.rulings)
    }

    /// No world says what was said.
    pub(super) fn part(&mut self, client: u8, after: &[Ruled], heard: &[Heard]) -> Difference {
        let rulings = after.first().map_or(&[][..], |(_, rulings)| rulings);
        let at = match heard.first() {
            Some(Heard::Otherwise(at)) => *at,
            _ => rulings.len().saturating_sub(1),
        };
        self.differ(client, rulings, at)
    }

    /// Reads once; false when nothing more will come.
    pub(super) fn read(&mut self, client: u8) -> bool {
        self.read_once(client, self.hurry)
    }

    fn read_once(&mut self, client: u8, hurry: bool) -> bool {
        let received = self.server.peer().receive(client, hurry);
        if let Received::Bytes(more) = &received {
            self.unread.entry(client).or_default().extend(more);
        }
        matches!(received, Received::Bytes(_))
    }

    /// All was answered as it is ruled: notes what follows, and that nothing more is there.
    fn conclude(&mut self, client: u8, rulings: &[Ruling]) -> Result<(), Difference> {
        for ruling in rulings.iter().filter(|ruling| !ruling.bytes().is_empty()) {
            self.say(Said::Owed(client, ruling.bytes().to_vec()));
        }
        let held = self.worlds.iter().any(|world| world.holds_back(client));
        let awaits = self
            .worlds
            .iter()
            .any(|world| world.awaited_bytes(client) > 0);
        let silent = rulings
            .last()
            .is_some_and(|ruling| ruling.bytes().is_empty());
        self.unanswered = ((silent || held) && self.server.is_real()).then_some(client);
        if held || awaits && self.server.is_real() {
            // Who does not hold it back has sent it by now; and all has been read, where it matters
            // what came with the rest of the block.
            self.read_once(client, true);
        }
        let closes = rulings.iter().any(Ruling::closes);
        if closes {
            self.say(Said::Closed(client));
            while self.read(client) {}
        }
        let ended = !closes || self.server.peer().receive(client, self.hurry) == Received::Closed;
        let unread = &self.unread.entry(client).or_default();
        match ended && unread.is_empty() {
            true => Ok(()),
            false => Err(self.differ(client, rulings, rulings.len().saturating_sub(1))),
        }
    }

    pub(super) fn differ(&mut self, client: u8, rulings: &[Ruling], at: usize) -> Difference {
        for ruling in rulings.iter().filter(|ruling| !ruling.bytes().is_empty()) {
            self.say(Said::Owed(client, ruling.bytes().to_vec()));
        }
        let because = rulings.get(at).map(|ruling| ruling.because.clone());
        Difference {
            ruled: rulings.iter().flat_map(Ruling::bytes).copied().collect(),
            seen: std::mem::take(self.unread.entry(client).or_default()),
            because: because.unwrap_or_default(),
        }
    }
}

/// The world in which the number that this request counted is in a new item, if anybody could tell.
pub(super) fn renewed(world: &World, key: &[u8], ruling: &Ruling, now: u64) -> Option<World> {
    let counts = |rule: &&Requirement| {
        let name = rule.name;
        name.starts_with("arithmetic.incr.") || name.starts_with("arithmetic.decr.")
    };
    let counted = ruling.because.iter().any(counts);
    counted.then(|| world.renewed(key, now)).flatten()
}

/// The same for these, and the last of the requests about these keys.
pub(super) fn all_renewed(
    worlds: &[World],
    keys: &[Vec<u8>],
    rulings: &[Ruling],
    now: u64,
) -> Vec<World> {
    match keys.last().zip(rulings.last()) {
        None => Vec::new(),
        Some((key, ruling)) => {
            let renewed = worlds
                .iter()
                .filter_map(|world| renewed(world, key, ruling, now));
            renewed.collect()
        }
    }
}

/// What may follow of these requests in one write, each about its key.
pub(super) fn ruled(
    worlds: &[World],
    client: u8,
    (requests, keys): (&[Vec<u8>], &[Vec<u8>]),
    then: u64,
) -> Vec<Ruled> {
    let mut all = worlds.to_vec();
    for (at, request) in requests.iter().enumerate() {
        all.iter_mut()
            .for_each(|world| world.read(client, request, Time(then)));
        if at + 1 < requests.len() {
            let key = keys.get(at);
            let others = all
                .iter()
                .filter_map(|world| renewed(world, key?, world.last(client)?, then));
            let others: Vec<World> = others.collect();
            all.extend(others);
            all.truncate(WORLDS_MAX.max(worlds.len()));
        }
    }
    let all = all.into_iter();
    all.map(|world| world.transmit(client)).collect()
}

/// Holds what was received against the rulings, reply by reply.
pub(super) fn heard(
    rulings: &[Ruling],
    received: &[u8],
    keys: &[Vec<u8>],
    uniques: &Uniques,
) -> Heard {
    let mut shown: Vec<(Vec<u8>, Pair)> = Vec::new();
    let mut read = 0;
    for (at, ruling) in rulings.iter().enumerate() {
        if ruling.bytes().is_empty() {
            continue;
        }
        let rest = received.get(read..).unwrap_or_default();
        let asked = keys.get(at).filter(|_| keys.len() == rulings.len());
        let compared = compare(ruling, rest, &mut |key, ruled, seen| {
            let key = key.or(asked.map(Vec::as_slice)).unwrap_or_default();
            let pair = Pair { ruled, seen };
            let may_be = uniques.may_be(key, pair, &shown);
            shown.push((key.to_vec(), pair));
            may_be
        });
        match compared {
            Compared::Same(length) => read += length,
            Compared::Part => return Heard::InPart,
            Compared::Other => return Heard::Otherwise(at),
        }
    }
    Heard::Alike(shown, read)
}
