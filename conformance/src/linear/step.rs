//! What one request does to one key, and whether its reply allows that.
//!
//! It says what the model rules for such requests, without a ruling; a test holds both together.
//! Always free are the uniques, which only grow and are bound when first seen, and whether a number
//! that became shorter keeps its item's length. What else may be free is a [`Freedom`].

use super::history::{Reply, Request, Value, Values};

/// What a server may do of its own accord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freedom {
    /// Items may vanish: it is short of memory.
    pub forgets: bool,
    /// A flush takes effect at no one moment: it may pass an item by, and come back to it.
    pub walks: bool,
    /// A later item may have a lower unique than an earlier one.
    pub shuffles: bool,
    /// A number may be told with the unique of another.
    pub blurs: bool,
    /// An item may get a higher unique though nobody changes it: the server moves it.
    pub moves: bool,
}

impl Freedom {
    /// What either allows.
    #[must_use]
    pub fn or(self, other: Freedom) -> Freedom {
        Freedom {
            forgets: self.forgets || other.forgets,
            walks: self.walks || other.walks,
            shuffles: self.shuffles || other.shuffles,
            blurs: self.blurs || other.blurs,
            moves: self.moves || other.moves,
        }
    }
}

/// What is known of the item of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Item {
    /// There is none.
    #[default]
    Absent,
    /// This one.
    Present(Value),
    /// Nothing is known: the beginning of the history was left out.
    Anything,
}

/// A key between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// Its item.
    pub item: Item,
    /// Whether the item's unique was seen: it is `unique` then, and above it otherwise.
    pub bound: bool,
    /// The highest unique that was seen.
    pub unique: u64,
}

impl State {
    fn absent(self) -> State {
        State {
            item: Item::Absent,
            bound: false,
            ..self
        }
    }

    fn stored(self, value: Value) -> State {
        State {
            item: Item::Present(value),
            bound: false,
            ..self
        }
    }

    fn anything(self) -> State {
        State {
            item: Item::Anything,
            bound: false,
            ..self
        }
    }

    /// The item seen with this unique, where that may be; 0 says nothing.
    fn seen(self, unique: u64, free: Freedom) -> Option<State> {
        let may_be = match unique {
            0 => return Some(self),
            _ if free.blurs => return Some(self),
            unique if self.bound && unique == self.unique => true,
            _ if self.bound && !free.moves => false,
            unique if free.shuffles => unique != self.unique,
            unique => unique > self.unique,
        };
        may_be.then_some(State {
            bound: true,
            unique,
            ..self
        })
    }
}

/// Adds every state in which the key may be after the request got this reply; none where it cannot
/// have got it.
pub fn step(
    state: State,
    request: Request,
    reply: Reply,
    free: Freedom,
    values: &mut Values,
    out: &mut Vec<State>,
) {
    let free = Freedom {
        blurs: free.blurs && is_number(state, reply, values),
        ..free
    };
    match state.item {
        Item::Anything => after_anything(state, request, reply, free, values, out),
        Item::Absent => after_absent(state, request, reply, out),
        Item::Present(value) => {
            after_present(state, value, request, reply, free, values, out);
            let flushed = request == Request::Flush && told_done(reply);
            if free.walks && flushed {
                out.push(state);
            }
            if free.forgets {
                after_absent(state.absent(), request, reply, out);
                if reply == Reply::Untold {
                    // Without memory it may fail, and say so to nobody.
                    out.push(state);
                }
            }
        }
    }
}

/// Whether a request with this reply changed nothing, so that it may take its place at once.
#[must_use]
pub fn is_pure(request: Request, reply: Reply) -> bool {
    match reply {
        Reply::Found(..) | Reply::Miss | Reply::NotStored | Reply::Exists => true,
        Reply::NotFound | Reply::NotNumeric => true,
        Reply::Done => request == Request::Touch,
        Reply::Untold => request == Request::Get,
        Reply::Stored | Reply::Number(_) | Reply::NoRoom => false,
    }
}

fn told_done(reply: Reply) -> bool {
    matches!(reply, Reply::Done | Reply::Untold)
}

/// Whether a number is there, or is told.
fn is_number(state: State, reply: Reply, values: &Values) -> bool {
    match (state.item, reply) {
        (Item::Present(value), _) | (_, Reply::Found(value, _)) => values.counted(value).is_some(),
        _ => true,
    }
}

