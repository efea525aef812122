//! The classic commands over TCP, as transcripts.

use std::io::Write;

use crate::common::{Server, replies};

#[test]
fn storing_under_every_condition() {
    transcript!(Server::start("").play(
        "set k 5 0 3 ⏎ one
         add k 0 0 3 ⏎ two
         add n 0 0 3 ⏎ new
         replace k 6 0 5 ⏎ three
         replace missing 0 0 1 ⏎ x
         append k 0 0 1 ⏎ !
         prepend k 0 0 1 ⏎ ?
         append missing 0 0 1 ⏎ x
         get k n
         cas k 0 0 1 0 ⏎ x
         cas missing 0 0 1 1 ⏎ x
         set e 0 0 0 ⏎
         get e"
    ));
}

#[test]
fn a_unique_is_good_for_one_store() {
    transcript!(Server::start("").play(
        "set k 0 0 1 ⏎ a
         gets k
         cas k 0 0 1 1 ⏎ b
         cas k 0 0 1 1 ⏎ c
         gets k"
    ));
}

#[test]
fn numbers_go_up_and_down() {
    transcript!(Server::start("").play(
        "incr n 1
         set n 0 0 2 ⏎ 10
         incr n 5
         decr n 20
         set n 0 0 20 ⏎ 18446744073709551615
         incr n 1
         incr n x
         incr n
         set t 0 0 3 ⏎ abc
         incr t 1"
    ));
}

#[test]
fn items_are_deleted_touched_and_flushed() {
    transcript!(Server::start("").play(
        "set k 0 0 1 ⏎ a
         touch k 100
         touch k x
         touch missing 100
         gat 50 k missing
         gats 50 k
         delete k
         delete k
         set k 0 0 1 ⏎ a
         flush_all
         get k
         flush_all x
         set k 0 -1 1 ⏎ a
         get k"
    ));
}

#[test]
fn a_bad_line_has_one_reply_and_the_stream_stays_in_step() {
    let long = "k".repeat(251);
    transcript!(Server::start("").play(&format!(
        "nonsense
         get
         set k
         set k 0 0 -1
         set k 0 0 abc
         set k x 0 3 ⏎ abc
         set k 0 x 3 ⏎ abc
         set {long} 0 0 3 ⏎ abc
         cas k 0 0 3 ⏎ abc
         set k 0 0 2 ⏎ abc
         get k {long}
         verbosity
         delete"
    )));
}

#[test]
fn what_a_terminal_negotiates_is_no_command_and_the_stream_stays_in_step() {
    let server = Server::start("");
    let mut client = server.connect();
    // An interrupt of telnet: IAC IP, IAC DO TIMING-MARK.
    let interrupt = b"\xff\xf4\xff\xfd\x06\r\nset k 0 0 1\r\na\r\n\xff\xfb\x1fget k\r\nget k\r\n";
    client.write_all(interrupt).expect("it reads");
    let said = replies(&mut client);
    let expected = b"ERROR\r\nSTORED\r\nERROR\r\nVALUE k 0 1\r\na\r\nEND\r\n";
    assert_eq!(
        said.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}
