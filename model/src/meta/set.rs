//! The meta set. Law: `spec/meta/set.md`.
//!
//! A line is checked whole before its data block is awaited; whether the item is stored is decided
//! when the block is complete. It never reads a flag's text: that is `flags.rs`.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Ordering;

use spec::{Requirement, req};

use super::fields::Fields;
use super::flags::Flags;
use crate::dispatch::{Answer, Upload};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::reply::{Code, MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time, memory, numbers};

/// A meta set whose data block is to come.
#[derive(Clone, Debug)]
pub(crate) struct MetaSet {
    flags: Flags,
    mode: Mode,
    client_flags: u32,
    /// By `T`, or never.
    deadline: Deadline,
    /// By `N`: a miss of append or prepend makes an item that lives so long.
    vivify: Option<Deadline>,
    pub(crate) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
}

/// What became of a data block.
struct Outcome {
    code: Code,
    /// Of the item that was stored; 0 where none was.
    unique: u64,
    /// Of the item that was stored, or of the block that was not.
    size: usize,
    rule: Rule,
    also: Vec<Rule>,
}

type Rule = &'static Requirement;

/// `ms <key> <datalen> <flags>*`
pub(crate) fn line(model: &mut Model, line: &Line, now: Time) -> Answer {
    let Some(length) = line.argument(2) else {
        let no_key = Flags::parse(line, 2, &model.dialect).err();
        let no_length = || MALFORMED.because(req!("meta.set.line.missing"));
        return no_key.unwrap_or_else(no_length).into();
    };
    let Some(length) = numbers::length(length, line, &model.dialect) else {
        return MALFORMED.because(req!("meta.set.line.length")).into();
    };
    match MetaSet::read(model, line, length, now) {
        Ok(set) => Answer::AwaitsData(Upload::Meta(set)),
        Err(fault) => swallow(model, fault, length).into(),
    }
}

/// A refused line whose block is on its way all the same.
fn swallow(model: &Model, fault: Ruling, length: u64) -> Ruling {
    let too_long = [req!("keys.length.over"), req!("meta.flags.too-many")];
    let (rule, executed) = if too_long.iter().any(|rule| fault.cites(rule)) {
        (
            req!("meta.set.line.long"),
            Some(req!("meta.set.line.long.executed")),
        )
    } else if fault.cites(req!("meta.flags.punctuation")) {
        (
            req!("meta.set.line.punctuation"),
            Some(req!("meta.set.line.punctuation.executed")),
        )
    } else {
        (req!("meta.set.line.swallow"), None)
    };
    match executed {
        Some(executed) if model.dialect.has(executed) => fault.also(executed),
        _ => fault.swallowing(length.saturating_add(2), rule),
    }
}

impl MetaSet {
    /// Reads the line; a fault is ruled, and the caller swallows the block.
    fn read(model: &mut Model, line: &Line, length: u64, now: Time) -> Result<MetaSet, Ruling> {
        let flags = Flags::parse(line, 3, &model.dialect)?;
        let mode = Mode::read(&flags, line)?;
        let client_flags = flags
            .number(b'F')
            .and_then(|flags| u32::try_from(flags).ok());
        let set = MetaSet {
            mode,
            client_flags: client_flags.unwrap_or_default(),
            deadline: Deadline::of(flags.exptime(b'T').unwrap_or_default(), now),
            vivify: flags
                .exptime(b'N')
                .map(|exptime| Deadline::of(exptime, now)),
            length: usize::try_from(length).unwrap_or(usize::MAX),
            flags,
        };
        if model.too_large(&set.flags.key, length, set.client_flags) {
            return Err(set.too_large(model));
        }
        if !model.has_room_for(&set.flags.key, length, set.client_flags) {
            return Err(memory::refuse(model, &set.flags.key, true)
                .also(req!("meta.set.no-room"))
                .also(req!("meta.set.no-room.forgets")));
        }
        if let Some(fault) = set.flags.opaque_fault(&model.dialect) {
            let early = req!("meta.set.counted.opaque.early");
            if !model.dialect.has(early) {
                return Err(fault
                    .also(req!("meta.set.opaque"))
                    .also(req!("meta.set.counted.opaque")));
            }
            count(&mut model.counters.cmd_set);
            return Err(fault.also(req!("meta.set.opaque")).also(early));
        }
        count(&mut model.counters.cmd_set);
        Ok(set)
    }

