//! A client of a simulated server: what it has sent and been told, and what it knows of items.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use conformance::record::requests::Request;
use server::session::onlooker::Told;

use super::wire::Wire;

type Conversation = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// A client's request on its way.
pub(super) struct Sent {
    pub(super) request: Request,
    pub(super) closes: bool,
    /// Where it begins and ends in all that the client has sent.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Memory was refused while only part of it was there: maybe to it.
    pub(super) is_refused: bool,
}

/// A client that is connected.
pub(super) struct Client {
    pub(super) conversation: Conversation,
    pub(super) wire: Rc<RefCell<Wire>>,
    pub(super) told: Arc<Mutex<Told>>,
    /// What the client has sent that does not arrive yet.
    pub(super) held: Vec<u8>,
    pub(super) sent_bytes: u64,
    pub(super) queue: VecDeque<Sent>,
    /// Where the last request ends that was answered.
    pub(super) answered: u64,
    /// What was said and not judged.
    pub(super) said: Vec<u8>,
    /// What was said and the client has not got.
    pub(super) owed: VecDeque<u8>,
    /// Its last request lets the server close.
    pub(super) is_closing: bool,
    /// Since when part of a request is there, or it has not read.
    pub(super) waits_since: Option<u64>,
    /// Where the request begins of which that part is.
    pub(super) waits_for: Option<u64>,
    pub(super) blocked_since: Option<u64>,
}

impl Client {
    /// Notes since when part of a request is there, and when the line of its block came: what is
    /// stored counts from then.
    pub(super) fn note_progress(&mut self, now: model::Time, elapsed: u64) {
        let read = self.wire.borrow().read;
        if let Some(sent) = self.queue.front_mut() {
            let block = sent.request.block().len() as u64;
            if sent.request.began.is_none() && sent.end.saturating_sub(block) <= read {
                sent.request.began = Some(now);
            }
        }
        let front = self.queue.front();
        let part = front.filter(|sent| sent.start < read && sent.end > read);
        let amid = part.map(|sent| sent.start);
        let amid = amid.or((read < self.answered).then_some(self.answered));
        // Who ends one request and begins the next in one breath is waited for anew.
        if amid != self.waits_for {
            self.waits_for = amid;
            self.waits_since = amid.map(|_| elapsed);
        }
    }
}

/// What is said of a client that is answered otherwise than the law rules.
pub(super) fn differ(number: u8, client: &Client, owed: &str) -> String {
    const SHOWN_MAX: usize = 300;
    let request = client
        .queue
        .front()
        .map_or(&[][..], |sent| &sent.request.bytes);
    let shown = |bytes: &[u8]| {
        bytes
            .get(..SHOWN_MAX)
            .unwrap_or(bytes)
            .escape_ascii()
            .to_string()
    };
    format!(
        "client {number} asks  `{}`\nthe server says `{}`\nthe law says    {owed}",
        shown(request),
        shown(&client.said),
    )
}

/// Remembers the uniques that were shown.
pub(super) fn learn_uniques(
    uniques: &mut BTreeMap<Vec<u8>, Vec<u64>>,
    request: &Request,
    said: Option<&[u8]>,
) {
    const KEPT: usize = 4;
    let said = said.unwrap_or_default();
    let mut learn = |key: &[u8], unique: u64| {
        let known = uniques.entry(key.to_vec()).or_default();
        if known.last() != Some(&unique) {
            known.push(unique);
            let surplus = known.len().saturating_sub(KEPT);
            known.drain(..surplus);
        }
    };
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u64>().ok();
    if let (Some(frame), Some(header)) = (request.frame(), said.first_chunk::<24>()) {
        let [.., a, b, c, d, e, f, g, h] = *header;
        let unique = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        if unique != 0 {
            learn(frame.key, unique);
        }
        return;
    }
    let line = said.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    match (request.command(), words.as_slice()) {
        (b"gets" | b"gats", [b"VALUE", key, _, _, unique]) => {
            number(unique)
                .into_iter()
                .for_each(|unique| learn(key, unique));
        }
        (b"mg" | b"ms" | b"ma", words) => {
            let key = request.words().get(1).copied().unwrap_or_default();
            let shown = words
                .iter()
                .find_map(|word| number(word.strip_prefix(b"c")?));
            shown.into_iter().for_each(|unique| learn(key, unique));
        }
        _ => {}
    }
}
