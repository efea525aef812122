//! What a request, and its reply, mean to the checker of `linear/`.
//!
//! The checker knows values, uniques and that an item may vanish. Flags it does not see, and what
//! it cannot follow exactly is none of its requests: then nothing is said. Where what is asked is
//! kept is `underway.rs`.

use model::{Code, Reply as Said};

use crate::linear::history::{Reply, Request as Order, Value, Values};
use crate::record::frames::{Frame, Verb};
use crate::record::requests::Request;

/// A longer word is refused, whatever it is.
const KEY_MAX_BYTES: usize = 250;

/// A request as the checker sees it.
pub(super) struct Asked {
    pub(super) request: Order,
    /// The item may vanish by itself from then on.
    pub(super) mortal: bool,
}

/// A reply, for one of the keys of its request.
pub(super) enum Told {
    /// What the reply is, but for its value.
    Plain(Reply),
    /// A value, and its unique.
    Found(Vec<u8>, u64),
    /// A refusal, which means what the request makes of it.
    Refused,
    /// The server had no room.
    NoRoom,
}

impl Told {
    /// The reply to this request.
    pub(super) fn settled(self, request: Order, values: &mut Values) -> Reply {
        match (self, request) {
            (Told::Found(data, unique), _) => Reply::Found(values.of(&data), unique),
            (Told::Plain(reply), _) => reply,
            (Told::Refused, Order::Incr(_) | Order::Decr(_)) => Reply::NotNumeric,
            (_, Order::Get | Order::Delete | Order::Touch | Order::Flush) => Reply::Untold,
            (Told::Refused | Told::NoRoom, _) => Reply::NoRoom,
        }
    }
}

/// The words of its line, where the checker follows a line with such words.
pub(super) fn followed(request: &Request) -> Option<Vec<&[u8]>> {
    let words = request.words();
    let short = words.iter().all(|word| word.len() <= KEY_MAX_BYTES);
    short.then_some(words)
}

/// The request of these words as the checker sees it, for each of its keys; none where it does not
/// follow it.
pub(super) fn asked(request: &Request, words: &[&[u8]], values: &mut Values) -> Option<Asked> {
    if let Some(frame) = request.frame() {
        return framed(frame, values);
    }
    let number = |at: usize| digits(words.get(at)?);
    let mortal = |at: usize| words.get(at).is_some_and(|exptime| *exptime != b"0");
    let plain = |order| {
        Some(Asked {
            request: order,
            mortal: false,
        })
    };
    match *words.first()? {
        b"get" | b"gets" => plain(Order::Get),
        b"gat" | b"gats" => Some(Asked {
            request: Order::Get,
            mortal: mortal(1),
        }),
        b"touch" => Some(Asked {
            request: Order::Touch,
            mortal: mortal(2),
        }),
        b"delete" => plain(Order::Delete),
        b"incr" => plain(Order::Incr(number(2)?)),
        b"decr" => plain(Order::Decr(number(2)?)),
        command @ (b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas") => {
            let value = values.of(data(request)?);
            let order = match command {
                b"set" => Order::Set(value),
                b"add" => Order::Add(value),
                b"replace" => Order::Replace(value),
                b"append" => Order::Append(value),
                b"prepend" => Order::Prepend(value),
                _ => Order::Cas(value, number(5)?),
            };
            Some(Asked {
                request: order,
                mortal: mortal(3),
            })
        }
        b"mg" if only(request, b"vcfkstO") && request.flag(b'v').is_some() => plain(Order::Get),
        b"md" if only(request, b"kO") => plain(Order::Delete),
        b"ms" if only(request, b"FTkOcMC") => {
            let order = meta_set(request, values.of(data(request)?))?;
            let exptime = request.flag(b'T');
            Some(Asked {
                request: order,
                mortal: exptime.is_some_and(|exptime| exptime != b"0"),
            })
        }
        _ => None,
    }
}

/// The same of a frame. Whether a quiet one was silent, only the next reply tells; and a counter
/// that is made where there is none is no request of the checker's.
fn framed(frame: Frame<'_>, values: &mut Values) -> Option<Asked> {
    const NEVER_CREATES: u32 = u32::MAX;
    let exptime = match frame.verb() {
        Verb::Set | Verb::Add | Verb::Replace => frame.number32(4)?,
        Verb::Touch | Verb::Gat => frame.number32(0)?,
        _ => 0,
    };
    let any = frame.unique == 0;
    let counts = any && frame.extras.len() == 20 && frame.number32(16) == Some(NEVER_CREATES);
    let request = match frame.verb() {
        _ if frame.is_quiet() || frame.key.len() > KEY_MAX_BYTES => return None,
        Verb::Get if any => Order::Get,
        Verb::Gat if any => Order::Get,
        Verb::Touch if any => Order::Touch,
        Verb::Set if any => Order::Set(values.of(frame.value)),
        Verb::Set => Order::Cas(values.of(frame.value), frame.unique),
        Verb::Add if any => Order::Add(values.of(frame.value)),
        Verb::Replace if any => Order::Replace(values.of(frame.value)),
        Verb::Append if any => Order::Append(values.of(frame.value)),
        Verb::Prepend if any => Order::Prepend(values.of(frame.value)),
        Verb::Delete if any => Order::Delete,
        Verb::Incr if counts => Order::Incr(frame.number64()?),
        Verb::Decr if counts => Order::Decr(frame.number64()?),
        _ => return None,
    };
    Some(Asked {
        request,
        mortal: exptime != 0,
    })
}

