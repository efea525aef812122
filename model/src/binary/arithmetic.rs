//! `incr` and `decr`. Law: `spec/binary/arithmetic.md`.
//!
//! How a value is read as a number, and what becomes of the item, is in the text chapter's file.

use alloc::string::ToString;

use spec::req;

use super::storage::{Outcome, told};
use super::{Command, Request, Status};
use crate::arithmetic::{Delta, Unchanged, change, is_large};
use crate::expiration::Deadline;
use crate::reply::{Packet, Reply};
use crate::ruling::Ruling;
use crate::state::Item;
use crate::statistics::count;
use crate::{Model, Time};

/// The exptime that forbids to make an item.
const NEVER_CREATES: u32 = u32::MAX;

/// `incr` and `decr`, and their quiet twins.
pub(super) fn rule(model: &mut Model, request: &Request, now: Time) -> Ruling {
    let outcome = counted(model, request, now);
    told(outcome, request, req!("binary.arithmetic.quiet"))
}

fn counted(model: &mut Model, request: &Request, now: Time) -> Outcome {
    let (header, by) = (&request.header, request.number64(0));
    if let Some(differs) = compare(model, request, now) {
        return Err(differs);
    }
    let delta = if header.command == Command::Incr {
        Delta::Incr(by)
    } else {
        Delta::Decr(by)
    };
    match change(model, &request.key, delta, now) {
        Ok(changed) => {
            let compares = header.unique != 0;
            let mut ruling = number(request, changed.number, changed.item.unique)
                .because(req!("binary.arithmetic.counts"))
                .also(compares.then_some(req!("binary.arithmetic.unique-same")));
            ruling.because.extend(changed.because);
            Ok(ruling)
        }
        Err(Unchanged::NonNumeric(rule)) => Err(header
            .fail(Status::NonNumeric)
            .because(req!("binary.arithmetic.non-numeric"))
            .also(rule)),
        Err(Unchanged::NoRoom) => Err(no_room(request)),
        Err(Unchanged::Missing(_)) if request.number32(16) == NEVER_CREATES => {
            count(delta.misses(model));
            let missing = header.fail(Status::NotFound);
            Err(missing.because(req!("binary.arithmetic.missing")))
        }
        Err(Unchanged::Missing(_)) => create(model, request, now),
    }
}

/// What the unique says against counting.
fn compare(model: &mut Model, request: &Request, now: Time) -> Option<Ruling> {
    let header = &request.header;
    let late = req!("binary.arithmetic.unique-differs.empty");
    let item = model.find(&request.key, now).ok()?.clone();
    if header.unique == 0 || header.unique == item.unique {
        return None;
    }
    model
        .journal
        .fetched(&request.key, Ok(item.value.len()), now);
    let is_no_number = item.value.is_empty() || is_large(model, &request.key, &item);
    if is_no_number && model.dialect.has(late) {
        return Some(header.fail(Status::NonNumeric).because(late));
    }
    let differs = header.fail(Status::Exists);
    Some(differs.because(req!("binary.arithmetic.unique-differs")))
}

/// Makes an item of the initial number; the delta is not applied to it.
fn create(model: &mut Model, request: &Request, now: Time) -> Outcome {
    let initial = request.number64(8);
    let value = initial.to_string().into_bytes();
    if !model.has_room_for(&request.key, value.len() as u64, 0) {
        return Err(no_room(request));
    }
    let unique = model.next_unique();
    let item = Item {
        value,
        expires: Deadline::of(request.number32(16).into(), now).at,
        unique,
        ..Item::default()
    };
    model.tell_made(&request.key, &item, now);
    model.put(&request.key, item, now);
    let compares = request.header.unique != 0;
    Ok(number(request, initial, unique)
        .because(req!("binary.arithmetic.creates"))
        .also(compares.then_some(req!("binary.arithmetic.creates-unique"))))
}

fn no_room(request: &Request) -> Ruling {
    let refused = request.header.fail(Status::OutOfMemory);
    refused.because(req!("memory.refuse.made"))
}

fn number(request: &Request, number: u64, unique: u64) -> Reply {
    let packet = Packet {
        unique,
        value: number.to_be_bytes().into(),
        ..request.header.packet()
    };
    Reply::Packets([packet].into())
}
