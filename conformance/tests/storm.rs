//! Storms over servers that lose races on purpose, and over one that does not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "only tests are here"
)]

use std::time::Duration;

use conformance::serve::Service;
use conformance::storm::racy::{RACES, Race, start};
use conformance::storm::speech::Speech;
use conformance::storm::{Outcome, Plan, storm};
use conformance::target::address::{Address, Trust};
use spec::Dialect;

fn stormed(race: Race, seconds: u64) -> Outcome {
    storm_at(&start(race).expect("a free port").to_string(), seconds)
}

fn storm_at(place: &str, seconds: u64) -> Outcome {
    let address = Address::parse(place, &Trust::Anybody).expect("a place");
    let plan = Plan {
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
    };
    storm(&plan, || address.connect()).expect("it accepts")
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
