//! Makes histories: requests over few keys, with edges of sizes and numbers among the plain ones.
//!
//! They are strategies of proptest, chosen by weights, one for each kind of request, and a kind
//! weighs more while rules of its chapters were not reached. The same seed and number make the same
//! history, as long as the weights are the same. Nothing here knows what a server answers; what is
//! made smaller when one answers it wrong is `reduce.rs`.

mod binary;
mod broken;
mod meta;
mod text;
mod words;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{Union, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::history::{Ask, FIRST_BINARY, Request, Step, Word};
use super::reachable;
use crate::dice::mixed;

/// How many steps a history has at most; most have fewer.
const STEPS_MAX: usize = 200;
/// Time passes once in so many steps: where it is ours, and where it is real.
const WAITS: [u32; 2] = [12, 2_000];
/// How many clients there are of each sort.
const CLIENTS: u8 = 2;
/// What every kind weighs, and what it weighs more while none of its rules was reached.
const WEIGHT: u32 = 3;
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
    make: fn() -> BoxedStrategy<Request>,
}

const fn kind(chapters: &'static [&'static str], make: fn() -> BoxedStrategy<Request>) -> Kind {
    Kind {
        chapters,
        needs: |_| true,
        binary: false,
        make,
    }
}

const fn meta(chapters: &'static [&'static str], make: fn() -> BoxedStrategy<Request>) -> Kind {
    Kind {
        needs: |bounds| bounds.meta,
        ..kind(chapters, make)
    }
}

const KINDS: [Kind; 16] = [
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
        ..kind(&["framing", "limits"], broken::lines)
    },
    Kind {
        needs: |bounds| bounds.strange,
        ..kind(&["framing", "numbers"], broken::bytes)
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
    histories: BoxedStrategy<Vec<Step>>,
}

impl Maker {
    /// Makes any kind as often as the others.
    #[must_use]
    pub fn new(bounds: Bounds) -> Maker {
        let histories = histories(bounds, &BTreeSet::new());
        Maker { bounds, histories }
    }

    /// Leans towards the kinds whose rules are not among these.
    pub fn steer(&mut self, reached: &BTreeSet<&'static str>) {
        self.histories = histories(self.bounds, reached);
    }

    /// The history of this number.
    ///
    /// # Panics
    /// Never: no strategy here refuses what it made.
    #[must_use]
    pub fn history(&self, seed: u64, number: u64) -> Vec<Step> {
        let [a, b] = [mixed(seed), mixed(mixed(seed) ^ number)].map(u64::to_le_bytes);
        let rng = TestRng::from_seed(RngAlgorithm::XorShift, &[a, b].concat());
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let made = self.histories.new_tree(&mut runner);
        made.expect("nothing is refused").current()
    }
}

/// Histories within these bounds, that lean towards the rules that are not among these.
pub fn histories(bounds: Bounds, reached: &BTreeSet<&'static str>) -> BoxedStrategy<Vec<Step>> {
    let kinds = KINDS.iter().filter(|kind| (kind.needs)(bounds));
    let weighed = kinds.map(|kind| (weight(kind, reached), ask(kind, bounds)));
    let asks = Union::new_weighted(weighed.collect());
    let [ours, elsewhere] = WAITS;
    let often = if bounds.ours { ours } else { elsewhere };
    let pass = select(vec![1, 2, 3]).prop_map(Step::Pass);
    let step = match bounds.paced {
        true => prop_oneof![often - 1 => asks, 1 => pass].boxed(),
        false => asks.boxed(),
    };
    let of = |lengths| prop::collection::vec(step.clone(), lengths);
    prop_oneof![8 => of(1..=20), 8 => of(21..=60), 1 => of(61..=STEPS_MAX)].boxed()
}

/// The more of its rules were not reached, the more.
fn weight(kind: &Kind, reached: &BTreeSet<&'static str>) -> u32 {
    let of_it = || reachable().filter(|rule| kind.chapters.contains(&rule.chapter));
    let missed = of_it().filter(|rule| !reached.contains(rule.name)).count();
    let more = (missed * WEIGHT_OF_THE_UNREACHED).div_ceil(of_it().count().max(1));
    u32::try_from(more).map_or(WEIGHT, |more| WEIGHT + more)
}

/// A request of this kind, who sends it and how.
fn ask(kind: &Kind, bounds: Bounds) -> BoxedStrategy<Step> {
    let first = if kind.binary { FIRST_BINARY } else { 1 };
    let clients = first..first + CLIENTS;
    let joined = prop::bool::weighted(1.0 / 3.0);
    let cut = prop::option::weighted(0.1, 0..64_usize);
    ((kind.make)(), clients, joined, cut)
        .prop_map(move |(mut request, client, joined, cut)| {
            if !bounds.ours {
                tame(&mut request);
            }
            // memcached loses the replies before a long key, `retrieval.get.bad-key-alone.lost`.
            let hangs = has_long_key(&request) || counts_and_tells(&request);
            let may_join = bounds.ours || !hangs;
            Step::Ask(Ask {
                client,
                request,
                joined: bounds.paced && may_join && joined,
                cut: cut.filter(|_| bounds.paced),
            })
        })
        .boxed()
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

/// Whether it counts and says something of the item: where a reply that is not sent yet still holds
/// that, memcached makes a new one without growth, and tells the old one:
/// `meta.arithmetic.choose.grown.lost`, `meta.arithmetic.exptime.grown.lost`.
fn counts_and_tells(request: &Request) -> bool {
    let Request::Line(words, _) = request else {
        return false;
    };
    let tells = |word: &Word| match word {
        Word::Text(text) => matches!(text.first(), Some(b'E' | b'T')),
        Word::Date(..) => true,
        _ => false,
    };
    words.first() == Some(&Word::text("ma")) && words.iter().any(tells)
}

/// Takes out what a server elsewhere may do as it likes: a flush to come, how long a dead item
/// lived on, and when it refuses a block that has not all come, or comes in parts.
fn tame(request: &mut Request) {
    const LONG_BYTES: usize = 1023;
    const PAST: [&[u8]; 4] = [b"N-1", b"T-1", b"N2592001", b"T2592001"];
    let (words, block) = match request {
        Request::Line(words, block) => (words, block),
        Request::Bytes(_) | Request::Frame(_) => return,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the requests of some histories begin with this word.
    fn count(maker: &Maker, verb: &str) -> usize {
        let steps = (0..300).flat_map(|number| maker.history(1, number));
        let asks = steps.filter(|step| {
            matches!(step, Step::Ask(Ask { request: Request::Line(words, _), .. })
                if words.first() == Some(&Word::text(verb)))
        });
        asks.count()
    }

    #[test]
    fn it_leans_towards_what_was_not_reached() {
        let bounds = Bounds {
            ours: true,
            paced: true,
            shared: true,
            strange: true,
            meta: true,
            binary: true,
        };
        let mut maker = Maker::new(bounds);
        let before = count(&maker, "touch");
        let others = reachable().filter(|rule| rule.chapter != "touch");
        maker.steer(&others.map(|rule| rule.name).collect());
        let after = count(&maker, "touch");
        assert!(before > 100 && after > 3 * before, "{before}, {after}");
    }
}
