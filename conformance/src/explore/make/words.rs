//! The words that requests are made of: keys, values and numbers, edges among the plain ones.
//!
//! It knows what is an edge of the protocol, and of what memcached keeps items in; it never knows
//! which request a word is for.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::history::Word;

/// One of few keys, and now and then one at the edge of what a key may be.
pub(super) fn key() -> impl Strategy<Value = Vec<u8>> {
    let long = select(vec![249, 250, 250, 251]).prop_map(|length| vec![b'k'; length]);
    prop_oneof![
        28 => Just(b"a".to_vec()),
        16 => Just(b"b".to_vec()),
        2 => Just(b"c".to_vec()),
        2 => long,
    ]
}

/// A unique that was shown of a key, as words say it: the latest, or the one before.
pub(super) fn age() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0), 1 => Just(1)]
}

/// An exptime, as a word behind these letters.
pub(super) fn exptime(letters: &'static str) -> impl Strategy<Value = Word> {
    let plain = select(vec!["0", "0", "0", "0", "100", "1000", "2592000", "-1"]);
    let near = select(vec!["3", "30"]);
    let odd = select(vec![
        "x",
        "-",
        "4294967296",
        "9223372036854775808",
        "2592001",
    ]);
    let text = prop_oneof![18 => plain, 3 => near, 1 => odd];
    let date = select(vec![0, 50, 500]);
    prop_oneof![
        11 => text.prop_map(move |text| Word::text(format!("{letters}{text}"))),
        1 => date.prop_map(move |ahead| Word::Date(letters, ahead)),
    ]
}

/// A number to count with.
pub(super) fn number() -> impl Strategy<Value = String> {
    let plain = select(vec!["0", "1", "1", "2", "9", "10", "95", "1000"]);
    let edges = select(vec![
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
    ]);
    let odd = select(vec!["-1", "x", "007", "+1"]);
    prop_oneof![
        24 => plain.prop_map(str::to_owned),
        4 => edges.prop_map(str::to_owned),
        2 => any::<u64>().prop_map(|number| number.to_string()),
        2 => odd.prop_map(str::to_owned),
    ]
}

/// A value: a short one that is a number or nearly, one as long as some chunk, or a large one.
pub(super) fn value() -> impl Strategy<Value = Vec<u8>> {
    const MEBIBYTE: usize = 1 << 20;
    let short = select(vec![
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
    ]);
    let chunk = select(vec![48, 95, 96, 97, 1023, 8191, 16_384]);
    let large = select(vec![1_000_000, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1]);
    prop_oneof![
        740 => short.prop_map(|text| text.as_bytes().to_vec()),
        40 => chunk.prop_map(|length| vec![b'v'; length]),
        16 => prop::collection::vec(any::<u8>(), 0..300),
        2 => (0..20_000_usize).prop_map(|length| vec![b'w'; length]),
        5 => large.prop_map(|length| vec![b'h'; length]),
    ]
}

/// What says how long the data block is; now and then it lies.
pub(super) fn length(lies: &'static [&'static str]) -> impl Strategy<Value = Word> {
    prop_oneof![
        19 => Just(Word::Length),
        1 => select(lies).prop_map(Word::text),
    ]
}

/// The words of one of these texts, each for itself.
pub(super) fn phrase(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<Word>> {
    select(texts).prop_map(|text| text.split_whitespace().map(Word::text).collect())
}