fn after_absent(state: State, request: Request, reply: Reply, out: &mut Vec<State>) {
    let (natural, next) = match request {
        Request::Get => (Reply::Miss, state),
        Request::Set(value) | Request::Add(value) => (Reply::Stored, state.stored(value)),
        Request::Replace(_) | Request::Append(_) | Request::Prepend(_) => (Reply::NotStored, state),
        Request::Flush => (Reply::Done, state),
        Request::Cas(..) | Request::Incr(_) | Request::Decr(_) => (Reply::NotFound, state),
        Request::Delete | Request::Touch => (Reply::NotFound, state),
    };
    if reply == natural || reply == Reply::Untold {
        out.push(next);
    }
    if reply == Reply::NoRoom {
        out.push(state);
    }
}

fn after_present(
    state: State,
    value: Value,
    request: Request,
    reply: Reply,
    free: Freedom,
    values: &mut Values,
    out: &mut Vec<State>,
) {
    let told = |natural: Reply| reply == natural || reply == Reply::Untold;
    if reply == Reply::NoRoom {
        out.extend([state, state.absent()]);
        return;
    }
    match request {
        Request::Get => match reply {
            Reply::Found(found, unique) if found == value => out.extend(state.seen(unique, free)),
            Reply::Untold => out.push(state),
            _ => {}
        },
        Request::Set(new) | Request::Replace(new) if told(Reply::Stored) => {
            out.push(state.stored(new));
        }
        Request::Add(_) if told(Reply::NotStored) => out.push(state),
        Request::Append(block) if told(Reply::Stored) => {
            let joined = [values.bytes(value), values.bytes(block)].concat();
            out.push(state.stored(values.of(&joined)));
        }
        Request::Prepend(block) if told(Reply::Stored) => {
            let joined = [values.bytes(block), values.bytes(value)].concat();
            out.push(state.stored(values.of(&joined)));
        }
        Request::Cas(new, unique) => {
            let mine = state.seen(unique, free).filter(|_| unique > 0);
            if let Some(mine) = mine.filter(|_| told(Reply::Stored)) {
                out.push(mine.stored(new));
            }
            let other = !state.bound || state.unique != unique || free.blurs || free.moves;
            if other && told(Reply::Exists) {
                out.push(state);
            }
        }
        Request::Incr(delta) => count(state, value, reply, values, out, |n| n.wrapping_add(delta)),
        Request::Decr(delta) => {
            count(state, value, reply, values, out, |n| {
                n.saturating_sub(delta)
            });
        }
        Request::Delete | Request::Flush if told(Reply::Done) => out.push(state.absent()),
        Request::Touch if told(Reply::Done) => out.push(state),
        _ => {}
    }
}

/// A sum that is shorter than the old value may be written over it, with spaces behind.
fn count(
    state: State,
    value: Value,
    reply: Reply,
    values: &mut Values,
    out: &mut Vec<State>,
    sum: impl Fn(u64) -> u64,
) {
    let Some(number) = values.counted(value).map(sum) else {
        if matches!(reply, Reply::NotNumeric | Reply::Untold) {
            out.push(state);
        }
        return;
    };
    if reply != Reply::Number(number) && reply != Reply::Untold {
        return;
    }
    let new = values.number(number);
    out.push(state.stored(new));
    let length = match values.text(value) {
        Some(text) => text.len(),
        None => values.bytes(value).len(),
    };
    let mut padded = values.bytes(new);
    if padded.len() < length {
        padded.resize(length, b' ');
        out.push(state.stored(values.of(&padded)));
    }
}

fn after_anything(
    state: State,
    request: Request,
    reply: Reply,
    free: Freedom,
    values: &mut Values,
    out: &mut Vec<State>,
) {
    match (request, reply) {
        (Request::Get, Reply::Found(value, unique)) => {
            out.extend(state.stored(value).seen(unique, free));
        }
        (Request::Flush, _) if free.walks => out.extend([state.absent(), state.anything()]),
        (_, Reply::Miss | Reply::NotFound) | (Request::Flush | Request::Delete, _) => {
            out.push(state.absent());
        }
        (Request::Replace(_) | Request::Append(_) | Request::Prepend(_), Reply::NotStored) => {
            out.push(state.absent());
        }
        (Request::Set(value) | Request::Add(value) | Request::Replace(value), Reply::Stored) => {
            out.push(state.stored(value));
        }
        (Request::Cas(value, unique), Reply::Stored) => {
            out.extend(state.seen(unique, free).map(|seen| seen.stored(value)));
        }
        (Request::Incr(_) | Request::Decr(_), Reply::Number(number)) => {
            // Its length is unknown, so the value that is read next may be padded.
            let _ = values.number(number);
            out.push(state.anything());
        }
        _ => out.push(state.anything()),
    }
    if reply == Reply::Untold || reply == Reply::NoRoom {
        out.push(state.anything());
        out.push(state.absent());
    }
}
