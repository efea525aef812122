//! The meta set. Law: `spec/meta/set.md`.
//!
//! A line is checked whole before its data block is awaited. It never reads a flag's text: that is
//! `flags.rs`; what becomes of the block is in `set/outcome.rs`.

mod outcome;

use alloc::borrow::Cow;

use spec::{Requirement, req};

use super::fields::Fields;
use super::flags::Flags;
use crate::dispatch::{Answer, Upload};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::reply::{Code, MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, Time, memory, numbers};
use outcome::Outcome;

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
            let early = req!("statistics.set.meta-opaque.early");
            if !model.dialect.has(early) {
                return Err(fault
                    .also(req!("meta.set.opaque"))
                    .also(req!("statistics.set.meta-opaque")));
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
    }

    /// Rules the command once its data block is here, with the two bytes behind it.
    pub(crate) fn finish(self, model: &mut Model, block: &[u8], now: Time) -> Ruling {
        match block.strip_suffix(b"\r\n") {
            None => {
                let quiet = self.flags.has(b'q');
                Reply::ClientError(Cow::Borrowed("bad data chunk"))
                    .because(req!("meta.set.block.end"))
                    .also(quiet.then_some(req!("meta.set.block.end.shown")))
            }
            Some(data) => {
                let outcome = self.decide(model, data, now);
                let status = outcome.status();
                model.tell_stored(&self.flags.key, self.command(), status, data.len(), now);
                self.reply(model, outcome)
            }
        }
    }

    /// The classic command that does the same.
    fn command(&self) -> &'static str {
        match self.mode {
            Mode::Set | Mode::Replace if self.flags.has(b'C') => "cas",
            Mode::Set => "set",
            Mode::Add => "add",
            Mode::Replace => "replace",
            Mode::Append => "append",
            Mode::Prepend => "prepend",
        }
    }

    /// The rule, if this flag was given.
    fn given(&self, letter: u8, rule: Rule) -> Option<Rule> {
        self.flags.has(letter).then_some(rule)
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
