//! What a user reads, as snapshots: the page for each kind of server, and that nothing hostile gets
//! through any report. `INSTA_UPDATE=no` refuses a snapshot that changed; each must have its test.

#[path = "report/tiny.rs"]
mod tiny;

use std::process::Command;

use conformance::check::Trial;
use conformance::report;
use conformance::target::Target;
use conformance::terms::Terms;
use conformance::verdict::{Report, Verdict};
use conformance::{cases, liars};
use spec::exchange::{self, Exchange};
use tiny::{Tiny, target};

/// A few examples of what everybody has, and of what only some have.
const EXAMPLES: &str = include_str!("report/examples.exchange");

fn examples() -> Vec<Exchange> {
    exchange::cases("examples.exchange", EXAMPLES).expect("they are in the notation")
}

fn tried<'a>(target: Target, exchanges: &'a [Exchange]) -> Report<'a> {
    let trial = Trial {
        target,
        ..Trial::default()
    };
    let mut report = trial.run(exchanges, &[]);
    trial.shorten(&mut report, 5);
    report
}

/// The page without what changes while the law is edited: line numbers, and the port.
fn page(report: &Report<'_>) -> String {
    let text = report::text(report, false);
    holds_the_page(&text);
    let mut page = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let changes = digits.len() > 4 || page.ends_with(':');
        page.push_str(if changes && !digits.is_empty() {
            "N"
        } else {
            &digits
        });
        digits.clear();
        page.push(letter);
    }
    page
}

