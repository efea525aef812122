//! Who is under way with what, and whether any order explains what they were told.
//!
//! A key that two clients were under way with at once, one of them to change it, has no certain
//! order. What they asked and were told is kept until nobody is under way with it any more; then
//! the checker of `linear/` looks for an order that explains every reply. It never guesses: what
//! the checker does not follow, or gives up on, is unknown. What the words of a request mean to it
//! is in `asked.rs`; what is known of a key otherwise, in `known.rs`.

use std::collections::{BTreeSet, VecDeque};
use std::mem;

use model::Time;

use super::asked::{Asked, asked, followed, told};
use super::{Judge, SHARED};
use crate::linear::history::{History, NEVER, Op, Reply};
use crate::linear::step::{Freedom, Item, State};
use crate::linear::{self, Verdict};
use crate::record::requests::{Request, Touches};
use crate::record::tally::Finding;

/// How many keys clients may be under way with at once; beyond that all is forgotten.
const UNDERWAY_MAX: usize = 10_000;
/// So many requests for one key are judged at once; beyond that they are judged in parts.
const OPS_MAX: usize = 4096;
/// Values so long are not followed: a server may refuse to join them.
const FOLLOWED_MAX_BYTES: usize = 512 << 10;
/// So many steps are tried to find an order.
const STEPS_MAX: u64 = 500_000;

/// What is under way with one key since nobody was.
#[derive(Debug, Default)]
pub(super) struct Underway {
    clients: BTreeSet<u8>,
    changes: bool,
    start: State,
    history: History,
    /// Who waits for a reply, in the order of asking, and to which operation of the history.
    waiting: VecDeque<(u8, Option<usize>)>,
    /// Who was told nothing, and nothing shows yet that it was served.
    untold: Vec<(u8, Option<usize>)>,
    /// The requests that no ruling was held against.
    unjudged: u64,
    bytes: usize,
    /// It holds what the checker does not follow.
    lost: bool,
}

impl Underway {
    fn is_contended(&self) -> bool {
        self.changes && self.clients.len() > 1
    }

    fn ask(&mut self, client: u8, request: &Request, words: Option<&[&[u8]]>, moment: u64) {
        self.clients.insert(client);
        self.changes |= !request.only_reads();
        self.bytes = self.bytes.saturating_add(request.bytes.len());
        let values = &mut self.history.values;
        let place = match words.and_then(|words| asked(request, words, values)) {
            Some(Asked { request, mortal }) => {
                self.history.free.forgets |= mortal;
                self.history.ops.push(Op {
                    key: 0,
                    client: u16::from(client),
                    sent: moment,
                    answered: NEVER,
                    request,
                    reply: Reply::Untold,
                });
                self.history.ops.len().checked_sub(1)
            }
            None => {
                self.lost = true;
                None
            }
        };
        self.lost |= self.bytes > FOLLOWED_MAX_BYTES;
        self.waiting.push_back((client, place));
    }

    /// The client's first request that waits, which waits no more.
    fn answered(&mut self, client: u8) -> Option<Option<usize>> {
        let place = self.waiting.iter().position(|(who, _)| *who == client)?;
        self.waiting.remove(place).map(|(_, op)| op)
    }

    /// Judges what is here; what is still under way may have had its effect, or has it later.
    fn judge(&mut self) -> Verdict {
        let verdict = match self.lost {
            true => Verdict::Unknown(Vec::new()),
            false => linear::judge_from(self.start, &mut self.history, STEPS_MAX),
        };
        if let Verdict::Linearizable | Verdict::Unknown(_) = verdict {
            self.begin_anew();
        }
        verdict
    }

    /// Forgets what was answered.
    fn begin_anew(&mut self) {
        let mut history = History {
            free: self.history.free,
            ..History::default()
        };
        let places = self.waiting.iter_mut().chain(&mut self.untold);
        for (_, place) in places {
            let open = place
                .take()
                .and_then(|place| self.history.ops.get(place).copied());
            if let Some(open) = open {
                let request = open
                    .request
                    .moved(&self.history.values, &mut history.values);
                history.ops.push(Op {
                    sent: 0,
                    request,
                    ..open
                });
            }
        }
        (self.history, self.unjudged) = (history, 0);
        self.start.item = Item::Anything;
        (self.start.bound, self.start.unique) = (false, 0);
    }
}

