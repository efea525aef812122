//! The relation between what the model rules and what a server was seen to say: the freedoms that
//! the law leaves, and nothing else.
//!
//! One key is judged at a time: what is known of it is a model that holds no other item. A freedom
//! is settled by trying: the model rules again in a world where the server took it, and where it
//! then says what was observed, that is what happened. Too loose, and it would accept a server that
//! misses always; so each freedom is tried only where its own condition holds. The settling itself
//! is `model/src/freedom.rs`.

use std::fmt;

use model::{Model, Packet, Reply, Ruling, Session, Time};

use crate::record::frames::{HEADER_BYTES, whole_length};
use crate::record::requests::{Change, Request};

/// What is known of one key.
#[derive(Clone, Debug)]
pub struct Known {
    model: Model,
    key: Vec<u8>,
    /// The unique that it was last seen to have.
    unique: u64,
    /// The last of them that was the server's own choice.
    chosen: u64,
    /// The same, had the server not padded the number that it counted last.
    unpadded: Option<Model>,
    /// It may die at a moment that nobody saw being set.
    mortal: bool,
    /// About how much was stored.
    stored_bytes: usize,
}

/// The item of a key, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its value.
    pub data: Vec<u8>,
    /// Its unique, where that was seen, or 0.
    pub unique: u64,
    /// Whether it dies some time.
    pub is_mortal: bool,
    /// Whether its value can be no other.
    pub is_certain: bool,
}

/// What a run admits, beyond what the law leaves to every server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Items may be evicted.
    pub pressure: bool,
}

/// A freedom that a server took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freedom {
    /// It chose a unique.
    Unique,
    /// It evicted the item.
    Eviction,
    /// Its clock ticked a moment sooner or later, or was read when the request began.
    Tick,
    /// It did not pad a number that lost digits.
    Padding,
}

impl fmt::Display for Freedom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Freedom::Unique => "a unique of its own",
            Freedom::Eviction => "an item was evicted",
            Freedom::Tick => "a clock that ticks at another moment",
            Freedom::Padding => "a number without padding",
        })
    }
}

/// How an observation stands to the model's ruling.
#[derive(Clone, Debug)]
pub enum Relation {
    /// A lawful server may say so: what is known then, how many bytes it said, which freedom it
    /// took.
    Agrees(Box<Known>, usize, Option<Freedom>),
    /// It has not said all.
    Waits,
    /// No lawful server says so; this is what the model rules.
    Differs(Vec<Ruling>),
}

/// How far one world's rulings agree with the bytes that were observed.
enum Answer {
    Same { length: usize, unique: Option<u64> },
    Part,
    Other,
}

impl Known {
    /// A key without an item, on a server of this kind.
    #[must_use]
    pub fn absent(empty: &Model, key: &[u8]) -> Known {
        Known {
            model: empty.clone(),
            key: key.to_vec(),
            unique: 0,
            chosen: 0,
            unpadded: None,
            mortal: false,
            stored_bytes: 0,
        }
    }

    /// A key whose item was only ever read: its value is known, its deadline is not.
    #[must_use]
    pub fn found(empty: &Model, value: &model::Value, now: Time) -> Known {
        let mut known = Known::absent(empty, &value.key);
        let (flags, length) = (value.flags, value.data.len());
        let line = format!(" {flags} 0 {length}\r\n");
        let set = [
            b"set ",
            value.key.as_slice(),
            line.as_bytes(),
            &value.data,
            b"\r\n",
        ];
        Session::new().receive(&mut known.model, &set.concat(), now);
        known.adopt(value.unique);
        known.mortal = true;
        known.stored_bytes = length;
        known
    }

