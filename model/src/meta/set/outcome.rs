//! What becomes of the block of a meta set: its mode, and the flags `C`, `E`, `I` and `N`.
//!
//! It never sees the line or writes the reply, which are `set.rs`'s: a block comes in, and an
//! outcome goes out.

use alloc::vec::Vec;
use core::cmp::Ordering;

use spec::req;

use super::{MetaSet, Mode, Rule};
use crate::reply::Code;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

/// What became of a data block.
pub(super) struct Outcome {
    pub(super) code: Code,
    /// Of the item that was stored; 0 where none was.
    pub(super) unique: u64,
    /// Of the item that was stored, or of the block that was not.
    pub(super) size: usize,
    pub(super) rule: Rule,
    pub(super) also: Vec<Rule>,
}

impl Outcome {
    /// In the words for watchers.
    pub(super) fn status(&self) -> &'static str {
        match self.code {
            Code::Hd => "stored",
            Code::Ex => "exists",
            Code::Nf => "not_found",
            _ => "not_stored",
        }
    }
}

impl MetaSet {
    /// Decides by the mode, by what the key has, and by the unique behind `C`.
    pub(super) fn decide(&self, model: &mut Model, data: &[u8], now: Time) -> Outcome {
        let (old, absence) = match model.lookup(&self.flags.key, now) {
            Ok(item) => (Some(item.clone()), None),
            Err(absence) => (None, absence.rule()),
        };
        let outcome = match (self.mode, old, self.flags.number(b'C')) {
            (Mode::Set | Mode::Replace, Some(old), Some(unique)) => {
                self.compare(model, &old, unique, data, now)
            }
            (Mode::Set | Mode::Replace, None, Some(_)) => self.compare_nothing(model, data),
            (Mode::Set, _, None) => self
                .store(model, data, now, req!("meta.set.stored"))
                .also(self.given(b'I', req!("meta.set.stale.no-unique"))),
            (Mode::Replace, Some(_), None) => {
                self.store(model, data, now, req!("meta.set.mode.replace"))
            }
            (Mode::Replace, None, None) => {
                Outcome::failed(Code::Ns, data, req!("meta.set.mode.replace.missing"))
            }
            (Mode::Add, None, _) => self
                .store(model, data, now, req!("meta.set.mode.add"))
                .also(self.given(b'C', req!("meta.set.compare.add"))),
            (Mode::Add, Some(_), _) => {
                Outcome::failed(Code::Ns, data, req!("meta.set.mode.add.exists"))
            }
            (Mode::Append | Mode::Prepend, Some(old), unique) => {
                self.join(model, &old, unique, data, now)
            }
            (Mode::Append | Mode::Prepend, None, _) => self.create(model, data, now),
        };
        outcome.also(absence)
    }

    /// Stores the block as a new item, whatever there was.
    fn store(&self, model: &mut Model, data: &[u8], now: Time, rule: Rule) -> Outcome {
        let item = self.item(model, data);
        self.put(model, item, now, rule)
            .also(self.deadline.because)
            .also(req!("meta.set.client-flags"))
            .also(req!("meta.set.exptime"))
            .also(req!("meta.set.block"))
            .also(req!("meta.set.renewed"))
            .also(self.given(b'b', req!("meta.set.base64")))
            .also(self.given(b'N', req!("meta.set.vivify.modes")))
            .also(self.choice(model))
    }

    /// The item that the line describes, with this value.
    fn item(&self, model: &mut Model, data: &[u8]) -> Item {
        Item {
            value: data.to_vec(),
            flags: self.client_flags,
            expires: self.deadline.at,
            unique: model.unique(self.flags.number(b'E')),
            base64: self.flags.has(b'b'),
            ..Item::default()
        }
    }

    /// `C` where there is an item: stores if it still has that unique.
    fn compare(
        &self,
        model: &mut Model,
        old: &Item,
        unique: u64,
        data: &[u8],
        now: Time,
    ) -> Outcome {
        let invalidates = self.flags.has(b'I');
        let outcome = match unique.cmp(&old.unique) {
            _ if unique == 0 => Outcome::failed(Code::Ex, data, req!("meta.set.compare.zero"))
                .also(self.given(b'I', req!("meta.set.stale.zero"))),
            Ordering::Equal => self
                .store(model, data, now, req!("meta.set.compare.same"))
                .also(self.given(b'I', req!("meta.set.stale.same"))),
            Ordering::Less if invalidates => self.store_stale(model, old, data, now),
            Ordering::Less | Ordering::Greater => {
                Outcome::failed(Code::Ex, data, req!("meta.set.compare.differs"))
                    .also(self.given(b'I', req!("meta.set.stale.higher")))
            }
        };
        count(match outcome.code {
            Code::Hd => &mut model.counters.cas_hits,
            _ => &mut model.counters.cas_badval,
        });
        self.compared(outcome)
    }