    fn too_large(&self, model: &mut Model) -> Ruling {
        count(&mut model.counters.store_too_large);
        model.items.remove(&self.flags.key);
        let forgets = if self.mode == Mode::Set && !self.flags.has(b'C') {
            req!("meta.set.too-large.removes")
        } else {
            req!("meta.set.too-large.forgets")
        };
        Reply::ServerError(Cow::Borrowed("object too large for cache"))
            .because(req!("meta.set.too-large"))
            .also(forgets)
            .also(req!("meta.set.counted.too-large"))
    }

    /// Rules the command once its data block is here, with the two bytes behind it.
    pub(crate) fn finish(self, model: &mut Model, block: &[u8], now: Time) -> Ruling {
        let ruling = match block.strip_suffix(b"\r\n") {
            None => {
                let quiet = self.flags.has(b'q');
                Reply::ClientError(Cow::Borrowed("bad data chunk"))
                    .because(req!("meta.set.block.end"))
                    .also(quiet.then_some(req!("meta.set.block.end.shown")))
            }
            Some(data) => {
                let outcome = self.decide(model, data, now);
                self.reply(model, outcome)
            }
        };
        ruling.also(req!("meta.set.counted"))
    }

    fn decide(&self, model: &mut Model, data: &[u8], now: Time) -> Outcome {
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
        outcome
            .also(replaces.then_some(req!("meta.set.compare.replace")))
            .also(req!("meta.set.counted.compared"))
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
            .also(req!("meta.set.counted.stale"))
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
                .also(self.given(b'I', req!("meta.set.stale.append")))
                .also(req!("meta.set.counted.append"));
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
            base64: old.base64 && !loses_base64,
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

    /// The rule, if this flag was given.
    fn given(&self, letter: u8, rule: Rule) -> Option<Rule> {
        self.flags.has(letter).then_some(rule)
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

    /// The code, and what the flags ask back, in their order.
    fn reply(&self, model: &Model, outcome: Outcome) -> Ruling {
        let stored = outcome.code == Code::Hd;
        let either = |first: Rule, second: Rule| if stored { first } else { second };
        let silent = req!("meta.set.return.size.silent");
        let mut fields = Fields::default();
        for flag in self.flags.iter() {
            match flag.letter {
                b'c' => {
                    let rule = either(
                        req!("meta.set.return.unique"),
                        req!("meta.set.return.no-unique"),
                    );
                    fields.add_number(b'c', outcome.unique, rule);
                }
                b's' if model.dialect.has(silent) => {
                    fields.cite(either(silent, req!("meta.set.return.size-sent.silent")));
                }
                b's' => {
                    let rule = either(
                        req!("meta.set.return.size"),
                        req!("meta.set.return.size-sent"),
                    );
                    fields.add_number(b's', outcome.size as u64, rule);
                }
                b'O' => {
                    fields.add_opaque(flag);
                    fields.cite(req!("meta.set.return.echoed"));
                }
                b'k' => fields.add_key(&self.flags.key, self.flags.has(b'b')),
                b'v' => fields.cite(req!("meta.set.return.nothing")),
                _ => {}
            }
        }
        let mut ruling = fields.coded(outcome.code, outcome.rule);
        ruling.because.extend(outcome.also);
        if stored {
            ruling.silent_if(self.flags.has(b'q'), req!("meta.set.quiet"))
        } else {
            ruling.also(self.given(b'q', req!("meta.set.quiet.failures")))
        }
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

impl Mode {
    /// The mode behind `M`; a fault is ruled.
    fn read(flags: &Flags, line: &Line) -> Result<Mode, Ruling> {
        let Some(text) = flags.mode() else {
            return Ok(Mode::Set);
        };
        line.note_if(
            matches!(text, [_, _, ..]),
            req!("meta.set.mode.first-letter"),
        );
        match text.first() {
            Some(b'S') => {
                line.note(req!("meta.set.mode.set"));
                Ok(Mode::Set)
            }
            Some(b'E') => Ok(Mode::Add),
            Some(b'R') => Ok(Mode::Replace),
            Some(b'A') => Ok(Mode::Append),
            Some(b'P') => Ok(Mode::Prepend),
            _ => Err(
                Reply::ClientError(Cow::Borrowed("invalid mode for ms M token"))
                    .because(req!("meta.set.mode.unknown")),
            ),
        }
    }
}
