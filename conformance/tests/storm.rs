//! Storms over servers that lose races on purpose, and over one that does not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "only tests are here"
)]

mod common;

use std::time::Duration;

use conformance::serve::Service;
use conformance::storm::disturb::Disturbed;
use conformance::storm::racy::{RACES, Race, start};
use conformance::storm::speech::Speech;
use conformance::storm::{Outcome, Plan, storm};
use conformance::target::Target;
use conformance::target::address::{Address, Trust};
use conformance::target::process::Process;
use spec::Dialect;
use spec::exchange::{Peer, Received};

fn stormed(race: Race, seconds: u64) -> Outcome {
    storm_at(&start(race).expect("a free port").to_string(), seconds)
}

fn storm_at(place: &str, seconds: u64) -> Outcome {
    let address = Address::parse(place, &Trust::Anybody).expect("a place");
    storm(&calm(seconds), || address.connect()).expect("it accepts")
}

/// Contended keys and flushes, and nothing else that moves an item.
fn calm(seconds: u64) -> Plan {
    Plan {
        clients: 8,
        time: Duration::from_secs(seconds),
        seed: 1,
        prefix: "s".to_owned(),
        forgets: false,
        dialect: Dialect::default(),
        fills: false,
        flushes: true,
        expires: false,
        disturbs: false,
    }
}

#[test]
fn every_race_is_found() {
    let mut times = Vec::new();
    for (name, race) in RACES {
        let outcome = stormed(race, 30);
        let took = outcome.took.as_secs_f64();
        println!(
            "{name:<18} {took:>6.2} s {:>8} operations",
            outcome.operations
        );
        assert!(outcome.broken.is_empty(), "{name}: {:?}", outcome.broken);
        let refuted = outcome
            .refuted
            .unwrap_or_else(|| panic!("{name} is not found"));
        println!("{}: {}{}", refuted.key, refuted.rule.name, refuted.witness);
        times.push(took);
    }
    times.sort_by(f64::total_cmp);
    assert!(times[times.len() / 2] <= 10.0, "{times:?}");
}

#[test]
fn a_server_without_a_race_is_linearizable() {
    let outcome = stormed(Race::None, 3);
    assert!(outcome.broken.is_empty(), "{:?}", outcome.broken);
    assert_eq!(outcome.unknown, 0);
    assert!(
        outcome.operations > 1_000,
        "{} operations",
        outcome.operations
    );
    if let Some(refuted) = outcome.refuted {
        panic!("{}: {}", refuted.key, refuted.witness);
    }
}

#[test]
fn a_lawful_server_is_linearizable_in_whatever_way_its_clients_speak() {
    let service = Service::bind(0, None, Dialect::default()).unwrap();
    let place = format!("127.0.0.1:{}", service.port().unwrap());
    std::thread::spawn(move || service.run());
    let outcome = storm_at(&place, 1);
    assert_eq!(outcome.spoken, [Speech::Text, Speech::Meta, Speech::Binary]);
    assert!(outcome.broken.is_empty(), "{:?}", outcome.broken);
    assert!(outcome.operations > 100, "{}", outcome.operations);
    assert_eq!(outcome.unknown, 0);
    if let Some(refuted) = outcome.refuted {
        panic!("{}: {}", refuted.key, refuted.witness);
    }
}

#[test]
fn items_are_moved_dumped_evicted_and_expire_while_a_memcached_is_stormed() {
    let Some((Target::Spawn(memcached), dialect)) = common::memcached_and_dialect() else {
        return;
    };
    let mut process = Process::start(&memcached, "-m 16").expect("it starts");
    let address = process.address().clone();
    let plan = Plan {
        forgets: true,
        fills: true,
        flushes: false,
        expires: true,
        disturbs: true,
        dialect,
        ..calm(6)
    };
    let outcome = storm(&plan, || address.connect()).expect("it accepts");
    assert!(outcome.fleeting > 0, "nothing expired");
    let Disturbed { dumps, moves } = outcome.disturbed;

    assert!(dumps > 0 && moves > 0, "{dumps} dumps, {moves} moves");
    let statistics = statistics(&mut process);
    assert!(!statistics.contains("STAT evictions 0\r"), "{statistics}");
    assert!(outcome.operations > 1_000, "{}", outcome.operations);
    assert!(outcome.broken.is_empty(), "{:?}", outcome.broken);
    assert_eq!(outcome.unknown, 0);
    if let Some(refuted) = outcome.refuted {
        panic!("{}: {}", refuted.key, refuted.witness);
    }
}

fn statistics(process: &mut Process) -> String {
    process.send(1, b"stats\r\n");
    let mut told = Vec::new();
    while let Received::Bytes(bytes) = process.receive(1, false) {
        told.extend(bytes);
        if told.ends_with(b"END\r\n") {
            break;
        }
    }
    String::from_utf8(told).expect("it is text")
}
