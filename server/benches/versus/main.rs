//! Our daemon beside others, in what they take of a processor: rounds in which each has its turn.
//!
//! `cargo bench -p server --bench versus -- [--peer NAME=COMMAND]… [--rounds N] [--only WORDS]
//! [--out FOLDER]`. Without a peer it is the memcached in PATH. A command has `{port}` where the
//! port goes; one server thread each (`-t 1`) compares like with like. The null server answers
//! without reading: what it takes is the kernel's.
//!
//! One round gives one ratio for each other, and only the ratios are worth quoting: no claim is
//! made where they lie on both sides of 1. Every reply is compared. What is asked is in
//! `workload.rs`, of whom in `subject.rs` and `reach.rs`, how it is measured in `sample.rs`, and
//! what is said in `report.rs` and drawn in `plot.rs`.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench reads the clock and waits for its peer; a panic is how it says no"
)]

#[path = "../common/mod.rs"]
mod common;
mod idle;
mod null;
mod plot;
mod reach;
mod report;
mod sample;
mod subject;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use report::Row;
use sample::Sample;
use subject::{Kind, Subject};
use workload::{WORKLOADS, Workload};

const ROUNDS: usize = 10;

/// What the command line asks for.
struct Terms {
    peers: Vec<(String, String)>,
    rounds: usize,
    only: Option<String>,
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    if null::is_asked_for() {
        null::serve();
    }
    if idle::is_asked_for() {
        idle::wait();
    }
    let terms = match Terms::read(env::args().skip(1)) {
        Ok(terms) => terms,
        Err(problem) => {
            eprintln!("versus: {problem}");
            return ExitCode::from(2);
        }
    };
    sample::stay_on_the_last_core();
    let wanted = |workload: &&Workload| {
        let only = terms.only.as_deref();
        only.is_none_or(|only| workload.name.contains(only))
    };
    let mut rows = Vec::new();
    for workload in WORKLOADS.iter().filter(wanted) {
        let more = beside_each_other(workload, &terms);
        print!("{}", report::text(&more));
        rows.extend(more);
    }
    if let Some(folder) = &terms.out {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("versus.json"), report::json(&rows)).unwrap();
        fs::write(folder.join("versus.md"), report::markdown(&rows)).unwrap();
        fs::write(folder.join("versus.svg"), plot::svg(&rows)).unwrap();
    }
    reach::clean();
    ExitCode::SUCCESS
}

/// Every subject at one kind of work, round after round.
fn beside_each_other(workload: &Workload, terms: &Terms) -> Vec<Row> {
    let batches = workload.batches();
    let ours = format!(
        "{} -u root -t 1 -m 1024 -c 12000 -l 127.0.0.1 -p {{port}}",
        env!("CARGO_BIN_EXE_touchstoned")
    );
    let mut kinds = vec![
        Kind::Command("ours".to_owned(), ours),
        Kind::Null(batches[0].clone()),
    ];
    let peers = terms.peers.iter();
    kinds.extend(peers.map(|(name, command)| Kind::Command(name.clone(), command.clone())));
    let mut subjects: Vec<Subject> = kinds
        .into_iter()
        .filter_map(|kind| Subject::start(kind, workload))
        .filter_map(|mut subject| subject.knows(&batches[0]).then_some(subject))
        .collect();
    assert_eq!(subjects[0].name, "ours", "it does what is asked");
    let mut samples: Vec<Vec<Sample>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..terms.rounds {
        for (subject, samples) in subjects.iter_mut().zip(&mut samples) {
            samples.push(Sample::take(subject, workload, &batches));
        }
    }
    let (ours, _) = samples.split_first().unwrap();
    let rows = subjects.iter().zip(&samples);
    rows.map(|(subject, samples)| Row::of(workload, subject, samples, ours))
        .collect()
}

impl Terms {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Terms, String> {
        let mut terms = Terms {
            peers: Vec::new(),
            rounds: ROUNDS,
            only: None,
            out: None,
        };
        while let Some(word) = words.next() {
            // Cargo says so to every bench.
            if word == "--bench" {
                continue;
            }
            let mut value = || words.next().ok_or(format!("{word} wants a value"));
            match word.as_str() {
                "--peer" => {
                    let peer = value()?;
                    let halves = peer.split_once('=').filter(|(_, it)| it.contains("{port}"));
                    let (name, command) =
                        halves.ok_or(format!("`{peer}` is no NAME=COMMAND with {{port}} in it"))?;
                    terms.peers.push((name.to_owned(), command.to_owned()));
                }
                "--rounds" => {
                    let rounds = value()?;
                    let number = rounds.parse().ok().filter(|number| *number > 0);
                    terms.rounds =
                        number.ok_or(format!("`{rounds}` is no number of rounds, from 1 on"))?;
                }
                "--only" => terms.only = Some(value()?),
                "--out" => terms.out = Some(value()?.into()),
                _ => {
                    return Err(format!(
                        "`{word}` is none of --peer, --rounds, --only and --out"
                    ));
                }
            }
        }
        if terms.peers.is_empty() {
            let command = "memcached -u root -t 1 -m 1024 -c 12000 -l 127.0.0.1 -p {port}";
            terms
                .peers
                .push(("memcached".to_owned(), command.to_owned()));
        }
        Ok(terms)
    }
}
