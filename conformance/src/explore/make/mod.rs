//! Makes histories: requests over few keys, with edges of sizes and numbers among the plain ones.
//!
//! What is made is chosen by weights, one for each kind of request, and a kind weighs more while
//! rules of its chapters were not reached. The same seed and number make the same history, as long
//! as the weights are the same. Nothing here knows what a server answers.

mod binary;
mod meta;
mod text;

use std::collections::BTreeSet;

use super::dice::Dice;
use super::history::{Ask, FIRST_BINARY, Request, Step, Word};
use super::reachable;

/// How many requests a history has at most.
const LENGTH_MAX: usize = 60;
/// Time passes once in so many steps where it is real time.
const WAITS_ELSEWHERE: usize = 2_000;
/// How many clients there are of each sort.
const CLIENTS: usize = 2;
/// What every kind weighs, and what it weighs more while none of its rules was reached.
const WEIGHT: usize = 3;
const WEIGHT_OF_THE_UNREACHED: usize = 12;

/// What a history may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The clock is ours, and so is what arrives together: what hangs on either may be tried.
    pub ours: bool,
    /// Requests may go out together, or in pieces, and time may pass.
    pub paced: bool,
    /// What concerns all items of the server.
    pub shared: bool,
    /// Lines that are no command, with keys that cannot be made our own.
    pub strange: bool,
    /// Meta commands.
    pub meta: bool,
    /// Clients that speak binary.
    pub binary: bool,
}

/// A kind of request: the chapters that speak of it, what it needs, and how it is made.
struct Kind {
    chapters: &'static [&'static str],
    needs: fn(Bounds) -> bool,
    binary: bool,
    make: fn(&mut Dice) -> Request,
}

const fn kind(chapters: &'static [&'static str], make: fn(&mut Dice) -> Request) -> Kind {
    Kind {
        chapters,
        needs: |_| true,
        binary: false,
        make,
    }
}

const fn meta(chapters: &'static [&'static str], make: fn(&mut Dice) -> Request) -> Kind {
    Kind {
        needs: |bounds| bounds.meta,
        ..kind(chapters, make)
    }
}

const KINDS: [Kind; 15] = [
    kind(&["storage", "numbers", "keys", "expiration"], text::storage),
    kind(&["retrieval", "memory"], text::retrieval),
    kind(&["arithmetic"], text::counting),
    kind(&["deletion"], text::deletion),
    kind(&["touch"], text::touch),
    meta(&["meta/get"], meta::get),
    meta(&["meta/set", "meta/flags"], meta::set),
    meta(&["meta/delete"], meta::delete),
    meta(&["meta/arithmetic"], meta::arithmetic),
    meta(&["meta/debug", "meta/noop"], meta::debug),
    Kind {
        needs: |bounds| bounds.shared,
        ..kind(&["flush", "administration"], text::shared)
    },
    Kind {
        needs: |bounds| bounds.strange,
        ..kind(&["framing", "limits"], text::broken)
    },
    Kind {
        needs: |bounds| bounds.binary,
        binary: true,
        ..kind(&["binary/storage", "binary/deletion"], binary::storage)
    },
    Kind {
        needs: |bounds| bounds.binary,
        binary: true,
        ..kind(
            &["binary/retrieval", "binary/arithmetic", "binary/touch"],
            binary::other,
        )
    },
    Kind {
        needs: |bounds| bounds.binary && bounds.shared,
        binary: true,
        ..kind(&["binary/frames", "binary/administration"], binary::strange)
    },
];

/// What makes histories.
#[derive(Clone, Debug)]
pub struct Maker {
    bounds: Bounds,
    weights: [usize; KINDS.len()],
}

impl Maker {
    /// Makes any kind as often as the others.
    #[must_use]
    pub fn new(bounds: Bounds) -> Maker {
        let mut maker = Maker {
            bounds,
            weights: [0; KINDS.len()],
        };
        maker.steer(&BTreeSet::new());
        maker
    }

    /// Leans towards the kinds whose rules are not among these.
    pub fn steer(&mut self, reached: &BTreeSet<&'static str>) {
        for (kind, weight) in KINDS.iter().zip(&mut self.weights) {
            let of_it = || reachable().filter(|rule| kind.chapters.contains(&rule.chapter));
            let missed = of_it().filter(|rule| !reached.contains(rule.name)).count();
            let more = (missed * WEIGHT_OF_THE_UNREACHED).div_ceil(of_it().count().max(1));
            *weight = if (kind.needs)(self.bounds) {
                WEIGHT + more
            } else {
                0
            };
        }
    }

    /// The history of this number.
    #[must_use]
    pub fn history(&self, seed: u64, number: u64) -> Vec<Step> {
        let mut dice = Dice::new(seed, number);
        let length = 1 + dice.below(LENGTH_MAX);
        (0..length).map(|_| self.step(&mut dice)).collect()
    }