fn holds_the_page(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= report::PAGE_LINES, "{}: {text}", lines.len());
    for line in lines {
        assert!(line.chars().count() <= report::PAGE_COLUMNS, "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

#[test]
fn a_server_that_knows_only_get_set_and_delete_gets_a_useful_page() {
    let examples: Vec<Exchange> = std::iter::repeat_n(examples(), 12).flatten().collect();
    let report = tried(target(Tiny::Basic), &examples);
    insta::assert_snapshot!("page_of_a_tiny_server", page(&report));
}

#[test]
fn a_server_that_passes_all_gets_a_short_page() {
    let examples = examples();
    let report = tried(Target::Honest, &examples);
    assert_eq!(report.count(Verdict::Pass), examples.len());
    insta::assert_snapshot!("page_where_all_passes", page(&report));
}

#[test]
fn a_single_violation_is_told_in_full() {
    let examples = examples();
    let liar = liars::named("append-as-set").expect("there is one");
    let report = tried(Target::Liar(liar), &examples);
    insta::assert_snapshot!("page_of_a_single_violation", page(&report));
}

#[test]
fn a_pull_request_is_told_what_broke_and_what_was_not_tried() {
    let examples = examples();
    let trial = Trial {
        target: Target::Liar(liars::named("append-as-set").expect("there is one")),
        terms: Terms {
            without: vec!["cas".to_owned()],
            ..Terms::default()
        },
        ..Trial::default()
    };
    let summary = report::markdown(&trial.run(&examples, &[]));
    insta::assert_snapshot!("summary_for_a_pull_request", summary);
    let honest = report::markdown(&tried(Target::Honest, &examples));
    insta::assert_snapshot!("summary_where_all_passes", honest);
}

#[test]
fn a_server_that_dies_is_said_to_have_died() {
    let examples = examples();
    let report = tried(target(Tiny::Dies), &examples);
    insta::assert_snapshot!("page_of_a_server_that_dies", page(&report));
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_unreachable() {
    let examples = examples();
    let report = tried(Target::Spawn("/bin/false {port}".to_owned()), &examples);
    insta::assert_snapshot!("page_of_a_server_that_cannot_start", page(&report));
}

#[test]
fn what_a_hostile_server_sends_is_shown_and_never_obeyed() {
    let examples = examples();
    let mut report = tried(target(Tiny::Hostile), &examples);
    insta::assert_snapshot!("page_of_a_hostile_server", page(&report));
    report.target = "a\x1b]0;b\x07 \u{202e}|`c`\n::error::d <x> & ]]>".to_owned();
    for (form, text) in [
        ("text", report::text(&report, true)),
        ("json", report::json(&report)),
        ("junit", report::junit(&report)),
        ("md", report::markdown(&report)),
        ("github", report::github(&report)),
    ] {
        let obeyed = |letter: char| letter.is_control() && letter != '\n';
        assert!(!text.chars().any(obeyed), "{form}: {text:?}");
        assert!(!text.contains("\n::error::d"), "{form}: {text:?}");
    }
    let commands = report::github(&report);
    for line in commands.lines() {
        assert!(
            line.starts_with("::error title=") || line.starts_with("::warning title="),
            "{line}"
        );
    }
    let junit = report::junit(&report);
    let mut reader = quick_xml::Reader::from_str(&junit);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().expect("it is well-formed") {
            quick_xml::events::Event::Eof => break,
            _ => continue,
        }
    }
}

#[test]
fn every_liar_fits_the_page_with_the_whole_law() {
    let exchanges = cases::all().unwrap();
    for liar in liars::liars().filter(|liar| liar.is_content_free()) {
        let trial = Trial {
            target: Target::Liar(liar),
            jobs: 4,
            ..Trial::default()
        };
        holds_the_page(&report::text(&trial.run(&exchanges, &[]), false));
    }
}

#[test]
fn what_is_shown_of_a_failure_needs_each_of_its_requests() {
    let examples = examples();
    let liar = liars::named("append-as-set").expect("there is one");
    let report = tried(Target::Liar(liar), &examples);
    let shortest = report
        .judged
        .iter()
        .find_map(|judged| judged.shortest.as_ref());
    let shortest = shortest.expect("the example has more than it needs");
    let texts: Vec<&str> = shortest
        .steps
        .iter()
        .map(|step| step.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "> set k 0 0 1 ⏎ a",
            "< STORED",
            "> append k 0 0 1 ⏎ b",
            "< STORED",
            "> get k",
            "< VALUE k 0 2",
            "< ab",
            "< END"
        ]
    );
}

#[test]
fn the_same_seed_makes_the_same_report_to_the_byte() {
    let exchanges = cases::all().unwrap();
    let report = || {
        let terms = Terms {
            seed: 7,
            ..Terms::default()
        };
        let liar = liars::named("append-as-set").expect("there is one");
        let trial = Trial {
            target: Target::Liar(liar),
            jobs: 4,
            terms,
            ..Trial::default()
        };
        let mut report = trial.run(&exchanges, &[]);
        trial.shorten(&mut report, usize::MAX);
        let forms = [
            report::json(&report),
            report::junit(&report),
            report::markdown(&report),
        ];
        (forms, report::github(&report), report::text(&report, true))
    };
    assert!(report() == report());
}

#[test]
fn a_kept_failure_is_played_again_and_fails_again() {
    let folder = std::env::temp_dir().join(format!("touchstone-kept-{}", std::process::id()));
    let keep = folder.to_string_lossy().into_owned();
    let run = |arguments: &[&str]| {
        let tool = Command::new(env!("CARGO_BIN_EXE_touchstone"))
            .args(arguments)
            .output();
        tool.expect("the tool is built")
    };
    let checked = run(&[
        "check",
        "--liar",
        "append-as-set",
        "storage.append",
        "--keep",
        &keep,
    ]);
    assert_eq!(checked.status.code(), Some(1));
    let file = folder.join("storage.append.stored.exchange");
    let text = std::fs::read_to_string(&file).expect("it is kept");
    let replayed = run(&["replay", &file.to_string_lossy(), "--model"]);
    assert_eq!(replayed.status.code(), Some(0), "{text}");
    let script = std::fs::read_to_string(folder.join("storage.append.stored.sh"));
    let _ = std::fs::remove_dir_all(&folder);
    let again = text
        .lines()
        .find_map(|line| line.strip_prefix("#     again: touchstone "));
    let words: Vec<&str> = again.expect("it tells how").split(' ').collect();
    assert_eq!(run(&words).status.code(), Some(1), "{words:?}");
    let script = script.expect("it is kept");
    let sent = script
        .lines()
        .last()
        .and_then(|line| line.split_once(" sleep 1; } |"));
    let sent = format!("{} }}", sent.expect("it is one line").0);
    let shell = Command::new("sh")
        .args(["-c", &sent])
        .output()
        .expect("there is a shell");
    let sent = String::from_utf8_lossy(&shell.stdout);
    assert!(sent.contains("append k 0 0 "), "{sent:?} of {script}");
    assert!(sent.ends_with("\r\n"), "{sent:?}");
}

#[test]
fn a_script_sends_the_very_bytes() {
    let hostile = "r[storage.set.stored] fence=none\n>> \\x00\\x1b%s'\\\\\\xff\\r\\n\n< STORED\n";
    let exchanges = exchange::cases("hostile", hostile).unwrap();
    let report = tried(Target::Honest, &exchanges);
    let judged = report.judged.first().expect("it was tried");
    let exchange = exchanges.first().expect("there is one");
    let failure = judged.failure.as_ref().expect("it is no request");
    let script = report::script(exchange, failure).expect("it has one client");
    let sent = script.replace(
        "sleep 1; } | nc \"${HOST:-127.0.0.1}\" \"${PORT:-11211}\"",
        "}",
    );
    let shell = Command::new("sh")
        .args(["-c", &sent])
        .output()
        .expect("there is a shell");
    assert_eq!(shell.stdout, b"\0\x1b%s'\\\xff\r\n", "{sent}");
}

#[test]
fn nothing_is_coloured_and_no_bar_drawn_into_a_pipe() {
    let tool = Command::new(env!("CARGO_BIN_EXE_touchstone"))
        .args(["check", "--model", "storage.append"])
        .output()
        .expect("the tool is built");
    assert!(!tool.stdout.contains(&0x1b));
    assert_eq!(tool.stderr, b"");
}

#[test]
fn every_snapshot_has_its_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let read = |file: std::fs::DirEntry| std::fs::read_to_string(file.path()).ok();
    let tests = std::fs::read_dir(folder)
        .expect("there are tests")
        .flatten();
    let tests: String = tests.filter_map(read).collect();
    let snapshots = std::fs::read_dir(format!("{folder}/snapshots")).expect("there are some");
    for snapshot in snapshots.flatten() {
        let file = snapshot.file_name().to_string_lossy().into_owned();
        let name = file
            .strip_suffix(".snap")
            .and_then(|name| name.split_once("__"));
        let name = name
            .unwrap_or_else(|| panic!("{file} waits for its review"))
            .1;
        assert!(tests.contains(&format!("\"{name}\"")), "no test has {file}");
    }
}