    /// About how much room it takes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        const MODEL_BYTES: usize = 4096;
        self.key.len() + self.stored_bytes + MODEL_BYTES
    }

    /// Lets a request that is answered alike whatever was there do what it does.
    pub fn rule(&mut self, request: &Request, now: Time) {
        for model in std::iter::once(&mut self.model).chain(&mut self.unpadded) {
            Session::new().receive(model, &request.bytes, now);
        }
    }

    /// Its item as far as it is known, if it has one.
    #[must_use]
    pub fn item(&self, now: Time) -> Option<Held> {
        let look = [b"mg ", self.key.as_slice(), b" v t c\r\n"].concat();
        let rulings = Session::new().receive(&mut self.model.clone(), &look, now);
        let (data, fields) = match rulings.first().map(|ruling| &ruling.reply) {
            Some(Reply::MetaValue(data, fields)) => (data.clone(), fields.as_slice()),
            Some(Reply::Meta(model::Code::En, _)) => return None,
            _ => (Vec::new(), [].as_slice()),
        };
        let stays = fields.iter().any(|field| field == b"t-1");
        let unique = fields
            .iter()
            .find_map(|field| number(field.strip_prefix(b"c")?));
        Some(Held {
            data,
            unique: unique.filter(|unique| *unique == self.unique).unwrap_or(0),
            is_mortal: self.mortal || !stays,
            is_certain: unique.is_some() && self.unpadded.is_none(),
        })
    }

    fn adopt(&mut self, unique: Option<u64>) {
        if let Some(unique) = unique.filter(|unique| *unique != self.unique) {
            self.model.adopt_unique(&self.key, unique);
            if let Some(unpadded) = &mut self.unpadded {
                unpadded.adopt_unique(&self.key, unique);
            }
            self.unique = unique;
            self.chosen = self.chosen.max(unique);
        }
    }

    /// The same key, had its item been evicted.
    fn evicted(&self) -> Known {
        let mut world = self.clone();
        world.model.forget(&self.key);
        world
    }

    /// A unique that the client chose is none that the server may choose.
    fn learn_named(&mut self, request: &Request, now: Time) {
        if let Some(named) = request.flag(b'E').and_then(number)
            && self.unique_now(now) == Some(named)
        {
            self.unique = named;
        }
    }

    /// The unique that its item has in the model.
    fn unique_now(&self, now: Time) -> Option<u64> {
        let look = [b"mg ", self.key.as_slice(), b" c\r\n"].concat();
        let rulings = Session::new().receive(&mut self.model.clone(), &look, now);
        let Reply::Meta(_, fields) = &rulings.first()?.reply else {
            return None;
        };
        number(fields.first()?.strip_prefix(b"c")?)
    }
}

/// Holds what was observed against what the model rules, for a request about this one key.
#[must_use]
pub fn refine(
    known: &Known,
    request: &Request,
    observed: &[u8],
    now: Time,
    admitted: Admitted,
) -> Relation {
    let mut plain = known.clone();
    if let (Some(named), Some(invented)) = (compared(request), known.unique_now(now))
        && invented != known.unique
    {
        // What the model made up must not happen to be what the client names.
        let other = invented.max(named).checked_add(1).unwrap_or(invented);
        plain.model.adopt_unique(&known.key, other);
    }
    let rulings = Session::new().receive(&mut plain.model, &request.bytes, now);
    plain.learn_named(request, now);
    match answer(&rulings, observed, &plain) {
        Answer::Same { length, unique } => {
            plain.unpadded = unpadded(known, request, observed, now);
            return agree(plain, request, &rulings, length, unique, None);
        }
        Answer::Part => return Relation::Waits,
        Answer::Other => {}
    }
    for (freedom, mut world, then) in worlds(known, request, now, admitted) {
        let rulings = Session::new().receive(&mut world.model, &request.bytes, then);
        world.learn_named(request, then);
        if let Answer::Same { length, unique } = answer(&rulings, observed, &world) {
            return agree(world, request, &rulings, length, unique, Some(freedom));
        }
    }
    Relation::Differs(rulings)
}

/// The world without the item, and what is said there, for a request that would be silent with it.
#[must_use]
pub fn lost_in_silence(
    known: &Known,
    request: &Request,
    now: Time,
    admitted: Admitted,
) -> Option<(Known, Vec<u8>)> {
    if !request.is_quiet() || !(admitted.pressure || known.mortal) {
        return None;
    }
    let said = |world: &mut Known| -> Vec<u8> {
        let rulings = Session::new().receive(&mut world.model, &request.bytes, now);
        rulings.iter().flat_map(Ruling::bytes).copied().collect()
    };
    let mut without = known.evicted();
    let (with, lost) = (said(&mut known.clone()), said(&mut without));
    (with.is_empty() && !lost.is_empty()).then_some((without, lost))
}

