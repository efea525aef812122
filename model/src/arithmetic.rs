//! `incr` and `decr`, and the counting that `ma` shares. Law: `spec/arithmetic.md`.
//!
//! It never looks at a meta flag: `meta/arithmetic.rs` reads those and then calls [`change`].

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use crate::dispatch::incomplete;
use crate::framing::Line;
use crate::memory::{OUT_OF_MEMORY, size_of_item};
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::state::{Absence, Item};
use crate::statistics::count;
use crate::{Model, Time, keys, numbers};

/// What a number is changed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delta {
    Incr(u64),
    Decr(u64),
}

/// An item whose number was changed.
pub(crate) struct Changed {
    /// What it is now, and what the reply shows.
    pub(crate) number: u64,
    /// The item that holds it.
    pub(crate) item: Item,
    /// memcached would have made a new item for it, for the number did not fit into the old one.
    pub(crate) renewed: bool,
    /// Why it counted so.
    pub(crate) because: Vec<&'static Requirement>,
}

/// Why nothing was changed.
pub(crate) enum Unchanged {
    /// There is no item.
    Missing(Absence),
    /// Its value is no number, by this rule; the reply is [`NON_NUMERIC`].
    NonNumeric(&'static Requirement),
    /// The number would be longer, and there is no room for that; the reply is [`OUT_OF_MEMORY`].
    NoRoom,
}

/// The reply for a value that is no number.
pub(crate) const NON_NUMERIC: Reply = Reply::ClientError(Cow::Borrowed(
    "cannot increment or decrement non-numeric value",
));

/// Item size, as memcached counts it, above which nothing is read as a number.
const NUMERIC_SIZE_MAX: u64 = 512 << 10;

/// `incr <key> <value> [noreply]` and `decr <key> <value> [noreply]`
pub(crate) fn rule(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let [command, key, delta, ..] = line.arguments_from(0) else {
        return incomplete(
            model,
            req!("arithmetic.tokens"),
            req!("arithmetic.tokens.error"),
        );
    };
    let ruling = if let Err(rule) = keys::check(key, line) {
        MALFORMED.because(rule).also(req!("arithmetic.key"))
    } else {
        match numbers::unsigned64(delta, line, &model.dialect) {
            None => Reply::ClientError(Cow::Borrowed("invalid numeric delta argument"))
                .because(req!("arithmetic.delta"))
                .also(req!("arithmetic.delta.first")),
            Some(by) if *command == b"incr" => answer(model, key, Delta::Incr(by), now),
            Some(by) => answer(model, key, Delta::Decr(by), now),
        }
    };
    ruling.silent_if(line.noreply(), req!("arithmetic.noreply"))
}

fn answer(model: &mut Model, key: &[u8], delta: Delta, now: Time) -> Ruling {
    match change(model, key, delta, now) {
        Err(Unchanged::Missing(absence)) => {
            count(delta.misses(model));
            Reply::NotFound
                .because(req!("arithmetic.missing"))
                .also(absence.rule())
        }
        Err(Unchanged::NonNumeric(rule)) => NON_NUMERIC.because(rule),
        Err(Unchanged::NoRoom) => OUT_OF_MEMORY.because(req!("memory.refuse.made")),
        Ok(changed) => {
            let mut ruling = Reply::Number(changed.number).because(req!("arithmetic.reply"));
            ruling.because.extend(changed.because);
            ruling
        }
    }
}

/// Counts in the item of this key and writes the number back, for `incr`, `decr` and `ma`.
///
/// The item keeps its flags, exptime and marks, and gets a new unique. Hits are counted here; a
/// miss is the caller's, because `ma` may answer it by making an item.
pub(crate) fn change(
    model: &mut Model,
    key: &[u8],
    delta: Delta,
    now: Time,
) -> Result<Changed, Unchanged> {
    let item = model.lookup(key, now).map_err(Unchanged::Missing)?;
    let mut item = item.clone();
    let numeral = read(model, key, &item).map_err(Unchanged::NonNumeric)?;
    let (number, counted) = delta.apply(numeral.number);
    let mut because = numeral.because;
    because.push(counted);
    because.extend([req!("arithmetic.keeps"), req!("arithmetic.unique")]);
    let renewed = write(&mut item, number, &mut because);
    if renewed && !model.has_room_for(key, item.value.len() as u64, item.flags) {
        return Err(Unchanged::NoRoom);
    }
    count(delta.hits(model));
    if renewed {
        count(&mut model.counters.total_items);
        forget_marks(&model.dialect, &mut item, &mut because);
    }
    item.unique = model.next_unique();
    model.items.insert(key.to_vec(), item.clone());
    Ok(Changed {
        number,
        item,
        renewed,
        because,
    })
}

impl Delta {
    /// The number after it, and the rule for what happens at the ends of the range.
    fn apply(self, number: u64) -> (u64, &'static Requirement) {
        match self {
            Delta::Incr(by) => match number.checked_add(by) {
                Some(sum) => (sum, req!("arithmetic.incr.adds")),
                None => (number.wrapping_add(by), req!("arithmetic.incr.wraps")),
            },
            Delta::Decr(by) => match number.checked_sub(by) {
                Some(rest) => (rest, req!("arithmetic.decr.subtracts")),
                None => (0, req!("arithmetic.decr.clamps")),
            },
        }
    }

