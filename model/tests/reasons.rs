//! What a ruling must not cite: a reason that did not decide is no reason.

use model::{Datagrams, Host, Model, Options, Session, Time};
use spec::exchange::Peer;
use spec::{Dialect, req};

const NOW: Time = Time(1_800_000_000);

/// The names cited for the last request of this input.
fn cited(input: &str) -> Vec<&'static str> {
    let (mut model, mut session) = (Model::default(), Session::new());
    let rulings = session.receive(&mut model, input.as_bytes(), NOW);
    let last = rulings.last().expect("the input holds a request");
    last.because.iter().map(|rule| rule.name).collect()
}

#[test]
fn a_number_as_long_as_before_is_neither_padded_nor_grown() {
    let cited = cited("set n 0 0 2\r\n10\r\nincr n 1\r\n");
    assert!(!cited.contains(&"arithmetic.padded"), "{cited:?}");
    assert!(!cited.contains(&"arithmetic.grows"), "{cited:?}");
}

#[test]
fn a_plain_number_needs_no_leniency() {
    let cited = cited("set n 0 0 2\r\n10\r\nincr n 1\r\n");
    let lenient = cited
        .iter()
        .filter(|name| name.starts_with("arithmetic.value."));
    assert_eq!(lenient.count(), 0, "{cited:?}");
}

#[test]
fn a_plain_line_is_nothing_odd() {
    let cited = cited("get k\r\n");
    for odd in [
        "framing.bytes",
        "framing.line.cr",
        "framing.line.bare-lf",
        "framing.spaces",
    ] {
        assert!(!cited.contains(&odd), "{odd} of {cited:?}");
    }
}

#[test]
fn a_line_at_the_ceiling_of_all_commands_needs_no_leave_of_retrieval() {
    let cited = cited(&format!("incr k 1{}\n", " ".repeat(2040)));
    assert!(!cited.contains(&"limits.line.retrieval"), "{cited:?}");
    assert!(cited.contains(&"limits.line.accepted"), "{cited:?}");
    assert!(cited.contains(&"arithmetic.missing"), "{cited:?}");
}

#[test]
fn an_overlong_line_deviates_only_as_its_dialect_does() {
    let deviation = "limits.line.touching.closed";
    let by_law = cited(&format!("gat 0 {}", "k ".repeat(1 << 19)));
    assert!(by_law.contains(&"limits.line.closes"), "{by_law:?}");
    assert!(!by_law.contains(&"limits.line.closes.told"), "{by_law:?}");
    assert!(!by_law.contains(&deviation), "{by_law:?}");

    let habits = Dialect::shipped("memcached-1.6.45").expect("it ships");
    let mut model = Model::new(Options::default(), habits);
    let rulings = Session::new().receive(&mut model, &[b'x'; 3000], NOW);
    let other = rulings.last().expect("it is closed");
    assert!(other.closes());
    assert!(other.because.iter().all(|rule| rule.name != deviation));
}

#[test]
fn an_overlong_line_may_be_told_before_the_connection_closes() {
    let habits = Dialect::parse("told", "elect limits.line.closes.told").expect("it is a dialect");
    let mut model = Model::new(Options::default(), habits);
    let rulings = Session::new().receive(&mut model, &[b'x'; 3000], NOW);
    let ruling = rulings.last().expect("it is closed");
    assert!(ruling.closes());
    assert_eq!(ruling.bytes(), b"CLIENT_ERROR line too long\r\n");
    assert!(ruling.cites(req!("limits.line.closes.told")));
}

#[test]
fn only_a_client_that_another_was_served_before_shows_what_clients_see_of_each_other() {
    let visible = req!("concurrency.visible");
    let mut host = Host::new(Model::default(), NOW);
    host.send(1, b"mn\r\n");
    host.send(1, b"mn\r\n");
    assert!(!host.cited().contains(&visible));
    host.send(2, b"mn\r\n");
    assert!(host.cited().contains(&visible));
}

#[test]
fn one_whole_request_is_neither_split_nor_pipelined_and_closes_nothing() {
    let (mut model, mut session) = (Model::default(), Session::new());
    let rulings = session.receive(&mut model, b"incr n 1\r\n", NOW);
    let [ruling] = rulings.as_slice() else {
        panic!("{rulings:?}");
    };
    assert!(!ruling.closes());
    for reason in ["framing.split", "framing.pipeline", "numbers.zeros"] {
        let cited = ruling.because.iter().any(|rule| rule.name == reason);
        assert!(!cited, "{reason}");
    }
}

#[test]
fn one_returned_flag_has_no_order_and_a_bare_noop_no_arguments() {
    assert!(!cited("set k 0 0 1\r\na\r\nmg k s\r\n").contains(&"meta.flags.order"));
    assert!(cited("set k 0 0 1\r\na\r\nmg k s f\r\n").contains(&"meta.flags.order"));
    assert!(!cited("mn\r\n").contains(&"meta.noop.arguments"));
}

/// The names cited for a datagram with this sequence number and these reserved bytes.
fn cited_for(sequence: u8, reserved: u8, requests: &str) -> Vec<&'static str> {
    let header = [0, 7, 0, sequence, 0, 1, 0, reserved];
    let datagram = [&header, requests.as_bytes()].concat();
    let answer = Datagrams::default().receive(&mut Model::default(), &datagram, NOW);
    answer.because.iter().map(|rule| rule.name).collect()
}

#[test]
fn a_plain_datagram_is_nothing_odd() {
    let cited = cited_for(0, 0, "mn\r\n");
    for odd in [
        "udp.frame.ignored",
        "udp.request.several",
        "udp.response.fragments",
    ] {
        assert!(!cited.contains(&odd), "{odd} of {cited:?}");
    }
}

#[test]
fn each_field_that_a_datagram_need_not_have_is_ignored_by_its_rule() {
    for (sequence, reserved) in [(1, 0), (0, 1)] {
        let cited = cited_for(sequence, reserved, "mn\r\n");
        assert!(cited.contains(&"udp.frame.ignored"), "{cited:?}");
    }
}
