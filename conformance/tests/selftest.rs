//! The suite on trial: every liar is caught, and nobody else.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::LazyLock;
use std::thread;

use conformance::baseline::Baseline;
use conformance::cases;
use conformance::check::Trial;
use conformance::liars::{self, Lie, liars};
use conformance::report;
use conformance::selftest::{SelfTest, selftest};
use conformance::serve::Service;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::verdict::Conclusion;
use spec::Dialect;
use spec::exchange::Exchange;

static EXCHANGES: LazyLock<Vec<Exchange>> =
    LazyLock::new(|| cases::all().unwrap_or_else(|error| panic!("{error}")));
static RESULT: LazyLock<SelfTest<'static>> = LazyLock::new(|| selftest(&EXCHANGES, 2));

#[test]
fn every_liar_is_caught_by_the_rule_one_would_expect() {
    let escaped = RESULT.rows.iter().filter(|row| !row.is_caught());
    assert_eq!(escaped.count(), 0, "\n{}", *RESULT);
    assert!(RESULT.rows.len() >= 22, "\n{}", *RESULT);
}

#[test]
fn no_must_passes_on_more_than_two_servers_without_content() {
    assert!(RESULT.vacuous().is_empty(), "\n{}", *RESULT);
    let without = liars().filter(|liar| liar.is_content_free());
    assert!(without.count() >= 8);
}

#[test]
fn fewer_than_five_exchanges_in_a_hundred_are_padding() {
    assert!(
        RESULT.padding.len() * 20 < RESULT.exchanges,
        "\n{}",
        *RESULT
    );
}

#[test]
fn nobody_is_caught_who_does_not_lie() {
    assert!(RESULT.unfair.is_empty(), "\n{}", *RESULT);
    for shape in [Shape::Split, Shape::Coalesced] {
        let trial = Trial {
            target: Target::Honest,
            dialect: Dialect::default(),
            baseline: Baseline::default(),
            shape,
            select: Vec::new(),
            jobs: 2,
            ..Trial::default()
        };
        let report = trial.run(&EXCHANGES, &[]);
        let text = report::text(&report, true);
        assert_eq!(report.conclusion(), Conclusion::Conforms, "{text}");
    }
}

#[test]
fn each_liar_has_a_name_of_its_own_and_says_its_lie_in_one_sentence() {
    let mut names = BTreeSet::new();
    for liar in liars() {
        assert!(
            names.insert(liar.name),
            "two liars are called {}",
            liar.name
        );
        assert!(liar.does.starts_with("It"), "{}: {}", liar.name, liar.does);
        assert!(liar.does.ends_with('.'), "{}: {}", liar.name, liar.does);
        assert_eq!(
            liar.does.matches(". ").count(),
            0,
            "{}: {}",
            liar.name,
            liar.does
        );
    }
}

#[test]
fn a_served_model_answers_its_clients_and_they_share_its_items() {
    let port = serve(None);
    let (mut first, mut second) = (connect(port), connect(port));
    expect(&mut first, "set k 0 0 1\r\na\r\n", "STORED\r\n");
    expect(&mut second, "get k\r\n", "VALUE k 0 1\r\na\r\nEND\r\n");
}

#[test]
fn a_served_liar_lies() {
    let port = serve(liars::named("keeps-deleted").map(|liar| liar.lie));
    let mut client = connect(port);
    expect(&mut client, "set k 0 0 1\r\na\r\n", "STORED\r\n");
    expect(&mut client, "delete k\r\n", "DELETED\r\n");
    expect(&mut client, "get k\r\n", "VALUE k 0 1\r\na\r\nEND\r\n");
}

#[test]
fn a_client_that_half_closes_still_reads_its_replies() {
    let mut client = connect(serve(None));
    client.write_all(b"mn\r\nmn\r\n").expect("loopback works");
    client
        .shutdown(std::net::Shutdown::Write)
        .expect("loopback works");
    let mut text = String::new();
    client.read_to_string(&mut text).expect("loopback works");
    assert_eq!(text, "MN\r\nMN\r\n");
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let service = Service::bind(0, None, Dialect::default()).expect("loopback works");
    let port = service.port().expect("loopback works");
    let problem = Service::bind(port, None, Dialect::default()).unwrap_err();
    assert!(
        problem.starts_with(&format!("port {port} is taken")),
        "{problem}"
    );
}

fn serve(lie: Option<Lie>) -> u16 {
    let service = Service::bind(0, lie, Dialect::default()).expect("loopback works");
    let port = service.port().expect("loopback works");
    thread::spawn(move || service.run());
    port
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("loopback works")
}

/// Sends this, and reads this.
fn expect(client: &mut TcpStream, request: &str, reply: &str) {
    client
        .write_all(request.as_bytes())
        .expect("loopback works");
    let mut bytes = vec![0; reply.len()];
    client.read_exact(&mut bytes).expect("loopback works");
    assert_eq!(String::from_utf8_lossy(&bytes), reply);
}
