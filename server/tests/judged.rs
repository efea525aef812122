//! What a judge says of the daemon that was just built: `.ci/mutants` names one that was built
//! before, so that a change of the server is judged without building the suite again. Where all
//! tests run, this is none of them.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::env;
use std::process::Command;

const DAEMON: &str = env!("CARGO_BIN_EXE_touchstoned");

/// Has the judge do this to a daemon.
fn judge(arguments: &[&str]) {
    let judge = env::var_os("JUDGE").expect("JUDGE names a `touchstone`");
    let daemon = format!("{DAEMON} -u root -l 127.0.0.1 -p {{port}}");
    let output = Command::new(judge)
        .args(arguments)
        .args(["--spawn", &daemon])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_law_is_held_in_its_examples_and_beyond() {
    judge(&["check", "--fail-fast"]);
    judge(&["explore", "--seed", "1", "--histories", "60"]);
}