/// What follows if the number was not padded, where the server may as well have said so then.
fn unpadded(known: &Known, request: &Request, observed: &[u8], now: Time) -> Option<Model> {
    let mut unpadded = known.unpadded.clone()?;
    let rulings = Session::new().receive(&mut unpadded, &request.bytes, now);
    let same = matches!(answer(&rulings, observed, known), Answer::Same { .. });
    same.then_some(unpadded)
}

/// The worlds in which the server took one freedom.
fn worlds(
    known: &Known,
    request: &Request,
    now: Time,
    admitted: Admitted,
) -> Vec<(Freedom, Known, Time)> {
    let mut worlds = Vec::new();
    if let Some(unpadded) = &known.unpadded {
        let mut world = known.clone();
        world.model = unpadded.clone();
        world.unpadded = None;
        worlds.push((Freedom::Padding, world, now));
    }
    let ticks = [now.0.saturating_sub(1), now.0.saturating_add(1)].map(Time);
    for then in ticks.into_iter().chain(request.began) {
        worlds.push((Freedom::Tick, known.clone(), then));
    }
    let invented = known.unique_now(now).filter(|now| *now != known.unique);
    if let (Some(unique), Some(invented)) = (compared(request), invented) {
        // Nobody saw the item's unique yet: it may be the one the client names, or not be.
        let other = invented.max(unique).saturating_add(1);
        for unique in [unique, other] {
            if unique > known.chosen {
                let mut world = known.clone();
                world.model.adopt_unique(&known.key, unique);
                worlds.push((Freedom::Unique, world, now));
            }
        }
    }
    if admitted.pressure || known.mortal {
        worlds.push((Freedom::Eviction, known.evicted(), now));
    }
    worlds
}

/// The unique that the request compares with.
fn compared(request: &Request) -> Option<u64> {
    if let Some(frame) = request.frame() {
        return Some(frame.unique).filter(|unique| *unique != 0);
    }
    let words = request.words();
    match words.first()? {
        &b"cas" => number(words.get(5)?),
        _ => number(request.flag(b'C')?),
    }
}

fn agree(
    mut known: Known,
    request: &Request,
    rulings: &[Ruling],
    length: usize,
    unique: Option<u64>,
    freedom: Option<Freedom>,
) -> Relation {
    let adopted = unique.is_some_and(|unique| unique != known.unique);
    known.adopt(unique);
    let done = rulings.iter().any(|ruling| {
        use model::Code::{Ex, Nf, Ns};
        let refused = matches!(ruling.reply, Reply::Meta(Ex | Nf | Ns, _));
        let meta = matches!(ruling.reply, Reply::Meta(..) | Reply::MetaValue(..));
        let stored = matches!(ruling.reply, Reply::Stored | Reply::Number(_));
        let framed = matches!(&ruling.reply, Reply::Packets(all) if all.iter().all(is_done));
        stored || (meta && !refused) || framed
    });
    if done {
        match request.change() {
            Change::Counts => {
                let mut unpadded = known.model.clone();
                unpadded.settle_incr(&known.key);
                known.unpadded = Some(unpadded);
            }
            Change::Stores => {
                known.unpadded = None;
                // Of a frame that came slowly, either end may be what its exptime counts from.
                known.mortal = request.frame().is_some() && request.began.is_some();
                known.stored_bytes = request.bytes.len();
            }
            Change::Extends => known.stored_bytes += request.bytes.len(),
            Change::Nothing => {}
        }
    }
    let freedom = freedom.or(adopted.then_some(Freedom::Unique));
    Relation::Agrees(Box::new(known), length, freedom)
}

