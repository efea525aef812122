//! `set`, `add`, `replace`, `append`, `prepend`. Law: `spec/binary/storage.md`.
//!
//! A request that names a unique is a `cas`, whatever else it is.

use spec::{Requirement, req};

use super::{Command, Request, Status};
use crate::expiration::Deadline;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time, memory};

/// Refuses a value for which there is no room, before it has come.
pub(super) fn refuse(model: &mut Model, request: &Request, now: Time) -> Option<Ruling> {
    let (header, key) = (&request.header, request.key.as_slice());
    model.prefixes.set(key);
    let length = header.value_length() as u64;
    let flags = request.number32(0);
    let replaces = header.command == Command::Set;
    if header.is_huge() {
        let awaited = req!("binary.frames.huge.awaited");
        return Some(Reply::Nothing.because(awaited).swallowing(length, awaited));
    }
    if model.too_large(key, length, flags) {
        let old = if replaces && model.lookup(key, now).is_ok() {
            model.items.remove(key);
            req!("binary.storage.too-large-removes")
        } else {
            req!("binary.storage.too-large-keeps")
        };
        let ruling = header.fail(Status::TooLarge).because(old);
        return Some(ruling.swallowing(length, req!("binary.storage.too-large")));
    }
    if !model.has_room_for(key, length, flags) {
        let old = memory::refuse(model, key, replaces);
        let mut ruling = header
            .fail(Status::OutOfMemory)
            .because(req!("binary.storage.no-room"));
        ruling.because.extend(old.because);
        return Some(ruling.swallowing(length, req!("binary.storage.no-room")));
    }
    None
}

/// A request with its value.
struct Put<'a> {
    request: &'a Request,
    value: &'a [u8],
    /// When its head came: the exptime counts from there.
    arrived: Time,
    now: Time,
}

/// What was stored or changed, or why nothing was; only the first may be silent.
pub(super) type Outcome = Result<Ruling, Ruling>;

/// Rules a request whose value is here.
pub(super) fn store(
    model: &mut Model,
    request: &Request,
    value: &[u8],
    arrived: Time,
    now: Time,
) -> Ruling {
    count(&mut model.counters.cmd_set);
    let put = Put {
        request,
        value,
        arrived,
        now,
    };
    let ignored = req!("binary.storage.disabled.ignored");
    let ignores = !model.options.cas && model.dialect.has(ignored);
    let asked = Some(request.header.unique).filter(|unique| *unique != 0 && !ignores);
    let outcome = match (request.header.command, asked) {
        (Command::Append | Command::Prepend, asked) => put.join(model, asked),
        (Command::Add, Some(asked)) => put.add_compared(model, asked),
        (_, Some(asked)) => put.compared(model, asked),
        (Command::Add, None) => put.add(model),
        (Command::Replace, None) => put.replace(model),
        _ => Ok(put.set(model)),
    };
    let status = match (&outcome, asked) {
        (Ok(_), _) => "stored",
        (Err(_), Some(_)) if model.items.contains_key(&request.key) => "exists",
        (Err(_), Some(_)) => "not_found",
        (Err(_), None) => "not_stored",
    };
    let command = word(request.header.command, asked);
    model.tell_stored(&request.key, command, status, value.len(), now);
    told(outcome, request, req!("binary.storage.quiet"))
        .also((ignores && request.header.unique != 0).then_some(ignored))
}

/// The classic command that does the same, for watchers.
fn word(command: Command, asked: Option<u64>) -> &'static str {
    match command {
        Command::Append => "append",
        Command::Prepend => "prepend",
        _ if asked.is_some() => "cas",
        Command::Add => "add",
        Command::Replace => "replace",
        _ => "set",
    }
}

/// The ruling of an outcome: a quiet request is silent when it succeeds, by this rule.
pub(super) fn told(outcome: Outcome, request: &Request, quiet: &'static Requirement) -> Ruling {
    match outcome {
        Ok(done) => done.silent_if(request.header.quiet, quiet),
        Err(failed) => failed,
    }
}

