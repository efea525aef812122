//! What `touchstone check` says to a command line that makes no sense: one clear line, and 2.

use std::process::{Command, Output};

fn check(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchstone"));
    command.arg("check").args(arguments);
    command.output().expect("the tool is built")
}

/// Every one of these is refused with words that say what is accepted.
const REFUSED: [(&[&str], &str); 13] = [
    (&["nonsense.rule"], "touchstone list"),
    (&["localhost:"], "127.0.0.1:11211"),
    (&["localhost:99999"], "127.0.0.1:11211"),
    (&["unix:"], "path of a socket"),
    (&["a:1", "b:2"], "two targets"),
    (&["a:1", "--model"], "name one"),
    (&["tls:a:1", "--tls-ca", "/nowhere"], "--tls-ca FILE"),
    (&["--spawn", "memcached"], "{port}"),
    (&["--dialect", "nonsense"], "memcached-1.6.45"),
    (&["--without", "nonsense"], "binary"),
    (&["--level", "maybe"], "must, should or may"),
    (&["--budget", "soon"], "60s"),
    (&["--report", "json"], "FORM=FILE"),
];

#[test]
fn every_bad_word_is_told_what_is_accepted() {
    for (arguments, accepted) in REFUSED {
        let output = check(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        let line = said.lines().find(|line| line.contains(accepted));
        assert!(line.is_some(), "{arguments:?}: {said}");
    }
}

#[test]
fn a_bad_dialect_file_is_told_its_line() {
    let file = std::env::temp_dir().join(format!("touchstone-{}.dialect", std::process::id()));
    std::fs::write(&file, "# mine\nelects nothing\n").expect("there is room");
    let output = check(&["--dialect", &file.to_string_lossy()]);
    let _ = std::fs::remove_file(&file);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains(".dialect: line 2: write `elect NAME`"),
        "{said}"
    );
}

#[test]
fn nothing_listening_there_is_unreachable() {
    let output = check(&["127.0.0.1:1", "storage.cas"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn the_same_seed_makes_the_same_report() {
    let report = |seed| check(&["--model", "--seed", seed, "storage"]).stdout;
    assert_eq!(report("1"), report("1"));
    assert_eq!(report("1"), report("2"));
}

#[test]
fn a_certificate_allows_no_skip() {
    let output = check(&["limits", "--certify"]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn an_option_that_the_server_refuses_is_unsupported_and_no_crash() {
    let server = format!(
        "{} serve --model --port {{port}}",
        env!("CARGO_BIN_EXE_touchstone")
    );
    let output = check(&["--spawn", &server, "flush.forbidden"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("it starts, but not with `-F`"), "{said}");
    assert!(said.contains("2 unsupported"), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
    let output = check(&["--spawn", "false {port}", "storage.cas.exists"]);
    assert_eq!(output.status.code(), Some(4));
}
