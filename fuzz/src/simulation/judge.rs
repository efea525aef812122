//! Holds what the server says against the law, request by request, in the order in which it carried
//! them out.
//!
//! What a lawful server may say is [`conformance::refine`]'s to know; what it may say where memory
//! was refused to it, the model rules that has no room (`starved.rs`). Here is only which requests
//! are due. A key may have several pasts that cannot be told apart yet; each is followed.

use std::collections::BTreeMap;

use conformance::record::requests::{Change, Request, Touches};
use conformance::refine::{Admitted, Known, Relation, lost_in_silence, refine};
use model::{Model, Options, Ruling, Session, Time};
use spec::Dialect;

use super::dump::Dump;
use super::starved;

/// So many pasts of a key are followed.
const PASTS_MAX: usize = 8;

/// What is known of a key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pasts: Vec<Known>,
    /// It may have been evicted.
    is_excused: bool,
}

impl Key {
    /// Whether it may have an item.
    pub(super) fn may_be_there(&self, now: Time) -> bool {
        self.pasts.iter().any(|past| past.item(now).is_some())
    }

    /// Whether it has one for certain.
    pub(super) fn is_there(&self, now: Time) -> bool {
        !self.is_excused && self.pasts.iter().all(|past| past.item(now).is_some())
    }
}

/// What came of a request.
pub(super) enum Verdict {
    /// So many of the bytes are its reply.
    Said(usize),
    /// It has not been answered whole.
    Waits,
    /// No lawful server answers so; this is what was owed.
    Differs(String),
}

/// A retrieval of many keys that has been answered in part.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// How many of its keys are answered.
    answered: usize,
    /// What the others may have been when they were looked up.
    keys: BTreeMap<Vec<u8>, Key>,
    /// What it asks for each of them, without the key.
    head: Vec<u8>,
}

impl Listing {
    /// What a key may be, of which nobody knows yet whether it was looked up, and so touched.
    fn perhaps_touched(&self, name: &[u8], key: &mut Key, now: Time) {
        if self.head.starts_with(b"gat") {
            let mut touched = key.pasts.clone();
            let one = one_of(&self.head, name);
            touched.iter_mut().for_each(|past| past.rule(&one, now));
            key.pasts.extend(touched);
        }
    }
}

/// Who judges one server.
#[derive(Debug)]
pub(super) struct Judge {
    empty: Model,
    pub(super) keys: BTreeMap<Vec<u8>, Key>,
    /// Whatever is stored may be evicted.
    pub(super) has_pressure: bool,
    /// Items may make room for others.
    evicts: bool,
    /// Memory is refused just now.
    pub(super) is_refused: bool,
    /// Those that are under way, by client.
    listings: BTreeMap<u8, Listing>,
    pub(super) dumps: BTreeMap<u8, Dump>,
}

impl Judge {
    pub(super) fn new(has_pressure: bool, evicts: bool) -> Judge {
        Judge {
            empty: Model::new(Options::default(), Dialect::default()),
            keys: BTreeMap::new(),
            has_pressure,
            evicts,
            is_refused: false,
            listings: BTreeMap::new(),
            dumps: BTreeMap::new(),
        }
    }

