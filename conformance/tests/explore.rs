//! Explorations on trial: they find every liar that a history can show, and nobody who is honest.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conformance::explore::history::{Ask, Request, Step};
use conformance::explore::part::{Merged, Part};
use conformance::explore::peer::Server;
use conformance::explore::{Exploration, Found, exhaust, play, reduce};
use conformance::liars::{Done, Liar, Lie, liars};
use conformance::report;
use conformance::target::shape::Shape;
use conformance::target::{Outcome, Target};
use model::{Code, Host, Model, Options, Reply, Time};
use spec::Dialect;
use spec::exchange::{Fence, cases};
use spec::req;

/// Liars whose lie is in what no history asks for, and what that is.
const UNASKED: [(&str, &str); 3] = [
    ("counts-nothing", "statistics"),
    ("resets-nothing", "statistics"),
    ("endless-list", "statistics"),
];

fn exploration(target: Target, histories_max: u64) -> Exploration {
    Exploration {
        target,
        dialect: Dialect::default(),
        seed: 1,
        shard: (0, 1),
        budget: None,
        histories_max,
        failures_max: 1,
    }
}

/// In how many requests a failure is shown: none of them can go.
fn length(found: &Found) -> Option<usize> {
    let failed = found.failures.first()?;
    assert!(failed.minimal, "{:?}", failed.history);
    Some(failed.history.len())
}

/// Whether the failure is an exchange that fails again: no hole shows that a unique is 0.
fn is_an_exchange(found: &Found) -> bool {
    found
        .failures
        .iter()
        .all(|failed| failed.exchange.is_some())
}

/// Explores each; one line for each, and the numbers of requests that show the lies.
fn caught(liars: impl Iterator<Item = &'static Liar>) -> (String, Vec<usize>, Vec<&'static str>) {
    let (mut table, mut lengths, mut escaped) = (String::new(), Vec::new(), Vec::new());
    let mut unwritten = Vec::new();
    for liar in liars {
        let unasked = UNASKED.iter().any(|(name, _)| *name == liar.name);
        let most = if unasked { 200 } else { 4_000 };
        let found = exploration(Target::Liar(liar), most).run();
        if !is_an_exchange(&found) {
            unwritten.push((
                liar.name,
                found.failures.first().map(|failed| failed.history.clone()),
            ));
        }
        let told = match length(&found) {
            Some(length) => {
                lengths.push(length);
                format!("in history {:4}, {length} requests", found.histories)
            }
            None => {
                escaped.push(liar.name);
                format!("NOT in {most} histories")
            }
        };
        let _ = writeln!(table, "{:22} {told:28} {}", liar.name, liar.does);
    }
    assert!(
        unwritten.len() <= 2,
        "are no exchange: {unwritten:?}\n{table}"
    );
    (table, lengths, escaped)
}

fn median(mut lengths: Vec<usize>) -> usize {
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap()
}

#[test]
fn every_liar_is_caught_but_those_that_lie_of_what_nobody_asks() {
    let (table, lengths, escaped) = caught(liars());
    println!("{table}");
    let unasked = UNASKED.map(|(name, _)| name);
    let escaped: Vec<_> = escaped
        .iter()
        .filter(|name| !unasked.contains(*name))
        .collect();
    assert!(escaped.is_empty(), "{escaped:?} escaped:\n{table}");
    assert!(median(lengths) <= 4, "{table}");
}

#[test]
fn every_mutant_is_caught_in_few_requests() {
    let (table, lengths, escaped) = caught(MUTANTS.iter());
    println!("{table}");
    assert!(escaped.is_empty(), "{escaped:?} escaped:\n{table}");
    assert!(median(lengths) <= 4, "{table}");
}