    fn step(&self, dice: &mut Dice) -> Step {
        let often = if self.bounds.ours {
            12
        } else {
            WAITS_ELSEWHERE
        };
        if self.bounds.paced && dice.once_in(often) {
            return Step::Pass(dice.one_of(&[1, 2, 3]));
        }
        let kind = KINDS.get(dice.weighed(&self.weights)).expect("a kind");
        let first = if kind.binary { FIRST_BINARY } else { 1 };
        let mut request = (kind.make)(dice);
        if !self.bounds.ours {
            tame(&mut request);
        }
        // memcached loses the replies before it: `retrieval.get.bad-key-alone.lost`.
        let may_join = self.bounds.ours || !has_long_key(&request);
        Step::Ask(Ask {
            client: first + u8::try_from(dice.below(CLIENTS)).unwrap_or(0),
            request,
            joined: self.bounds.paced && may_join && dice.once_in(3),
            cut: (self.bounds.paced && dice.once_in(10)).then(|| dice.below(64)),
        })
    }
}

/// Whether one of its keys is longer than a key can be.
fn has_long_key(request: &Request) -> bool {
    const KEY_MAX_BYTES: usize = 250;
    match request {
        Request::Line(words, _) => words
            .iter()
            .any(|word| matches!(word, Word::Key(key) if key.len() > KEY_MAX_BYTES)),
        _ => false,
    }
}

/// Takes out what a server elsewhere may do as it likes: a flush to come, how long a dead item
/// lived on, and when it refuses a block that has not all come, or comes in parts.
fn tame(request: &mut Request) {
    const LONG_BYTES: usize = 1023;
    const PAST: [&[u8]; 4] = [b"N-1", b"T-1", b"N2592001", b"T2592001"];
    let Request::Line(words, block) = request else {
        return;
    };
    if words.first() == Some(&Word::text("flush_all")) {
        words.truncate(1);
    }
    for word in words.iter_mut() {
        match word {
            Word::Text(text) if PAST.contains(&text.as_slice()) => *word = Word::text("T0"),
            Word::Date(_, ahead @ 0) => *ahead = 50,
            _ => {}
        }
    }
    if let Some(block) = block {
        block.truncate(LONG_BYTES);
        let at = if words.first() == Some(&Word::text("ms")) {
            2
        } else {
            4
        };
        if let Some(word) = words.get_mut(at) {
            let given = |text: &Vec<u8>| text.iter().all(u8::is_ascii_digit);
            if matches!(&*word, Word::Text(text) if given(text)) {
                *word = Word::Length;
            }
        }
    }
}

/// One of few keys, and now and then one at the edge of what a key may be.
fn key(dice: &mut Dice) -> Vec<u8> {
    match dice.below(24) {
        0 => vec![b'k'; dice.one_of(&[249, 250, 250, 251])],
        1 => b"c".to_vec(),
        2..10 => b"b".to_vec(),
        _ => b"a".to_vec(),
    }
}

/// An exptime, as a word behind these letters.
fn exptime(dice: &mut Dice, letters: &'static str) -> Word {
    const PLAIN: [&str; 8] = ["0", "0", "0", "0", "100", "1000", "2592000", "-1"];
    const NEAR: [&str; 2] = ["3", "30"];
    const ODD: [&str; 5] = ["x", "-", "4294967296", "9223372036854775808", "2592001"];
    let text = match dice.below(24) {
        0 => dice.one_of(&ODD),
        1 | 2 => return Word::Date(letters, dice.one_of(&[0, 50, 500])),
        3..6 => dice.one_of(&NEAR),
        _ => dice.one_of(&PLAIN),
    };
    Word::text(format!("{letters}{text}"))
}

fn number(dice: &mut Dice) -> &'static str {
    const PLAIN: [&str; 8] = ["0", "1", "1", "2", "9", "10", "95", "1000"];
    const EDGES: [&str; 5] = [
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
    ];
    const ODD: [&str; 4] = ["-1", "x", "007", "+1"];
    match dice.below(16) {
        0 => dice.one_of(&ODD),
        1 | 2 => dice.one_of(&EDGES),
        _ => dice.one_of(&PLAIN),
    }
}

fn value(dice: &mut Dice) -> Vec<u8> {
    const SHORT: [&str; 14] = [
        "",
        "x",
        "0",
        "9",
        "10",
        "10",
        "99",
        "100",
        "abc",
        "5 ",
        " 1",
        "1\r\n2",
        "a\0b",
        "18446744073709551615",
    ];
    const LENGTHS: [usize; 7] = [48, 95, 96, 97, 1023, 8191, 16_384];
    match dice.below(400) {
        0 => vec![b'h'; dice.one_of(&[1_000_000, 1_048_577])],
        1..30 => vec![b'v'; dice.one_of(&LENGTHS)],
        _ => dice.one_of(&SHORT).into(),
    }
}

/// The words of a text, each for itself.
fn words(text: &str) -> impl Iterator<Item = Word> {
    text.split_whitespace().map(Word::text)
}
