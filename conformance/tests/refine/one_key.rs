//! One key at a time: requests about it are ruled, and what is answered is spoiled.
//!
//! An honest server tells the time that its client has; what is spoiled may tell of a tick sooner
//! or later, and of an item that was evicted where that is admitted.

use std::collections::BTreeSet;

use conformance::record::frames::Frames;
use conformance::record::requests::Request;
use conformance::refine::{Admitted, Known, Relation, refine};
use model::{Model, Ruling, Session, Time};

use super::alike::{cut, number, reads_alike, tokens, unique};
use super::spoil::{Dice, HEADER_BYTES, frames};

const START: Time = Time(1_800_000_000);
/// The unique that the client chooses, where it does; a server reaches none so large here.
const CHOSEN: u64 = 7777;

/// An honest server, and what a client knows of one of its keys.
pub(crate) struct Trial {
    pub(crate) witness: Witness,
    admitted: Admitted,
    /// What was asked so far.
    pub(crate) asked: Vec<String>,
}

/// What a client knows, told twice.
#[derive(Clone)]
pub(crate) struct Witness {
    known: Known,
    /// The honest server itself, which no client sees.
    server: Model,
    now: Time,
    pub(crate) shown: BTreeSet<u64>,
    shown_max: u64,
}

impl Trial {
    pub(crate) fn new(dice: &mut Dice) -> Trial {
        let mut server = Model::default();
        for _ in 0..dice.below(30).unwrap() {
            Session::new().receive(&mut server, b"set other 0 0 1\r\nz\r\n", START);
        }
        let witness = Witness {
            known: Known::absent(&Model::default(), b"k"),
            server,
            now: START,
            shown: BTreeSet::new(),
            shown_max: 0,
        };
        Trial {
            witness,
            admitted: Admitted {
                pressure: dice.below(3) == Some(0),
            },
            asked: Vec::new(),
        }
    }

    /// One request, its honest reply, and what was known before it.
    pub(crate) fn step(&mut self, dice: &mut Dice) -> (Request, Vec<u8>, Witness) {
        let seconds = dice.one_of(&[0, 0, 0, 0, 1, 2, 50]).unwrap();
        self.witness.now.0 += seconds;
        let request = a_request(dice, self.witness.shown_max);
        let before = self.witness.clone();
        let now = before.now;
        let reply = said(&mut self.witness.server, &request, now);
        self.asked.push(format!(
            "{seconds} s later, {} -> {}",
            request.bytes.escape_ascii(),
            reply.escape_ascii()
        ));
        let observed = [reply.as_slice(), fence(&request)].concat();
        match refine(&before.known, &request, &observed, now, self.admitted) {
            Relation::Agrees(after, length, _) if length == reply.len() => {
                self.witness.known = *after;
            }
            other => panic!("an honest reply was refused: {:#?}\n{other:?}", self.asked),
        }
        for unique in uniques(&reply) {
            self.witness.shown.insert(unique);
            if unique != CHOSEN {
                self.witness.shown_max = self.witness.shown_max.max(unique);
            }
        }
        (request, reply, before)
    }

    /// Whether all of it, up to the reply to a fence, is accepted.
    pub(crate) fn accepts(&self, before: &Witness, request: &Request, reply: &[u8]) -> bool {
        let observed = [reply, fence(request)].concat();
        let relation = refine(&before.known, request, &observed, before.now, self.admitted);
        matches!(relation, Relation::Agrees(_, length, _) if length == reply.len())
    }

    /// Whether a server may as well say the other: the freedoms, written a second time.
    pub(crate) fn leaves(&self, before: &Witness, request: &Request, other: &[u8]) -> bool {
        let mut servers = vec![before.server.clone()];
        if let Some(named) = compared(request)
            && before.has_an_unseen_unique()
        {
            // It may be the one that the client compares with, or not be.
            let above = before.shown_max.max(named) + 1;
            for unique in [named, above] {
                let mut server = before.server.clone();
                server.adopt_unique(b"k", unique);
                let may_be = unique > before.shown_max;
                servers.extend(may_be.then_some(server));
            }
        }
        if self.admitted.pressure {
            let mut server = before.server.clone();
            server.forget(b"k");
            servers.push(server);
        }
        let now = before.now.0;
        let moments = [now - 1, now, now + 1].map(Time);
        servers.iter().any(|server| {
            moments.iter().any(|then| {
                let reply = said(&mut server.clone(), request, *then);
                before.reads_alike(&reply, other)
            })
        })
    }
}

