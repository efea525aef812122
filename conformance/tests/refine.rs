//! How loose the relation between a ruling and an observation is: replies are spoiled, and every
//! spoiled reply that is accepted must be one that the law leaves to a server.
//!
//! What the law leaves is decided here a second time, word by word, and knows nothing of the
//! relation that is measured.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "only tests are here"
)]

#[path = "../src/dice.rs"]
mod dice;

use std::collections::BTreeSet;

use conformance::record::requests::Request;
use conformance::refine::{Admitted, Known, Relation, refine};
use model::{Model, Ruling, Session, Time};

const NOW: Time = Time(1_800_000_000);
/// The unique that the client chooses, where it does; a server reaches none so large here.
const CHOSEN: u64 = 7777;
const FENCE: &[u8] = b"MN\r\n";

/// A way to spoil a reply; nothing where there is nothing to spoil.
type Operator = (&'static str, Spoil);
type Spoil = fn(&[u8], &mut Dice) -> Option<Vec<u8>>;

const OPERATORS: [Operator; 18] = [
    ("a byte is another", |reply, dice| {
        let at = dice.below(reply.len())?;
        Some(edited(reply, at..at + 1, &[dice.byte()]))
    }),
    ("a bit is flipped", |reply, dice| {
        let at = dice.below(reply.len())?;
        let bit = 1 << dice.below(8)?;
        Some(edited(reply, at..at + 1, &[reply[at] ^ bit]))
    }),
    ("a digit is another", |reply, dice| {
        let at = dice.one_of(&places(reply, |byte| byte.is_ascii_digit()))?;
        let digit = b"0123456789"[dice.below(10)?];
        Some(edited(reply, at..at + 1, &[digit]))
    }),
    ("a byte is missing", |reply, dice| {
        let at = dice.below(reply.len())?;
        Some(edited(reply, at..at + 1, b""))
    }),
    ("a byte is doubled", |reply, dice| {
        let at = dice.below(reply.len())?;
        Some(edited(reply, at..at, &[reply[at]]))
    }),
    ("a number has a zero before it", |reply, dice| {
        let at = dice.one_of(&places(reply, |byte| byte.is_ascii_digit()))?;
        Some(edited(reply, at..at, b"0"))
    }),
    ("a word is missing", |reply, dice| {
        let mut words = words(reply);
        let at = dice.below(words.len())?;
        words.remove(at);
        Some(words.join(&b' '))
    }),
    ("two words are swapped", |reply, dice| {
        let mut words = words(reply);
        let (one, other) = (dice.below(words.len())?, dice.below(words.len())?);
        words.swap(one, other);
        Some(words.join(&b' '))
    }),
    ("a word is doubled", |reply, dice| {
        let mut words = words(reply);
        let at = dice.below(words.len())?;
        words.insert(at, words[at].clone());
        Some(words.join(&b' '))
    }),
    ("a unique is another", |reply, dice| {
        let mut words = words(reply);
        let named = |word: &Vec<u8>| word.starts_with(b"c") || word.len() > 3;
        let at = dice.one_of(
            &(0..words.len())
                .filter(|at| named(&words[*at]))
                .collect::<Vec<_>>(),
        )?;
        let digits = words[at].iter().position(u8::is_ascii_digit)?;
        let number = dice.next() % 40;
        let rest = words[at]
            .iter()
            .skip(digits)
            .skip_while(|byte| byte.is_ascii_digit());
        let rest: Vec<u8> = rest.copied().collect();
        words[at].truncate(digits);
        words[at].extend(number.to_string().into_bytes());
        words[at].extend(rest);
        Some(words.join(&b' '))
    }),
    ("the value is a neighbour's", |reply, dice| {
        let line_end = reply.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let block = reply.get(line_end..)?;
        let length = block.windows(2).position(|pair| pair == b"\r\n")?;
        let letter = b"xyz5"[dice.below(4)?];
        Some(edited(
            reply,
            line_end..line_end + length,
            &vec![letter; length],
        ))
    }),
    ("there is no reply", |_, _| Some(Vec::new())),
    ("the reply comes twice", |reply, _| {
        Some([reply, reply].concat())
    }),
    ("it is another reply", |_, dice| {
        let replies = [
            "HD",
            "EN",
            "NF",
            "NS",
            "EX",
            "STORED",
            "NOT_STORED",
            "EXISTS",
            "NOT_FOUND",
            "DELETED",
            "TOUCHED",
            "OK",
            "ERROR",
            "END",
            "0",
            "1",
            "MN",
            "CLIENT_ERROR bad",
            "SERVER_ERROR out of memory",
            "VA 0",
            "HD W",
            "HD Z",
            "HD X",
        ];
        Some([dice.one_of(&replies)?.as_bytes(), b"\r\n"].concat())
    }),
    ("the line ends in LF alone", |reply, _| {
        let at = reply.windows(2).position(|pair| pair == b"\r\n")?;
        Some(edited(reply, at..at + 1, b""))
    }),
    ("it breaks off", |reply, dice| {
        Some(reply[..dice.below(reply.len())?].to_vec())
    }),
    ("an error comes before it", |reply, _| {
        Some([b"ERROR\r\n", reply].concat())
    }),
    ("a blank stands before its line end", |reply, _| {
        let at = reply.windows(2).position(|pair| pair == b"\r\n")?;
        Some(edited(reply, at..at, b" "))
    }),
];

#[test]
fn no_spoiled_reply_is_accepted_outside_the_freedoms() {
    measure(4_000);
}

/// Spoils at least so many replies with each operator.
pub(crate) fn measure(wanted_of_each: usize) {
    let mut dice = Dice(dice::Dice::new(1));
    let mut counts = [(0_usize, 0_usize); OPERATORS.len()];
    let (mut spoiled, mut free) = (0, 0);
    while counts.iter().any(|(tried, _)| *tried < wanted_of_each) {
        let mut trial = Trial::new(&mut dice);
        for _ in 0..40 {
            let (request, reply, before) = trial.step(&mut dice);
            for ((name, spoil), (tried, accepted)) in OPERATORS.iter().zip(&mut counts) {
                let Some(other) = spoil(&reply, &mut dice).filter(|other| *other != reply) else {
                    continue;
                };
                spoiled += 1;
                *tried += 1;
                if accepts(&before.known, &request, &other) {
                    *accepted += 1;
                    free += 1;
                    assert!(
                        before.leaves(&request, &other),
                        "{name}: `{}` is answered `{}`, and `{}` was accepted; shown were {:?}",
                        request.bytes.escape_ascii(),
                        reply.escape_ascii(),
                        other.escape_ascii(),
                        before.shown
                    );
                }
            }
        }
    }
    for ((name, _), (tried, accepted)) in OPERATORS.iter().zip(counts) {
        println!("{tried:>9} replies, {accepted:>6} left to a server: {name}");
        assert!(tried >= wanted_of_each, "{name}: too few were generated");
    }
    println!(
        "{spoiled} spoiled replies; {free} accepted, each one that the law leaves to a server"
    );
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
        let relation = refine(&known, &request, reply.as_bytes(), NOW, Admitted::default());
        let Relation::Agrees(then, ..) = relation else {
            panic!("{} is not accepted: {relation:?}", reply.escape_debug());
        };
        known = *then;
    }
}

