//! Whether a verdict stands: many trials in a row, on a machine that is busy with something else.
//!
//! `cargo run --release -p conformance --example steady`. It takes minutes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how it says no"
)]

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use conformance::check::Trial;
use conformance::target::Target;
use conformance::terms::Terms;
use conformance::{cases, faults};
use spec::Dialect;

const TRIALS: u64 = 20;

/// A process that never rests, ended with the test.
struct Busy(Child);

impl Busy {
    fn loops() -> Busy {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", "while :; do :; done"]);
        Busy(shell.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tries it again and again, in another order each time; each verdict must be the first one.
#[expect(clippy::disallowed_methods, reason = "it says how long a trial takes")]
fn stays(name: &str, target: &Target, dialect: &Dialect) {
    let exchanges = cases::all().unwrap();
    let _busy = Busy::loops();
    let (mut first, mut times) = (None, Vec::new());
    for seed in 0..TRIALS {
        let trial = Trial {
            target: target.clone(),
            dialect: dialect.clone(),
            jobs: 16,
            terms: Terms {
                seed,
                ..Terms::default()
            },
            ..Trial::default()
        };
        let began = Instant::now();
        let report = trial.run(&exchanges, &faults::all());
        times.push(began.elapsed().as_secs_f64());
        let verdicts: Vec<(String, Option<String>)> = report
            .judged
            .iter()
            .map(|judged| {
                let (case, verdict) = (&judged.case, judged.verdict.word());
                let verdict = format!("{verdict} {}:{}", case.file(), case.place());
                (verdict, judged.reason.clone())
            })
            .collect();
        let first = first.get_or_insert_with(|| verdicts.clone());
        let changed: Vec<_> = first
            .iter()
            .zip(&verdicts)
            .filter(|((a, _), (b, _))| a != b)
            .collect();
        assert!(changed.is_empty(), "{name}, trial {seed}: {changed:?}");
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{name}: n = {TRIALS}, {} cases, no verdict changed; {:.1} s to {:.1} s, median {:.1} s",
        first.unwrap().len(),
        times[0],
        times[times.len() - 1],
        times[times.len() / 2],
    );
}

fn main() {
    stays("embedded", &Target::Embedded, &Dialect::default());
    let Ok(output) = Command::new("memcached").arg("-V").output() else {
        println!("SKIPPED the memcached in PATH: there is none (apt-get install memcached)");
        return;
    };
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim().replace(' ', "-");
    let Some(dialect) = Dialect::shipped(&version) else {
        println!("SKIPPED the memcached in PATH: no dialect is written for {version}");
        return;
    };
    let command = "memcached -u root -l 127.0.0.1 -p {port}".to_owned();
    stays(&version, &Target::Spawn(command), &dialect);
}
