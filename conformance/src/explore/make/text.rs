//! The classic text commands, and lines that are none.

use super::super::history::{Request, Word};
use super::{Dice, exptime, key, number, value, words};

/// What may stand behind a line.
const BEHIND: [&str; 8] = ["", "", "", "", "", "noreply", "noreply", "x"];

pub(super) fn storage(dice: &mut Dice) -> Request {
    const VERBS: [&str; 10] = [
        "set", "set", "set", "set", "add", "replace", "append", "prepend", "cas", "cas",
    ];
    const FLAGS: [&str; 6] = ["0", "0", "0", "7", "4294967295", "65536"];
    let (verb, key) = (dice.one_of(&VERBS), key(dice));
    let flags = if dice.once_in(30) {
        dice.one_of(&["4294967296", "-1", "x"])
    } else {
        dice.one_of(&FLAGS)
    };
    let mut line = vec![Word::text(verb), Word::Key(key.clone()), Word::text(flags)];
    line.push(exptime(dice, ""));
    line.push(match dice.once_in(20) {
        true => Word::text(dice.one_of(&["0", "1", "2", "-1", "x"])),
        false => Word::Length,
    });
    if verb == "cas" {
        line.push(Word::Unique("", key, dice.weighed(&[5, 1])));
    }
    line.extend(words(dice.one_of(&BEHIND)));
    Request::Line(line, Some(value(dice)))
}

pub(super) fn retrieval(dice: &mut Dice) -> Request {
    let verb = dice.one_of(&["get", "get", "gets", "gets", "gets", "gat", "gats"]);
    let mut line = vec![Word::text(verb)];
    if verb.starts_with("gat") {
        line.push(exptime(dice, ""));
    }
    let keys = dice.weighed(&[1, 12, 6, 3]);
    line.extend((0..keys).map(|_| Word::Key(key(dice))));
    Request::line(line)
}

pub(super) fn counting(dice: &mut Dice) -> Request {
    let verb = dice.one_of(&["incr", "incr", "decr"]);
    let mut line = vec![Word::text(verb), Word::Key(key(dice))];
    line.push(Word::text(number(dice)));
    line.extend(words(dice.one_of(&BEHIND)));
    Request::line(line)
}

pub(super) fn deletion(dice: &mut Dice) -> Request {
    let mut line = vec![Word::text("delete"), Word::Key(key(dice))];
    line.extend(words(dice.one_of(&[
        "",
        "",
        "",
        "noreply",
        "0",
        "0 noreply",
        "1",
        "x y",
    ])));
    Request::line(line)
}

pub(super) fn touch(dice: &mut Dice) -> Request {
    let mut line = vec![Word::text("touch"), Word::Key(key(dice))];
    line.push(exptime(dice, ""));
    line.extend(words(dice.one_of(&BEHIND)));
    Request::line(line)
}

/// What concerns the server and all that it holds.
pub(super) fn shared(dice: &mut Dice) -> Request {
    const LINES: [&str; 12] = [
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
    Request::line(words(dice.one_of(&LINES)).collect())
}

/// Lines that are no command, or one that is written oddly.
pub(super) fn broken(dice: &mut Dice) -> Request {
    const BYTES: [&str; 14] = [
        "\r\n",
        "\n",
        " get a\r\n",
        "get  a\r\n",
        "get a\n",
        "get a \r\n",
        "GET a\r\n",
        "set a 0 0\r\n",
        "set a\r\n",
        "incr a\r\n",
        "ms a\r\n",
        "nonsense\r\n",
        "mg\r\n",
        "get\r\n",
    ];
    Request::Bytes(dice.one_of(&BYTES).into())
}
