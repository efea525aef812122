//! One request to a server that has a few items, and then a look at what became of them; or to one
//! that lets nobody see them without a password.
//!
//! A fuzzer that need not find out how an item is stored gets to the strange requests sooner.

use crate::trial::Trial;

/// A text, a counter, one that will expire, one that is stale, one that was won, one read before.
const ITEMS: &[u8] = b"set t 5 0 3\r\nabc\r\n\
    set n 0 0 2\r\n10\r\n\
    set e 0 100 1\r\nx\r\n\
    set s 1 0 1\r\ny\r\nmd s I\r\n\
    set w 1 0 1\r\nz\r\nmd w I\r\nmg w\r\n\
    set r 0 0 0\r\n\r\nget r\r\n";
/// Everything that a client may learn of these items and of one that the request may have made.
const LOOK: &[u8] = b"mn\r\nmg t s v f c t h l\r\nmg n s v f c t h\r\nmg e s v f c t h\r\n\
    mg s s v f c t h\r\nmg w s v f c t h\r\nmg r s v f c t h\r\nmg k s v f c t h\r\nmn\r\n";
const NOOP: [u8; 24] = {
    let mut frame = [0; 24];
    frame[0] = 0x80;
    frame[1] = 0x0a;
    frame
};

/// A line of the classic commands, with whatever comes behind it.
///
/// # Panics
/// When model and server differ.
pub fn text(input: &[u8]) {
    play(&[input, b"\r\n"].concat(), b"\r\n");
}

/// A meta command: which, and the rest of its line, with whatever comes behind it.
///
/// # Panics
/// When model and server differ.
pub fn meta(input: &[u8]) {
    let Some((letter, rest)) = input.split_first() else {
        return;
    };
    let command = match letter % 6 {
        0 => b"mg ",
        1 => b"ms ",
        2 => b"md ",
        3 => b"ma ",
        4 => b"me ",
        _ => b"mn ",
    };
    play(&[command, rest, b"\r\n"].concat(), b"\r\n");
}

/// A binary frame: what its header says, and what comes behind that.
///
/// # Panics
/// When model and server differ.
pub fn binary(input: &[u8]) {
    play(&[b"\x80", input].concat(), &NOOP);
}

/// A datagram: its frame header, and what comes behind that.
///
/// # Panics
/// When model and server differ.
pub fn datagram(input: &[u8]) {
    let mut trial = Trial::new();
    trial.send(1, ITEMS, 0);
    trial.datagram(input);
    trial.send(1, LOOK, 0);
    trial.end();
}

/// A stranger who speaks binary to a server that wants to know who asks (`-S`).
///
/// # Panics
/// When model and server differ.
pub fn sasl(input: &[u8]) {
    strange("-S", &[b"\x80", input].concat());
}

/// A stranger who speaks text to such a server (`-Y`).
///
/// # Panics
/// When model and server differ.
pub fn login(input: &[u8]) {
    strange("-Y users", input);
}

fn strange(options: &str, input: &[u8]) {
    let mut trial = Trial::with(options, "bob:secret");
    let cut = input.last().map_or(0, |byte| usize::from(*byte));
    trial.send(1, input, cut);
    trial.send(1, b"mn\r\n", 0);
    trial.end();
}

/// Plays one request, in pieces as long as its first byte says; what comes behind it goes on.
fn play(request: &[u8], fence: &[u8]) {
    let mut trial = Trial::new();
    trial.send(1, ITEMS, 0);
    let cut = request.last().map_or(0, |byte| usize::from(*byte));
    trial.send(2, request, cut);
    trial.send(2, fence, 0);
    trial.send(1, LOOK, 0);
    trial.end();
}
