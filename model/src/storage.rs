//! `set`, `add`, `replace`, `append`, `prepend`, `cas`. Law: `spec/storage.md`.
//!
//! A line is checked whole before its data block is awaited; whether the item is stored is decided
//! when the block is complete.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use crate::administration::watch;
use crate::dispatch::{Answer, Upload, incomplete};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::memory::{self, size_of_item};
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Options, Time, keys, numbers};

/// A classic storage command whose data block is to come.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    verb: Verb,
    key: Vec<u8>,
    flags: u32,
    exptime: i32,
    /// When the line came: the exptime counts from there.
    arrived: Time,
    pub(crate) length: usize,
    noreply: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Cas(u64),
}

impl Verb {
    fn word(&self) -> &'static str {
        match self {
            Verb::Set => "set",
            Verb::Add => "add",
            Verb::Replace => "replace",
            Verb::Append => "append",
            Verb::Prepend => "prepend",
            Verb::Cas(_) => "cas",
        }
    }
}

/// The longest value that every server takes, under a key of one byte.
const ACCEPTED_BYTES: u64 = 1_048_512;

/// `<command> <key> <flags> <exptime> <bytes> [<cas unique>] [noreply]`
pub(crate) fn line(model: &mut Model, line: &Line, now: Time) -> Answer {
    let Some(length) = line.argument(4) else {
        let bad_line = req!("storage.line.missing.client-error");
        let no_command = req!("storage.line.missing.error");
        return incomplete(model, bad_line, no_command)
            .also(req!("storage.line.missing"))
            .into();
    };
    let unread = req!("storage.cas.no-unique.unread");
    if line.command() == b"cas" && line.argument(5).is_none() && model.dialect.has(unread) {
        return Reply::Error
            .because(unread)
            .also(req!("storage.cas.no-unique"))
            .into();
    }
    let Some(length) = numbers::length(length, line, &model.dialect) else {
        return MALFORMED.because(req!("storage.line.length")).into();
    };
    let block = length.saturating_add(2);
    let store = match Store::read(line, length, &model.dialect, now) {
        Ok(store) => store,
        Err(rule) => return refuse(model, line, rule, block).into(),
    };
    model.prefixes.set(&store.key);
    if model.too_large(&store.key, length, store.flags) {
        return store
            .too_large(model, length, now)
            .swallowing(block, req!("storage.too-large.swallow"))
            .into();
    }
    if !model.has_room_for(&store.key, length, store.flags) {
        let removes = store.verb == Verb::Set;
        return memory::refuse(model, &store.key, removes)
            .silent_if(store.noreply, req!("framing.noreply"))
            .swallowing(block, req!("memory.refuse.swallow"))
            .into();
    }
    line.note_if(model.options.refuse_when_full, req!("memory.refuse.room"));
    line.note_if(length >= ACCEPTED_BYTES, req!("storage.too-large.accepted"));
    count(&mut model.counters.cmd_set);
    Answer::AwaitsData(Upload::Classic(store))
}

/// Refuses a line whose block can be measured: the block is swallowed, lest it be run as commands.
fn refuse(model: &Model, line: &Line, rule: &'static Requirement, block: u64) -> Ruling {
    let ruling = MALFORMED
        .because(rule)
        .silent_if(line.noreply(), req!("framing.noreply"));
    let unread = req!("storage.line.swallow.unread");
    if model.dialect.has(unread) {
        ruling.also(unread)
    } else {
        ruling.swallowing(block, req!("storage.line.swallow"))
    }
}