/// Whether all of it, up to the reply to a fence, is accepted.
fn accepts(known: &Known, request: &Request, reply: &[u8]) -> bool {
    let observed = [reply, FENCE].concat();
    let relation = refine(known, request, &observed, NOW, Admitted::default());
    matches!(relation, Relation::Agrees(_, length, _) if length == reply.len())
}

/// An honest server, and what a client knows of one of its keys.
struct Trial {
    witness: Witness,
    /// What was asked so far.
    asked: Vec<String>,
}

/// What a client knows, told twice.
#[derive(Clone)]
struct Witness {
    known: Known,
    /// The honest server itself, which no client sees.
    server: Model,
    shown: BTreeSet<u64>,
    shown_max: u64,
}

impl Trial {
    fn new(dice: &mut Dice) -> Trial {
        let mut server = Model::default();
        for _ in 0..dice.below(30).unwrap() {
            Session::new().receive(&mut server, b"set other 0 0 1\r\nz\r\n", NOW);
        }
        let witness = Witness {
            known: Known::absent(&Model::default(), b"k"),
            server,
            shown: BTreeSet::new(),
            shown_max: 0,
        };
        Trial {
            witness,
            asked: Vec::new(),
        }
    }

    /// One request, its honest reply, and what was known before it.
    fn step(&mut self, dice: &mut Dice) -> (Request, Vec<u8>, Witness) {
        let request = Request::new(a_request(dice, self.witness.shown_max));
        let before = self.witness.clone();
        let reply = said(&mut self.witness.server, &request);
        self.asked.push(format!(
            "{} -> {}",
            request.bytes.escape_ascii(),
            reply.escape_ascii()
        ));
        let observed = [reply.as_slice(), FENCE].concat();
        match refine(&before.known, &request, &observed, NOW, Admitted::default()) {
            Relation::Agrees(after, length, _) if length == reply.len() => {
                self.witness.known = *after;
            }
            other => panic!("an honest reply was refused: {:#?}\n{other:?}", self.asked),
        }
        for (bare, word) in tokens(&reply) {
            if let Some(unique) = unique(bare, cut(word).0) {
                self.witness.shown.insert(unique);
                if unique != CHOSEN {
                    self.witness.shown_max = self.witness.shown_max.max(unique);
                }
            }
        }
        (request, reply, before)
    }
}

impl Witness {
    /// Whether a server may as well say the other: the freedoms, written a second time.
    fn leaves(&self, request: &Request, other: &[u8]) -> bool {
        let mut lawful = vec![said(&mut self.server.clone(), request)];
        if let Some(named) = compared(request)
            && self.has_an_unseen_unique()
        {
            // It may be the one that the client compares with, or not be.
            let above = self.shown_max.max(named) + 1;
            for unique in [named, above] {
                let mut server = self.server.clone();
                server.adopt_unique(b"k", unique);
                let may_be = unique > self.shown_max;
                lawful.extend(may_be.then(|| said(&mut server, request)));
            }
        }
        lawful.iter().any(|reply| self.reads_alike(reply, other))
    }

