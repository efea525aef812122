//! Judges what real clients were answered, while they are.
//!
//! Requests are ruled in the order in which they were observed, one model for each key. Where that
//! order is not certain, because clients were under way with one key at the same time, or where
//! nobody knows what was there before, it says `unknown` and never guesses. What a server may
//! choose is settled in `refine.rs`; what is written down, in `notation.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{Model, Reply, Ruling, Session, Time};

use super::requests::{Request, Touches};
use super::tally::{Finding, Tally};
use crate::refine::{
    Admitted, Freedom, Known, Relation, lost_in_silence, may_become_a_reply, refine,
};

/// How much may be remembered of what clients stored; beyond that all is forgotten, and said so.
const KNOWN_MAX_BYTES: usize = 64 << 20;
/// How many keys clients may be under way with at once; beyond that likewise.
const UNDERWAY_MAX: usize = 10_000;
/// How much of an unfinished reply is waited for.
const REPLY_MAX_BYTES: usize = 64 << 20;
/// How many findings are kept in full.
const FINDINGS_MAX: usize = 20;
/// Items so near to the largest may be refused or not: headers differ.
const EDGE_BYTES: u64 = 1024;

/// The judge of one recording.
#[derive(Debug)]
pub struct Judge {
    empty: Model,
    item_max_bytes: u64,
    admitted: Admitted,
    /// A key that was never seen is known to have no item.
    fresh: bool,
    keys: BTreeMap<Vec<u8>, Option<Known>>,
    known_bytes: usize,
    clients: BTreeMap<u8, Client>,
    /// Who has been under way with what since nobody was, and whether to change it.
    underway: BTreeMap<Vec<u8>, (BTreeSet<u8>, bool)>,
    /// What it found so far.
    pub tally: Tally,
}

#[derive(Debug, Default)]
struct Client {
    queue: VecDeque<Request>,
    replies: Vec<u8>,
    /// A request of its was silent, and nothing shows yet that it was served.
    unfenced: bool,
    /// Why nothing can be said of this connection any more.
    lost: Option<&'static str>,
    /// It will send nothing more.
    ended: bool,
    /// The server will close it, and read nothing more.
    closing: bool,
}