impl Store {
    /// Reads a line whose length has been read; a token that is bad is told by its rule.
    fn read(
        line: &Line,
        length: u64,
        dialect: &Dialect,
        now: Time,
    ) -> Result<Store, &'static Requirement> {
        let [key, words @ ..] = [1, 2, 3, 4].map(|n| line.argument(n).unwrap_or_default());
        keys::check(key, line)?;
        let verb = Verb::read(line, dialect)?;
        let bad_number = match verb {
            Verb::Append | Verb::Prepend => req!("storage.append.parsed"),
            _ => req!("storage.line.numbers"),
        };
        Ok(Store {
            verb,
            flags: numbers::flags(&words, line, dialect).ok_or(bad_number)?,
            exptime: numbers::exptime(words.get(1..).unwrap_or_default(), line, dialect)
                .ok_or(bad_number)?,
            key: key.to_vec(),
            arrived: now,
            length: usize::try_from(length).unwrap_or(usize::MAX),
            noreply: line.noreply(),
        })
    }

    /// Refuses a value that is too large; only a `set` takes the old one with it.
    fn too_large(self, model: &mut Model, length: u64, now: Time) -> Ruling {
        count(&mut model.counters.store_too_large);
        let (command, sent) = (self.verb.word(), self.length);
        model.tell_stored(&self.key, command, "too_large", sent, now);
        let limit = model.options.item_size_max_bytes;
        let by_size = if length > limit {
            req!("storage.too-large.refused")
        } else {
            req!("storage.too-large.exact")
        };
        let old = if self.verb == Verb::Set && model.lookup(&self.key, now).is_ok() {
            model.items.remove(&self.key);
            req!("storage.too-large.removes")
        } else {
            req!("storage.too-large.keeps")
        };
        let moved = limit != Options::default().item_size_max_bytes;
        Reply::ServerError(Cow::Borrowed("object too large for cache"))
            .because(by_size)
            .also(old)
            .also(moved.then_some(req!("storage.too-large.option")))
            .silent_if(self.noreply, req!("framing.noreply"))
    }

    /// Rules the command once its data block is here, with the two bytes behind it.
    pub(crate) fn finish(self, model: &mut Model, block: &[u8], now: Time) -> Ruling {
        let noreply = self.noreply;
        let ruling = match block.strip_suffix(b"\r\n") {
            None => Reply::ClientError(Cow::Borrowed("bad data chunk"))
                .because(req!("storage.block.end"))
                .also(req!("storage.block.in-step")),
            Some(data) => {
                let (key, command) = (self.key.clone(), self.verb.word());
                let ruling = self.store(model, data, now).also(about(data));
                let status = watch::status(&ruling.reply);
                model.tell_stored(&key, command, status, data.len(), now);
                ruling
            }
        };
        ruling.silent_if(noreply, req!("framing.noreply"))
    }

    fn store(self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        match self.verb {
            Verb::Set => self.set(model, data, now),
            Verb::Add => self.add(model, data, now),
            Verb::Replace => self.replace(model, data, now),
            Verb::Append | Verb::Prepend => self.join(model, data, now),
            Verb::Cas(unique) => self.cas(model, unique, data, now),
        }
    }

    fn set(&self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        let replaces = model.lookup(&self.key, now).is_ok();
        self.put(model, data, now)
            .because(req!("storage.set.stored"))
            .also(replaces.then_some(req!("storage.set.anew")))
    }

    fn add(&self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        match model.lookup(&self.key, now) {
            Ok(_) => Reply::NotStored
                .because(req!("storage.add.exists"))
                .also(req!("storage.unique.failed")),
            Err(absence) => self
                .put(model, data, now)
                .because(req!("storage.add.stored"))
                .also(req!("storage.unique.own"))
                .also(absence.rule()),
        }
    }

    fn replace(&self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        match model.lookup(&self.key, now) {
            Ok(_) => self
                .put(model, data, now)
                .because(req!("storage.replace.stored")),
            Err(absence) => Reply::NotStored
                .because(req!("storage.replace.missing"))
                .also(absence.rule()),
        }
    }

    /// `append` and `prepend`: a new item with the flags and the deadline of the old one.
    fn join(&self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        let old = match model.lookup(&self.key, now) {
            Ok(item) => item.clone(),
            Err(absence) => {
                return Reply::NotStored
                    .because(req!("storage.append.missing"))
                    .also(absence.rule());
            }
        };
        let (value, rule) = if self.verb == Verb::Append {
            ([&old.value, data].concat(), req!("storage.append.stored"))
        } else {
            ([data, &old.value].concat(), req!("storage.prepend.stored"))
        };
        if model.too_large(&self.key, value.len() as u64, old.flags) {
            return Reply::NotStored
                .because(req!("storage.append.too-large"))
                .also(req!("storage.too-large.exact"));
        }
        if !model.has_room_for(&self.key, value.len() as u64, old.flags) {
            return Reply::NotStored.because(req!("memory.refuse.joined"));
        }
        let item = Item {
            value,
            flags: old.flags,
            expires: old.expires,
            unique: model.next_unique(),
            base64: model.joins_base64(&old),
            ..Item::default()
        };
        model.put(&self.key, item, now);
        Reply::Stored
            .because(rule)
            .also(req!("storage.append.keeps"))
            .also(old.base64.then_some(req!("meta.set.base64.append")))
            .also(data.is_empty().then_some(req!("storage.append.empty")))
    }

    fn cas(&self, model: &mut Model, unique: u64, data: &[u8], now: Time) -> Ruling {
        let present = match model.lookup(&self.key, now) {
            Ok(item) => item.unique,
            Err(absence) => {
                count(&mut model.counters.cas_misses);
                return Reply::NotFound
                    .because(req!("storage.cas.not-found"))
                    .also(absence.rule());
            }
        };
        if unique != 0 && unique == present {
            count(&mut model.counters.cas_hits);
            return self
                .put(model, data, now)
                .because(req!("storage.cas.stored"));
        }
        count(&mut model.counters.cas_badval);
        let disabled = !model.options.cas;
        Reply::Exists
            .because(if unique == 0 {
                req!("storage.cas.zero")
            } else {
                req!("storage.cas.exists")
            })
            .also(req!("storage.unique.changes"))
            .also(disabled.then_some(req!("storage.unique.disabled")))
    }

    /// Stores the item whatever was there.
    fn put(&self, model: &mut Model, data: &[u8], now: Time) -> Stored {
        let deadline = Deadline::of(self.exptime.into(), self.arrived);
        let item = Item {
            value: data.to_vec(),
            flags: self.flags,
            expires: deadline.at,
            unique: model.next_unique(),
            ..Item::default()
        };
        model.put(&self.key, item, now);
        Stored {
            deadline,
            later: now != self.arrived,
        }
    }
}

