//! A request about one key.
//!
//! It is ruled by what is known of that key alone; where nothing is, or the order is not certain,
//! nobody is accused. Lists of keys are in `retrieval.rs`.

use model::Time;

use super::finding::anything;
use super::{Judge, Step};
use crate::record::frames::{Frame, Verb};
use crate::record::requests::Request;
use crate::refine::{Admitted, Freedom, Known, Relation, lost_in_silence, refine};

/// Items so near to the largest may be refused or not: headers differ.
const EDGE_BYTES: u64 = 1024;

/// Why nothing is said of a connection any more.
const QUIET: &str = "a quiet request about an item of which nothing was known";

impl Judge {
    /// A request about one key.
    pub(super) fn one_key(
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
        if (known.is_none() || contended) && request.is_quiet() {
            return match request.frame() {
                Some(frame) => self.quiet_frame(client, frame, replies, contended),
                None => self.quiet(key, replies, contended),
            };
        }
        if let Some(known) = &known
            && let Some((world, said)) = lost_in_silence(known, request, now, self.admitted)
        {
            if said.starts_with(replies) && replies != said {
                return Step::Waits;
            }
            if replies.starts_with(&said) {
                return self.evicted_in_silence(client, request, key, world, said.len());
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

    /// A quiet request was answered as if its item were gone. Before a noop that is clear, or where
    /// a frame says what it answers; any other may as well be the one that was answered.
    pub(super) fn evicted_in_silence(
        &mut self,
        client: u8,
        request: &Request,
        key: &[u8],
        world: Known,
        length: usize,
    ) -> Step {
        let behind = self.client(client).queue.front();
        let is_unclear = match request.frame() {
            Some(frame) => self.is_answered_alike(client, frame),
            None => behind.is_some_and(|next| next.command() != b"mn"),
        };
        if is_unclear {
            return Step::Lost("a quiet request whose item may have been evicted");
        }
        self.learn(key, world);
        self.agree(Some(Freedom::Eviction));
        Step::Said(length)
    }

    /// A quiet request about an item of which nothing is known: only a noop shows whether it was
    /// silent.
    pub(super) fn quiet(&mut self, key: &[u8], replies: &[u8], contended: bool) -> Step {
        const NOOP: &[u8] = b"MN\r\n";
        if NOOP.starts_with(replies) && replies != NOOP {
            return Step::Waits;
        }
        self.unknown(key, contended);
        self.keys.insert(key.to_vec(), None);
        if replies.starts_with(NOOP) {
            Step::Said(0)
        } else {
            Step::Lost(QUIET)
        }
    }

    /// The same of a frame: a reply says which request it answers.
    fn quiet_frame(
        &mut self,
        client: u8,
        frame: Frame<'_>,
        replies: &[u8],
        contended: bool,
    ) -> Step {
        let Some(header) = replies.first_chunk() else {
            return Step::Waits;
        };
        let step = match frame.is_answered_by(header) {
            true if self.is_answered_alike(client, frame) => return Step::Lost(QUIET),
            true => anything(&[], replies),
            false => Step::Said(0),
        };
        if !matches!(step, Step::Waits) {
            self.unknown(frame.key, contended);
            self.keys.insert(frame.key.to_vec(), None);
        }
        step
    }

    /// Whether a reply to this frame could be one to another that the client sent behind it.
    fn is_answered_alike(&mut self, client: u8, frame: Frame<'_>) -> bool {
        let mut behind = self.client(client).queue.iter();
        behind.any(|next| next.frame().is_some_and(|next| next.is_answered_as(&frame)))
    }
}

/// Whether it does the same whatever was there.
fn overwrites(request: &Request) -> bool {
    if let Some(frame) = request.frame() {
        return matches!(frame.verb(), Verb::Set | Verb::Delete) && frame.unique == 0;
    }
    let plain = request
        .flag(b'M')
        .is_none_or(|mode| mode == b"S" || mode == b"set");
    match request.command() {
        b"set" | b"delete" => true,
        b"ms" => plain && request.flag(b'C').is_none() && request.flag(b'I').is_none(),
        _ => false,
    }
}
