//! `set`, `add`, `replace`, `append`, `prepend`, `cas`. Law: `spec/storage.md`.
//!
//! A line is checked whole before its data block is awaited; whether the item is stored is decided
//! when the block is complete.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use spec::{Requirement, req};

use crate::dispatch::{Answer, Upload};
use crate::expiration::Deadline;
use crate::framing::Line;
use crate::memory::size_of_item;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time, keys, numbers};

/// A classic storage command whose data block is to come.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    verb: Verb,
    key: Vec<u8>,
    flags: u32,
    deadline: Deadline,
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

/// `<command> <key> <flags> <exptime> <bytes> [<unique>] [noreply]`
pub(crate) fn line(model: &mut Model, line: &Line, now: Time) -> Answer {
    let [_, key, flags, exptime, length, rest @ ..] = line.arguments_from(0) else {
        return MALFORMED.because(req!("storage.line.missing")).into();
    };
    let Some(length) = numbers::length(length, line, &model.dialect) else {
        return MALFORMED.because(req!("storage.line.length")).into();
    };
    let block = length.saturating_add(2);
    let refuse = |reply: Reply, rule: &'static Requirement| -> Answer {
        reply
            .because(rule)
            .swallowing(block, req!("framing.swallow"))
            .silent_if(line.noreply(), req!("framing.noreply"))
            .into()
    };
    if let Err(rule) = keys::check(key, line) {
        return refuse(MALFORMED, rule);
    }
    let (Some(flags), Some(exptime)) = (
        numbers::flags(flags, line, &model.dialect),
        numbers::exptime(exptime, line, &model.dialect),
    ) else {
        return refuse(MALFORMED, req!("storage.line.numbers"));
    };
    let verb = match line.command() {
        b"add" => Verb::Add,
        b"replace" => Verb::Replace,
        b"append" => Verb::Append,
        b"prepend" => Verb::Prepend,
        b"cas" => match rest
            .first()
            .and_then(|unique| numbers::unsigned64(unique, line, &model.dialect))
        {
            Some(unique) => Verb::Cas(unique),
            None => return refuse(MALFORMED, req!("storage.cas.unique")),
        },
        _ => Verb::Set,
    };
    if model.too_large(key, length, flags) {
        count(&mut model.counters.store_too_large);
        if verb == Verb::Set {
            model.items.remove(*key);
        }
        let too_large = Reply::ServerError(Cow::Borrowed("object too large for cache"));
        return refuse(too_large, req!("storage.too-large"));
    }
    count(&mut model.counters.cmd_set);
    Answer::AwaitsData(Upload::Classic(Store {
        verb,
        key: key.to_vec(),
        flags,
        deadline: Deadline::of(exptime.into(), now),
        length: usize::try_from(length).unwrap_or(usize::MAX),
        noreply: line.noreply(),
    }))
}

impl Store {
    /// Rules the command once its data block is here, with the two bytes behind it.
    pub(crate) fn finish(self, model: &mut Model, block: &[u8], now: Time) -> Ruling {
        let noreply = self.noreply;
        let ruling = match block.strip_suffix(b"\r\n") {
            None => Reply::ClientError(Cow::Borrowed("bad data chunk"))
                .because(req!("storage.block.end")),
            Some(data) => match self.verb {
                Verb::Set => self
                    .put(model, data, now)
                    .because(req!("storage.set.stored")),
                Verb::Add => self.add(model, data, now),
                Verb::Replace => self.replace(model, data, now),
                Verb::Append | Verb::Prepend => self.join(model, data, now),
                Verb::Cas(unique) => self.cas(model, unique, data, now),
            },
        };
        ruling.silent_if(noreply, req!("framing.noreply"))
    }

    fn add(self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        match model.lookup(&self.key, now) {
            Ok(_) => Reply::NotStored.because(req!("storage.add.exists")),
            Err(absence) => self
                .put(model, data, now)
                .because(req!("storage.add.stored"))
                .also(absence.rule()),
        }
    }

    fn replace(self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        match model.lookup(&self.key, now) {
            Ok(_) => self
                .put(model, data, now)
                .because(req!("storage.replace.stored")),
            Err(absence) => Reply::NotStored
                .because(req!("storage.replace.missing"))
                .also(absence.rule()),
        }
    }

    /// `append` and `prepend`: the item keeps its flags and its deadline, and gets a new unique.
    fn join(self, model: &mut Model, data: &[u8], now: Time) -> Ruling {
        let unique = model.next_unique();
        match model.lookup(&self.key, now) {
            Ok(item) => {
                let at = if self.verb == Verb::Append {
                    item.value.len()
                } else {
                    0
                };
                item.value.splice(at..at, data.iter().copied());
                item.unique = unique;
                Reply::Stored.because(req!("storage.append.stored"))
            }
            Err(absence) => Reply::NotStored
                .because(req!("storage.append.missing"))
                .also(absence.rule()),
        }
    }

    fn cas(self, model: &mut Model, unique: u64, data: &[u8], now: Time) -> Ruling {
        match model.lookup(&self.key, now) {
            Err(absence) => {
                count(&mut model.counters.cas_misses);
                Reply::NotFound
                    .because(req!("storage.cas.not-found"))
                    .also(absence.rule())
            }
            Ok(item) if item.unique == unique && unique != 0 => {
                count(&mut model.counters.cas_hits);
                self.put(model, data, now)
                    .because(req!("storage.cas.stored"))
            }
            Ok(_) => {
                count(&mut model.counters.cas_badval);
                Reply::Exists.because(req!("storage.cas.exists"))
            }
        }
    }

    /// Stores the item whatever was there.
    fn put(&self, model: &mut Model, data: &[u8], now: Time) -> Stored {
        let item = Item {
            value: data.to_vec(),
            flags: self.flags,
            expires: self.deadline.at,
            unique: model.next_unique(),
            ..Item::default()
        };
        model.put(&self.key, item, now);
        Stored(self.deadline.because)
    }
}

/// An item was stored; the rule is what its exptime meant.
struct Stored(&'static Requirement);

impl Stored {
    fn because(self, rule: &'static Requirement) -> Ruling {
        Reply::Stored.because(rule).also(self.0)
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

    /// Whether an item of this size may not be stored at all.
    pub(crate) fn too_large(&self, key: &[u8], length: u64, flags: u32) -> bool {
        let key_length = key.len() as u64;
        size_of_item(key_length, length, flags != 0, self.options.cas)
            > self.options.item_size_max_bytes
    }
}