    /// `C` where there is no item.
    fn compare_nothing(&self, model: &mut Model, data: &[u8]) -> Outcome {
        count(&mut model.counters.cas_misses);
        let missing = Outcome::failed(Code::Nf, data, req!("meta.set.compare.missing"));
        self.compared(missing)
    }

    fn compared(&self, outcome: Outcome) -> Outcome {
        let replaces = self.mode == Mode::Replace;
        outcome.also(replaces.then_some(req!("meta.set.compare.replace")))
    }

    /// A value older than the item's: better than none, and marked as such.
    fn store_stale(&self, model: &mut Model, old: &Item, data: &[u8], now: Time) -> Outcome {
        let item = Item {
            expires: old.expires,
            stale: true,
            won: old.won,
            ..self.item(model, data)
        };
        self.put(model, item, now, req!("meta.set.stale"))
            .also(req!("meta.set.stale.exptime"))
            .also(req!("meta.set.stale.won"))
    }

    /// Append and prepend: the item keeps its flags and its deadline, and gets a new unique.
    fn join(
        &self,
        model: &mut Model,
        old: &Item,
        unique: Option<u64>,
        data: &[u8],
        now: Time,
    ) -> Outcome {
        if unique.is_some_and(|unique| unique != 0 && unique != old.unique) {
            return Outcome::failed(Code::Ex, data, req!("meta.set.compare.append"))
                .also(self.given(b'I', req!("meta.set.stale.append")));
        }
        let (value, rule) = if self.mode == Mode::Append {
            ([&old.value, data].concat(), req!("meta.set.mode.append"))
        } else {
            ([data, &old.value].concat(), req!("meta.set.mode.prepend"))
        };
        if model.too_large(&self.flags.key, value.len() as u64, old.flags) {
            return Outcome::failed(Code::Ns, data, req!("meta.set.too-large.append"));
        }
        if !model.has_room_for(&self.flags.key, value.len() as u64, old.flags) {
            return Outcome::failed(Code::Ns, data, req!("meta.set.no-room.append"));
        }
        let loses_base64 = model.dialect.has(req!("meta.set.base64.append.lost"));
        let lost = loses_base64.then_some(req!("meta.set.base64.append.lost"));
        let item = Item {
            flags: old.flags,
            expires: old.expires,
            base64: model.joins_base64(old),
            ..self.item(model, &value)
        };
        self.put(model, item, now, rule)
            .also(req!("meta.set.mode.append.kept"))
            .also(req!("meta.set.mode.append.unique"))
            .also(req!("meta.set.mode.append.renewed"))
            .also(self.given(b'N', req!("meta.set.vivify.exists")))
            .also(self.given(b'C', req!("meta.set.compare.append-zero")))
            .also(req!("meta.set.base64.append"))
            .also(lost)
            .also(self.choice(model))
    }

    /// Append and prepend where there is no item: `N` makes one.
    fn create(&self, model: &mut Model, data: &[u8], now: Time) -> Outcome {
        let ignored = req!("meta.set.vivify.ignored");
        match self.vivify {
            Some(deadline) if !model.dialect.has(ignored) => {
                let item = Item {
                    expires: deadline.at,
                    ..self.item(model, data)
                };
                self.put(model, item, now, req!("meta.set.vivify"))
                    .also(req!("meta.set.vivify.exptime"))
                    .also(deadline.because)
            }
            vivify => Outcome::failed(Code::Ns, data, req!("meta.set.mode.append.missing"))
                .also(self.given(b'C', req!("meta.set.compare.append-missing")))
                .also(vivify.map(|_| ignored))
                .also(vivify.map(|_| req!("meta.set.vivify.exptime.ignored"))),
        }
    }

    /// What `E` means for the item's unique.
    fn choice(&self, model: &Model) -> Option<Rule> {
        match self.flags.number(b'E')? {
            _ if !model.options.cas => Some(req!("meta.set.choose.disabled")),
            0 => Some(req!("meta.set.choose.zero")),
            _ => Some(req!("meta.set.choose")),
        }
    }

    /// Puts the item in its place, whatever was there.
    fn put(&self, model: &mut Model, item: Item, now: Time, rule: Rule) -> Outcome {
        let outcome = Outcome {
            code: Code::Hd,
            unique: item.unique,
            size: item.value.len(),
            rule,
            also: Vec::new(),
        };
        model.put(&self.flags.key, item, now);
        outcome
    }
}

impl Outcome {
    /// The block was not stored, by this rule.
    fn failed(code: Code, data: &[u8], rule: Rule) -> Outcome {
        Outcome {
            code,
            unique: 0,
            size: data.len(),
            rule,
            also: Vec::new(),
        }
    }

    fn also(mut self, rule: impl Into<Option<Rule>>) -> Outcome {
        self.also.extend(rule.into());
        self
    }
}
