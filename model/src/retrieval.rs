//! `get` and `gets`. Law: `spec/retrieval.md`.
//!
//! Everything is collected before anything is answered, so that a bad key costs the whole reply and
//! never a part of it. What fetches and touches at once is in `touch.rs`.

use alloc::vec::Vec;

use spec::{Requirement, req};

use crate::dispatch::incomplete;
use crate::framing::Line;
use crate::reply::{MALFORMED, Reply, Value};
use crate::ruling::Ruling;
use crate::state::{Absence, Item};
use crate::statistics::count;
use crate::{Model, Time, keys};

/// `get <key>+` and `gets <key>+`
pub(crate) fn get(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let keys = line.arguments_from(1);
    if keys.is_empty() {
        let bad_line = req!("retrieval.get.no-key.client-error");
        let no_command = req!("retrieval.get.no-key.error");
        return incomplete(model, bad_line, no_command).also(req!("retrieval.get.no-key"));
    }
    line.note_if(line.noreply(), req!("retrieval.get.noreply"));
    let mut found = Found::asked(line);
    for key in keys {
        if let Err(rule) = keys::check(key, line) {
            return bad_key(model, rule);
        }
        count(&mut model.counters.cmd_get);
        match model.lookup(key, now) {
            Err(absence) => {
                found.miss(req!("retrieval.get.miss"), absence);
                count(&mut model.counters.get_misses);
                model.prefixes.get(key, false);
            }
            Ok(item) => {
                found.hit(req!("retrieval.get.hit"), key, item, now);
                count(&mut model.counters.get_hits);
                model.prefixes.get(key, true);
            }
        }
    }
    if let [_, _, ..] = keys {
        line.note(req!("retrieval.get.order"));
        line.note(req!("retrieval.get.many"));
    }
    found.ruling(req!("retrieval.get.end"))
}

/// What a retrieval has found so far, and the rules of that.
pub(crate) struct Found {
    with_unique: bool,
    values: Vec<Value>,
    because: Vec<&'static Requirement>,
}

impl Found {
    /// Nothing yet; `gets` and `gats` will show uniques.
    pub(crate) fn asked(line: &Line) -> Found {
        Found {
            with_unique: line.command().ends_with(b"s"),
            values: Vec::new(),
            because: Vec::new(),
        }
    }

    /// A key that has no item.
    pub(crate) fn miss(&mut self, rule: &'static Requirement, absence: Absence) {
        self.because.push(rule);
        self.because.extend(absence.rule());
    }

    /// A key and its item, which has now been fetched.
    pub(crate) fn hit(
        &mut self,
        rule: &'static Requirement,
        key: &[u8],
        item: &mut Item,
        now: Time,
    ) {
        item.fetched = true;
        item.accessed = now;
        self.because.push(rule);
        self.because.push(req!("retrieval.get.unchanged"));
        if self.with_unique {
            self.because.push(req!("retrieval.gets.unique"));
        }
        if self.values.iter().any(|value| value.key == key) {
            self.because.push(req!("retrieval.get.repeated"));
        }
        self.values.push(Value {
            key: key.to_vec(),
            flags: item.flags,
            data: item.value.clone(),
            unique: self.with_unique.then_some(item.unique),
        });
    }

    /// The whole reply.
    pub(crate) fn ruling(self, rule: &'static Requirement) -> Ruling {
        let mut ruling = Reply::Values(self.values).because(rule);
        ruling.because.extend(self.because);
        ruling
    }
}

/// What a key that is too long makes of the whole request.
pub(crate) fn bad_key(model: &Model, rule: &'static Requirement) -> Ruling {
    let doubled = req!("retrieval.get.bad-key.doubled");
    let ruling = if model.dialect.has(doubled) {
        Reply::Verbatim(b"CLIENT_ERROR bad command line format\r\n\r\n".to_vec()).because(doubled)
    } else {
        MALFORMED.because(req!("retrieval.get.bad-key"))
    };
    let lost = req!("retrieval.get.bad-key-alone.lost");
    if model.dialect.has(lost) {
        ruling.also(rule).also(lost).retracting()
    } else {
        ruling.also(rule).also(req!("retrieval.get.bad-key-alone"))
    }
}