    /// Whether there is an item, and no client was shown its unique.
    fn has_an_unseen_unique(&self) -> bool {
        let look = Request::new(b"mg k c\r\n".to_vec());
        let reply = said(&mut self.server.clone(), &look);
        let unique = tokens(&reply)
            .iter()
            .find_map(|(bare, word)| unique(*bare, cut(word).0));
        unique.is_some_and(|unique| !self.shown.contains(&unique))
    }

    /// Whether the other says the same, up to the numbers that a server chooses.
    fn reads_alike(&self, reply: &[u8], other: &[u8]) -> bool {
        if reply.starts_with(b"VERSION ") {
            return other.starts_with(b"VERSION ");
        }
        let (ours, theirs) = (tokens(reply), tokens(other));
        let lawful = |((bare, ours), (also_bare, theirs)): (&Token<'_>, &Token<'_>)| {
            let ((ours, behind), (theirs, also_behind)) = (cut(ours), cut(theirs));
            let named = |name: &str| {
                let number = |word: &[u8]| number(word.strip_prefix(name.as_bytes())?);
                number(ours).zip(number(theirs))
            };
            let free = ["l", "la=", "cls=", "size="];
            let near = |(one, other): (u64, u64)| one.abs_diff(other) <= 1;
            let may_be = |(ours, theirs): (u64, u64)| {
                ours != 0 && !self.shown.contains(&ours) && theirs > self.shown_max
            };
            let uniques = unique(*bare, ours).zip(unique(*also_bare, theirs));
            behind == also_behind
                && (ours == theirs
                    || free.iter().any(|name| named(name).is_some())
                    || ["t", "exp="]
                        .iter()
                        .any(|name| named(name).is_some_and(near))
                    || uniques.is_some_and(may_be))
        };
        ours.len() == theirs.len() && ours.iter().zip(&theirs).all(lawful)
    }
}

/// What a server answers.
fn said(server: &mut Model, request: &Request) -> Vec<u8> {
    let rulings = Session::new().receive(server, &request.bytes, NOW);
    rulings.iter().flat_map(Ruling::bytes).copied().collect()
}

/// The unique that a request compares with.
fn compared(request: &Request) -> Option<u64> {
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

fn a_request(dice: &mut Dice, unique: u64) -> Vec<u8> {
    let mut pick = |from: &[&'static str]| dice.one_of(from).unwrap();
    let value = pick(&["", "a", "abc", "10", "9", "100", "18446744073709551615"]);
    let line = match pick(&[
        "get", "set", "count", "mg", "ms", "md", "ma", "other", "cas", "me",
    ]) {
        "get" => pick(&["get k", "gets k", "get k k", "gets k"]).to_owned(),
        "set" => {
            let verb = pick(&["set", "add", "replace", "append", "prepend"]);
            let exptime = pick(&["0", "0", "100", "1000", "-1"]);
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

/// A word of a reply, and whether it is the last of a `VALUE` line.
type Token<'a> = (bool, &'a [u8]);

fn tokens(reply: &[u8]) -> Vec<Token<'_>> {
    let lines = reply.split_inclusive(|byte| *byte == b'\n');
    let words = lines.flat_map(|line| {
        let words = line.split(|byte| *byte == b' ').enumerate();
        words.map(move |(nth, word)| (line.starts_with(b"VALUE ") && nth == 4, word))
    });
    words.collect()
}

/// The unique that a word is: behind its name, or bare.
fn unique(bare: bool, word: &[u8]) -> Option<u64> {
    let named = word.strip_prefix(b"cas=").or(word.strip_prefix(b"c"));
    number(named.or(bare.then_some(word))?)
}

fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

fn words(reply: &[u8]) -> Vec<Vec<u8>> {
    reply
        .split(|byte| *byte == b' ')
        .map(<[u8]>::to_vec)
        .collect()
}

/// A word, and what stands behind its line's end.
fn cut(word: &[u8]) -> (&[u8], &[u8]) {
    word.split_at(
        word.iter()
            .position(|byte| *byte == b'\r')
            .unwrap_or(word.len()),
    )
}

fn places(reply: &[u8], wanted: impl Fn(&u8) -> bool) -> Vec<usize> {
    (0..reply.len()).filter(|at| wanted(&reply[*at])).collect()
}

fn edited(reply: &[u8], at: std::ops::Range<usize>, with: &[u8]) -> Vec<u8> {
    [&reply[..at.start], with, &reply[at.end..]].concat()
}

/// Numbers that look random and are the same in every run.
struct Dice(dice::Dice);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0.below(u64::MAX)
    }

    fn below(&mut self, end: usize) -> Option<usize> {
        usize::try_from(self.next()).unwrap().checked_rem(end)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        Some(choices[self.below(choices.len())?])
    }
}