impl Put<'_> {
    fn set(&self, model: &mut Model) -> Ruling {
        let replaces = model.lookup(&self.request.key, self.now).is_ok();
        let ruling = self.stored(model, req!("binary.storage.set"));
        ruling.also(replaces.then_some(req!("storage.set.anew")))
    }

    fn add(&self, model: &mut Model) -> Outcome {
        match model.lookup(&self.request.key, self.now) {
            Ok(_) => Err(self.fail(Status::Exists, req!("binary.storage.add-exists"))),
            Err(_) => Ok(self.stored(model, req!("binary.storage.add"))),
        }
    }

    fn replace(&self, model: &mut Model) -> Outcome {
        match model.lookup(&self.request.key, self.now) {
            Ok(_) => Ok(self.stored(model, req!("binary.storage.replace"))),
            Err(_) => Err(self.fail(Status::NotFound, req!("binary.storage.replace-missing"))),
        }
    }

    /// `set` and `replace` with a unique.
    fn compared(&self, model: &mut Model, asked: u64) -> Outcome {
        let present = match model.lookup(&self.request.key, self.now) {
            Ok(item) => item.unique,
            Err(_) => {
                count(&mut model.counters.cas_misses);
                return Err(self.fail(Status::NotFound, req!("binary.storage.unique-missing")));
            }
        };
        if present == asked {
            count(&mut model.counters.cas_hits);
            return Ok(self.stored(model, req!("binary.storage.unique-same")));
        }
        count(&mut model.counters.cas_badval);
        let disabled = !model.options.cas;
        Err(self
            .fail(Status::Exists, req!("binary.storage.unique-differs"))
            .also(disabled.then_some(req!("binary.storage.disabled"))))
    }

    /// `add` with a unique: there must be an item, and there must be none.
    fn add_compared(&self, model: &mut Model, asked: u64) -> Outcome {
        let stored = req!("binary.storage.add-unique.stored");
        if model.dialect.has(stored) {
            return self
                .compared(model, asked)
                .map(|ruling| ruling.also(stored));
        }
        let rule = req!("binary.storage.add-unique");
        Err(match model.lookup(&self.request.key, self.now) {
            Ok(_) => {
                count(&mut model.counters.cas_badval);
                self.fail(Status::Exists, rule)
            }
            Err(_) => {
                count(&mut model.counters.cas_misses);
                self.fail(Status::NotFound, rule)
            }
        })
    }

    /// `append` and `prepend`: a new item with the flags and the deadline of the old one.
    fn join(&self, model: &mut Model, asked: Option<u64>) -> Outcome {
        let key = self.request.key.as_slice();
        let Ok(old) = model.lookup(key, self.now).map(|item| item.clone()) else {
            return Err(self.fail(Status::NotStored, req!("binary.storage.append-missing")));
        };
        if asked.is_some_and(|asked| asked != old.unique) {
            return Err(self.fail(Status::Exists, req!("binary.storage.append-unique")));
        }
        let (value, rule) = if self.request.header.command == Command::Append {
            (
                [&old.value, self.value].concat(),
                req!("binary.storage.append"),
            )
        } else {
            (
                [self.value, &old.value].concat(),
                req!("binary.storage.prepend"),
            )
        };
        let length = value.len() as u64;
        if model.too_large(key, length, old.flags) {
            return Err(self.fail(Status::NotStored, req!("binary.storage.append-too-large")));
        }
        if !model.has_room_for(key, length, old.flags) {
            return Err(self.fail(Status::NotStored, req!("binary.storage.no-room-joined")));
        }
        let unique = model.next_unique();
        let item = Item {
            value,
            flags: old.flags,
            expires: old.expires,
            unique,
            base64: model.joins_base64(&old),
            ..Item::default()
        };
        model.put(key, item, self.now);
        let ruling = self.request.header.done(unique).because(rule);
        Ok(ruling.also(req!("binary.storage.append-keeps")))
    }

    /// Stores the item whatever was there, by this rule.
    fn stored(&self, model: &mut Model, rule: &'static Requirement) -> Ruling {
        let exptime = self.request.number32(4);
        let deadline = Deadline::of(exptime.into(), self.arrived);
        let unique = model.next_unique();
        let item = Item {
            value: self.value.to_vec(),
            flags: self.request.number32(0),
            expires: deadline.at,
            unique,
            ..Item::default()
        };
        model.put(&self.request.key, item, self.now);
        let later = self.now != self.arrived;
        let unsigned = i32::try_from(exptime).is_err();
        let ruling = self.request.header.done(unique).because(rule);
        ruling
            .also(req!("binary.storage.unique"))
            .also(req!("binary.storage.shared"))
            .also(req!("binary.storage.exptime"))
            .also(unsigned.then_some(req!("binary.storage.exptime-unsigned")))
            .also(later.then_some(req!("binary.storage.exptime-arrival")))
            .also(deadline.because)
    }

    fn fail(&self, status: Status, rule: &'static Requirement) -> Ruling {
        self.request.header.fail(status).because(rule)
    }
}
