//! A soak on trial: what it must find, and what it must not.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use conformance::faults::{self, Fault};
use conformance::soak::figures::Figures;
use conformance::soak::{Plan, soak};
use conformance::target::process::Process;
use spec::Dialect;

const TOUCHSTONE: &str = env!("CARGO_BIN_EXE_touchstone");

fn named(name: &str) -> &'static Fault {
    faults::named(name).expect("there is such a fault")
}

/// A brief soak of a careless server, with a fault every few seconds.
fn soaked(careless: &str, seconds: u64) -> Figures {
    let plan = Plan {
        time: Duration::from_secs(seconds),
        seed: 1,
        every: Duration::from_secs(2),
        clients: 4,
        fill_bytes: 0,
        // The others make a model grow, which is not to be told from a server that leaks so soon.
        faults: ["many-lines", "slow-lines"].map(named).to_vec(),
        // What a storm stores makes a server grow that never forgets.
        storms: false,
        dialect: Dialect::default(),
    };
    let command = format!("{TOUCHSTONE} serve --careless {careless} --port {{port}} --");
    soak(&command, &plan).unwrap_or_else(|problem| panic!("{careless}: {problem}"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_careful_server_holds_and_is_asked_and_strained() {
    let figures = soaked("careful", 40);
    assert_eq!(figures.troubles(), Vec::<String>::new(), "{figures}");
    assert!(figures.requests > 1_000, "{figures}");
    let waits = figures.waits.served().map(|spread| spread.count);
    assert!(waits > Some(100), "{figures}");
    assert!(figures.slope().is_some(), "{figures}");
    assert!(!figures.faults.is_empty(), "{figures}");
}

/// A careless server must not hold, for this reason.
#[cfg(target_os = "linux")]
fn found(careless: &str, what: &str) {
    let figures = soaked(careless, 40);
    let troubles = figures.troubles();
    let is_found = troubles.iter().any(|trouble| trouble.contains(what));
    assert!(is_found, "{careless}: {troubles:?}\n{figures}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_leaks_descriptors_is_found() {
    found("leaks", "descriptors are left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_keeps_memory_is_found() {
    found("keeps-clients", "memory grows");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_errs_now_and_then_is_found() {
    found("errs", "errors outside fault windows");
}

/// Nobody knows the process of such a server, and nothing is done to it but asking.
#[test]
fn a_server_that_runs_is_asked_and_nothing_else_is_done_to_it() {
    for (careless, code) in [("careful", 0), ("errs", 1)] {
        let command = format!("{TOUCHSTONE} serve --careless {careless} --port {{port}} --");
        let server = Process::start(&command, "").expect("it starts");
        let soaked = Command::new(TOUCHSTONE)
            .args(["soak", "--minutes", "0.15", "--seed", "7"])
            .arg(server.address().to_string())
            .output()
            .expect("it can be run");
        let said = String::from_utf8_lossy(&soaked.stdout);
        assert_eq!(soaked.status.code(), Some(code), "{careless}: {said}");
        assert!(!said.contains("descriptors"), "{said}");
        assert_eq!(said.contains("errors       0 outside"), code == 0, "{said}");
    }
}

#[test]
fn an_interrupt_says_what_was_found_until_then() {
    let daemon = Path::new(TOUCHSTONE).with_file_name("touchstoned");
    let command = match daemon.exists() {
        true => format!("{} -u root -l 127.0.0.1 -p {{port}}", daemon.display()),
        false => format!("{TOUCHSTONE} serve --careless careful --port {{port}} --"),
    };
    let interrupted = Command::new("timeout")
        .args([
            "--signal=INT",
            "6",
            TOUCHSTONE,
            "soak",
            "--minutes",
            "5",
            "--fill",
            "1",
        ])
        .args(["--spawn", &command, "--seed", "7"])
        .output()
        .expect("there is a `timeout`");
    let said = String::from_utf8_lossy(&interrupted.stdout);
    assert!(said.contains("cut short"), "{said}");
    assert!(said.contains("errors       0 outside"), "{said}");
    assert!(said.contains("seed 7"), "{said}");
    assert!(
        !cfg!(target_os = "linux") || said.contains("threads "),
        "{said}"
    );
}
