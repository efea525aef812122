//! The faults, done to the memcached in PATH and to our own daemon; and the faults on trial, done
//! to servers that are careless in one way each.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::baseline::Baseline;
use conformance::check::Trial;
use conformance::faults::careless::{CARELESS, Careless};
use conformance::faults::{self, Fault};
use conformance::report;
use conformance::target::shape::Shape;
use conformance::target::{Outcome, Target};
use conformance::verdict::{Conclusion, Verdict};
use spec::Dialect;
use spec::exchange::Fence;

/// Does every fault to a server, and fails with the report unless it conforms.
fn try_all(command: String, dialect: Dialect) {
    let trial = Trial {
        target: Target::Spawn(command),
        dialect,
        baseline: Baseline::default(),
        shape: Shape::Written,
        select: Vec::new(),
        jobs: 4,
        ..Trial::default()
    };
    let report = trial.run(&[], &faults::all());
    let text = report::text(&report, true);
    assert_eq!(report.conclusion(), Conclusion::Conforms, "{text}");
    if !cfg!(target_os = "linux") {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED what only Linux tells of a process: {text}"
        );
        return;
    }
    assert_eq!(report.count(Verdict::Unsupported), 0, "{text}");
    println!("{}", text.lines().last().unwrap_or_default());
}

/// Says that something is not here; where CI asks for it, that is an error.
fn skip(what: &str) {
    #[expect(clippy::disallowed_methods, reason = "CI says so in its environment")]
    let required = std::env::var("CI").is_ok();
    assert!(!required, "{what}, and CI requires it");
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}");
}

#[test]
fn the_memcached_in_path_stands_the_faults_that_its_dialect_says() {
    let Ok(output) = Command::new("memcached").arg("-V").output() else {
        return skip("the memcached in PATH: there is none (apt-get install memcached)");
    };
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim().replace(' ', "-");
    let Some(dialect) = Dialect::shipped(&version) else {
        return skip(&format!(
            "the memcached in PATH: no dialect is written for {version}"
        ));
    };
    try_all(
        "memcached -u root -l 127.0.0.1 -p {port}".to_owned(),
        dialect,
    );
}

#[test]
fn our_daemon_stands_every_fault() {
    let built = Path::new(env!("CARGO_BIN_EXE_touchstone")).with_file_name("touchstoned");
    if !built.exists() {
        return skip("our daemon: it is not built (cargo build -p server)");
    }
    let daemon = format!("{} -u root -l 127.0.0.1 -p {{port}}", built.display());
    try_all(daemon, Dialect::default());
}

/// Does this to all of them, to four at once.
fn some_at_once<T: Sync>(all: &[T], act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            act(one);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
}

/// Does a fault to a careless server.
fn outcome(careless: &Careless, fault: &'static Fault) -> Outcome {
    let touchstone = env!("CARGO_BIN_EXE_touchstone");
    let command = format!(
        "{touchstone} serve --careless {} --port {{port}} --",
        careless.name
    );
    faults::try_on(&Target::Spawn(command), fault, Fence::Noop)
}

#[test]
fn every_fault_finds_a_server_that_is_careless_about_it() {
    if !cfg!(target_os = "linux") {
        return skip("what only Linux tells of a process");
    }
    let of = |careless: &'static Careless| {
        let faults = careless.caught_by.iter().map(|name| faults::named(name));
        faults.map(move |fault| (careless, fault.expect("there is such a fault")))
    };
    let tries: Vec<_> = CARELESS.iter().flat_map(of).collect();
    some_at_once(&tries, |(careless, fault)| {
        // On a machine that is busy it may not have time to be careless; once is enough.
        let caught = |_| matches!(outcome(careless, fault), Outcome::Failed(_));
        let caught = (0..3).any(caught);
        assert!(caught, "{} passes {}", careless.name, fault.name);
    });
    let found: BTreeSet<&str> = tries.iter().map(|(_, fault)| fault.name).collect();
    let all = faults::all().into_iter().map(|fault| fault.name);
    let missing: Vec<&str> = all.filter(|name| !found.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "no server is careless about {missing:?}"
    );
}

#[test]
fn a_careful_server_stands_every_fault() {
    if !cfg!(target_os = "linux") {
        return skip("what only Linux tells of a process");
    }
    let [careful, ..] = &CARELESS;
    some_at_once(&faults::all(), |fault| {
        let outcome = outcome(careful, fault);
        let stood = matches!(outcome, Outcome::Passed);
        assert!(stood, "{}: {outcome:?}", fault.name);
    });
}

#[test]
fn each_fault_has_a_name_of_its_own_and_says_what_is_done_in_one_sentence() {
    let mut names = BTreeSet::new();
    for fault in faults::all() {
        assert!(names.insert(fault.name), "two faults are {}", fault.name);
        assert!(fault.does.ends_with('.'), "{}: {}", fault.name, fault.does);
    }
}

#[test]
fn a_target_that_is_no_process_shows_no_fault() {
    for fault in faults::all() {
        let outcome = faults::try_on(&Target::Embedded, fault, Fence::Noop);
        assert!(matches!(outcome, Outcome::Unsupported(_)), "{outcome:?}");
    }
}
