//! The meta commands, with any of their flags.

use super::super::history::{Request, Word};
use super::{Dice, exptime, key, number, value};

pub(super) fn get(dice: &mut Dice) -> Request {
    let line = begun("mg", dice);
    flagged(line, "bcfhklqstvvvEINNORT", dice)
}

pub(super) fn set(dice: &mut Dice) -> Request {
    let mut line = begun("ms", dice);
    line.push(match dice.once_in(20) {
        true => Word::text(dice.one_of(&["0", "2", "-1", "x"])),
        false => Word::Length,
    });
    match flagged(line, "bcksqCEFIMMOT", dice) {
        Request::Line(words, _) => Request::Line(words, Some(value(dice))),
        other => other,
    }
}

pub(super) fn delete(dice: &mut Dice) -> Request {
    let line = begun("md", dice);
    flagged(line, "bqkxCEIIIOT", dice)
}

pub(super) fn arithmetic(dice: &mut Dice) -> Request {
    let line = begun("ma", dice);
    flagged(line, "bqktcvNJDMTOCE", dice)
}

pub(super) fn debug(dice: &mut Dice) -> Request {
    match dice.once_in(3) {
        true => Request::line(vec![Word::text("mn")]),
        false => Request::line(begun("me", dice)),
    }
}

fn begun(verb: &str, dice: &mut Dice) -> Vec<Word> {
    vec![Word::text(verb), Word::Key(key(dice))]
}

/// The line with some of these flags behind it, each once; a key that is said to be in base64 is.
fn flagged(mut line: Vec<Word>, letters: &str, dice: &mut Dice) -> Request {
    let key = match line.get(1) {
        Some(Word::Key(key)) => key.clone(),
        _ => Vec::new(),
    };
    let mut given: Vec<u8> = Vec::new();
    for _ in 0..dice.weighed(&[2, 4, 4, 3, 2, 1]) {
        let letter = dice.one_of(letters.as_bytes());
        if !given.contains(&letter) {
            given.push(letter);
            line.push(flag(letter, &key, dice));
        }
    }
    if let (true, Some(word)) = (given.contains(&b'b'), line.get_mut(1)) {
        *word = Word::Encoded(key);
    }
    Request::line(line)
}

fn flag(letter: u8, key: &[u8], dice: &mut Dice) -> Word {
    let behind = |text: &str| Word::Text([&[letter], text.as_bytes()].concat());
    match letter {
        b'M' => behind(dice.one_of(&["E", "A", "P", "R", "S", "I", "D", "set", "x"])),
        b'C' => Word::Unique("C", key.to_vec(), dice.weighed(&[5, 1])),
        // So large that no server comes to it by itself.
        b'E' => behind(dice.one_of(&["5000000001", "5000000002"])),
        b'T' => exptime(dice, "T"),
        b'N' => exptime(dice, "N"),
        b'R' => behind(dice.one_of(&["0", "30", "200", "-1", "x"])),
        b'D' | b'J' => behind(number(dice)),
        b'F' => behind(dice.one_of(&["0", "5", "4294967295", "x"])),
        b'O' => behind(dice.one_of(&["1", "opaque", "0123456789"])),
        plain => Word::Text(vec![plain]),
    }
}