    /// Every key that was ever asked for.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        self.keys.keys().cloned().collect()
    }

    /// Whatever is stored now may have been evicted, where that is done, for memory was refused.
    pub(super) fn excuse_all(&mut self) {
        for key in self.keys.values_mut() {
            key.is_excused |= self.evicts;
        }
        self.dumps.values_mut().for_each(Dump::excuse_all);
    }

    /// This client's connection is no more.
    pub(super) fn leave(&mut self, client: u8) {
        self.listings.remove(&client);
        self.dumps.remove(&client);
    }

    /// Judges a request by the bytes that begin with its reply. They are all there are where the
    /// server `has_said_all`; else the end of a list may be missing.
    pub(super) fn judge(
        &mut self,
        client: u8,
        request: &Request,
        said: &[u8],
        now: Time,
    ) -> Verdict {
        let lists = matches!(request.command(), b"get" | b"gets" | b"gat" | b"gats");
        match request.touches() {
            _ if request.command() == b"lru_crawler" => self.dump(client, request, said, now),
            Touches::Everything => self.flush(request, said, now),
            Touches::Keys(keys)
                if lists && !keys.is_empty() && keys.iter().all(|key| is_key(key)) =>
            {
                self.list(client, request, &keys, said, now)
            }
            Touches::Keys(keys) if keys.len() == 1 => self.one(request, &keys.concat(), said, now),
            _ => {
                let nothing = Known::absent(&self.empty, b"");
                verdict(refine(&nothing, request, said, now, Admitted::default()))
            }
        }
    }

    pub(super) fn key(&self, key: &[u8]) -> Key {
        let known = self.keys.get(key).cloned();
        known.unwrap_or_else(|| Key {
            pasts: vec![Known::absent(&self.empty, key)],
            is_excused: false,
        })
    }

    fn learn(&mut self, name: &[u8], mut key: Key, now: Time) {
        for dump in self.dumps.values_mut() {
            dump.learn(name, &key, now);
        }
        for listing in self.listings.values_mut() {
            if let Some(seen) = listing.keys.get_mut(name) {
                seen.pasts.extend(key.pasts.iter().cloned());
                seen.is_excused |= key.is_excused;
                listing.perhaps_touched(name, &mut key, now);
            }
        }
        self.keys.insert(name.to_vec(), key);
    }

    /// A request about one key.
    fn one(&mut self, request: &Request, name: &[u8], said: &[u8], now: Time) -> Verdict {
        let key = self.key(name);
        let admitted = self.admitted(&key);
        let mut agreed: Vec<(Known, usize)> = Vec::new();
        let mut owed = None;
        for past in &key.pasts {
            if let Some((world, lost)) = lost_in_silence(past, request, now, admitted)
                && said.starts_with(&lost)
            {
                agreed.push((world, lost.len()));
            }
            // Of a block that came slowly, the exptime counts from its line.
            if let Some(began) = request.began.filter(|began| *began != now)
                && let Relation::Agrees(after, length, _) =
                    refine(past, request, said, began, admitted)
            {
                agreed.push((*after, length));
            }
            match refine(past, request, said, now, admitted) {
                Relation::Agrees(after, length, _) => agreed.push((*after, length)),
                Relation::Waits => owed = owed.or(Some(Verdict::Waits)),
                Relation::Differs(rulings) => {
                    owed = owed.or_else(|| Some(Verdict::Differs(shown(&rulings))));
                }
            }
            if self.is_refused {
                let refused = starved::refuse(&self.empty, past, name, request, said, now);
                agreed.extend(refused);
            }
        }
        let Some(length) = agreed.iter().map(|(_, length)| *length).max() else {
            return owed.unwrap_or(Verdict::Waits);
        };
        let pasts = agreed.into_iter().filter(|(_, said)| *said == length);
        let pasts: Vec<Known> = pasts.map(|(past, _)| past).take(PASTS_MAX).collect();
        // What was refused may have cost others their place; what was stored since has its own.
        let is_stored = request.change() != Change::Nothing;
        let may_go = self.is_refused && self.evicts;
        let is_excused = may_go || key.is_excused && !is_stored;
        self.learn(name, Key { pasts, is_excused }, now);
        Verdict::Said(length)
    }

    fn admitted(&self, key: &Key) -> Admitted {
        Admitted {
            pressure: self.has_pressure || key.is_excused || self.is_refused && self.evicts,
        }
    }

    /// `get` and its like: each key as it was when it was looked up.
    fn list(
        &mut self,
        client: u8,
        request: &Request,
        names: &[Vec<u8>],
        said: &[u8],
        now: Time,
    ) -> Verdict {
        let mut listing = self.listings.remove(&client).unwrap_or_default();
        let words = request.words();
        let head = words.get(..words.len().saturating_sub(names.len()));
        listing.head = head.unwrap_or_default().join(&b' ');
        let mut used = 0;
        while let Some(name) = names.get(listing.answered) {
            let rest = said.get(used..).unwrap_or_default();
            let block = match next_value(rest) {
                Next::Value(key, length) if key == name.as_slice() => length,
                Next::Value(..) | Next::End => 0,
                Next::Nothing => break,
                Next::Other => {
                    return Verdict::Differs(format!(
                        "the value of {} or none",
                        name.escape_ascii()
                    ));
                }
            };
            let value = rest.get(..block).unwrap_or_default();
            let one = one_of(&listing.head, name);
            let then = listing.keys.remove(name);
            if let Err(owed) = self.one_of_list(&one, name, then, value, now) {
                return Verdict::Differs(owed);
            }
            used += block;
            listing.answered += 1;
        }
        if listing.answered == names.len() {
            let rest = said.get(used..).unwrap_or_default();
            return match rest.starts_with(b"END\r\n") {
                true => Verdict::Said(used + b"END\r\n".len()),
                false => Verdict::Differs("END".to_owned()),
            };
        }
        for name in names.iter().skip(listing.answered) {
            if !listing.keys.contains_key(name) {
                let mut key = self.key(name);
                listing.keys.insert(name.clone(), key.clone());
                listing.perhaps_touched(name, &mut key, now);
                self.keys.insert(name.clone(), key);
            }
        }
        self.listings.insert(client, listing);
        match used {
            0 => Verdict::Waits,
            used => Verdict::Said(used),
        }
    }

    /// One key of a list, as it is or as it was then, with its value or without.
    fn one_of_list(
        &mut self,
        one: &Request,
        name: &[u8],
        then: Option<Key>,
        value: &[u8],
        now: Time,
    ) -> Result<(), String> {
        let told = [value, b"END\r\n"].concat();
        let is_old = then.is_some();
        let key = then.unwrap_or_else(|| self.key(name));
        let admitted = self.admitted(&key);
        let (mut pasts, mut owed) = (Vec::new(), String::new());
        for past in &key.pasts {
            match refine(past, one, &told, now, admitted) {
                Relation::Agrees(after, ..) => pasts.push(*after),
                Relation::Differs(rulings) => owed = shown(&rulings),
                Relation::Waits => {}
            }
        }
        if pasts.is_empty() {
            return Err(owed);
        }
        if !is_old {
            let is_excused = key.is_excused && value.is_empty();
            self.learn(name, Key { pasts, is_excused }, now);
        }
        Ok(())
    }

    /// Whether a list or a dump of this client's is under way.
    pub(super) fn lists(&self, client: u8) -> bool {
        self.listings.contains_key(&client) || self.dumps.contains_key(&client)
    }

    /// `flush_all`: what it does, it does to every item, and to those to come.
    fn flush(&mut self, request: &Request, said: &[u8], now: Time) -> Verdict {
        let nothing = Known::absent(&self.empty, b"");
        let verdict = verdict(refine(&nothing, request, said, now, Admitted::default()));
        if let Verdict::Said(_) = verdict {
            self.dumps.values_mut().for_each(Dump::excuse_all);
            Session::new().receive(&mut self.empty, &request.bytes, now);
            for past in self.keys.values_mut().flat_map(|key| &mut key.pasts) {
                past.rule(request, now);
            }
            for key in self
                .listings
                .values_mut()
                .flat_map(|list| list.keys.values_mut())
            {
                let mut flushed = key.pasts.clone();
                flushed.iter_mut().for_each(|past| past.rule(request, now));
                key.pasts.extend(flushed);
            }
        }
        verdict
    }
}