#[test]
fn nobody_is_caught_who_does_not_lie() {
    let shipped = Dialect::shipped_names().into_iter();
    let dialects = shipped.map(|name| Dialect::shipped(name).unwrap());
    for dialect in dialects {
        let model = Target::Model(Box::new(dialect.clone()));
        let found = Exploration {
            dialect,
            ..exploration(model, 300)
        }
        .run();
        assert_eq!(found.exit_code(), 0, "{:?}", found.failures);
    }
    for target in [Target::Honest, Target::Embedded] {
        let found = exploration(target, 1_500).run();
        assert_eq!(found.exit_code(), 0, "{:?}", found.failures);
        assert!(found.requests > 10_000);
        assert!(found.reached.len() > 300, "{} rules", found.reached.len());
    }
}

#[test]
fn every_sequence_of_up_to_two_commands_is_answered_as_ruled_by_our_server() {
    let letters = exhaust::alphabet(Server::bounds(&Target::Embedded)).len() as u64;
    assert!(letters >= 60, "{letters}");
    let found = exploration(Target::Embedded, u64::MAX).exhaust(2);
    assert_eq!(found.exit_code(), 0, "{:?}", found.failures);
    assert!(found.complete);
    assert_eq!(found.histories, letters + letters * letters);
    assert!(found.alone > letters && found.alone < found.histories / 5);
}

#[test]
fn parts_of_the_sequences_are_all_of_them_when_they_are_merged() {
    let part = |nth| {
        let exploration = Exploration {
            shard: (nth, 3),
            ..exploration(Target::Embedded, u64::MAX)
        };
        let found = exploration.exhaust(2);
        let took = std::time::Duration::from_secs(1);
        Part::new(&exploration, Some(2), &found, &[], took)
    };
    let all = exploration(Target::Embedded, u64::MAX).exhaust(2);
    let two = Merged::new(vec![part(0), part(2)]).unwrap();
    assert!(!two.is_exhaustive());
    let merged = Merged::new(vec![part(2), part(0), part(1)]).unwrap();
    assert!(merged.is_exhaustive());
    let count = format!("all {} sequences of up to 2", all.histories);
    assert!(merged.to_string().contains(&count), "{merged}");
}

#[test]
fn a_liar_is_caught_by_pairs_of_commands_as_well() {
    let liar = conformance::liars::named("replace-as-set").unwrap();
    let found = exploration(Target::Liar(liar), u64::MAX).exhaust(2);
    assert_eq!(length(&found), Some(1));
    assert!(!found.complete);
}

#[test]
fn a_lie_that_takes_three_commands_is_found_among_all_of_three() {
    let liar = MUTANTS.iter().find(|liar| liar.name == "winner-stays");
    let found = exploration(Target::Liar(liar.unwrap()), u64::MAX).exhaust(3);
    assert!(length(&found).unwrap() <= 3);
}

#[test]
fn the_same_seed_finds_the_same_and_another_part_something_else() {
    let liar = conformance::liars::named("prepend-as-append").unwrap();
    let run = |shard| {
        let found = Exploration {
            shard,
            ..exploration(Target::Liar(liar), 4_000)
        }
        .run();
        let failed = found.failures.into_iter().next().unwrap();
        (found.histories, failed.history)
    };
    assert_eq!(run((0, 1)), run((0, 1)));
    assert_ne!(run((0, 2)).0, run((1, 2)).0);
}

/// It lies once in its life, which outlives every server.
static LIES_ONCE: Liar = mutant(
    "lies-once",
    "One value in its life is not stored.",
    Lie::Says(|_, ruling| {
        static LIED: AtomicBool = AtomicBool::new(false);
        if matches!(ruling.reply, Reply::Stored) && !LIED.swap(true, Ordering::Relaxed) {
            ruling.reply = Reply::NotStored;
        }
    }),
);

#[test]
fn what_is_seen_once_and_never_again_is_neither_a_failure_nor_a_pass() {
    let exploration = exploration(Target::Liar(&LIES_ONCE), 100);
    let found = exploration.run();
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    assert_eq!(found.unrepeated.len(), 1);
    assert_eq!(found.histories, 100, "it goes on");
    assert_eq!(found.exit_code(), 3);
    let part = Part::new(&exploration, None, &found, &[], Duration::ZERO);
    let merged = Merged::new(vec![Part::read(&part.text()).unwrap()]).unwrap();
    assert_eq!(merged.exit_code(), 3);
    assert!(!merged.to_string().contains("all was answered"));
    let once: Vec<&str> = merged.unrepeated().collect();
    assert!(matches!(once.as_slice(), [told] if told.contains("NOT_STORED")));
}

