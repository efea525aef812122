//! Baselines, as they are read and written by `touchstone check`: nothing of them is ever lost.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs, process};

/// A rule that our server obeys, and one that such a run does not try.
const ACCEPTS: &str = "\
# Ours.

[[accept]]
rule = \"deletion.deleted\"
reason = \"it did not delete\"

[[accept]]
rule = \"meta.noop.reply\"
reason = \"it has no meta commands\"
url = \"https://example.org/7\"

[[accept]]
rule = \"keys.length.over\"
reason = \"it takes any key\"
expires = 2020-01-31
";

struct Baseline(PathBuf);

impl Baseline {
    fn of(name: &str, text: &str) -> Baseline {
        let file = env::temp_dir().join(format!("touchstone-{}-{name}.toml", process::id()));
        fs::write(&file, text).unwrap();
        Baseline(file)
    }

    fn check(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchstone"));
        command.args(["check", "--baseline"]).arg(&self.0);
        command.args(words).output().unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Baseline {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_target_that_is_not_there_changes_nothing() {
    let baseline = Baseline::of("nobody", ACCEPTS);
    let output = baseline.check(&["127.0.0.1:1", "--update-baseline", "deletion.deleted"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(baseline.text(), ACCEPTS);
}

#[test]
fn an_update_drops_what_passed_and_keeps_what_was_not_tried_or_has_expired() {
    let baseline = Baseline::of("passed", ACCEPTS);
    let output = baseline.check(&["deletion.deleted"]);
    assert_eq!(
        output.status.code(),
        Some(5),
        "an excuse that nothing needs"
    );
    baseline.check(&["--update-baseline", "deletion.deleted"]);
    let text = baseline.text();
    assert!(!text.contains("deletion.deleted"), "{text}");
    assert!(text.contains("it has no meta commands"), "{text}");
    assert!(text.contains("https://example.org/7"), "{text}");
    assert!(text.contains("expires = 2020-01-31"), "{text}");
}

#[test]
fn an_entry_for_a_case_that_passes_is_stale_though_other_cases_of_its_rule_fail() {
    // `keeps-deleted` breaks the rule, but not in the case that deletes what is not there.
    let liar = [
        "--liar",
        "keeps-deleted",
        "deletion.deleted",
        "--report",
        "json=-",
    ];
    let output = Baseline::of("none", "").check(&liar);
    let said = String::from_utf8_lossy(&output.stdout);
    let report = said.get(said.find('{').unwrap()..).unwrap();
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let results = report["results"].as_array().unwrap();
    let cases = |verdict: &'static str| {
        let of = results
            .iter()
            .filter(move |result| result["verdict"] == verdict);
        of.map(|result| result["case"].as_str().unwrap().to_owned())
    };
    let accept = |case: String| format!("[[accept]]\ncase = {case:?}\nreason = \"so\"\n");
    let needed: String = cases("fail").map(accept).collect();
    let output = Baseline::of("needed", &needed).check(&liar);
    assert_eq!(output.status.code(), Some(0));
    let passing = cases("pass").next().unwrap();
    let stale = needed + &accept(passing.clone());
    let output = Baseline::of("stale", &stale).check(&liar);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(
        said.contains(&format!("stale: `{passing}` holds")),
        "{said}"
    );
}

#[test]
fn an_update_lists_what_fails_and_waits_for_a_reason() {
    let baseline = Baseline::of("failed", ACCEPTS);
    let liar = ["--liar", "keeps-deleted", "deletion"];
    assert_eq!(baseline.check(&liar).status.code(), Some(1));
    baseline.check(&[&liar[..], &["--update-baseline"]].concat());
    let text = baseline.text();
    assert!(text.contains("it did not delete"), "{text}");
    assert!(text.contains("reason = \"\""), "{text}");
    let output = baseline.check(&liar);
    assert_eq!(output.status.code(), Some(2));
    let reasons = text.replace("reason = \"\"", "reason = \"known\"");
    let baseline = Baseline::of("reasoned", &reasons);
    let output = baseline.check(&liar);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn an_update_that_changes_nothing_leaves_the_file_to_its_author() {
    let text = ACCEPTS.replace("deletion.deleted", "meta.set.stored");
    let baseline = Baseline::of("same", &text);
    baseline.check(&["--update-baseline", "deletion.deleted"]);
    assert_eq!(baseline.text(), text);
}

#[test]
fn a_bad_baseline_is_told_in_one_line() {
    let bad = [
        ("[[accept]]\nrule = 7\n", "line 2"),
        ("[[accept]]\nrule = \"deletion.deleted\"\n", "reason"),
        (
            "[[accept]]\nrule = \"no.such\"\nreason = \"a\"\n",
            "touchstone list",
        ),
        (
            "[[accept]]\ncase = \"spec/deletion.md:9\"\nreason = \"a\"\n",
            "no case",
        ),
        ("[[accept]]\nreason = \"a\"\n", "`rule` or a `case`"),
        ("accept = [\n", "line "),
    ];
    for (text, told) in bad {
        let output = Baseline::of("bad", text).check(&["deletion.deleted"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        assert_eq!(said.lines().count(), 1, "{text}: {said}");
        assert!(said.contains(told), "{text}: {said}");
    }
}

#[test]
fn rules_that_share_a_reason_stand_together_and_each_may_go_on_its_own() {
    let group = "[[accept]]\nrules = [\n    \"deletion.deleted\",\n    \"meta.noop.reply\",\n    \
                 \"meta.get.hit\",\n]\nreason = \"it is old\"\n";
    let baseline = Baseline::of("shared", group);
    baseline.check(&["--update-baseline", "deletion.deleted"]);
    let text = baseline.text();
    assert!(!text.contains("deletion.deleted"), "{text}");
    assert_eq!(text.matches("it is old").count(), 1, "{text}");
    assert!(
        text.contains("meta.noop.reply") && text.contains("meta.get.hit"),
        "{text}"
    );
}
