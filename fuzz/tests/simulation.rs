//! Some rounds of the simulation, and whether it would find a mistake.
//!
//! More of it, and faster:
//! `cargo run --profile simulation -p fuzz --example simulate -- --seed 1 --seconds 60`.

#![cfg(debug_assertions)]

use fuzz::simulation::{Tally, round};
use server::simulated::{Fault, Mistake, make};

/// So many rounds are played, and a mistake is to be found within so many.
const ROUNDS: u64 = 24;
const ROUNDS_MAX: u64 = 120;

#[test]
fn whatever_breaks_every_reply_is_lawful_and_nothing_is_left_behind() {
    let mut tally = Tally::default();
    for number in 0..ROUNDS {
        match round(1, number) {
            Ok(more) => tally.merge(&more),
            Err(failure) => panic!("{}", failure.transcript()),
        }
    }
    assert_eq!(tally.missing(), [], "{tally}");
}

#[test]
fn a_seed_makes_the_same_run_again() {
    let told = |seed| {
        round(seed, 0)
            .map(|tally| tally.to_string())
            .expect("it is lawful")
    };
    assert_eq!(told(7), told(7));
    assert_ne!(told(7), told(8));
}

/// Those of the store that one thread can see; `LosesMarks` is left to loom, for here compaction
/// seldom comes by a mark that somebody asks for later.
#[test]
fn every_mistake_is_found() {
    let mistakes = [
        Mistake::DropsRestOfWrite,
        Mistake::KeepsHeldRoom,
        Mistake::ForgetsToSwallow,
        Mistake::WaitsForEver,
        Mistake::KeepsScanned,
        Mistake::KeepsRefused,
        Mistake::StaysListed,
        Mistake::FollowsWallClock,
        Mistake::EndsDumpEarly,
        Mistake::MisnumbersDatagrams,
        Mistake::HidesRefusedJoin,
        Mistake::Store(Fault::ForgetsToRelocate),
        Mistake::Store(Fault::KeepsBothRecords),
        Mistake::Store(Fault::AppendsAcrossFlushes),
        Mistake::Store(Fault::EvictsWithoutRemoving),
        Mistake::Store(Fault::SplitsWithoutMoving),
    ];
    let mut missed = Vec::new();
    for mistake in mistakes {
        make(Some(mistake));
        let found = (0..ROUNDS_MAX).find(|number| fuzz::simulation::fails(1, *number));
        make(None);
        match found {
            Some(number) => println!("{mistake:?}: round {number}"),
            None => missed.push(mistake),
        }
    }
    assert_eq!(missed, [], "these mistakes are not found");
}
