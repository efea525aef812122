//! A reply that no lawful server gives: what was ruled, what came, and how to go on behind it.
//!
//! It accuses only where `mod.rs` found a reply to be wrong. How findings are shown is in
//! `tally.rs` of the recorder.

use model::{Reply, Ruling, Session, Time};
use spec::req;

use super::{Judge, Step};
use crate::record::requests::Request;
use crate::record::tally::Finding;
use crate::refine::may_become_a_reply;

/// How many findings are kept in full.
const FINDINGS_MAX: usize = 20;

impl Judge {
    pub(super) fn find(
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
            order: None,
        };
        self.tally.findings.push(finding.clone());
        Some(finding)
    }

    /// No order explains what clients were told of a key: so it is drawn.
    pub(super) fn find_no_order(&mut self, key: &[u8], drawn: String) -> Option<Finding> {
        self.tally.violations += 1;
        if self.tally.findings.len() >= FINDINGS_MAX {
            return None;
        }
        let finding = Finding {
            client: 0,
            request: key.to_vec(),
            ruled: Vec::new(),
            observed: Vec::new(),
            rules: vec![req!("concurrency.key").name],
            order: Some(drawn),
        };
        self.tally.findings.push(finding.clone());
        Some(finding)
    }

    pub(super) fn skip_reply(&mut self, client: u8, replies: &[u8]) {
        match Reply::read(replies) {
            Some((_, length)) => {
                self.client(client).replies = replies.get(length..).unwrap_or_default().to_vec();
            }
            None => self.lose(client, "what came is no reply"),
        }
    }

    pub(super) fn rule_alone(&self, request: &Request) -> Vec<Ruling> {
        Session::new().receive(&mut self.empty.clone(), &request.bytes, Time(0))
    }
}

/// Takes any reply for the one that is due, if one is.
pub(super) fn anything(rulings: &[Ruling], replies: &[u8]) -> Step {
    match Reply::read(replies) {
        Some((_, length)) => Step::Said(length),
        None if may_become_a_reply(replies) => Step::Waits,
        None => Step::Wrong(rulings.to_vec()),
    }
}

pub(super) fn told(rulings: &[Ruling]) -> Reply {
    let told = rulings.last().map(|ruling| ruling.reply.clone());
    told.unwrap_or(Reply::Nothing)
}

pub(super) fn bytes_of(rulings: &[Ruling]) -> Vec<u8> {
    rulings.iter().flat_map(Ruling::bytes).copied().collect()
}