/// Compares the rulings with the first bytes observed.
fn answer(rulings: &[Ruling], observed: &[u8], known: &Known) -> Answer {
    let ruled: Vec<u8> = rulings.iter().flat_map(Ruling::bytes).copied().collect();
    if observed.starts_with(&ruled) {
        let length = ruled.len();
        let unique = rulings.iter().find_map(|ruling| unique_of(&ruling.reply));
        let unique = unique.filter(|_| length > 0);
        return Answer::Same { length, unique };
    }
    if ruled.starts_with(observed) {
        return Answer::Part;
    }
    let (mut length, mut unique) = (0, None);
    for ruling in rulings.iter().filter(|ruling| !ruling.bytes().is_empty()) {
        let rest = observed.get(length..).unwrap_or_default();
        match Reply::read(rest) {
            Some((reply, taken))
                if is_printed_so(&reply, rest, taken)
                    && same(&ruling.reply, &reply, &mut |_, ruled, seen| {
                        may_be_unique(ruled, seen, known)
                    }) =>
            {
                length = length.saturating_add(taken);
                unique = unique_of(&reply).or(unique);
            }
            None if may_become_a_reply(rest) => return Answer::Part,
            _ => return Answer::Other,
        }
    }
    Answer::Same { length, unique }
}

/// Whether a server writes this reply so: what is read alike, a zero before a number, is not.
fn is_printed_so(reply: &Reply, observed: &[u8], taken: usize) -> bool {
    let mut printed = Vec::new();
    reply.print(&mut printed);
    observed.get(..taken) == Some(printed.as_slice())
}

/// Whether bytes that are no reply may yet become one.
#[must_use]
pub fn may_become_a_reply(bytes: &[u8]) -> bool {
    if bytes.first() == Some(&0x81) {
        return may_become_a_frame(bytes);
    }
    let lists = ["VALUE ", "VA ", "STAT ", "ITEM ", "PREFIX "];
    !bytes.contains(&b'\n') || lists.iter().any(|list| bytes.starts_with(list.as_bytes()))
}

/// Whether a server may show the second unique where the first is ruled, for this key where the
/// reply names it.
type MayBe<'a> = dyn FnMut(Option<&[u8]>, u64, u64) -> bool + 'a;

/// How one reply compares with the first bytes observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// They say the same; so many bytes do.
    Same(usize),
    /// More bytes are needed.
    Part,
    /// They differ.
    Other,
}

/// Holds what was observed against one ruling, in any protocol. Whoever knows the whole server says
/// which uniques it may show, and is asked for each that is shown.
pub fn compare(ruling: &Ruling, observed: &[u8], may_be: &mut MayBe<'_>) -> Compared {
    let ruled = ruling.bytes();
    if observed.starts_with(ruled) {
        return match ruled.is_empty() || same(&ruling.reply, &ruling.reply, may_be) {
            true => Compared::Same(ruled.len()),
            false => Compared::Other,
        };
    }
    if ruled.starts_with(observed) {
        return Compared::Part;
    }
    match Reply::read(observed) {
        Some((reply, taken))
            if is_printed_so(&reply, observed, taken) && same(&ruling.reply, &reply, may_be) =>
        {
            Compared::Same(taken)
        }
        None if may_become_a_reply(observed) => Compared::Part,
        _ => Compared::Other,
    }
}

/// Whether bytes are the beginning of a frame that has not all come, or of a list of them.
fn may_become_a_frame(mut bytes: &[u8]) -> bool {
    const STAT_OPCODE: u8 = 0x10;
    while let Some(header) = bytes.first_chunk::<HEADER_BYTES>() {
        let [magic, opcode, k1, k0, ..] = *header;
        let is_listed = opcode == STAT_OPCODE && (k1, k0) != (0, 0);
        match bytes.split_at_checked(whole_length(header)) {
            None => return magic == 0x81,
            Some((_, rest)) if is_listed && magic == 0x81 => bytes = rest,
            Some(_) => return false,
        }
    }
    bytes.first().is_none_or(|magic| *magic == 0x81)
}

/// The binary command whose value is the server's own.
const VERSION_OPCODE: u8 = 0x0b;

