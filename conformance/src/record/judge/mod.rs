//! Judges what real clients were answered, while they are.
//!
//! Requests are ruled in the order in which they were observed, one model for each key. Where that
//! order is not certain, because clients were under way with one key at the same time, the checker
//! of `linear/` looks for one that explains every reply. Where that cannot be told either, or
//! nobody knows what was there before, it says `unknown` and never guesses.
//!
//! `underway.rs`: who is under way with what, and in which order. `asked.rs`: what the checker sees
//! of it. `known.rs`: what is known of a key. `one_key.rs`,
//! `retrieval.rs` and `everything.rs`: the requests by what they touch. `finding.rs`: what was
//! wrong. What a server may choose is settled in `refine.rs`; what is written down, in
//! `notation.rs`.

mod asked;
mod everything;
mod finding;
mod known;
mod one_key;
mod retrieval;
mod underway;

use std::collections::{BTreeMap, VecDeque};

use model::{Model, Reply, Ruling, Time};

use super::requests::{Request, Touches};
use super::tally::{Finding, Tally};
use crate::refine::{Admitted, Known, may_become_a_reply};
use underway::Underway;

/// Why nothing is said of a client that watches.
const WATCHES: &str = "who watches is told what it did not ask for";

/// Why nothing is said of a key that clients shared.
const SHARED: &str = "clients were under way with the key at once, and its order is not known";

/// How much of an unfinished reply is waited for.
const REPLY_MAX_BYTES: usize = 64 << 20;

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
    /// Who has been under way with what since nobody was.
    underway: BTreeMap<Vec<u8>, Underway>,
    /// So many moments there were until now: one for each request, and for each reply.
    moment: u64,
    /// A flush was asked for that comes some time.
    flushes_later: bool,
    /// What it found so far.
    pub tally: Tally,
}

#[derive(Debug, Default)]
struct Client {
    queue: VecDeque<Request>,
    replies: Vec<u8>,
    /// A request of its was silent, and nothing shows yet that it was served.
    unfenced: bool,
    /// The keys of those requests.
    untold: Vec<Vec<u8>>,
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
            moment: 0,
            flushes_later: false,
            tally: Tally::default(),
        }
    }

    /// A client sent this request, which the server has not seen yet. The findings are new.
    pub fn sent(&mut self, client: u8, request: Request, now: Time) -> Vec<Finding> {
        self.enter(client, &request, now);
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
            findings.extend(self.abandon(client, request));
        }
        findings.extend(self.never_told(client, gone.untold));
        findings
    }

    /// Nothing more will come: judges what is under way. The findings are new.
    pub fn conclude(&mut self) -> Vec<Finding> {
        let keys: Vec<Vec<u8>> = self.underway.keys().cloned().collect();
        let clients: Vec<u8> = self.clients.keys().copied().collect();
        let mut findings = Vec::new();
        for client in clients {
            let gone = self.clients.remove(&client).unwrap_or_default();
            for request in &gone.queue {
                findings.extend(self.abandon(client, request));
            }
            findings.extend(self.never_told(client, keys.clone()));
        }
        findings
    }

    /// Of this client's connection nothing can be said from here on.
    pub fn lose(&mut self, client: u8, reason: &'static str) {
        let lost = self.client(client);
        lost.lost = Some(reason);
        lost.replies.clear();
        let queue = std::mem::take(&mut lost.queue);
        lost.unfenced = false;
        let untold = std::mem::take(&mut lost.untold);
        for request in queue {
            self.pass_over(&request, reason);
            self.give_up(&request);
            self.abandon(client, &request);
        }
        self.never_told(client, untold);
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

    /// Judges the requests whose replies are here.
    fn advance(&mut self, client: u8, now: Time) -> Vec<Finding> {
        let mut findings = Vec::new();
        while let Some(request) = self.client(client).queue.pop_front() {
            if let Some(reason) = self.client(client).lost {
                self.pass_over(&request, reason);
                self.give_up(&request);
                self.abandon(client, &request);
                continue;
            }
            if self.client(client).closing {
                findings.extend(self.abandon(client, &request));
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
                    let (said, rest) = replies.split_at(length.min(replies.len()));
                    speaker.replies = rest.to_vec();
                    findings.extend(self.leave(client, &request, said));
                }
                Step::Lost(reason) => {
                    self.give_up(&request);
                    self.abandon(client, &request);
                    self.lose(client, reason);
                }
                Step::Wrong(rulings) => {
                    findings.extend(self.find(client, &request, &rulings, &replies));
                    self.forget_touched(&request);
                    self.give_up(&request);
                    self.abandon(client, &request);
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
        if request.is_astray() {
            self.client(client).closing = true;
            return Step::Said(0);
        }
        let lists = matches!(request.command(), b"get" | b"gets" | b"gat" | b"gats");
        if lists && Reply::read(replies).is_none() && may_become_a_reply(replies) {
            return Step::Waits;
        }
        if request.command() == b"watch" {
            return Step::Lost(WATCHES);
        }
        let rulings = match request.touches() {
            Touches::Keys(keys) if !keys.is_empty() && request.frame().is_none() => Vec::new(),
            _ => self.rule_alone(request),
        };
        let step = match (request.touches(), request.command()) {
            (Touches::Everything, _) => self.flush(request, replies, now),
            (Touches::Keys(keys), b"get" | b"gets" | b"gat" | b"gats") if !keys.is_empty() => {
                self.retrieve(request, &keys, replies, now)
            }
            (Touches::Keys(keys), _) if keys.len() == 1 => {
                self.one_key(client, request, &keys.concat(), replies, now)
            }
            _ => self.without_key(request, replies, now),
        };
        if let Step::Said(_) = step
            && rulings.iter().any(Ruling::closes)
        {
            self.client(client).closing = true;
        }
        if let Step::Wrong(_) = step
            && self.client(client).ended
        {
            // Who leaves in the middle may be answered or not.
            return Step::Said(replies.len());
        }
        step
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