fn verdict(relation: Relation) -> Verdict {
    match relation {
        Relation::Agrees(_, length, _) => Verdict::Said(length),
        Relation::Waits => Verdict::Waits,
        Relation::Differs(rulings) => Verdict::Differs(shown(&rulings)),
    }
}

/// What is ruled, and by which rules.
fn shown(rulings: &[Ruling]) -> String {
    let all = rulings.iter().map(|ruling| {
        let rules: Vec<_> = ruling.because.iter().map(|rule| rule.name).collect();
        format!(
            "`{}` by {}",
            ruling.bytes().escape_ascii(),
            rules.join(", ")
        )
    });
    all.collect::<Vec<_>>().join("; ")
}

/// What a list asks of one of its keys.
fn one_of(head: &[u8], name: &[u8]) -> Request {
    Request::new([head, b" ", name, b"\r\n"].concat())
}

/// Whether this is a key that may have an item.
fn is_key(key: &[u8]) -> bool {
    (1..=250).contains(&key.len())
}

/// What a list goes on with.
enum Next<'a> {
    Value(&'a [u8], usize),
    End,
    Nothing,
    Other,
}

/// The next value of a list: its key, and how long it is with its line.
fn next_value(said: &[u8]) -> Next<'_> {
    if said.is_empty() {
        return Next::Nothing;
    }
    if said.starts_with(b"END\r\n") {
        return Next::End;
    }
    let value = || {
        let end = said.iter().position(|byte| *byte == b'\n')? + 1;
        let line = said.get(..end)?.strip_prefix(b"VALUE ")?;
        let mut words = line.split(|byte| b" \r\n".contains(byte));
        let key = words.next()?;
        let length: usize = std::str::from_utf8(words.nth(1)?).ok()?.parse().ok()?;
        (said.len() >= end + length + 2).then_some(Next::Value(key, end + length + 2))
    };
    value().unwrap_or(Next::Other)
}