/// Whether two replies say the same, up to what a server may choose.
fn same(ruled: &Reply, seen: &Reply, may_be: &mut MayBe<'_>) -> bool {
    match (ruled, seen) {
        (Reply::Values(ruled), Reply::Values(seen)) => {
            ruled.len() == seen.len()
                && ruled.iter().zip(seen).all(|(ruled, seen)| {
                    ruled.key == seen.key
                        && ruled.flags == seen.flags
                        && ruled.data == seen.data
                        && match (ruled.unique, seen.unique) {
                            (Some(one), Some(other)) => may_be(Some(&ruled.key), one, other),
                            (ruled, seen) => ruled == seen,
                        }
                })
        }
        (Reply::Meta(code, ruled), Reply::Meta(other, seen)) => {
            code == other && same_fields(ruled, seen, may_be)
        }
        (Reply::MetaValue(data, ruled), Reply::MetaValue(other, seen)) => {
            data == other && same_fields(ruled, seen, may_be)
        }
        (Reply::Packets(ruled), Reply::Packets(seen)) => {
            ruled.len() == seen.len()
                && ruled.iter().zip(seen).all(|(ruled, seen)| {
                    let unique = seen.unique;
                    let own = ruled.opcode == VERSION_OPCODE && ruled.status == 0;
                    let value = if own { &seen.value } else { &ruled.value }.clone();
                    let alike = Packet {
                        unique,
                        value,
                        ..ruled.clone()
                    } == *seen;
                    alike && may_be(None, ruled.unique, unique)
                })
        }
        (Reply::Version(_), Reply::Version(_)) => true,
        (Reply::Verbatim(text), Reply::Verbatim(seen)) => {
            let read = Reply::read(text);
            text == seen && read.is_none_or(|(reply, _)| same(&reply, &reply, may_be))
        }
        (Reply::Verbatim(text), seen) => {
            Reply::read(text).is_some_and(|(ruled, _)| same(&ruled, seen, may_be))
        }
        _ => ruled == seen,
    }
}

fn same_fields(ruled: &[Vec<u8>], seen: &[Vec<u8>], may_be: &mut MayBe<'_>) -> bool {
    ruled.len() == seen.len()
        && ruled.iter().zip(seen).all(|(ruled, seen)| {
            let free = ["l", "la=", "cls=", "size="];
            let chosen = free.iter().any(|name| both(ruled, seen, name).is_some());
            let unique = ["c", "cas="]
                .iter()
                .find_map(|name| both(ruled, seen, name));
            match unique {
                Some((ruled, seen)) => may_be(None, ruled, seen),
                None => ruled == seen || chosen,
            }
        })
}

/// The numbers behind a name, where both fields are that name and a number.
fn both(ruled: &[u8], seen: &[u8], name: &str) -> Option<(u64, u64)> {
    let behind = |field: &[u8]| written(field.strip_prefix(name.as_bytes())?);
    behind(ruled).zip(behind(seen))
}

/// A unique that was seen stays, and 0 is none; one that the model made up may be any larger one.
fn may_be_unique(ruled: u64, seen: u64, known: &Known) -> bool {
    let made_up = ruled != 0 && ruled != known.unique;
    ruled == seen || (made_up && seen > known.chosen)
}

fn is_done(packet: &Packet) -> bool {
    packet.status == 0
}

/// The unique that a reply tells. 0 is none: what was refused has nothing to tell of.
fn unique_of(reply: &Reply) -> Option<u64> {
    told_unique(reply).filter(|unique| *unique != 0)
}

fn told_unique(reply: &Reply) -> Option<u64> {
    let field = |fields: &[Vec<u8>]| {
        let mut fields = fields.iter();
        fields.find_map(|field| {
            let digits = field.strip_prefix(b"cas=").or(field.strip_prefix(b"c"));
            written(digits?)
        })
    };
    match reply {
        Reply::Values(values) => values.first()?.unique,
        Reply::Meta(_, fields) | Reply::MetaValue(_, fields) => field(fields),
        Reply::Packets(packets) => {
            let done = packets.first().filter(|packet| is_done(packet))?;
            Some(done.unique)
        }
        Reply::Verbatim(text) => match Reply::read(text)?.0 {
            Reply::Meta(_, fields) => field(&fields),
            _ => None,
        },
        _ => None,
    }
}

/// The number, where these are digits and nothing else.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| plain)?
        .parse()
        .ok()
}

/// A number as a server writes it: without a zero before it.
fn written(digits: &[u8]) -> Option<u64> {
    let zeroed = digits.len() > 1 && digits.starts_with(b"0");
    number(digits).filter(|_| !zeroed)
}