fn meta_set(request: &Request, value: Value) -> Option<Order> {
    let mode = request.flag(b'M').unwrap_or(b"S");
    Some(match (mode, request.flag(b'C')) {
        (b"S", Some(unique)) => Order::Cas(value, digits(unique)?),
        (_, Some(_)) => return None,
        (b"S", None) => Order::Set(value),
        (b"E", None) => Order::Add(value),
        (b"R", None) => Order::Replace(value),
        (b"A", None) => Order::Append(value),
        (b"P", None) => Order::Prepend(value),
        _ => return None,
    })
}

/// Whether it has no other flags than these.
fn only(request: &Request, flags: &[u8]) -> bool {
    let from = if request.command() == b"ms" { 3 } else { 2 };
    let words = request.words();
    let mut behind = words.iter().skip(from);
    behind.all(|word| word.first().is_some_and(|flag| flags.contains(flag)))
}

fn data(request: &Request) -> Option<&[u8]> {
    request.block().strip_suffix(b"\r\n")
}

fn digits(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// What these bytes say of each key.
pub(super) fn told(request: &Request, keys: &[Vec<u8>], said: &[u8]) -> Vec<Told> {
    if let Some(frame) = request.frame() {
        return vec![told_by_frame(frame.verb(), said)];
    }
    let alike = |told: fn() -> Told| keys.iter().map(|_| told()).collect();
    let deletes = request.command() == b"md";
    match Said::read(said).map(|(said, _)| said) {
        Some(Said::Values(values)) => {
            let mut values = values.into_iter().peekable();
            let of = |key: &Vec<u8>| match values.next_if(|value| value.key == *key) {
                Some(value) => Told::Found(value.data, value.unique.unwrap_or(0)),
                None => Told::Plain(Reply::Miss),
            };
            keys.iter().map(of).collect()
        }
        Some(Said::MetaValue(data, fields)) => {
            let unique = fields
                .iter()
                .find_map(|field| digits(field.strip_prefix(b"c")?));
            vec![Told::Found(data, unique.unwrap_or(0))]
        }
        Some(Said::Number(number)) => vec![Told::Plain(Reply::Number(number))],
        Some(Said::Stored) => alike(|| Told::Plain(Reply::Stored)),
        Some(Said::NotStored | Said::Meta(Code::Ns, _)) => alike(|| Told::Plain(Reply::NotStored)),
        Some(Said::Exists | Said::Meta(Code::Ex, _)) => alike(|| Told::Plain(Reply::Exists)),
        Some(Said::NotFound | Said::Meta(Code::Nf, _)) => alike(|| Told::Plain(Reply::NotFound)),
        Some(Said::Meta(Code::En, _)) => alike(|| Told::Plain(Reply::Miss)),
        Some(Said::Meta(Code::Hd, _)) if deletes => alike(|| Told::Plain(Reply::Done)),
        Some(Said::Meta(Code::Hd, _)) => alike(|| Told::Plain(Reply::Stored)),
        Some(Said::Deleted | Said::Touched) => alike(|| Told::Plain(Reply::Done)),
        Some(Said::ClientError(_)) => alike(|| Told::Refused),
        Some(Said::ServerError(_)) => alike(|| Told::NoRoom),
        _ => alike(|| Told::Plain(Reply::Untold)),
    }
}

/// What the frame that answers such a request says.
fn told_by_frame(verb: Verb, said: &[u8]) -> Told {
    let packet = match Said::read(said) {
        Some((Said::Packets(packets), _)) => packets.into_iter().next(),
        _ => None,
    };
    let Some(packet) = packet else {
        return Told::Plain(Reply::Untold);
    };
    match (packet.status, verb) {
        (0x00, Verb::Get | Verb::Gat) => Told::Found(packet.value, packet.unique),
        (0x00, Verb::Incr | Verb::Decr) => match packet.value.try_into() {
            Ok(number) => Told::Plain(Reply::Number(u64::from_be_bytes(number))),
            Err(_) => Told::Plain(Reply::Untold),
        },
        (0x00, Verb::Delete | Verb::Touch) => Told::Plain(Reply::Done),
        (0x00, _) => Told::Plain(Reply::Stored),
        (0x01, Verb::Get | Verb::Gat) => Told::Plain(Reply::Miss),
        (0x01, Verb::Replace) => Told::Plain(Reply::NotStored),
        (0x01, _) => Told::Plain(Reply::NotFound),
        (0x02, Verb::Add) | (0x05, _) => Told::Plain(Reply::NotStored),
        (0x02, _) => Told::Plain(Reply::Exists),
        (0x06, _) => Told::Refused,
        (0x03 | 0x82, _) => Told::NoRoom,
        _ => Told::Plain(Reply::Untold),
    }
}
