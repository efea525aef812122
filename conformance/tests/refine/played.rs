//! A history as an exploration plays it: the last reply is spoiled, and whoever plays it is to
//! notice.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use conformance::explore::history::{Ask, Request, Step, Word};
use conformance::explore::make::{Bounds, Maker};
use conformance::explore::peer::Server;
use conformance::explore::play::Player;
use model::{Host, Model, Time};
use spec::exchange::{Peer, Received};

use super::alike::{number, reads_alike};
use super::one_key::uniques;
use super::spoil::Dice;

/// A history is as long at most: what is spoiled is at its end.
const STEPS_MAX: usize = 40;
/// A unique that large is one that a client chose.
const CHOSEN_MIN: u64 = 5_000_000_000;
/// A longer reply says nothing new, and takes its time.
const REPLY_MAX_BYTES: usize = 4_096;

/// Whose clock the server follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours: it takes no freedom but its uniques.
    Ours,
    /// Its own: every write may be read a tick sooner or later.
    Own,
}

impl Kind {
    pub(crate) const ALL: [Kind; 2] = [Kind::Ours, Kind::Own];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Ours => "histories on our clock",
            Kind::Own => "histories on a clock of its own",
        }
    }
}

/// A history that an honest server was asked, and what it answered.
pub(crate) struct Played {
    kind: Kind,
    history: Vec<Step>,
    replies: Vec<Heard>,
}

/// Bytes that a client received.
#[derive(Clone, Debug)]
struct Heard {
    /// What it had asked just before.
    asked: Vec<u8>,
    bytes: Vec<u8>,
}

/// An honest server, of whose replies one is replaced.
struct Spoiling {
    host: Host,
    asked: BTreeMap<u8, Vec<u8>>,
    replies: Rc<RefCell<Vec<Heard>>>,
    replaced: Option<(usize, Vec<u8>)>,
}

/// Histories for one kind of server, one after the other.
pub(crate) struct Histories {
    kind: Kind,
    maker: Maker,
    number: u64,
}

impl Histories {
    pub(crate) fn new(kind: Kind) -> Histories {
        Histories {
            kind,
            maker: Maker::new(bounds(kind)),
            number: 0,
        }
    }

    /// The next, cut off where the dice say; nothing where no reply is in it that can be spoiled.
    pub(crate) fn next(&mut self, dice: &mut Dice) -> Option<Played> {
        self.number += 1;
        let mut history = self.maker.history(1, self.number);
        history.retain(|step| self.kind == Kind::Ours || is_plain(step));
        history.truncate(1 + dice.below(STEPS_MAX)?);
        for step in &mut history {
            // Of requests in one write nobody knows whose unique is shown.
            let Step::Ask(ask) = step else { continue };
            ask.joined = false;
            if is_long(&ask.request) {
                return None;
            }
        }
        Played::new(self.kind, history)
    }
}

impl Heard {
    /// The uniques that it shows, each of its key: where the reply names none, of that which was
    /// asked for.
    fn uniques(&self) -> Vec<(Vec<u8>, u64)> {
        let lines = self.bytes.split_inclusive(|byte| *byte == b'\n');
        let values = lines.clone().filter(|line| line.starts_with(b"VALUE "));
        if values.clone().next().is_some() {
            let key = |line: &[u8]| line.split(|byte| *byte == b' ').nth(1).unwrap().to_vec();
            let shown =
                values.flat_map(|line| uniques(line).into_iter().map(move |it| (key(line), it)));
            return shown.collect();
        }
        let key = key(&self.asked);
        let shown = uniques(&self.bytes).into_iter();
        shown.map(|unique| (key.clone(), unique)).collect()
    }

    /// Both, short enough to be read.
    fn told(&self) -> String {
        const TOLD_MAX_BYTES: usize = 120;
        let short = |bytes: &[u8]| {
            let told = &bytes[..bytes.len().min(TOLD_MAX_BYTES)];
            told.escape_ascii().to_string()
        };
        format!("{} -> {}", short(&self.asked), short(&self.bytes))
    }
}

impl Peer for Spoiling {
    fn now(&mut self) -> u64 {
        self.host.now()
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        self.asked.insert(client, bytes.to_vec());
        self.host.send(client, bytes);
    }

    fn receive(&mut self, client: u8, hurry: bool) -> Received {
        let received = self.host.receive(client, hurry);
        let Received::Bytes(bytes) = received else {
            return received;
        };
        let mut replies = self.replies.borrow_mut();
        let replaced = self.replaced.as_ref();
        let other = replaced.filter(|(at, _)| *at == replies.len());
        let asked = self.asked.get(&client).cloned().unwrap_or_default();
        replies.push(Heard {
            asked,
            bytes: bytes.clone(),
        });
        match other {
            Some((_, other)) if other.is_empty() => Received::Nothing,
            Some((_, other)) => Received::Bytes(other.clone()),
            None => Received::Bytes(bytes),
        }
    }

    fn half_close(&mut self, client: u8) {
        self.host.half_close(client);
    }