    /// The statistic of its hits.
    fn hits(self, model: &mut Model) -> &mut u64 {
        match self {
            Delta::Incr(_) => &mut model.counters.incr_hits,
            Delta::Decr(_) => &mut model.counters.decr_hits,
        }
    }

    /// The statistic of its misses.
    pub(crate) fn misses(self, model: &mut Model) -> &mut u64 {
        match self {
            Delta::Incr(_) => &mut model.counters.incr_misses,
            Delta::Decr(_) => &mut model.counters.decr_misses,
        }
    }
}

/// Writes the number into the item; says whether it was too long for the value that was there.
fn write(item: &mut Item, number: u64, because: &mut Vec<&'static Requirement>) -> bool {
    let room = item.value.len();
    item.value = number.to_string().into_bytes();
    let grows = item.value.len() > room;
    if grows {
        because.push(req!("arithmetic.grows"));
    } else if item.value.len() < room {
        item.value.resize(room, b' ');
        because.push(req!("arithmetic.padded"));
    }
    grows
}

/// The deviations of a new item that has nothing of what the old one was marked with.
pub(crate) fn forget_marks(
    dialect: &Dialect,
    item: &mut Item,
    because: &mut Vec<&'static Requirement>,
) {
    let forgets = req!("meta.arithmetic.stale.grown");
    if dialect.has(forgets) {
        item.stale = false;
        item.won = false;
        item.fetched = false;
        because.push(forgets);
    }
    let forgets = req!("meta.arithmetic.base64.grown");
    if dialect.has(forgets) {
        item.base64 = false;
        because.push(forgets);
    }
}

/// Whether the item is too large to be read as a number at all.
pub(crate) fn is_large(model: &Model, key: &[u8], item: &Item) -> bool {
    let (key_length, length) = (key.len() as u64, item.value.len() as u64);
    size_of_item(key_length, length, item.flags != 0, model.options.cas) > NUMERIC_SIZE_MAX
}

/// A value read as a number, and the rules that made it one.
struct Numeral {
    number: u64,
    because: Vec<&'static Requirement>,
}

/// Reads the item's value: white space, a sign, digits, and what ends them.
fn read(model: &Model, key: &[u8], item: &Item) -> Result<Numeral, &'static Requirement> {
    if is_large(model, key, item) {
        return Err(req!("arithmetic.value.large"));
    }
    let mut because = Vec::new();
    let (space, text) = split(&item.value, is_space);
    if !space.is_empty() {
        because.push(req!("arithmetic.value.before"));
    }
    let (sign, text) = match text {
        [sign @ (b'+' | b'-'), text @ ..] => (Some(*sign), text),
        text => (None, text),
    };
    let (digits, behind) = split(text, u8::is_ascii_digit);
    because.extend(ending(behind)?);
    match digits {
        [] => return Err(req!("arithmetic.value.empty")),
        [b'0', ..] => because.push(req!("arithmetic.value.zeros")),
        _ => {}
    }
    let number = core::str::from_utf8(digits).unwrap_or_default().parse();
    let number = number.map_err(|_| req!("arithmetic.value.range"))?;
    match sign {
        Some(b'-') => negative(model, number, because),
        Some(_) => {
            because.push(req!("arithmetic.value.plus"));
            Ok(Numeral { number, because })
        }
        None => Ok(Numeral { number, because }),
    }
}

/// What stands behind the digits: the rule that lets it, or the rule against it.
fn ending(behind: &[u8]) -> Result<Option<&'static Requirement>, &'static Requirement> {
    match behind {
        [] => Ok(None),
        padding if padding.iter().all(|byte| *byte == b' ') => {
            Ok(Some(req!("arithmetic.value.padding")))
        }
        [0, ..] => Ok(Some(req!("arithmetic.value.behind"))),
        [next, ..] if is_space(next) => Ok(Some(req!("arithmetic.value.behind"))),
        _ => Err(req!("arithmetic.value.text")),
    }
}

/// What a number behind a minus sign counts as.
fn negative(
    model: &Model,
    number: u64,
    mut because: Vec<&'static Requirement>,
) -> Result<Numeral, &'static Requirement> {
    let number = number.wrapping_neg();
    if model.dialect.has(req!("arithmetic.value.minus.wraps")) && i64::try_from(number).is_ok() {
        because.push(req!("arithmetic.value.minus.wraps"));
        Ok(Numeral { number, because })
    } else {
        Err(req!("arithmetic.value.minus"))
    }
}

/// Splits off the first bytes that all belong.
fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !belongs(byte));
    text.split_at(end.unwrap_or(text.len()))
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
