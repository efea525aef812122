//! Servers that answer without having understood a word.
//!
//! All but the first two answer the fence, so that it is not the fence alone that betrays them:
//! what passes on one of these shows nothing but its reply. None of them keeps an item. Servers
//! that do understand, and lie, are in the files beside this one.

use spec::{Requirement, req};

use super::{Liar, Lie};

/// What each of them does with a write.
type Answer = fn(&[u8]) -> Option<Vec<u8>>;

const STORED: &Requirement = req!("storage.set.stored");

pub(super) const LIARS: &[Liar] = &[
    liar("silent", "It says nothing, ever.", STORED, |_| {
        Some(Vec::new())
    }),
    liar("closes", "It closes at the first byte.", STORED, |_| None),
    liar(
        "mute",
        "It answers the fence and nothing else.",
        STORED,
        |write| fenced(write, b""),
    ),
    liar("echo", "It sends back what it is sent.", STORED, |write| {
        fenced(write, write)
    }),
    liar("error", "It answers `ERROR`.", STORED, |write| {
        fenced(write, b"ERROR\r\n")
    }),
    liar(
        "client-error",
        "It answers that the line is bad.",
        STORED,
        |write| fenced(write, b"CLIENT_ERROR bad command line format\r\n"),
    ),
    liar("ok", "It answers `OK`.", STORED, |write| {
        fenced(write, b"OK\r\n")
    }),
    liar(
        "stored",
        "It answers `STORED`.",
        req!("retrieval.get.miss"),
        |write| fenced(write, b"STORED\r\n"),
    ),
    liar("not-found", "It answers `NOT_FOUND`.", STORED, |write| {
        fenced(write, b"NOT_FOUND\r\n")
    }),
    liar("end", "It answers `END`.", STORED, |write| {
        fenced(write, b"END\r\n")
    }),
    liar("hd", "It answers `HD`.", STORED, |write| {
        fenced(write, b"HD\r\n")
    }),
    liar("en", "It answers `EN`.", STORED, |write| {
        fenced(write, b"EN\r\n")
    }),
    liar("one", "It answers `1`.", STORED, |write| {
        fenced(write, b"1\r\n")
    }),
];

const fn liar(
    name: &'static str,
    does: &'static str,
    caught_by: &'static Requirement,
    answer: Answer,
) -> Liar {
    Liar {
        name,
        does,
        caught_by,
        lie: Lie::Answers(answer),
    }
}

/// This reply, but `MN` to the fence, and to a binary noop a noop.
fn fenced(write: &[u8], reply: &[u8]) -> Option<Vec<u8>> {
    Some(match write {
        b"mn\r\n" => b"MN\r\n".to_vec(),
        [0x80, 0x0a, rest @ ..] if rest.len() == NOOP_REST_BYTES => [&[0x81, 0x0a], rest].concat(),
        _ => reply.to_vec(),
    })
}

/// What a binary noop has behind its opcode.
const NOOP_REST_BYTES: usize = 22;
