//! `get` and its like: a list of keys, each seen at a moment of its own.
//!
//! No two keys are ever ruled together: between them others may have been served. One key alone is
//! in `one_key.rs`.

use model::{Reply, Time};

use super::finding::bytes_of;
use super::{Judge, Step};
use crate::record::requests::Request;
use crate::refine::{Known, Relation, may_become_a_reply, refine};

impl Judge {
    /// `get` and its like: key by key, for each is seen at a moment of its own.
    pub(super) fn retrieve(
        &mut self,
        request: &Request,
        keys: &[Vec<u8>],
        replies: &[u8],
        now: Time,
    ) -> Step {
        let Some((Reply::Values(values), length)) = Reply::read(replies) else {
            return self.no_list(request, replies);
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

    /// A bad key, a bad exptime: that needs no item to be said.
    fn no_list(&mut self, request: &Request, replies: &[u8]) -> Step {
        let rulings = self.rule_alone(request);
        match Reply::read(replies) {
            None if may_become_a_reply(replies) => Step::Waits,
            _ if replies.starts_with(&bytes_of(&rulings)) => {
                self.agree(None);
                if !request.only_reads() {
                    self.forget_touched(request);
                }
                Step::Said(bytes_of(&rulings).len())
            }
            _ => Step::Wrong(rulings),
        }
    }
}
