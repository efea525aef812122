//! Requests about every item, or about none.
//!
//! Statistics are read and never judged: what they count, other clients move. Requests about keys
//! are in `one_key.rs` and `retrieval.rs`.

use model::{Reply, Session, Time};

use super::finding::{anything, told};
use super::{Judge, Step};
use crate::record::frames::Verb;
use crate::record::requests::Request;
use crate::refine::{Admitted, Known, Relation, refine};

impl Judge {
    /// `flush_all`: what it does, it does to every item, and to those to come.
    pub(super) fn flush(&mut self, request: &Request, replies: &[u8], now: Time) -> Step {
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
    pub(super) fn without_key(&mut self, request: &Request, replies: &[u8], now: Time) -> Step {
        if let Some(reason) = unjudged(request) {
            let step = anything(&[], replies);
            if let Step::Said(_) = step {
                self.pass_over(request, reason);
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
            Relation::Differs(rulings) if is_unheard_of(&told(&rulings)) => {
                self.pass_over(request, "a command the law does not have yet");
                anything(&rulings, replies)
            }
            Relation::Differs(rulings) => Step::Wrong(rulings),
        }
    }
}

/// Why nothing is said of the reply to such a request.
fn unjudged(request: &Request) -> Option<&'static str> {
    let verb = request.frame().map(|frame| frame.verb());
    match (request.command(), verb) {
        (b"stats", _) | (_, Some(Verb::Stat)) => Some("statistics"),
        (_, Some(Verb::Login)) => Some("who a client is"),
        _ => None,
    }
}

/// Whether it says that there is no such command.
fn is_unheard_of(reply: &Reply) -> bool {
    const UNKNOWN_COMMAND: u16 = 0x81;
    match reply {
        Reply::Packets(packets) => packets
            .iter()
            .all(|packet| packet.status == UNKNOWN_COMMAND),
        reply => *reply == Reply::Error,
    }
}
