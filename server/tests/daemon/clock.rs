//! A clock that tests may turn, where they asked for that.

use std::io::{Read, Write};

use crate::common::{Server, replies};

#[test]
fn without_its_option_there_is_no_such_command() {
    let server = Server::start("");
    let mut client = server.connect();
    client.write_all(b"debugtime 1\r\n").expect("it reads");
    assert_eq!(replies(&mut client), b"ERROR\r\n");
    let shown = server.play("stats settings");
    assert!(!shown.contains("debugtime"), "{shown}");
    // As behind every command that there is not.
    client
        .write_all(b"debugtime HTTP/1.1\r\n")
        .expect("it reads");
    assert_eq!(client.read(&mut [0; 10]).expect("it closes"), 0);
}

#[test]
fn the_clock_is_set_forward_by_what_is_asked_for_each_time() {
    let server = Server::start("-o debugtime");
    transcript!(server.play(
        "set k 0 10 1 ⏎ a
        mg k t
        debugtime 5
        mg k t
        debugtime 3
        mg k t
        debugtime 1 ⏎ mg k t
        debugtime 1
        mg k t
        set k 0 10 1 ⏎ a
        debugtime 0
        mg k t"
    ));
}

#[test]
fn a_clock_that_stands_still_is_set_forward_all_the_same() {
    let server = Server::start("-o debugtime");
    transcript!(server.play(
        "set k 0 10 1 ⏎ a
        debugtime p
        debugtime p
        debugtime 7
        mg k t
        debugtime r
        mg k t
        debugtime r"
    ));
}

#[test]
fn another_connection_sees_the_clock_that_one_has_turned() {
    let server = Server::start("-o debugtime");
    server.play("set k 0 10 1 ⏎ a");
    server.play("debugtime 10");
    assert_eq!(server.play("get k"), "> get k\n< END\n");
    let shown = server.play("stats settings");
    assert!(shown.contains("STAT debugtime yes"), "{shown}");
}

#[test]
fn what_is_no_turn_is_refused_and_turns_nothing() {
    let server = Server::start("-o debugtime");
    transcript!(server.play(
        "set k 0 10 1 ⏎ a
        debugtime
        debugtime x
        debugtime pp
        debugtime -1
        debugtime 4294967296
        debugtime 5 noreply
        mg k t"
    ));
}