impl Witness {
    /// Whether there is an item, and no client was shown its unique.
    fn has_an_unseen_unique(&self) -> bool {
        let look = Request::new(b"mg k c\r\n".to_vec());
        let reply = said(&mut self.server.clone(), &look, self.now);
        let unseen = |unique: &u64| !self.shown.contains(unique);
        uniques(&reply).first().is_some_and(unseen)
    }

    /// Whether the other says the same, up to the numbers that a server chooses.
    fn reads_alike(&self, reply: &[u8], other: &[u8]) -> bool {
        reads_alike(reply, other, 1, &|_, ours, theirs| {
            ours != 0 && !self.shown.contains(&ours) && theirs > self.shown_max
        })
    }
}

/// What is answered to a fence behind this request.
fn fence(request: &Request) -> &'static [u8] {
    const FRAME: [u8; HEADER_BYTES] = {
        let mut frame = [0; HEADER_BYTES];
        (frame[0], frame[1]) = (0x81, 0x0a);
        frame
    };
    match request.frame() {
        Some(_) => &FRAME,
        None => b"MN\r\n",
    }
}

/// The uniques that a reply shows.
pub(crate) fn uniques(reply: &[u8]) -> Vec<u64> {
    if let Some(all) = frames(reply) {
        let unique = |frame: std::ops::Range<usize>| {
            let field = &reply[frame.start + 16..frame.start + HEADER_BYTES];
            u64::from_be_bytes(field.try_into().unwrap())
        };
        return all
            .into_iter()
            .map(unique)
            .filter(|unique| *unique != 0)
            .collect();
    }
    let tokens = tokens(reply);
    let uniques = tokens
        .iter()
        .filter_map(|(key, word)| unique(key.is_some(), cut(word).0));
    uniques.collect()
}

/// What a server answers.
fn said(server: &mut Model, request: &Request, now: Time) -> Vec<u8> {
    let rulings = Session::new().receive(server, &request.bytes, now);
    rulings.iter().flat_map(Ruling::bytes).copied().collect()
}

/// The unique that a request compares with.
fn compared(request: &Request) -> Option<u64> {
    if let Some(frame) = request.frame() {
        return Some(frame.unique).filter(|unique| *unique != 0);
    }
    let words = request.words();
    match words[0] {
        b"cas" => number(words[5]),
        _ => number(request.flag(b'C')?),
    }
}

/// Requests that have no variants.
const OTHERS: [&str; 11] = [
    "delete k",
    "touch k 100",
    "gat 1000 k",
    "gats 0 k",
    "version",
    "mn",
    "nonsense",
    "set k",
    "get",
    "incr k x",
    "touch k x",
];

fn a_request(dice: &mut Dice, unique: u64) -> Request {
    if dice.below(4) == Some(0) {
        let mut whole = Frames::default().push(&a_frame(dice, unique));
        return whole.pop().unwrap();
    }
    Request::new(a_line(dice, unique))
}

