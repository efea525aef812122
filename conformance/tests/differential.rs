//! Any history at all: our server, and the memcached in PATH, answer it as the model rules.
//!
//! proptest makes the histories, and shortens the one that fails; `touchstone explore` plays the
//! same ones without an end, and shortens them further. They are the same in every run.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

mod common;

use std::collections::BTreeSet;

use conformance::explore::history::{Frame, Request, Step, Word};
use conformance::explore::make::histories;
use conformance::explore::peer::Server;
use conformance::explore::play::Player;
use conformance::target::Target;
use model::{Model, Options};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use spec::Dialect;

/// So many histories, the same in every run.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

fn answers_as_ruled(target: &Target, dialect: &Dialect, cases: u32) {
    let histories = histories(Server::bounds(target), &BTreeSet::new());
    let outcome = runner(cases).run(&histories, |history| {
        let server = Server::start(target, 0).map_err(TestCaseError::fail)?;
        let mut player = Player::new(server, Model::new(Options::default(), dialect.clone()));
        let difference = player.play(&history);
        prop_assert!(difference.is_none(), "{difference:?}");
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

#[test]
fn our_server_answers_any_history_as_the_model_rules() {
    answers_as_ruled(&Target::Embedded, &Dialect::default(), 400);
}

#[test]
fn the_memcached_in_path_answers_any_history_as_its_dialect_is_ruled() {
    if let Some((memcached, dialect)) = common::memcached_and_dialect() {
        answers_as_ruled(&memcached, &dialect, 60);
    }
}

/// The flags that the law's chapter has a table of.
fn flags_of(chapter: &str) -> BTreeSet<u8> {
    let file = format!("{}/../spec/meta/{chapter}.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| flag |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    words.filter_map(|word| word.bytes().next()).collect()
}

/// A flag, and whether nothing stands behind its letter.
fn flag(word: &Word) -> Option<(u8, bool)> {
    match word {
        Word::Text(text) => Some((*text.first()?, text.len() == 1)),
        Word::Date(letters, _) | Word::Unique(letters, ..) => {
            Some((*letters.as_bytes().first()?, false))
        }
        Word::Key(_) | Word::Encoded(_) | Word::Length => None,
    }
}

#[test]
fn histories_have_every_flag_of_the_law_and_some_that_lack_their_argument() {
    let bounds = Server::bounds(&Target::Embedded);
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let outcome = runner(2_000).run(&histories(bounds, &BTreeSet::new()), |history| {
        let asks = history.iter().filter_map(|step| match step {
            Step::Ask(ask) => Some(&ask.request),
            Step::Pass(_) => None,
        });
        for request in asks {
            if let Request::Line(words, _) = request
                && let Some(Word::Text(verb)) = words.first()
            {
                let flags = words.iter().skip(2).filter_map(flag);
                let flags = flags.map(|flag| (verb.clone(), flag));
                seen.borrow_mut().extend(flags);
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let seen = seen.into_inner();
    for (verb, chapter) in [
        ("mg", "get"),
        ("ms", "set"),
        ("md", "delete"),
        ("ma", "arithmetic"),
    ] {
        let flags = flags_of(chapter);
        assert!(flags.len() >= 10, "{verb}: {flags:?}");
        for letter in flags {
            let was = |bare| seen.contains(&(verb.as_bytes().to_vec(), (letter, bare)));
            let name = char::from(letter);
            assert!(was(true), "{verb} never has a bare {name}");
            let takes = b"CDEFJMNORT".contains(&letter);
            assert_eq!(was(false), takes, "{verb} {name} with something behind it");
        }
    }
}

#[test]
fn histories_have_the_edges_that_authors_stumble_over() {
    let bounds = Server::bounds(&Target::Embedded);
    let (mut longest, mut cut, mut joined, mut waits) = (0, 0, 0, 0);
    let (mut keys, mut values) = (BTreeSet::new(), BTreeSet::new());
    let mut clients = BTreeSet::new();
    let histories = histories(bounds, &BTreeSet::new());
    let seen = std::cell::RefCell::new(Vec::new());
    let outcome = runner(2_000).run(&histories, |history| {
        seen.borrow_mut().push(history);
        Ok(())
    });
    outcome.unwrap();
    for history in seen.into_inner() {
        longest = longest.max(history.len());
        for step in history {
            let Step::Ask(ask) = step else {
                waits += 1;
                continue;
            };
            clients.insert(ask.client);
            cut += usize::from(ask.cut.is_some());
            joined += usize::from(ask.joined);
            keys.insert(ask.request.key().len());
            if let Request::Line(_, Some(value)) | Request::Frame(Frame { value, .. }) = ask.request
            {
                values.insert(value.len());
            }
        }
    }
    assert!(longest > 150, "{longest}");
    assert!(cut > 0 && joined > 0 && waits > 0);
    assert_eq!(clients.len(), 4, "{clients:?}");
    assert!(
        [0, 1, 249, 250, 251]
            .iter()
            .all(|length| keys.contains(length))
    );
    let mebibyte = 1 << 20;
    let edges = [0, 1, 95, 96, 97, mebibyte - 1, mebibyte, mebibyte + 1];
    let missed: Vec<_> = edges
        .iter()
        .filter(|length| !values.contains(length))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}
