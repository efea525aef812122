//! The classic text commands.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::history::{Request, Word};
use super::words::{age, exptime, key, length, number, phrase, value};

/// What may stand behind a line.
const BEHIND: &[&str] = &["", "", "", "", "", "noreply", "noreply", "x"];

pub(super) fn storage() -> BoxedStrategy<Request> {
    const VERBS: [&str; 10] = [
        "set", "set", "set", "set", "add", "replace", "append", "prepend", "cas", "cas",
    ];
    let plain = select(vec!["0", "0", "0", "7", "4294967295", "65536"]);
    let odd = select(vec!["4294967296", "-1", "x"]);
    let flags = prop_oneof![29 => plain, 1 => odd];
    let length = length(&["0", "1", "2", "-1", "x"]);
    let line = (
        select(VERBS.to_vec()),
        key(),
        flags,
        exptime(""),
        length,
        age(),
    );
    (line, phrase(BEHIND), value())
        .prop_map(
            |((verb, key, flags, exptime, length, age), behind, value)| {
                let mut line = vec![Word::text(verb), Word::Key(key.clone()), Word::text(flags)];
                line.extend([exptime, length]);
                if verb == "cas" {
                    line.push(Word::Unique("", key, age));
                }
                line.extend(behind);
                Request::Line(line, Some(value))
            },
        )
        .boxed()
}

pub(super) fn retrieval() -> BoxedStrategy<Request> {
    let verb = select(vec!["get", "get", "gets", "gets", "gets", "gat", "gats"]);
    let count =
        prop_oneof![1 => Just(0), 12 => Just(1), 6 => Just(2), 3 => Just(3), 1 => 4..30_usize];
    let keys = count.prop_flat_map(|count| prop::collection::vec(key(), count));
    (verb, exptime(""), keys)
        .prop_map(|(verb, exptime, keys)| {
            let mut line = vec![Word::text(verb)];
            if verb.starts_with("gat") {
                line.push(exptime);
            }
            line.extend(keys.into_iter().map(Word::Key));
            Request::line(line)
        })
        .boxed()
}

pub(super) fn counting() -> BoxedStrategy<Request> {
    let verb = select(vec!["incr", "incr", "decr"]);
    line(verb, number().prop_map(Word::text), BEHIND)
}

pub(super) fn touch() -> BoxedStrategy<Request> {
    line(Just("touch"), exptime(""), BEHIND)
}

pub(super) fn deletion() -> BoxedStrategy<Request> {
    const BEHIND: &[&str] = &["", "", "", "noreply", "0", "0 noreply", "1", "x y"];
    (key(), phrase(BEHIND))
        .prop_map(|(key, behind)| {
            let line = [vec![Word::text("delete"), Word::Key(key)], behind];
            Request::line(line.concat())
        })
        .boxed()
}

/// What concerns the server and all that it holds.
pub(super) fn shared() -> BoxedStrategy<Request> {
    const LINES: &[&str] = &[
        "version",
        "version x",
        "flush_all",
        "flush_all",
        "flush_all noreply",
        "flush_all 0",
        "flush_all x",
        "flush_all 2",
        "verbosity 0",
        "verbosity",
        "verbosity 0 noreply",
        "mn",
    ];
    phrase(LINES).prop_map(Request::line).boxed()
}

/// A verb, a key, a word and what stands behind them.
fn line(
    verb: impl Strategy<Value = &'static str> + 'static,
    word: impl Strategy<Value = Word> + 'static,
    behind: &'static [&'static str],
) -> BoxedStrategy<Request> {
    (verb, key(), word, phrase(behind))
        .prop_map(|(verb, key, word, behind)| {
            let line = [vec![Word::text(verb), Word::Key(key), word], behind];
            Request::line(line.concat())
        })
        .boxed()
}