/// A frame of a client that speaks binary, about the key.
fn a_frame(dice: &mut Dice, unique: u64) -> Vec<u8> {
    let mut pick = |from: &[u8]| dice.one_of(from).unwrap();
    let opcode = pick(&[
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x11,
        0x12, 0x15, 0x1c, 0x1d, 0x77,
    ]);
    let exptime = [0, 0, 0, pick(&[0, 0, 3, 100])];
    let values: [&[u8]; 4] = [b"", b"a", b"10", b"18446744073709551615"];
    let value = values[usize::from(pick(&[0, 1, 2, 3]))];
    let numbers = [
        [0; 7].as_slice(),
        &[pick(&[1, 5, 95])],
        &[0; 7],
        &[pick(&[0, 10])],
    ]
    .concat();
    let (extras, value): (Vec<u8>, &[u8]) = match opcode {
        0x01..=0x03 | 0x11 | 0x12 => ([[0, 0, 0, 7], exptime].concat(), value),
        0x05 | 0x06 | 0x15 => ([numbers, exptime.to_vec()].concat(), b""),
        0x1c | 0x1d => (exptime.to_vec(), b""),
        0x0e | 0x0f => (Vec::new(), value),
        _ => (Vec::new(), b""),
    };
    let key: &[u8] = if matches!(opcode, 0x0a | 0x0b) {
        b""
    } else {
        b"k"
    };
    let named = match (opcode, pick(&[0, 0, 1, 2])) {
        (0x01..=0x06, 1) => unique,
        (0x01..=0x06, 2) => 5,
        _ => 0,
    };
    let body = [extras.as_slice(), key, value].concat();
    let length = u32::try_from(body.len()).unwrap();
    let sizes = [
        0,
        u8::try_from(key.len()).unwrap(),
        u8::try_from(extras.len()).unwrap(),
    ];
    [
        &[0x80, opcode],
        sizes.as_slice(),
        &[0, 0, 0],
        &length.to_be_bytes(),
        &[1, 2, 3, 4],
        &named.to_be_bytes(),
        &body,
    ]
    .concat()
}

/// A line, and its data block where it has one.
fn a_line(dice: &mut Dice, unique: u64) -> Vec<u8> {
    let mut pick = |from: &[&'static str]| dice.one_of(from).unwrap();
    let value = pick(&["", "a", "abc", "10", "9", "100", "18446744073709551615"]);
    let line = match pick(&[
        "get", "set", "count", "mg", "ms", "md", "ma", "other", "cas", "me",
    ]) {
        "get" => pick(&["get k", "gets k", "get k k", "gets k"]).to_owned(),
        "set" => {
            let verb = pick(&["set", "add", "replace", "append", "prepend"]);
            let exptime = pick(&["0", "0", "3", "100", "1000", "-1"]);
            let flags = pick(&["0", "7", "4294967295"]);
            format!("{verb} k {flags} {exptime} {}\r\n{value}", value.len())
        }
        "cas" => format!("cas k 1 0 {} {unique}\r\n{value}", value.len()),
        "count" => format!(
            "{} k {}",
            pick(&["incr", "decr"]),
            pick(&["1", "5", "95", "1000"])
        ),
        "mg" => format!(
            "mg k {}",
            pick(&[
                "",
                "v",
                "s v f",
                "c",
                "t h l v",
                "k O12 c v",
                "N100 v c",
                "R30 v",
                "q v",
                "T100 t",
                "E7777 N0 c v"
            ])
        ),
        "ms" => format!(
            "ms k {} {}\r\n{value}",
            value.len(),
            pick(&[
                "", "c", "b c k", "k O1 c", "MA", "MP c", "ME", "MR s", "T100", "F5", "q",
                "I C1 c", "s"
            ])
            .replace("b ", "")
        ),
        "md" => format!("md k {}", pick(&["", "q", "I", "I T30", "k O3", "C5", "x"])),
        "ma" => format!(
            "ma k {}",
            pick(&["", "v", "MD v", "N0 J13 v", "D5 c v t", "q", "MD D90 c"])
        ),
        "me" => "me k".to_owned(),
        _ => pick(&OTHERS).to_owned(),
    };
    let line = line.trim_end_matches(' ').to_owned();
    [line.as_bytes(), b"\r\n"].concat()
}

#[test]
fn a_refusal_tells_no_unique() {
    let mut known = Known::absent(&Model::default(), b"k");
    for (request, reply) in [
        ("set k 0 0 1\r\na\r\n", "STORED\r\n"),
        ("mg k c\r\n", "HD c5\r\n"),
        ("ms k 1 C4 c\r\nb\r\n", "EX c0\r\n"),
        ("mg k c\r\n", "HD c5\r\n"),
    ] {
        let request = Request::new(request.into());
        let relation = refine(
            &known,
            &request,
            reply.as_bytes(),
            START,
            Admitted::default(),
        );
        let Relation::Agrees(then, ..) = relation else {
            panic!("{} is not accepted: {relation:?}", reply.escape_debug());
        };
        known = *then;
    }
}
