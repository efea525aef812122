//! Whether the adversary is lawful, and whether it is unkind.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use conformance::adversarial::{Adversary, dialect};
use conformance::cases;
use conformance::record::peer::Recorded;
use conformance::record::{Plan, Recorder};
use conformance::refine::Freedom;
use conformance::serve::Service;
use conformance::target::START;
use model::{Host, Model, Options};
use spec::exchange::{Exchange, Peer, Received, replay};
use spec::{Dialect, Standing};

const SEEDS: u64 = 2;

/// The law's examples for clients who speak text to a server without options, as far as they hold
/// for this dialect.
fn examples(dialect: &Dialect) -> Vec<Exchange> {
    let mut examples = cases::all().unwrap();
    examples.retain(|example| {
        let plain = example.header.options.is_empty() && example.header.protocols.is_empty();
        let holds = example.header.holds_for("law");
        plain && holds && dialect.standing(example.requirement) == Standing::Held
    });
    examples
}

#[test]
fn where_it_is_not_fickle_the_adversary_obeys_every_rule_that_the_model_obeys() {
    let mut played = 0;
    for seed in 0..SEEDS {
        let dialect = dialect(seed);
        for example in examples(&dialect) {
            let mut host = Host::new(Model::new(Options::default(), dialect.clone()), START);
            if replay(&example, &mut host).is_err() {
                continue;
            }
            let mut adversary = Adversary::new(seed, false, START);
            let place = format!("seed {seed}, {}:{}", example.file, example.line);
            replay(&example, &mut adversary).unwrap_or_else(|f| panic!("{place}: {f:?}"));
            played += 1;
        }
    }
    assert!(played > 300 * SEEDS, "{played}");
}

#[test]
fn no_judge_accuses_it_however_much_it_forgets() {
    let file = format!("touchstone-{}-adversary.exchange", std::process::id());
    let file = std::env::temp_dir().join(file);
    let (mut agreed, mut evicted, mut unknown) = (0, 0, 0);
    for seed in 0..SEEDS {
        let dialect = dialect(seed);
        let plan = Plan {
            dialect: dialect.clone(),
            ..Plan::default()
        };
        for example in examples(&dialect) {
            let adversary = Adversary::new(seed, true, START);
            let mut recorded = Recorded::new(adversary, Recorder::create(&file, &plan).unwrap());
            let _ = replay(&example, &mut recorded);
            let tally = recorded.into_recorder().finish().unwrap();
            fs::remove_file(&file).unwrap();
            let place = format!("seed {seed}, {}:{}", example.file, example.line);
            assert!(tally.findings.is_empty(), "{place}: {}", tally.findings[0]);
            agreed += tally.agreed;
            unknown += tally.unknown.values().sum::<u64>();
            evicted += tally.freedoms.get(&Freedom::Eviction).unwrap_or(&0);
        }
    }
    println!("{agreed} agreed, {evicted} of them by an eviction, {unknown} unknown");
    assert!(
        evicted > 20 && agreed > 5 * unknown,
        "{evicted}, {agreed}, {unknown}"
    );
}

/// The pieces in which the adversary of this seed answers.
fn pieces(seed: u64) -> Vec<Vec<u8>> {
    let mut adversary = Adversary::new(seed, true, START);
    let mut pieces = Vec::new();
    for round in 0..50 {
        let number = round * 7;
        let text = format!(
            "set k 0 0 3\r\n{number:03}\r\ngets k\r\ndecr k 1\r\nget k\r\nnonsense\r\nget\r\n"
        );
        adversary.send(1, text.as_bytes());
        while let Received::Bytes(piece) = adversary.receive(1, true) {
            pieces.push(piece);
        }
    }
    pieces
}

#[test]
fn the_same_seed_does_the_same_and_another_does_not() {
    assert_eq!(pieces(7), pieces(7));
    assert_ne!(pieces(7), pieces(8));
}

#[test]
fn it_forgets_cuts_and_counts_far() {
    let pieces = pieces(7);
    let all = String::from_utf8(pieces.concat()).unwrap();
    let count = |text: &str| all.matches(text).count();
    assert!(
        count("NOT_FOUND") > 0,
        "an item is evicted before it is counted in"
    );
    assert!(count("STORED") == 50 && count("VALUE") > 50);
    assert!(pieces.len() > 200, "{} pieces", pieces.len());
    assert!(all.contains("\r\nVALUE k 0 3 1844674"), "{all}");
    let padded = all.contains("VALUE k 0 3\r\n99 ") || all.contains("VALUE k 0 3\r\n97 ");
    let alone = all.contains("VALUE k 0 2\r\n");
    assert!(padded || alone, "{all}");
}

#[test]
fn its_pieces_arrive_on_a_socket() {
    let service = Service::adversarial(0, 7).unwrap();
    let port = service.port().unwrap();
    thread::spawn(move || service.run());
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"set k 0 0 1\r\na\r\nmn\r\n").unwrap();
    let mut reply = [0; 12];
    client.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"STORED\r\nMN\r\n");
}