#[test]
fn a_kept_failure_can_be_played_again() {
    let liar = conformance::liars::named("append-as-set").unwrap();
    let exploration = exploration(Target::Liar(liar), 4_000);
    let found = exploration.run();
    let report = found.report(&exploration, String::new());
    let kept = report::kept(&report);
    let file = kept
        .iter()
        .find(|file| file.name.ends_with(".exchange"))
        .unwrap();
    let exchanges = cases(&file.name, &file.text).unwrap();
    let [exchange] = exchanges.as_slice() else {
        panic!("{}", file.text);
    };
    let play = |target: &Target| target.play(exchange, Shape::Written, Fence::Noop);
    assert!(
        matches!(play(&exploration.target), Outcome::Failed(_)),
        "{}",
        file.text
    );
    assert!(
        matches!(play(&Target::Honest), Outcome::Passed),
        "{}",
        file.text
    );
    assert!(
        matches!(play(&Target::Embedded), Outcome::Passed),
        "{}",
        file.text
    );
}

#[test]
fn a_failure_cannot_be_made_smaller_without_one_of_its_steps() {
    let liar = conformance::liars::named("idle-arithmetic").unwrap();
    let exploration = exploration(Target::Liar(liar), 4_000);
    let found = exploration.run();
    let history = &found.failures.first().unwrap().history;
    let mut fails = |steps: &[_]| {
        let server = Server::start(&exploration.target, 0).unwrap();
        play::Player::new(server, exploration.model())
            .play(steps)
            .is_some()
    };
    assert!(reduce::is_minimal(history, &mut fails));
}

#[test]
fn what_is_held_back_is_told_apart_from_what_is_not() {
    let dialect = Dialect::shipped("memcached-1.6.45").unwrap();
    let memcached = || Model::new(Options::default(), dialect.clone());
    let line = |text: &str| Request::Bytes(text.into());
    let joined = |request| {
        Step::Ask(Ask {
            joined: true,
            ..Ask::plain(1, request)
        })
    };
    let history = [
        Step::Ask(Ask::plain(1, line("version\r\n"))),
        joined(line("get k\r\n")),
        joined(line("set k 0 0 5\r\nhel")),
        Step::Ask(Ask::plain(1, line("lo\r\nget k\r\n"))),
    ];
    let parts = |server: Model, held_to: Model| {
        let host = Host::new(server, Time(1_800_000_000));
        let player = play::Player::new(Server::here(Box::new(host)), held_to);
        { player }.play(&history).is_some()
    };
    assert!(!parts(memcached(), memcached()));
    assert!(!parts(Model::default(), Model::default()));
    assert!(
        parts(memcached(), Model::default()),
        "it waits, and must not"
    );
    assert!(parts(Model::default(), memcached()), "it does not wait");
}

#[test]
fn nobody_is_blamed_who_loses_patience_with_a_block() {
    let exploration = exploration(Target::Embedded, 1);
    let ask = |text: &str| Step::Ask(Ask::plain(1, Request::Bytes(text.into())));
    let waits = (0..20).map(|_| Step::Pass(3));
    let history: Vec<Step> = [ask("set k 0 0 5\r\nhel")]
        .into_iter()
        .chain(waits.clone())
        .chain([ask("lo\r\n"), ask("ms k 5 *\r\nhel")])
        .chain(waits)
        .chain([ask("lo\r\n"), ask("get k\r\n")])
        .collect();
    let server = Server::start(&exploration.target, 0).unwrap();
    let mut player = play::Player::new(server, exploration.model()).writing();
    assert_eq!(player.play(&history), None);
    let told = player.said.unwrap();
    assert!(
        told.contains(&play::Said::Owed(1, b"STORED\r\n".to_vec())),
        "{told:?}"
    );
    assert!(told.contains(&play::Said::Passed(3)), "{told:?}");
}