impl Judge {
    /// Notes what a client is under way with; two clients make what they share uncertain.
    pub(super) fn enter(&mut self, client: u8, request: &Request, now: Time) {
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
                self.flushes_later |= flushes_later(request);
                self.underway.values_mut().for_each(|all| all.lost = true);
                return;
            }
        };
        self.moment += 1;
        // Once for all keys, which may be many.
        let words = followed(request);
        for key in keys {
            if !self.underway.contains_key(&key) {
                let first = self.first(&key, now);
                self.underway.insert(key.clone(), first);
            }
            if let Some(shared) = self.underway.get_mut(&key) {
                shared.ask(client, request, words.as_deref(), self.moment);
            }
        }
        if self.underway.len() > UNDERWAY_MAX {
            self.underway.clear();
            self.forget_all();
        }
    }

    /// A key that nobody is under way with.
    fn first(&self, key: &[u8], now: Time) -> Underway {
        let mut queues = self.clients.values().flat_map(|client| &client.queue);
        let flushed = queues.any(|request| request.touches() == Touches::Everything);
        let mut first = Underway {
            lost: self.flushes_later || flushed,
            ..Underway::default()
        };
        first.history.free = Freedom {
            forgets: self.admitted.pressure,
            ..Freedom::default()
        };
        first.start.item = Item::Anything;
        match self.known(key).as_ref().map(|known| known.item(now)) {
            Some(None) => first.start.item = Item::Absent,
            Some(Some(item)) if item.is_certain => {
                first.history.free.forgets |= item.is_mortal;
                first.start = State {
                    item: Item::Present(first.history.values.of(&item.data)),
                    bound: item.unique > 0,
                    unique: item.unique,
                };
            }
            Some(Some(_)) | None => {}
        }
        first
    }

    pub(super) fn is_contended(&self, key: &[u8]) -> bool {
        self.underway.get(key).is_some_and(Underway::is_contended)
    }

    /// One more request for a key was not held against a ruling, since others were under way.
    pub(super) fn leave_to_order(&mut self, key: &[u8]) {
        self.keys.insert(key.to_vec(), None);
        if let Some(shared) = self.underway.get_mut(key) {
            shared.unjudged += 1;
        }
    }

    /// A client was told this to a request. Keys with which nobody is under way now are judged.
    pub(super) fn leave(&mut self, client: u8, request: &Request, said: &[u8]) -> Vec<Finding> {
        self.moment += 1;
        let mut keys = BTreeSet::new();
        if !said.is_empty() {
            keys.extend(mem::take(&mut self.client(client).untold));
            for key in &keys {
                if let Some(shared) = self.underway.get_mut(key) {
                    let all = mem::take(&mut shared.untold);
                    let (served, rest) = all.into_iter().partition(|(who, _)| *who == client);
                    shared.untold = rest;
                    let served: Vec<(u8, Option<usize>)> = served;
                    for place in served.into_iter().filter_map(|(_, place)| place) {
                        if let Some(op) = shared.history.ops.get_mut(place) {
                            op.answered = self.moment;
                        }
                    }
                }
            }
        }
        if let Touches::Keys(asked) = request.touches() {
            let replies = told(request, &asked, said);
            for (key, reply) in asked.iter().zip(replies) {
                let Some(shared) = self.underway.get_mut(key) else {
                    continue;
                };
                let Some(place) = shared.answered(client) else {
                    continue;
                };
                if said.is_empty() {
                    shared.untold.push((client, place));
                    self.clients
                        .entry(client)
                        .or_default()
                        .untold
                        .push(key.clone());
                } else if let Some(op) = place.and_then(|at| shared.history.ops.get_mut(at)) {
                    op.reply = reply.settled(op.request, &mut shared.history.values);
                    op.answered = self.moment;
                }
                keys.insert(key.clone());
            }
        }
        self.settle(keys)
    }

    /// Nobody will know what became of this request.
    pub(super) fn abandon(&mut self, client: u8, request: &Request) -> Vec<Finding> {
        let Touches::Keys(keys) = request.touches() else {
            return Vec::new();
        };
        for key in &keys {
            if let Some(shared) = self.underway.get_mut(key) {
                shared.answered(client);
                shared.untold.retain(|(who, _)| *who != client);
            }
        }
        self.settle(keys.into_iter().collect())
    }

    /// Of these keys nobody will know what this client's silent requests did.
    pub(super) fn never_told(&mut self, client: u8, keys: Vec<Vec<u8>>) -> Vec<Finding> {
        for key in &keys {
            if let Some(shared) = self.underway.get_mut(key) {
                shared.untold.retain(|(who, _)| *who != client);
            }
        }
        self.settle(keys.into_iter().collect())
    }

    /// Of these keys nothing is judged that is under way now.
    pub(super) fn give_up(&mut self, request: &Request) {
        if let Touches::Keys(keys) = request.touches() {
            for key in keys {
                if let Some(shared) = self.underway.get_mut(&key) {
                    shared.lost = true;
                }
            }
        }
    }

    /// Judges those of these keys with which nobody is under way, or too many were.
    pub(super) fn settle(&mut self, keys: BTreeSet<Vec<u8>>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for key in keys {
            let Some(shared) = self.underway.get_mut(&key) else {
                continue;
            };
            let is_over = shared.waiting.is_empty() && shared.untold.is_empty();
            let is_full = shared.history.ops.len() > OPS_MAX;
            if is_over && !shared.is_contended() {
                self.underway.remove(&key);
            } else if is_over || is_full {
                findings.extend(self.order(&key));
                if is_over {
                    self.underway.remove(&key);
                }
            }
        }
        findings
    }

    /// Whether an order explains what was told of this key.
    fn order(&mut self, key: &[u8]) -> Option<Finding> {
        let shared = self.underway.get_mut(key)?;
        let (contended, unjudged) = (shared.is_contended(), shared.unjudged);
        let verdict = shared.judge();
        if contended {
            self.keys.insert(key.to_vec(), None);
        }
        match verdict {
            Verdict::Linearizable => {
                self.tally.agreed += unjudged;
                self.tally.ordered += unjudged;
                None
            }
            Verdict::Unknown(_) => {
                if unjudged > 0 {
                    *self.tally.unknown.entry(SHARED).or_default() += unjudged;
                }
                None
            }
            Verdict::Not(refutation) => {
                let shared = self.underway.get_mut(key)?;
                let drawn = linear::explain_from(shared.start, &mut shared.history, refutation);
                shared.begin_anew();
                let rest = unjudged.saturating_sub(1);
                if rest > 0 {
                    *self.tally.unknown.entry(SHARED).or_default() += rest;
                }
                self.find_no_order(key, drawn.to_string())
            }
        }
    }
}

/// Whether a flush is to come at a later moment.
fn flushes_later(request: &Request) -> bool {
    if let Some(frame) = request.frame() {
        return frame.number32(0).is_some_and(|delay| delay != 0);
    }
    let words = request.words();
    let delay = words.get(1).filter(|word| **word != b"noreply");
    delay.is_some_and(|delay| *delay != b"0")
}
