//! What `touchstone` says to a command line that makes no sense: one clear line, and 2.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

fn touchstone(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchstone"));
    command.args(arguments);
    command
}

fn check(arguments: &[&str]) -> Output {
    let mut command = touchstone(&["check"]);
    command.args(arguments);
    command.output().expect("the tool is built")
}

/// Every one of these is refused with words that say what is accepted.
const REFUSED: [(&[&str], &str); 19] = [
    (&["nonsense.rule"], "touchstone list"),
    (&["localhost:"], "127.0.0.1:11211"),
    (&["localhost:99999"], "127.0.0.1:11211"),
    (&["unix:"], "path of a socket"),
    (&["a:1", "b:2"], "two targets"),
    (&["a:1", "--model"], "name one"),
    (&["tls:a:1", "--tls-ca", "/nowhere"], "--tls-ca FILE"),
    (&["--spawn", "memcached"], "{port}"),
    (&["--dialect", "nonsense"], "memcached-1.6.45"),
    (&["--dialect", "/"], "/ cannot be read"),
    (&["--without", "nonsense"], "binary"),
    (&["--level", "maybe"], "must, should or may"),
    (&["--budget", "soon"], "60s"),
    (&["--report", "json"], "FORM=FILE"),
    (&["--report", "json=/nowhere/report"], "/nowhere/report"),
    (&["--spwan", "memcached"], "--spawn"),
    (&["--spawn"], "<COMMAND>"),
    (&["--seed", "many"], "a whole number"),
    (&["--shape", "round"], "written, split, coalesced"),
];

/// The same for the other commands.
const REFUSED_ELSEWHERE: [(&[&str], &str); 9] = [
    (&[], "there are check, explore, list"),
    (&["chek"], "there are check, explore, list"),
    (&["explain"], "<RULE>"),
    (&["explain", "no.such.rule"], "touchstone list"),
    (&["compare", "before.json"], "<REPORT>"),
    (&["serve"], "--adversarial <SEED>"),
    (&["storm", "--seconds", "few"], "a whole number"),
    (
        &["record", "--listen", "a:1", "--upstream", "b", "file"],
        "unix:/run",
    ),
    (
        &["record", "--listen", "a", "--upstream", "b:2", "file"],
        "HOST:PORT",
    ),
];

#[test]
fn every_bad_word_is_told_what_is_accepted() {
    let refused = |arguments: &[&str], accepted: &str, output: Output| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(said.starts_with("touchstone: "), "{arguments:?}: {said}");
        assert!(said.contains(accepted), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {said}");
    };
    for (arguments, accepted) in REFUSED {
        refused(arguments, accepted, check(arguments));
    }
    for (arguments, accepted) in REFUSED_ELSEWHERE {
        let output = touchstone(arguments).output();
        refused(arguments, accepted, output.expect("the tool is built"));
    }
}

#[test]
fn a_reader_who_leaves_early_is_no_accident() {
    let commands: [&[&str]; 5] = [
        &["list"],
        &["list", "--json"],
        &["explain", "storage.cas.exists"],
        &["check", "--model", "storage"],
        &["explore", "--histories", "20", "--seed", "1"],
    ];
    for arguments in commands {
        let mut command = touchstone(arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().expect("the tool is built");
        drop(running.stdout.take());
        let mut said = String::new();
        let mut aside = running.stderr.take().expect("it is a pipe");
        aside.read_to_string(&mut said).expect("it is text");
        let status = running.wait().expect("it runs");
        assert!(status.success(), "{arguments:?}: {status}: {said}");
        assert_eq!(said, "", "{arguments:?}");
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
fn one_that_listens_and_says_nothing_is_unreachable_as_well() {
    let mute = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let place = mute.local_addr().expect("it has an address").to_string();
    let output = check(&[&place, "deletion"]);
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("answers nothing"), "{said}");
}

#[test]
fn the_same_seed_makes_the_same_report() {
    let report = |seed| check(&["--model", "--seed", seed, "storage"]).stdout;
    assert_eq!(report("1"), report("1"));
    assert_eq!(report("1"), report("2"));
}

#[test]
fn the_same_seed_makes_the_same_report_of_a_real_server_byte_for_byte() {
    let server = format!(
        "{} serve --liar keeps-deleted --port {{port}}",
        env!("CARGO_BIN_EXE_touchstone")
    );
    let report = || {
        let output = check(&[
            "--spawn",
            &server,
            "--seed",
            "7",
            "--report",
            "json=-,junit=-,md=-,github=-",
            "deletion",
        ]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).expect("it is text")
    };
    assert_eq!(report(), report());
}

#[test]
fn a_difference_that_is_no_violation_is_one_where_that_is_asked_for() {
    let differs = ["--liar", "ignores-compare", "meta.get.unless"];
    assert_eq!(check(&differs).status.code(), Some(0));
    let output = check(&[&differs[..], &["--strict"]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 non-strict: differs"), "{said}");
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
    // Whoever says that it is memcached has what memcached has.
    let claim = ["--dialect", "memcached-1.6.45", "flush.forbidden"];
    let output = check(&[&["--spawn", &server], &claim[..]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("what memcached-1.6.45 has"), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    // But for SASL, which it may have been built without.
    let claim = ["--dialect", "memcached-1.6.45", "binary.sasl.list"];
    let output = check(&[&["--spawn", &server], &claim[..]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 unsupported"), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
    let output = check(&["--spawn", "false {port}", "storage.cas.exists"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_report_as_html_is_a_site_of_what_was_tried() {
    let folder = std::env::temp_dir().join(format!("touchstone-site-{}", std::process::id()));
    let report = format!("html={}", folder.display());
    let output = check(&[
        "--liar",
        "append-as-set",
        "storage.append",
        "--report",
        &report,
    ]);
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap_or_default();
    let (index, rule) = (read("index.html"), read("rules/storage.append.stored.html"));
    let _ = std::fs::remove_dir_all(&folder);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&*folder.join("index.html").to_string_lossy()),
        "{said}"
    );
    assert!(index.contains("✗ does not conform"), "{index}");
    assert!(
        rule.contains("touchstone check --liar append-as-set"),
        "{rule}"
    );
}
