//! The meta commands, with any of their flags, and some that they do not have.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::history::{Request, Word};
use super::words::{age, exptime, key, length, number, value};

pub(super) fn get() -> BoxedStrategy<Request> {
    flagged("mg", "bcfhklqstuvvvCEINNORT", None, None)
}

pub(super) fn set() -> BoxedStrategy<Request> {
    let length = length(&["0", "2", "-1", "x"]);
    flagged(
        "ms",
        "bcfksqCEFIMMNOST",
        Some(length.boxed()),
        Some(value().boxed()),
    )
}

pub(super) fn delete() -> BoxedStrategy<Request> {
    flagged("md", "bfkqstxCEFIIIOT", None, None)
}

pub(super) fn arithmetic() -> BoxedStrategy<Request> {
    flagged("ma", "bfkqstcvNJDMTOCE", None, None)
}

pub(super) fn debug() -> BoxedStrategy<Request> {
    prop_oneof![
        1 => Just(Request::line(vec![Word::text("mn")])),
        2 => flagged("me", "b", None, None),
    ]
    .boxed()
}

/// A flag before its line is known: where its word names a unique, that is one of the line's key.
#[derive(Clone, Debug)]
enum Flag {
    Word(Word),
    Unique(usize),
}

/// The verb with a key, perhaps a word behind it, and some of these flags; a key that is said to be
/// in base64 is.
fn flagged(
    verb: &'static str,
    letters: &'static str,
    word: Option<BoxedStrategy<Word>>,
    block: Option<BoxedStrategy<Vec<u8>>>,
) -> BoxedStrategy<Request> {
    let count = prop_oneof![
        2 => Just(0_usize), 4 => Just(1), 4 => Just(2), 3 => Just(3), 2 => Just(4), 1 => 5..9_usize
    ];
    let flags = count.prop_flat_map(move |count| prop::collection::vec(flag(letters), count));
    let word = word.map_or_else(|| Just(None).boxed(), |word| word.prop_map(Some).boxed());
    let block = block.map_or_else(|| Just(None).boxed(), |block| block.prop_map(Some).boxed());
    let twice = prop::bool::weighted(0.04);
    (key(), word, flags, block, twice)
        .prop_map(move |(key, word, flags, block, twice)| {
            let mut given: Vec<u8> = Vec::new();
            let mut line = vec![Word::text(verb), Word::Key(key.clone())];
            line.extend(word);
            for (letter, flag) in flags {
                if given.contains(&letter) && !twice {
                    continue;
                }
                given.push(letter);
                line.push(match flag {
                    Flag::Word(word) => word,
                    Flag::Unique(age) => Word::Unique("C", key.clone(), age),
                });
            }
            if let (true, Some(word)) = (given.contains(&b'b'), line.get_mut(1)) {
                *word = Word::Encoded(key);
            }
            Request::Line(line, block)
        })
        .boxed()
}

/// One of these letters and what stands behind it; now and then it lacks that, or is none of them.
fn flag(letters: &'static str) -> impl Strategy<Value = (u8, Flag)> {
    let known = select(letters.as_bytes()).prop_flat_map(|letter| {
        let bare = Just(Flag::Word(Word::Text(vec![letter])));
        prop_oneof![24 => argued(letter), 1 => bare].prop_map(move |flag| (letter, flag))
    });
    let unknown = select(b"!0AZz\x7f".as_slice())
        .prop_map(|letter| (letter, Flag::Word(Word::Text(vec![letter]))));
    prop_oneof![60 => known, 1 => unknown]
}

/// The letter with what it asks for behind it.
fn argued(letter: u8) -> BoxedStrategy<Flag> {
    let behind = move |texts: &'static [&'static str]| {
        let word = move |text: &str| Word::Text([&[letter], text.as_bytes()].concat());
        select(texts).prop_map(word).prop_map(Flag::Word).boxed()
    };
    match letter {
        b'M' => behind(&["E", "A", "P", "R", "S", "I", "D", "set", "x"]),
        b'C' => age().prop_map(Flag::Unique).boxed(),
        // So large that no server comes to it by itself.
        b'E' => behind(&["5000000001", "5000000002"]),
        b'T' => exptime("T").prop_map(Flag::Word).boxed(),
        b'N' => exptime("N").prop_map(Flag::Word).boxed(),
        b'R' => behind(&["0", "30", "200", "-1", "x"]),
        b'F' => behind(&["0", "5", "4294967295", "x"]),
        b'O' => behind(&["1", "opaque", "0123456789"]),
        b'D' | b'J' => number()
            .prop_map(move |number| format!("{}{number}", char::from(letter)))
            .prop_map(|word| Flag::Word(Word::text(word)))
            .boxed(),
        plain => Just(Flag::Word(Word::Text(vec![plain]))).boxed(),
    }
}
