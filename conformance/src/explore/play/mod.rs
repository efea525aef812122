//! Plays a history on a server, and holds every reply against the model's ruling.
//!
//! The model reads what the server reads, write by write; what a server may say instead is decided
//! in `refine.rs`, and which of it happened in `settle.rs`. Nothing is waited for that the model
//! does not owe.

mod levels;
mod past;
mod settle;

use std::collections::{BTreeMap, BTreeSet};

use model::Model;
use spec::Requirement;

use super::history::{Ask, FIRST_BINARY, Frame, Moment, Request, Step, Word};
use super::peer::Server;
use super::uniques::{Pair, Uniques};
use past::Past;
use settle::World;

/// Of what the server may be, so much is taken along to new keys.
const WORLDS_KEPT: usize = 2;
/// A longer block is left as it is.
const FINISHED_MAX_BYTES: usize = 4096;
/// Nobody is amid a request for longer.
const AMID_MAX_SECONDS: u64 = 5;

/// A server, and the model that is told the same.
#[derive(Debug)]
pub struct Player {
    server: Server,
    /// What the server may be by now; one of them it is.
    worlds: Vec<World>,
    /// How it came to that, where the clock of the server is its own.
    past: Past,
    /// What each client received, and was not owed yet.
    unread: BTreeMap<u8, Vec<u8>>,
    uniques: Uniques,
    /// Who was not told whether his last request is done, where another could overtake it.
    unanswered: Option<u8>,
    /// A reply that does not come is not waited for long.
    hurry: bool,
    /// So long somebody is amid a request.
    amid_seconds: u64,
    /// The rules that the model cited, by name.
    pub rules: BTreeSet<&'static str>,
    /// What was said, as the model has it; nothing where nobody wants to know.
    pub said: Option<Vec<Said>>,
}

/// What happened, as the model has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A client sent these requests in one write, at this time; in two pieces where the number
    /// says so.
    Sent(u8, Vec<Vec<u8>>, u64, Option<usize>),
    /// It is owed this.
    Owed(u8, Vec<u8>),
    /// It is owed nothing.
    Silent(u8),
    /// Its connection ends.
    Closed(u8),
    /// Time passed.
    Passed(u64),
}

/// Where a server and the model part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the model rules.
    pub ruled: Vec<u8>,
    /// What the server says.
    pub seen: Vec<u8>,
    /// The rules by which the model does, the most decisive first.
    pub because: Vec<&'static Requirement>,
}

impl Player {
    /// A player on this server, which is new, and is held to this model.
    #[must_use]
    pub fn new(server: Server, model: Model) -> Player {
        Player {
            server,
            worlds: vec![World::new(model)],
            past: Past::default(),
            unread: BTreeMap::new(),
            uniques: Uniques::default(),
            unanswered: None,
            hurry: false,
            amid_seconds: 0,
            rules: BTreeSet::new(),
            said: None,
        }
    }

    /// The same, without patience: for who plays the same again and again.
    #[must_use]
    pub fn hurrying(self) -> Player {
        Player {
            hurry: true,
            ..self
        }
    }

    /// The same, and writes down what is said.
    #[must_use]
    pub fn writing(self) -> Player {
        Player {
            said: Some(Vec::new()),
            ..self
        }
    }

    /// Gives whoever comes next keys that nobody had.
    pub fn begin_anew(&mut self, number: u64) {
        self.server.rename(number);
        self.uniques.clear();
        self.past.forget();
        self.worlds.truncate(WORLDS_KEPT);
    }

    /// Plays the steps, and at last a fence for each client; where they part, if they do.
    pub fn play(&mut self, history: &[Step]) -> Option<Difference> {
        let difference = self.steps(history).or_else(|| self.fence());
        self.server.clean(&keys(history, &self.server.prefix));
        difference
    }

    /// Plays the steps.
    pub fn steps(&mut self, history: &[Step]) -> Option<Difference> {
        let mut rest = history;
        while let Some((step, behind)) = rest.split_first() {
            rest = match (step, first_write(rest)) {
                (_, Some((first, asks, behind))) => {
                    if let Err(difference) = self.write(first.client, &asks) {
                        return Some(difference);
                    }
                    behind
                }
                (Step::Pass(seconds), None) => {
                    self.pass(*seconds);
                    behind
                }
                (Step::Ask(_), None) => behind,
            };
        }
        None
    }

    /// Nothing was said that nobody asked for.
    fn fence(&mut self) -> Option<Difference> {
        let clients: Vec<u8> = self.unread.keys().copied().collect();
        let fence = |client| self.silence(client).err();
        clients.into_iter().find_map(fence)
    }

    /// Whatever this client asked is done, and it was told all that it is owed. What is asked for
    /// that is written down only where it shows a difference.
    fn silence(&mut self, client: u8) -> Result<(), Difference> {
        self.finish(client)?;
        let before = self.said.as_ref().map_or(0, Vec::len);
        self.write(client, &[&Ask::plain(client, fence(client))])?;
        if let Some(said) = &mut self.said {
            said.truncate(before);
        }
        Ok(())
    }

