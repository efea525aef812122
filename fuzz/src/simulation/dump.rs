//! Dumps: each line is of an item that may be there, and no other is of the same; what is there all
//! the while has one.
//!
//! It never asks what else a line says: the examples of the law do.

use std::collections::BTreeSet;

use conformance::record::requests::Request;
use model::Time;

use super::judge::{Judge, Key, Verdict};

/// A dump that is under way.
#[derive(Debug)]
pub(super) struct Dump {
    /// What stands before a key, and behind the last line.
    before: &'static [u8],
    end: &'static [u8],
    /// The items that may be there, and those that are.
    may: BTreeSet<Vec<u8>>,
    must: BTreeSet<Vec<u8>>,
    shown: BTreeSet<Vec<u8>>,
    has_begun: bool,
}

impl Dump {
    /// Learns what may be there of a key from now on.
    pub(super) fn learn(&mut self, name: &[u8], key: &Key, now: Time) {
        if key.may_be_there(now) {
            self.may.insert(name.to_vec());
        }
        if !key.is_there(now) {
            self.must.remove(name);
        }
    }

    /// Any item may be gone.
    pub(super) fn excuse_all(&mut self) {
        self.must.clear();
    }

    /// What is wrong with a line.
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let key = line.strip_prefix(self.before);
        let key = key.and_then(|rest| rest.split(|byte| b" \r".contains(byte)).next());
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return Err("a line of an item".to_owned());
        };
        if !self.may.contains(key) {
            return Err(format!("no line of {}", key.escape_ascii()));
        }
        match self.shown.insert(key.to_vec()) {
            true => Ok(()),
            false => Err(format!("one line of {}", key.escape_ascii())),
        }
    }
}

impl Judge {
    /// Judges so much of a dump as has been said.
    pub(super) fn dump(
        &mut self,
        client: u8,
        request: &Request,
        said: &[u8],
        now: Time,
    ) -> Verdict {
        let known = self.dumps.remove(&client);
        let mut dump = known.unwrap_or_else(|| self.begin_dump(request, now));
        let mut used = 0;
        while let Some(rest) = said.get(used..)
            && let Some(end) = rest.iter().position(|byte| *byte == b'\n')
        {
            let line = rest.get(..=end).unwrap_or_default();
            used += line.len();
            if !dump.has_begun {
                if line != b"OK\r\n" {
                    return Verdict::Differs("OK".to_owned());
                }
                dump.has_begun = true;
            } else if line == dump.end {
                let there = |name: &&Vec<u8>| self.key(name).is_there(now);
                let mut missing = dump.must.difference(&dump.shown).filter(there);
                return match missing.next() {
                    Some(name) => Verdict::Differs(format!("a line of {}", name.escape_ascii())),
                    None => Verdict::Said(used),
                };
            } else if let Err(owed) = dump.line(line) {
                return Verdict::Differs(owed);
            }
        }
        self.dumps.insert(client, dump);
        match used {
            0 => Verdict::Waits,
            used => Verdict::Said(used),
        }
    }

    fn begin_dump(&self, request: &Request, now: Time) -> Dump {
        let is_of_keys = request
            .words()
            .get(1)
            .is_some_and(|word| *word == b"mgdump");
        let (before, end): (&[u8], &[u8]) = match is_of_keys {
            true => (b"mg ", b"EN\r\n"),
            false => (b"key=", b"END\r\n"),
        };
        let of = |wanted: fn(&Key, Time) -> bool| -> BTreeSet<Vec<u8>> {
            let keys = self.keys.iter().filter(|(_, key)| wanted(key, now));
            keys.map(|(name, _)| name.clone()).collect()
        };
        let must = match self.has_pressure {
            true => BTreeSet::new(),
            false => of(Key::is_there),
        };
        Dump {
            before,
            end,
            may: of(Key::may_be_there),
            must,
            shown: BTreeSet::new(),
            has_begun: false,
        }
    }
}
