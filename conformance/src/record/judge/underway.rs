//! Who is under way with what.
//!
//! A key that two clients were under way with at once, one of them to change it, has no certain
//! order. What is then said of it is `unknown`; nothing is judged here. What is known of a key is
//! in `known.rs`.

use super::{Client, Judge};
use crate::record::requests::{Request, Touches};

/// How many keys clients may be under way with at once; beyond that all is forgotten.
const UNDERWAY_MAX: usize = 10_000;

impl Judge {
    /// Notes what a client is under way with; two clients make what they share uncertain.
    pub(super) fn enter(&mut self, client: u8, request: &Request) {
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

    pub(super) fn is_contended(&self, key: &[u8]) -> bool {
        let shared = self.underway.get(key);
        shared.is_some_and(|(clients, changes)| *changes && clients.len() > 1)
    }

    /// Where nobody is under way any more, the order of what was is certain.
    pub(super) fn rest(&mut self) {
        let idle = |client: &Client| client.queue.is_empty() && !client.unfenced;
        if self.clients.values().all(idle) {
            for (key, (clients, changes)) in std::mem::take(&mut self.underway) {
                if changes && clients.len() > 1 {
                    self.keys.insert(key, None);
                }
            }
        }
    }
}