    fn pass(&mut self, seconds: u64) {
        self.host.pass(seconds);
    }
}

impl Played {
    /// A history that is answered honestly; nothing where no reply is in it that can be spoiled.
    fn new(kind: Kind, history: Vec<Step>) -> Option<Played> {
        let mut played = Played {
            kind,
            history,
            replies: Vec::new(),
        };
        let (mut player, replies) = played.player(None);
        let differs = player.steps(&played.history);
        assert!(differs.is_none(), "{differs:?} of {:#?}", played.history);
        drop(player);
        played.replies = replies.take();
        let last = played.replies.last()?;
        (last.bytes.len() <= REPLY_MAX_BYTES).then_some(played)
    }

    /// What will be spoiled.
    pub(crate) fn reply(&self) -> &[u8] {
        &self.replies.last().unwrap().bytes
    }

    /// What was asked and answered.
    pub(crate) fn told(&self) -> Vec<String> {
        self.replies.iter().map(Heard::told).collect()
    }

    /// Whether nobody notices that the last reply is another.
    pub(crate) fn accepts(&self, other: &[u8]) -> bool {
        let at = self.replies.len() - 1;
        let (mut player, _) = self.player(Some((at, other.to_vec())));
        player.play(&self.history).is_none()
    }

    /// Whether a server may as well say the other: the freedoms, written a second time.
    pub(crate) fn leaves(&self, other: &[u8]) -> bool {
        let (last, before) = self.replies.split_last().unwrap();
        let mut newest: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let mut shown = Vec::new();
        for heard in before {
            for (key, unique) in heard.uniques() {
                shown.push(unique);
                let of_key = newest.entry(key).or_default();
                if unique < CHOSEN_MIN {
                    *of_key = unique.max(*of_key);
                }
            }
        }
        let asked = key(&last.asked);
        let newest = |key: Option<&[u8]>| newest.get(key.unwrap_or(&asked)).copied().unwrap_or(0);
        let seconds = if self.kind == Kind::Own { 2 } else { 0 };
        reads_alike(&last.bytes, other, seconds, &|key, ours, theirs| {
            ours != 0 && ours < CHOSEN_MIN && !shown.contains(&ours) && theirs > newest(key)
        })
    }

    fn player(&self, replaced: Option<(usize, Vec<u8>)>) -> (Player, Rc<RefCell<Vec<Heard>>>) {
        let replies = Rc::default();
        let peer = Box::new(Spoiling {
            host: Host::new(Model::default(), Time(1_800_000_000)),
            asked: BTreeMap::new(),
            replies: Rc::clone(&replies),
            replaced,
        });
        let server = match self.kind {
            Kind::Ours => Server::here(peer),
            Kind::Own => Server::here(peer).with_a_clock_of_its_own(),
        };
        (Player::new(server, Model::default()), replies)
    }
}

fn bounds(kind: Kind) -> Bounds {
    Bounds {
        ours: kind == Kind::Ours,
        paced: kind == Kind::Ours,
        shared: true,
        strange: true,
        meta: true,
        binary: true,
    }
}

/// Whether it neither counts nor sets a deadline so near that a tick decides over it: what a server
/// with a clock of its own is left then is more than one reply shows.
fn is_plain(step: &Step) -> bool {
    const COUNTING: [u8; 4] = [0x05, 0x06, 0x15, 0x16];
    let near = |text: &[u8]| {
        let digits = text.iter().position(u8::is_ascii_digit).unwrap_or(0);
        number(&text[digits..]).is_some_and(|seconds| seconds == 3)
    };
    match step {
        Step::Ask(Ask { request, .. }) => match request {
            Request::Line(words, _) => {
                let counts = ["incr", "decr", "ma"].map(Word::text);
                let near = |word: &Word| matches!(word, Word::Text(text) if near(text));
                words.first().is_none_or(|verb| !counts.contains(verb)) && !words.iter().any(near)
            }
            Request::Frame(frame) => !COUNTING.contains(&frame.opcode),
            Request::Bytes(_) => true,
        },
        Step::Pass(_) => false,
    }
}

/// Whether it sends what takes its time and shows nothing more.
fn is_long(request: &Request) -> bool {
    let bytes = match request {
        Request::Line(_, block) => block.as_ref().map_or(0, Vec::len),
        Request::Frame(frame) => frame.value.len(),
        Request::Bytes(bytes) => bytes.len(),
    };
    bytes > REPLY_MAX_BYTES
}

/// The key that a request is about, as it is written.
fn key(request: &[u8]) -> Vec<u8> {
    if let Some(header) = request
        .first_chunk::<24>()
        .filter(|header| header[0] == 0x80)
    {
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let begin = 24 + usize::from(header[4]);
        return request
            .get(begin..begin + length)
            .unwrap_or_default()
            .to_vec();
    }
    let mut words = request.split(|byte| b" \r\n".contains(byte));
    let verb = words.next().unwrap_or_default();
    let nth = if verb.starts_with(b"gat") { 1 } else { 0 };
    words.nth(nth).unwrap_or_default().to_vec()
}