impl Judge {
    /// A judge by this model. `fresh`: the server began empty and has room for all, so that an item
    /// that is missing was lost.
    #[must_use]
    pub fn new(empty: Model, item_max_bytes: u64, fresh: bool) -> Judge {
        Judge {
            empty,
            item_max_bytes,
            admitted: Admitted { pressure: !fresh },
            fresh,
            keys: BTreeMap::new(),
            known_bytes: 0,
            clients: BTreeMap::new(),
            underway: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// A client sent this request, which the server has not seen yet. The findings are new.
    pub fn sent(&mut self, client: u8, request: Request, now: Time) -> Vec<Finding> {
        self.enter(client, &request);
        self.client(client).queue.push_back(request);
        self.advance(client, now)
    }

    /// The server said this, which the client has not seen yet. The findings are new.
    pub fn received(&mut self, client: u8, bytes: &[u8], now: Time) -> Vec<Finding> {
        let speaker = self.client(client);
        if speaker.lost.is_none() {
            speaker.replies.extend_from_slice(bytes);
        }
        let findings = self.advance(client, now);
        let speaker = self.client(client);
        if speaker.replies.len() > REPLY_MAX_BYTES {
            self.lose(client, "a reply that does not end");
        } else if speaker.queue.is_empty() && !speaker.replies.is_empty() {
            self.lose(client, "a reply to no request");
        }
        self.rest();
        findings
    }

    /// The client will send nothing more.
    pub fn ended(&mut self, client: u8) {
        self.client(client).ended = true;
    }

    /// The server closed the connection; nothing more is under way there.
    pub fn closed(&mut self, client: u8) -> Vec<Finding> {
        let gone = self.clients.remove(&client).unwrap_or_default();
        let mut findings = Vec::new();
        let excused = gone.ended || gone.closing;
        if let (Some(request), None, false) = (gone.queue.front(), gone.lost, excused) {
            let rulings = self.rule_alone(request);
            let silent = rulings.iter().all(|ruling| ruling.bytes().is_empty());
            if !silent {
                findings.extend(self.find(client, request, &rulings, b""));
            }
        }
        for request in &gone.queue {
            self.forget_touched(request);
        }
        self.rest();
        findings
    }

    /// Of this client's connection nothing can be said from here on.
    pub fn lose(&mut self, client: u8, reason: &'static str) {
        let lost = self.client(client);
        lost.lost = Some(reason);
        lost.replies.clear();
        let queue = std::mem::take(&mut lost.queue);
        lost.unfenced = false;
        for request in queue {
            self.pass_over(&request, reason);
        }
    }

    /// Of no item anything can be said until it is stored again.
    pub fn forget_all(&mut self) {
        self.keys.clear();
        self.known_bytes = 0;
        self.fresh = false;
    }

    fn client(&mut self, client: u8) -> &mut Client {
        self.clients.entry(client).or_default()
    }

    /// Notes what a client is under way with; two clients make what they share uncertain.
    fn enter(&mut self, client: u8, request: &Request) {
        let keys = match request.touches() {
            Touches::Nothing => return,
            Touches::Keys(keys) => keys,
            Touches::Everything => {
                let others = self.clients.iter().any(|(other, known)| {
                    *other != client && (known.unfenced || !known.queue.is_empty())
                });
                if others {
                    self.forget_all();
                }
                return;
            }
        };
        for key in keys {
            let (clients, changes) = self.underway.entry(key).or_default();
            clients.insert(client);
            *changes |= !request.only_reads();
        }
        if self.underway.len() > UNDERWAY_MAX {
            self.underway.clear();
            self.forget_all();
        }
    }

    fn is_contended(&self, key: &[u8]) -> bool {
        let shared = self.underway.get(key);
        shared.is_some_and(|(clients, changes)| *changes && clients.len() > 1)
    }

    /// Where nobody is under way any more, the order of what was is certain.
    fn rest(&mut self) {
        let idle = |client: &Client| client.queue.is_empty() && !client.unfenced;
        if self.clients.values().all(idle) {
            for (key, (clients, changes)) in std::mem::take(&mut self.underway) {
                if changes && clients.len() > 1 {
                    self.keys.insert(key, None);
                }
            }
        }
    }

    /// Judges the requests whose replies are here.
    fn advance(&mut self, client: u8, now: Time) -> Vec<Finding> {
        let mut findings = Vec::new();
        while let Some(request) = self.client(client).queue.pop_front() {
            if let Some(reason) = self.client(client).lost {
                self.pass_over(&request, reason);
                continue;
            }
            if self.client(client).closing {
                continue;
            }
            let replies = std::mem::take(&mut self.client(client).replies);
            match self.judge(client, &request, &replies, now) {
                Step::Waits => {
                    let speaker = self.client(client);
                    speaker.replies = replies;
                    speaker.queue.push_front(request);
                    break;
                }
                Step::Said(length) => {
                    let speaker = self.client(client);
                    speaker.unfenced = length == 0 && !request.swallowed;
                    speaker.replies = replies.get(length..).unwrap_or_default().to_vec();
                }
                Step::Lost(reason) => self.lose(client, reason),
                Step::Wrong(rulings) => {
                    findings.extend(self.find(client, &request, &rulings, &replies));
                    self.forget_touched(&request);
                    self.skip_reply(client, &replies);
                }
            }
        }
        findings
    }

    fn judge(&mut self, client: u8, request: &Request, replies: &[u8], now: Time) -> Step {
        if request.swallowed {
            return Step::Said(0);
        }
        let lists = matches!(request.command(), b"get" | b"gets" | b"gat" | b"gats");
        if lists && Reply::read(replies).is_none() && may_become_a_reply(replies) {
            return Step::Waits;
        }
        let step = match (request.touches(), request.command()) {
            (Touches::Everything, _) => self.flush(request, replies, now),
            (Touches::Keys(keys), b"get" | b"gets" | b"gat" | b"gats") if !keys.is_empty() => {
                self.retrieve(request, &keys, replies, now)
            }
            (Touches::Keys(keys), _) if keys.len() == 1 => {
                self.one_key(client, request, &keys.concat(), replies, now)
            }
            _ => {
                let rulings = self.rule_alone(request);
                self.client(client).closing = rulings.iter().any(Ruling::closes);
                self.without_key(request, replies, now)
            }
        };
        if let Step::Wrong(_) = step
            && self.client(client).ended
        {
            // Who leaves in the middle may be answered or not.
            return Step::Said(replies.len());
        }
        step
    }

    /// A request about one key.
    fn one_key(
        &mut self,
        client: u8,
        request: &Request,
        key: &[u8],
        replies: &[u8],
        now: Time,
    ) -> Step {
        let edge = self.item_max_bytes.saturating_sub(EDGE_BYTES);
        let length = request.block().len() as u64;
        let undecided = length > edge && length < self.item_max_bytes;
        let known = if undecided { None } else { self.known(key) };
        let contended = self.is_contended(key);
        if (known.is_none() || contended) && request.flag(b'q').is_some() {
            return self.quiet(key, replies, contended);
        }
        if let Some(known) = &known
            && let Some((world, said)) = lost_in_silence(known, request, now, self.admitted)
        {
            if said.starts_with(replies) && replies != said {
                return Step::Waits;
            }
            if replies.starts_with(&said) {
                return self.evicted_in_silence(client, key, world, said.len());
            }
        }
        let (judged, relation) = match known {
            Some(known) => (true, refine(&known, request, replies, now, self.admitted)),
            None => {
                let absent = Known::absent(&self.empty, key);
                let relation = refine(&absent, request, replies, now, Admitted::default());
                (false, relation)
            }
        };
        match relation {
            Relation::Waits => Step::Waits,
            Relation::Agrees(after, length, freedom) => {
                let decisive = length > 0 || overwrites(request);
                if !contended && !undecided && (judged || decisive) {
                    self.learn(key, *after);
                    self.agree(freedom);
                } else {
                    self.unknown(key, contended);
                }
                if undecided {
                    self.keys.insert(key.to_vec(), None);
                }
                Step::Said(length)
            }
            Relation::Differs(rulings) if judged && !contended => Step::Wrong(rulings),
            Relation::Differs(rulings) => {
                self.unknown(key, contended);
                self.keys.insert(key.to_vec(), None);
                anything(&rulings, replies)
            }
        }
    }

    /// A quiet request was answered as if its item were gone. Before a noop that is clear; any
    /// other request behind it may as well be the one that was answered.
    fn evicted_in_silence(&mut self, client: u8, key: &[u8], world: Known, length: usize) -> Step {
        let behind = self.client(client).queue.front();
        if behind.is_some_and(|next| next.command() != b"mn") {
            return Step::Lost("a quiet request whose item may have been evicted");
        }
        self.learn(key, world);
        self.agree(Some(Freedom::Eviction));
        Step::Said(length)
    }

    /// A quiet request about an item of which nothing is known: only a noop shows whether it was
    /// silent.
    fn quiet(&mut self, key: &[u8], replies: &[u8], contended: bool) -> Step {
        const NOOP: &[u8] = b"MN\r\n";
        if NOOP.starts_with(replies) && replies != NOOP {
            return Step::Waits;
        }
        self.unknown(key, contended);
        self.keys.insert(key.to_vec(), None);
        if replies.starts_with(NOOP) {
            Step::Said(0)
        } else {
            Step::Lost("a quiet request about an item of which nothing was known")
        }
    }

    /// `get` and its like: key by key, for each is seen at a moment of its own.
    fn retrieve(&mut self, request: &Request, keys: &[Vec<u8>], replies: &[u8], now: Time) -> Step {
        let Some((Reply::Values(values), length)) = Reply::read(replies) else {
            let rulings = self.rule_alone(request);
            return match Reply::read(replies) {
                None if may_become_a_reply(replies) => Step::Waits,
                // A bad key, a bad exptime: that needs no item to be said.
                _ if replies.starts_with(&bytes_of(&rulings)) => {
                    self.agree(None);
                    if !request.only_reads() {
                        self.forget_touched(request);
                    }
                    Step::Said(bytes_of(&rulings).len())
                }
                _ => Step::Wrong(rulings),
            };
        };
        let words = request.words();
        let head = words.get(..words.len().saturating_sub(keys.len()));
        let head = head.unwrap_or_default().join(&b' ');
        let (mut values, mut freedom, mut uncertain) = (values.into_iter().peekable(), None, None);
        for key in keys {
            let found = values.next_if(|value| value.key == *key);
            let one = Request::new([&head, b" ".as_slice(), key, b"\r\n"].concat());
            let contended = self.is_contended(key);
            let Some(known) = self.known(key).filter(|_| !contended) else {
                uncertain = Some((key, contended));
                let known = match found {
                    Some(value) => Known::found(&self.empty, &value, now),
                    None => Known::absent(&self.empty, key),
                };
                if !contended {
                    self.learn(key, known);
                }
                continue;
            };
            let mut said = Vec::new();
            Reply::Values(found.into_iter().collect()).print(&mut said);
            match refine(&known, &one, &said, now, self.admitted) {
                Relation::Agrees(after, _, taken) => {
                    self.learn(key, *after);
                    freedom = freedom.or(taken);
                }
                Relation::Differs(rulings) => return Step::Wrong(rulings),
                Relation::Waits => return Step::Waits,
            }
        }
        if values.next().is_some() {
            return Step::Wrong(self.rule_alone(request));
        }
        match uncertain {
            Some((key, contended)) => self.unknown(key, contended),
            None => self.agree(freedom),
        }
        Step::Said(length)
    }

    /// `flush_all`: what it does, it does to every item, and to those to come.
    fn flush(&mut self, request: &Request, replies: &[u8], now: Time) -> Step {
        let nothing = Known::absent(&self.empty, b"");
        match refine(&nothing, request, replies, now, Admitted::default()) {
            Relation::Agrees(_, length, _) => {
                Session::new().receive(&mut self.empty, &request.bytes, now);
                for known in self.keys.values_mut().flatten() {
                    known.rule(request, now);
                }
                self.agree(None);
                Step::Said(length)
            }
            Relation::Waits => Step::Waits,
            Relation::Differs(rulings) => Step::Wrong(rulings),
        }
    }

    /// A request about no item; statistics are read, and not judged.
    fn without_key(&mut self, request: &Request, replies: &[u8], now: Time) -> Step {
        if request.command() == b"stats" {
            let step = anything(&[], replies);
            if let Step::Said(_) = step {
                self.pass_over(request, "statistics");
            }
            return step;
        }
        let nothing = Known::absent(&self.empty, b"");
        match refine(&nothing, request, replies, now, Admitted::default()) {
            Relation::Agrees(_, length, _) => {
                self.agree(None);
                Step::Said(length)
            }
            Relation::Waits => Step::Waits,
            Relation::Differs(rulings) if told(&rulings) == Reply::Error => {
                self.pass_over(request, "a command the law does not have yet");
                anything(&rulings, replies)
            }
            Relation::Differs(rulings) => Step::Wrong(rulings),
        }
    }

    /// What is known of a key, as far as anything is.
    fn known(&self, key: &[u8]) -> Option<Known> {
        match self.keys.get(key) {
            Some(known) => known.clone(),
            None => self.fresh.then(|| Known::absent(&self.empty, key)),
        }
    }

    fn learn(&mut self, key: &[u8], known: Known) {
        self.known_bytes = self.known_bytes.saturating_add(known.size_bytes());
        let before = self.keys.insert(key.to_vec(), Some(known)).flatten();
        let before = before.map_or(0, |before| before.size_bytes());
        self.known_bytes = self.known_bytes.saturating_sub(before);
        if self.known_bytes > KNOWN_MAX_BYTES {
            self.forget_all();
        }
    }

    fn agree(&mut self, freedom: Option<Freedom>) {
        self.tally.agreed += 1;
        if let Some(freedom) = freedom {
            *self.tally.freedoms.entry(freedom).or_default() += 1;
        }
    }

    fn unknown(&mut self, key: &[u8], contended: bool) {
        let reason = if contended {
            self.keys.insert(key.to_vec(), None);
            "clients were under way with the key at once"
        } else {
            "nobody saw what was there before"
        };
        *self.tally.unknown.entry(reason).or_default() += 1;
    }

    /// Judges nothing, and remembers that.
    fn pass_over(&mut self, request: &Request, reason: &'static str) {
        if !request.swallowed {
            *self.tally.unknown.entry(reason).or_default() += 1;
            self.forget_touched(request);
        }
    }

    fn forget_touched(&mut self, request: &Request) {
        match request.touches() {
            Touches::Nothing => {}
            Touches::Keys(keys) => self.keys.extend(keys.into_iter().map(|key| (key, None))),
            Touches::Everything => self.forget_all(),
        }
    }

    fn skip_reply(&mut self, client: u8, replies: &[u8]) {
        match Reply::read(replies) {
            Some((_, length)) => {
                self.client(client).replies = replies.get(length..).unwrap_or_default().to_vec();
            }
            None => self.lose(client, "what came is no reply"),
        }
    }

    fn rule_alone(&self, request: &Request) -> Vec<Ruling> {
        Session::new().receive(&mut self.empty.clone(), &request.bytes, Time(0))
    }

    fn find(
        &mut self,
        client: u8,
        request: &Request,
        rulings: &[Ruling],
        replies: &[u8],
    ) -> Option<Finding> {
        self.tally.violations += 1;
        if self.tally.findings.len() >= FINDINGS_MAX {
            return None;
        }
        let length = Reply::read(replies).map_or(replies.len(), |(_, length)| length);
        let rules = rulings.iter().flat_map(|ruling| &ruling.because);
        let finding = Finding {
            client,
            request: request.bytes.clone(),
            ruled: bytes_of(rulings),
            observed: replies.get(..length).unwrap_or_default().to_vec(),
            rules: rules.map(|rule| rule.name).collect(),
        };
        self.tally.findings.push(finding.clone());
        Some(finding)
    }
}

/// What comes of looking at one request.
enum Step {
    /// Its reply is not all here.
    Waits,
    /// Its reply was so long.
    Said(usize),
    /// Which bytes are its reply, nobody can tell.
    Lost(&'static str),
    /// It was answered as no lawful server answers, for the model rules so.
    Wrong(Vec<Ruling>),
}

/// Takes any reply for the one that is due, if one is.
fn anything(rulings: &[Ruling], replies: &[u8]) -> Step {
    match Reply::read(replies) {
        Some((_, length)) => Step::Said(length),
        None if may_become_a_reply(replies) => Step::Waits,
        None => Step::Wrong(rulings.to_vec()),
    }
}

fn told(rulings: &[Ruling]) -> Reply {
    let told = rulings.last().map(|ruling| ruling.reply.clone());
    told.unwrap_or(Reply::Nothing)
}

fn bytes_of(rulings: &[Ruling]) -> Vec<u8> {
    rulings.iter().flat_map(Ruling::bytes).copied().collect()
}

/// Whether it does the same whatever was there.
fn overwrites(request: &Request) -> bool {
    let plain = request
        .flag(b'M')
        .is_none_or(|mode| mode == b"S" || mode == b"set");
    match request.command() {
        b"set" | b"delete" => true,
        b"ms" => plain && request.flag(b'C').is_none() && request.flag(b'I').is_none(),
        _ => false,
    }
}