impl Verb {
    /// The command word, and for `cas` the unique that the line names.
    fn read(line: &Line, dialect: &Dialect) -> Result<Verb, &'static Requirement> {
        Ok(match line.command() {
            b"add" => Verb::Add,
            b"replace" => Verb::Replace,
            b"append" => Verb::Append,
            b"prepend" => Verb::Prepend,
            b"cas" => Verb::Cas(unique(line, dialect)?),
            _ => Verb::Set,
        })
    }
}

fn unique(line: &Line, dialect: &Dialect) -> Result<u64, &'static Requirement> {
    let Some(token) = line.argument(5) else {
        line.note(req!("storage.cas.no-unique"));
        return Err(req!("storage.cas.no-unique.swallowed"));
    };
    numbers::unsigned64(token, line, dialect).ok_or(req!("storage.cas.bad-unique"))
}

/// The rule that speaks of a block like this one.
fn about(data: &[u8]) -> Option<&'static Requirement> {
    if data.is_empty() {
        return Some(req!("storage.block.empty"));
    }
    data.contains(&b'\n').then_some(req!("storage.block.bytes"))
}

/// An item was stored, until this deadline; perhaps later than its line came.
struct Stored {
    deadline: Deadline,
    later: bool,
}

impl Stored {
    fn because(self, rule: &'static Requirement) -> Ruling {
        Reply::Stored
            .because(rule)
            .also(self.deadline.because)
            .also(self.later.then_some(req!("expiration.line")))
    }
}

impl Model {
    /// Stores an item now, whatever its key had.
    pub(crate) fn put(&mut self, key: &[u8], mut item: Item, now: Time) {
        item.stored = now;
        item.accessed = now;
        self.items.insert(key.to_vec(), item);
        count(&mut self.counters.total_items);
    }

    /// Whether an item that is joined with a block is still one whose key came in base64.
    pub(crate) fn joins_base64(&self, old: &Item) -> bool {
        old.base64 && !self.dialect.has(req!("meta.set.base64.append.lost"))
    }

    /// Whether an item of this size may not be stored at all.
    pub(crate) fn too_large(&self, key: &[u8], length: u64, flags: u32) -> bool {
        let key_length = key.len() as u64;
        size_of_item(key_length, length, flags != 0, self.options.cas)
            > self.options.item_size_max_bytes
    }
}