/// A liar whose lie takes several requests to show.
const fn mutant(name: &'static str, does: &'static str, lie: Lie) -> Liar {
    Liar {
        name,
        does,
        caught_by: req!("storage.set.stored"),
        lie,
    }
}

/// What the request would be without its last words: the command of it, and its key.
fn instead(done: &Done<'_>, command: &str) -> Option<Vec<u8>> {
    let key = done.line.word(1);
    Some([command.as_bytes(), b" ", key, b"\r\n"].concat())
}

static MUTANTS: [Liar; 12] = [
    mutant(
        "deletes-at-zero",
        "An item that is counted down to 0 is gone.",
        Lie::Does(|done| match done.ruling.reply {
            Reply::Number(0) => instead(done, "delete"),
            _ => None,
        }),
    ),
    mutant(
        "short-touch",
        "Its `touch` knows no time longer than 500 seconds.",
        Lie::Does(|done| (done.line.is(&["touch"]) && done.line.word(2) == b"1000").then(Vec::new)),
    ),
    mutant(
        "empty-prepend",
        "A prepend of nothing deletes.",
        Lie::Does(
            |done| match done.line.is(&["prepend"]) && done.line.word(4) == b"0" {
                true => instead(done, "delete"),
                false => None,
            },
        ),
    ),
    mutant(
        "wide-flags",
        "It keeps no client flags beyond 16 bits.",
        Lie::Hears(|line| {
            if line.is(&["set", "add", "replace", "cas"]) && line.word(2) == b"65536" {
                line.replace(2, b"0");
            }
        }),
    ),
    mutant(
        "stale-once",
        "A second `md I` deletes.",
        Lie::Does(|done| match (done.line.is(&["md"]), &done.ruling.reply) {
            (true, Reply::Meta(Code::Hd, _)) if done.keys.len() > 1 => instead(done, "delete"),
            _ => None,
        }),
    ),
    mutant(
        "quiet-delete",
        "It does not delete what it is to delete without a reply.",
        Lie::Does(|done| (done.line.is(&["delete"]) && done.ruling.silent).then(Vec::new)),
    ),
    mutant(
        "forgetful-cas",
        "A cas that stores deletes where the line says `noreply`.",
        Lie::Does(
            |done| match done.line.is(&["cas"]) && done.line.word(6) == b"noreply" {
                true => instead(done, "delete"),
                false => None,
            },
        ),
    ),
    mutant(
        "counts-twice",
        "It counts twice by a delta of 95.",
        Lie::Does(|done| {
            let counts = done.line.is(&["incr"]) && done.line.word(2) == b"95";
            counts.then(|| done.request.repeat(2))
        }),
    ),
    mutant(
        "wrapping-edge",
        "It wraps one too far.",
        Lie::Says(|line, ruling| {
            if let (true, Reply::Number(number)) = (line.word(2).len() > 19, &mut ruling.reply) {
                *number = number.wrapping_add(1);
            }
        }),
    ),
    mutant(
        "flushing-verbosity",
        "A verbosity without a level flushes.",
        Lie::Does(|done| {
            let alone = done.line.is(&["verbosity"]) && done.line.word(1).is_empty();
            alone.then(|| b"flush_all\r\n".to_vec())
        }),
    ),
    mutant(
        "third-key",
        "It answers no third key of a `get`.",
        Lie::Hears(|line| {
            if line.is(&["get", "gets"]) && !line.word(3).is_empty() {
                line.replace(3, b"nobody");
            }
        }),
    ),
    mutant(
        "winner-stays",
        "It gives the winner of a stale item no `W`.",
        Lie::Says(|_, ruling| {
            if let Reply::Meta(_, fields) = &mut ruling.reply {
                let stale = fields.iter().any(|field| field == b"X");
                fields.retain(|field| !(stale && field == b"W"));
            }
        }),
    ),
];
