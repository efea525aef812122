//! What holds for bytes and replies, whatever they are.
//!
//! Nothing here knows a command.

use model::{Recovery, Reply, Ruling};
use spec::Dialect;

use super::history::{History, Noise, World};
use super::reply::{AnyReply, CODES, WORDS};
use crate::holds;

#[test]
fn splitting_the_input_anywhere_changes_nothing() {
    holds(
        (|Noise(noise), split: usize| {
            let (mut whole, mut parts) = (World::new(), World::new());
            let at = split % (noise.len() + 1);
            let (first, second) = noise.split_at(at);
            let mut rulings = parts.say(first);
            rulings.extend(parts.say(second));
            said(&whole.say(&noise)) == said(&rulings) && whole.view() == parts.view()
        }) as fn(Noise, usize) -> bool,
    );
}

#[test]
fn a_line_gets_at_most_one_ruling_and_every_ruling_a_reason() {
    holds(
        (|Noise(noise), dialect: usize| {
            let names = Dialect::shipped_names();
            let name = names[dialect % names.len()];
            let mut world = World::following(&Dialect::shipped(name).expect("it ships"));
            let rulings = world.say(&noise);
            let lines = noise.iter().filter(|byte| **byte == b'\n').count();
            rulings.len() <= lines && rulings.iter().all(|ruling| !ruling.because.is_empty())
        }) as fn(Noise, usize) -> bool,
    );
}

#[test]
fn after_a_close_nothing_is_done_and_nothing_is_said() {
    holds(
        (|history, Noise(noise)| {
            let mut world = World::after(&history);
            world.ask("quit");
            let before = world.clone();
            world.say(&noise).is_empty() && world.view() == before.view()
        }) as fn(History, Noise) -> bool,
    );
}

#[test]
fn after_any_input_that_ended_the_stream_is_in_step() {
    holds(
        (|Noise(noise)| {
            let mut world = World::new();
            world.say(&noise);
            // Whatever is awaited or swallowed, its bytes and its line end have come after this.
            let fill = [b"\r\n".as_slice(), &vec![b'x'; 2000], b"\r\nmn\r\n"].concat();
            let rulings = world.say(&fill);
            world.is_closed() || rulings.last().is_some_and(|last| last.bytes() == b"MN\r\n")
        }) as fn(Noise) -> bool,
    );
}

#[test]
fn a_reply_that_is_printed_is_read() {
    holds(
        (|AnyReply(reply)| {
            let mut bytes = Vec::new();
            reply.print(&mut bytes);
            let length = bytes.len();
            bytes.extend_from_slice(b"END\r\n");
            Reply::read(&bytes) == Some((reply, length))
        }) as fn(AnyReply) -> bool,
    );
}

#[test]
fn every_word_and_every_code_is_read() {
    let codes = CODES.map(|code| Reply::Meta(code, Vec::new()));
    for reply in WORDS.into_iter().chain(codes) {
        let mut bytes = Vec::new();
        reply.print(&mut bytes);
        assert_eq!(Reply::read(&bytes), Some((reply, bytes.len())));
    }
}

#[test]
fn a_part_of_a_reply_is_not_read() {
    holds(
        (|AnyReply(reply)| {
            let mut bytes = Vec::new();
            reply.print(&mut bytes);
            (0..bytes.len()).all(|length| Reply::read(&bytes[..length]).is_none())
        }) as fn(AnyReply) -> bool,
    );
}

#[test]
fn whatever_the_model_says_can_be_read() {
    holds(
        (|Noise(noise)| {
            let mut world = World::new();
            world.say(&noise).iter().all(|ruling| {
                let bytes = ruling.bytes();
                match Reply::read(bytes) {
                    Some((reply, length)) => {
                        let mut again = Vec::new();
                        reply.print(&mut again);
                        again == bytes && length == bytes.len()
                    }
                    None => bytes.is_empty(),
                }
            })
        }) as fn(Noise) -> bool,
    );
}

/// What a client hears of these, and what becomes of the stream.
fn said(rulings: &[Ruling]) -> Vec<(Vec<u8>, Recovery)> {
    let said = rulings.iter();
    said.map(|ruling| (ruling.bytes().to_vec(), ruling.recovery))
        .collect()
}