    /// Sends the rest of a data block that the server waits for, as far as that is little: before
    /// it is whole nothing need be told, and so nobody knows what is done.
    fn finish(&mut self, client: u8) -> Result<(), Difference> {
        let awaited = self
            .worlds
            .first()
            .map_or(0, |world| world.awaited_bytes(client));
        let rest = match usize::try_from(awaited) {
            Ok(1) => b"\n".to_vec(),
            Ok(rest @ 2..=FINISHED_MAX_BYTES) => [vec![b'0'; rest - 2], b"\r\n".to_vec()].concat(),
            _ => return Ok(()),
        };
        self.write(client, &[&Ask::plain(client, Request::Bytes(rest))])
    }

    /// Lets time pass; but nobody is amid a request for so long that a server may lose patience.
    fn pass(&mut self, seconds: u64) {
        let amid = self.worlds.iter().any(World::has_anybody_amid);
        self.amid_seconds = if amid { self.amid_seconds + seconds } else { 0 };
        if self.amid_seconds > AMID_MAX_SECONDS {
            return;
        }
        self.server.peer().pass(seconds);
        self.say(Said::Passed(seconds));
    }

    fn say(&mut self, said: Said) {
        if let Some(all) = &mut self.said {
            all.push(said);
        }
    }

    /// Sends some requests in one write, and reads what they are answered.
    fn write(&mut self, client: u8, asks: &[&Ask]) -> Result<(), Difference> {
        if let Some(before) = self.unanswered.take().filter(|before| *before != client) {
            self.say(Said::Silent(before));
            self.silence(before)?;
        }
        let now = self.server.peer().now();
        let written = |which| written(asks, &self.server.prefix, now, &self.uniques, which);
        let (sent, told) = (
            written(|pair| pair.seen).concat(),
            written(|pair| pair.ruled),
        );
        let closed = self.worlds.iter().any(|world| world.has_closed(client));
        if closed || !self.server.admits(&sent) {
            return Ok(());
        }
        // What stands behind whole requests may keep their replies back, on a server elsewhere only
        // where it was read together with them.
        let odd = |ask: &&Ask| matches!(ask.request, Request::Bytes(_));
        let whole = self.server.is_real() && asks.iter().any(odd);
        let cut = asks.iter().find_map(|ask| ask.cut).filter(|_| !whole);
        let (beginning, rest) = sent.split_at(cut.unwrap_or(0).min(sent.len()));
        for piece in [beginning, rest]
            .into_iter()
            .filter(|piece| !piece.is_empty())
        {
            self.server.peer().send(client, piece);
        }
        let keys: Vec<_> = asks.iter().map(|ask| self.own(ask.request.key())).collect();
        self.say(Said::Sent(client, told.clone(), now, cut));
        self.settle(client, &told, cut.unwrap_or(0), &keys, now)
    }

    fn own(&self, key: &[u8]) -> Vec<u8> {
        own(&self.server.prefix, key)
    }
}

/// What goes out in the first write of these steps, who sends it, and the steps behind it; nothing
/// where time passes first.
fn first_write(steps: &[Step]) -> Option<(&Ask, Vec<&Ask>, &[Step])> {
    let (Step::Ask(first), _) = steps.split_first()? else {
        return None;
    };
    let more = steps.iter().skip(1).map_while(|step| match step {
        Step::Ask(ask) if ask.joined && ask.client == first.client => Some(ask),
        _ => None,
    });
    let asks: Vec<&Ask> = std::iter::once(first).chain(more).collect();
    let behind = steps.get(asks.len()..).unwrap_or_default();
    Some((first, asks, behind))
}

/// The bytes of each of these requests now, with the uniques as one side knows them.
fn written(
    asks: &[&Ask],
    prefix: &[u8],
    now: u64,
    uniques: &Uniques,
    which: fn(&Pair) -> u64,
) -> Vec<Vec<u8>> {
    let uniques = |key: &[u8]| uniques.of(key).iter().map(which).collect();
    let moment = Moment {
        prefix,
        now,
        uniques: &uniques,
    };
    asks.iter().map(|ask| ask.request.bytes(&moment)).collect()
}

/// What is answered at once, whatever there is: all that came before it is done then.
fn fence(client: u8) -> Request {
    match client {
        FIRST_BINARY.. => Request::Frame(Frame {
            opcode: 0x0a,
            ..Frame::default()
        }),
        _ => Request::line(vec![Word::text("get"), Word::Key(b"none".to_vec())]),
    }
}

fn own(prefix: &[u8], key: &[u8]) -> Vec<u8> {
    let moment = Moment {
        prefix,
        now: 0,
        uniques: &|_| Vec::new(),
    };
    moment.own(key)
}

/// The keys of a history that a cache can have.
fn keys(history: &[Step], prefix: &[u8]) -> Vec<Vec<u8>> {
    const KEY_MAX_BYTES: usize = 250;
    let mut keys = BTreeSet::new();
    for step in history {
        let Step::Ask(ask) = step else { continue };
        match &ask.request {
            Request::Line(words, _) => keys.extend(words.iter().filter_map(|word| match word {
                Word::Key(key) | Word::Encoded(key) => Some(own(prefix, key)),
                _ => None,
            })),
            other => drop(keys.insert(own(prefix, other.key()))),
        }
    }
    keys.retain(|key| !key.is_empty() && key.len() <= KEY_MAX_BYTES);
    keys.into_iter().collect()
}
