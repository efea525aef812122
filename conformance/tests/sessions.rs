//! What real clients said to a real memcached, said again to everybody.
//!
//! How the files came to be is in `sessions/record/`. The clients whose sessions these are speak
//! text; binary sessions wait for that part of the law. Where there is no memcached in PATH this
//! says SKIPPED, and fails on a build server.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use common::memcached;
use conformance::record::peer::Recorded;
use conformance::record::{Plan, Recorder};
use conformance::replay;
use conformance::target::START;
use conformance::target::embedded::Embedded;
use model::{Host, Model, Options};
use spec::exchange::{Direction, Event, Exchange, Failure, replay as play};
use spec::{Dialect, req};

/// Every recorded session, with its file's name and text.
fn sessions() -> Vec<(String, String, Exchange)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    let mut sessions: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "exchange"))
        .flat_map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            let exchanges = replay::read(&name, &text).unwrap_or_else(|e| panic!("{e}"));
            let named = move |exchange| (name.clone(), text.clone(), exchange);
            exchanges.into_iter().map(named).collect::<Vec<_>>()
        })
        .collect();
    sessions.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(sessions.len() >= 6, "only {} sessions", sessions.len());
    sessions
}

fn host(dialect: &str) -> Host {
    let dialect = Dialect::shipped(dialect).unwrap();
    Host::new(Model::new(Options::default(), dialect), START)
}

fn holds<T>(name: &str, on: &str, played: Result<T, Box<Failure>>) {
    if let Err(failure) = played {
        let received = failure.received.escape_ascii();
        let (line, expected) = (failure.line, failure.expected);
        panic!("{name}.exchange:{line} on {on}: expected {expected}, received {received}");
    }
}

#[test]
fn the_model_answers_real_clients_as_memcached_did() {
    for (name, _, session) in sessions() {
        for dialect in Dialect::shipped_names() {
            holds(&name, dialect, play(&session, &mut host(dialect)));
        }
    }
}

#[test]
fn our_server_answers_real_clients_as_memcached_did() {
    for (name, _, session) in sessions() {
        let mut server = Embedded::start("").unwrap();
        holds(&name, "our server", play(&session, &mut server));
    }
}

/// The snapshots, by name: one that nobody compares is found by its absence here.
const REVIEWED: [&str; 6] = [
    "session_of_aiomcache",
    "session_of_libmemcached_tools",
    "session_of_memcached_npm",
    "session_of_pylibmc",
    "session_of_pymemcache",
    "session_of_python_memcached",
];

#[test]
fn what_our_server_tells_real_clients_is_reviewed() {
    for (name, _, session) in sessions() {
        let snapshot = format!("session_of_{name}");
        assert!(
            REVIEWED.contains(&snapshot.as_str()),
            "no list has {snapshot}"
        );
        let mut server = Embedded::start("").unwrap();
        let events = play(&session, &mut server).unwrap();
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(snapshot, transcript(&events));
        });
    }
}

/// What went back and forth, a line for each line on the wire; statistics are reviewed elsewhere.
fn transcript(events: &[Event]) -> String {
    let mut lines = Vec::new();
    for Event {
        client,
        direction,
        bytes,
    } in events
    {
        let mark = match direction {
            Direction::Sent => '>',
            Direction::Received => '<',
        };
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r\n").unwrap_or(line);
            lines.push(match line.starts_with(b"STAT ") {
                true => format!("{client}{mark} STAT …"),
                false => format!("{client}{mark} {}", line.escape_ascii()),
            });
        }
    }
    lines.dedup_by(|line, before| line == before && line.ends_with(" STAT …"));
    lines.join("\n")
}

#[test]
fn the_memcached_in_path_answers_them_again() {
    // Sessions wait for items to expire: all of them at once.
    thread::scope(|scope| {
        for (name, _, session) in sessions() {
            scope.spawn(move || {
                let rule = req!("framing.pipeline");
                if let Some(mut server) = memcached(&[rule], "") {
                    holds(&name, "memcached", play(&session, &mut server));
                }
            });
        }
    });
}

#[test]
fn a_session_recorded_again_is_the_same_session() {
    for (name, text, mut session) in sessions() {
        let file = format!("touchstone-{}-{name}.exchange", std::process::id());
        let file = std::env::temp_dir().join(file);
        let plan = Plan {
            fresh: true,
            ..Plan::default()
        };
        let recorder = Recorder::create(&file, &plan).unwrap();
        let mut recorded = Recorded::new(host("law"), recorder);
        // A fence would be recorded as well.
        session.header.fence = false;
        holds(&name, "a recorded model", play(&session, &mut recorded));
        let tally = recorded.into_recorder().finish().unwrap();
        let again = fs::read_to_string(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let session = text.lines().filter(|line| !line.starts_with('#'));
        let again = again.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(again, session.collect::<Vec<_>>(), "{name}");
        assert!(tally.findings.is_empty(), "{name}: {}", tally.findings[0]);
        let unknown: u64 = tally.unknown.values().sum();
        assert!(tally.agreed > unknown, "{name}: {tally}");
    }
}

#[test]
fn sessions_rest_on_the_rules_that_clients_depend_on() {
    let mut cited = BTreeSet::new();
    for (_, _, session) in sessions() {
        let mut host = host("law");
        let _ = play(&session, &mut host);
        cited.extend(host.cited().iter().map(|rule| rule.name));
    }
    println!("{} rules: {cited:?}", cited.len());
    for rule in [
        "storage.cas.exists",
        "storage.append.stored",
        "arithmetic.decr.clamps",
        "expiration.gone",
        "retrieval.get.many",
        "touch.hit",
        "deletion.missing",
        "flush.gone",
        "framing.noreply",
    ] {
        assert!(spec::find(rule).is_some(), "the law has no {rule}");
        assert!(cited.contains(rule), "no session needs {rule}");
    }
}
