//! The notation of exchanges: what it reads, what it refuses, and when a peer fails it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::collections::VecDeque;

use spec::exchange::{Bindings, Match, Peer, Received, Template, cases, replay};

/// A peer that says what it was told to say, whatever it hears; `None` is a close.
struct Scripted(VecDeque<Option<&'static [u8]>>);

impl Peer for Scripted {
    fn now(&mut self) -> u64 {
        1000
    }
    fn send(&mut self, _client: u8, _bytes: &[u8]) {}
    fn receive(&mut self, _client: u8, _hurry: bool) -> Received {
        match self.0.pop_front() {
            Some(Some(bytes)) => Received::Bytes(bytes.to_vec()),
            Some(None) => Received::Closed,
            None => Received::Nothing,
        }
    }
    fn half_close(&mut self, _client: u8) {}
    fn pass(&mut self, _seconds: u64) {}
}

/// Plays the steps against a peer that says this; whether they agree.
fn agrees(steps: &str, says: &[Option<&'static [u8]>]) -> bool {
    let text = format!("r[storage.cas.exists]\n{steps}");
    let exchanges = cases("test", &text).unwrap();
    let mut peer = Scripted(says.iter().copied().collect());
    replay(&exchanges[0], &mut peer).is_ok()
}

fn problem(steps: &str) -> String {
    cases("test", &format!("r[storage.cas.exists]\n{steps}"))
        .unwrap_err()
        .to_string()
}

fn rendered(text: &str) -> Vec<u8> {
    Template::parse(text)
        .unwrap()
        .render(&Bindings::from([("u".into(), b"7".into())]), 1000)
        .unwrap()
}

fn compared(text: &str, received: &[u8]) -> Match {
    Template::parse(text)
        .unwrap()
        .compare(received, &mut Bindings::new(), 1000)
}

const FENCED: Option<&[u8]> = Some(b"MN\r\n");

#[test]
fn a_line_is_sent_as_it_stands() {
    assert_eq!(rendered("get k"), b"get k");
    assert_eq!(rendered("set k 0 0 1 ⏎ a"), b"set k 0 0 1\r\na");
    assert_eq!(rendered("⏎⏎"), b"\r\n\r\n");
}

#[test]
fn escapes_stand_for_their_byte() {
    assert_eq!(rendered(r"\r\n\t\0\\\{\}\x41\xff"), b"\r\n\t\0\\{}A\xff");
}

#[test]
fn a_repetition_repeats() {
    assert_eq!(rendered("{k*3}"), b"kkk");
    assert_eq!(rendered(r"{ab\x20*2}"), b"ab ab ");
    assert_eq!(rendered("{k*0}"), b"");
}

#[test]
fn the_time_and_bound_names_are_filled_in() {
    assert_eq!(rendered("{now} {now+100} {now-1} {u}"), b"1000 1100 999 7");
}

#[test]
fn a_name_that_nothing_bound_cannot_be_sent() {
    assert!(
        Template::parse("{w}")
            .unwrap()
            .render(&Bindings::new(), 0)
            .is_err()
    );
}

#[test]
fn a_template_agrees_byte_for_byte() {
    assert_eq!(compared("STORED", b"STORED\r\n"), Match::Whole(6));
    assert_eq!(compared("STORED", b"STO"), Match::Part);
    assert_eq!(compared("STORED", b"STARED"), Match::No(2));
}

#[test]
fn digits_end_only_where_another_byte_follows() {
    assert_eq!(compared("{number}", b"12"), Match::Part);
    assert_eq!(compared("{number}", b"12\r"), Match::Whole(2));
    assert_eq!(compared("{number}", b"x"), Match::No(0));
    assert_eq!(compared("a {number} b", b"a 12 c"), Match::No(5));
}

#[test]
fn any_ends_at_the_line() {
    assert_eq!(compared("{any}", b"a b\r\n"), Match::Whole(3));
    assert_eq!(compared("x{any}", b"x\r\n"), Match::Whole(1));
}

#[test]
fn a_unique_is_the_same_wherever_it_stands_again() {
    let steps = "< {unique u} {u}\n";
    assert!(agrees(steps, &[Some(b"12 12\r\n"), FENCED]));
    assert!(!agrees(steps, &[Some(b"12 13\r\n"), FENCED]));
    let rebound = "< {unique u}\n< {unique u}\n";
    assert!(agrees(rebound, &[Some(b"5\r\n5\r\n"), FENCED]));
    assert!(!agrees(rebound, &[Some(b"5\r\n6\r\n"), FENCED]));
}

#[test]
fn replies_may_come_in_pieces() {
    assert!(agrees(
        "< STORED\n",
        &[Some(b"STO"), Some(b"RED\r"), Some(b"\n"), FENCED]
    ));
}

#[test]
fn a_missing_a_wrong_and_a_second_reply_all_fail() {
    assert!(!agrees("< STORED\n", &[]));
    assert!(!agrees("< STORED\n", &[Some(b"EXISTS\r\n"), FENCED]));
    assert!(!agrees(
        "< STORED\n",
        &[Some(b"STORED\r\nSTORED\r\n"), FENCED]
    ));
    assert!(!agrees("< STORED\n", &[Some(b"STORED\r\n"), None]));
}

#[test]
fn a_later_line_is_found_behind_others() {
    let steps = "<* STAT b 2\n< END\n";
    assert!(agrees(
        steps,
        &[Some(b"STAT a 1\r\nSTAT b 2\r\nEND\r\n"), FENCED]
    ));
    assert!(agrees(
        steps,
        &[Some(b"STAT a 1\r\nST"), Some(b"AT b 2\r\nEND\r\n"), FENCED]
    ));
    assert!(!agrees(
        steps,
        &[Some(b"STAT a 1\r\nSTAT b 3\r\nEND\r\n"), FENCED]
    ));
}

#[test]
fn silence_is_nothing_but_the_reply_to_the_fence() {
    assert!(agrees("> x\n= silent\n", &[FENCED, FENCED]));
    assert!(!agrees(
        "> x\n= silent\n",
        &[Some(b"ERROR\r\nMN\r\n"), FENCED]
    ));
    assert!(!agrees(
        "> x\n= silent\n",
        &[Some(b"MN\r\nERROR\r\n"), FENCED]
    ));
}

#[test]
fn a_close_is_a_close_and_nothing_before_it() {
    assert!(agrees("= closed\n", &[None]));
    assert!(!agrees("= closed\n", &[Some(b"ERROR\r\n"), None]));
    assert!(!agrees("= closed\n", &[]));
}

#[test]
fn a_refusal_names_file_line_and_what_is_accepted() {
    assert!(problem("> get k\n? x").starts_with("test:3: `?` is no step"));
    assert!(problem("= gone").contains("`silent`, `closed` or `half-close`"));
    assert!(problem("~ soon").contains("`~ 3s`"));
    assert!(problem(r"> \q").contains(r"`\q` is no escape"));
    assert!(problem("> {").contains('}'));
    assert!(problem("> {k*x}").contains("how often"));
    assert!(problem("< {No}").contains("no hole"));
    let unknown = cases("test", "r[nowhere.nothing]\n")
        .unwrap_err()
        .to_string();
    assert_eq!(unknown, "test:1: the law has no `nowhere.nothing`");
    assert!(
        cases("test", "r[storage.cas.exists] fast\n")
            .unwrap_err()
            .to_string()
            .contains("`fast`")
    );
    assert!(cases("test", "> get k\n").is_err());
}

#[test]
fn a_header_says_what_the_exchange_needs() {
    let text = "r[storage.cas.exists] options=\"-C -m 8\" dialect=law exclusive fence=none\n> mn\n";
    let header = cases("test", text).unwrap().remove(0).header;
    assert_eq!(header.options, "-C -m 8");
    assert!(header.exclusive && !header.fence);
    assert!(header.holds_for("law") && !header.holds_for("memcached-1.6.18"));
}

#[test]
fn a_case_ends_at_an_empty_line_and_comments_are_no_steps() {
    let text = "# one\nr[storage.cas.exists]\n# two\n> mn\n< MN\n\nr[storage.cas.stored]\n2> mn\n";
    let cases = cases("test", text).unwrap();
    let steps: Vec<usize> = cases.iter().map(|case| case.steps.len()).collect();
    assert_eq!(steps, [2, 1]);
    assert_eq!(cases[1].steps[0].client, 2);
    assert_eq!(cases[1].requirement.name, "storage.cas.stored");
}
