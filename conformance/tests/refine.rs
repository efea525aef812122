//! How loose the relation between a ruling and an observation is: replies are spoiled, and every
//! spoiled reply that is accepted must be one that the law leaves to a server.
//!
//! What the law leaves is decided here a second time, word by word, and knows nothing of the
//! relation that is measured. [`one_key`] measures it as a recorder uses it, [`played`] as an
//! exploration does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "only tests are here"
)]

#[path = "refine/alike.rs"]
mod alike;
#[path = "../src/dice.rs"]
mod dice;
#[path = "refine/one_key.rs"]
mod one_key;
#[path = "refine/played.rs"]
mod played;
#[path = "refine/spoil.rs"]
mod spoil;

use one_key::Trial;
use spoil::{Dice, OPERATORS};

#[test]
fn no_spoiled_reply_is_accepted_outside_the_freedoms() {
    measure_one_key(4_000);
}

#[test]
fn no_spoiled_reply_of_a_history_is_accepted_outside_the_freedoms() {
    measure_histories(150);
}

/// How many replies each operator spoiled, and how many of those were accepted.
struct Counts([(usize, usize); OPERATORS.len()]);

impl Counts {
    fn new() -> Counts {
        Counts([(0, 0); OPERATORS.len()])
    }

    fn has_less_than(&self, wanted_of_each: usize) -> bool {
        self.0.iter().any(|(tried, _)| *tried < wanted_of_each)
    }

    /// Prints them; too few prove nothing.
    fn tell(&self, of: &str, wanted_of_each: usize) {
        for ((name, _), (tried, accepted)) in OPERATORS.iter().zip(self.0) {
            println!("{tried:>9} replies, {accepted:>6} left to a server: {name}");
            assert!(tried >= wanted_of_each, "{name}: too few were generated");
        }
        let spoiled: usize = self.0.iter().map(|(tried, _)| tried).sum();
        let accepted: usize = self.0.iter().map(|(_, accepted)| accepted).sum();
        println!("{of}: {spoiled} spoiled replies; {accepted} accepted, each left to a server");
    }
}

/// Spoils at least so many replies about one key with each operator.
pub(crate) fn measure_one_key(wanted_of_each: usize) {
    let mut dice = Dice::new(1);
    let mut counts = Counts::new();
    while counts.has_less_than(wanted_of_each) {
        let mut trial = Trial::new(&mut dice);
        for _ in 0..40 {
            let (request, reply, before) = trial.step(&mut dice);
            for ((name, spoil), (tried, accepted)) in OPERATORS.iter().zip(&mut counts.0) {
                let Some(other) = spoil(&reply, &mut dice).filter(|other| *other != reply) else {
                    continue;
                };
                *tried += 1;
                if trial.accepts(&before, &request, &other) {
                    *accepted += 1;
                    assert!(
                        trial.leaves(&before, &request, &other),
                        "{name}: `{}` was accepted for the last of {:#?}; shown were {:?}",
                        other.escape_ascii(),
                        trial.asked,
                        before.shown
                    );
                }
            }
        }
    }
    counts.tell("one key", wanted_of_each);
}

/// Spoils at least so many replies in histories with each operator, for each kind of server.
pub(crate) fn measure_histories(wanted_of_each: usize) {
    for kind in played::Kind::ALL {
        let mut dice = Dice::new(1);
        let mut counts = Counts::new();
        let mut histories = played::Histories::new(kind);
        while counts.has_less_than(wanted_of_each) {
            let Some(played) = histories.next(&mut dice) else {
                continue;
            };
            for ((name, spoil), (tried, accepted)) in OPERATORS.iter().zip(&mut counts.0) {
                let reply = played.reply();
                if *tried >= wanted_of_each {
                    continue;
                }
                let Some(other) = spoil(reply, &mut dice).filter(|other| other != reply) else {
                    continue;
                };
                *tried += 1;
                if played.accepts(&other) {
                    *accepted += 1;
                    assert!(
                        played.leaves(&other),
                        "{name}: `{}` was accepted for the last of {:#?}",
                        other.escape_ascii(),
                        played.told()
                    );
                }
            }
        }
        counts.tell(kind.name(), wanted_of_each);
    }
}
