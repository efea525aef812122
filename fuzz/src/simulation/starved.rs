//! What a server may say to which memory is refused: what the model rules that has the item and no
//! room for any more.

use conformance::record::requests::{Change, Request};
use conformance::refine::Known;
use model::{Model, Options, Packet, Reply, Ruling, Session, Time, size_of_item};
use spec::Dialect;

/// The status of a frame for which there is no memory.
const OUT_OF_MEMORY: u16 = 0x82;

/// What is known of the key when its request was refused for want of memory, and how long that
/// reply is. None where it was not, or could not have been.
pub(super) fn refuse(
    empty: &Model,
    past: &Known,
    name: &[u8],
    request: &Request,
    said: &[u8],
    now: Time,
) -> Option<(Known, usize)> {
    let mut model = without_room(past, name, now);
    let rulings = Session::new().receive(&mut model, &request.bytes, now);
    let [ruling] = rulings.as_slice() else {
        return None;
    };
    let joined = is_joined(request)
        .then(|| not_stored(past, request, now))
        .flatten();
    let length = match refusal(request, ruling, said) {
        Some(length) => length,
        None => joined.filter(|joined| said.starts_with(joined))?.len(),
    };
    let look = [b"mg ", name, b"\r\n"].concat();
    let found = Session::new().receive(&mut model, &look, now);
    let is_gone = found.iter().any(|ruling| ruling.bytes() == b"EN\r\n");
    let after = if is_gone {
        Known::absent(empty, name)
    } else {
        past.clone()
    };
    Some((after, length))
}

/// How long the refusal is, where this one is ruled and that is what was said. In a frame, what it
/// is called is free.
fn refusal(request: &Request, ruling: &Ruling, said: &[u8]) -> Option<usize> {
    // An item without a block: the law wants words about memory there, and no certain ones.
    if request.block().is_empty() && said.starts_with(b"SERVER_ERROR out of memory") {
        return Some(said.iter().position(|byte| *byte == b'\n')? + 1);
    }
    match &ruling.reply {
        Reply::ServerError(_) => {
            let ruled = ruling.bytes();
            said.starts_with(ruled).then_some(ruled.len())
        }
        Reply::Packets(packets) => {
            let ruled = packets
                .first()
                .filter(|ruled| ruled.status == OUT_OF_MEMORY)?;
            let (Reply::Packets(seen), length) = Reply::read(said)? else {
                return None;
            };
            let seen = seen.first()?;
            let alike = Packet {
                value: seen.value.clone(),
                ..ruled.clone()
            };
            (alike == *seen).then_some(length)
        }
        _ => None,
    }
}

/// A server that has this item and no room beside it.
fn without_room(past: &Known, name: &[u8], now: Time) -> Model {
    let held = past.item(now);
    let length = held.as_ref().map_or(0, |held| held.data.len());
    let taken = size_of_item(name.len() as u64, length as u64, false, true);
    let options = Options {
        refuse_when_full: true,
        memory_limit_bytes: held.as_ref().map_or(0, |_| taken),
        ..Options::default()
    };
    let mut model = Model::new(options, Dialect::default());
    if let Some(held) = held {
        let line = format!(" 0 0 {length}\r\n");
        let set = [b"set ", name, line.as_bytes(), &held.data, b"\r\n"].concat();
        Session::new().receive(&mut model, &set, now);
        model.adopt_unique(name, held.unique);
    }
    model
}

/// Whether it adds to what is there.
fn is_joined(request: &Request) -> bool {
    request.change() == Change::Extends
        || matches!(request.flag(b'M'), Some([b'A' | b'P' | b'a' | b'p', ..]))
}

/// What is said where an item is not to be had to add to.
fn not_stored(past: &Known, request: &Request, now: Time) -> Option<Vec<u8>> {
    past.item(now)?;
    let mut nothing = Model::new(Options::default(), Dialect::default());
    let rulings = Session::new().receive(&mut nothing, &request.bytes, now);
    rulings.first().map(|ruling| ruling.bytes().to_vec())
}
