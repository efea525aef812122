//! What `touchstone compare` makes of two reports: tried on reports of real trials, and on files
//! that are none.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use conformance::baseline::Baseline;
use conformance::check::Trial;
use conformance::compare::{Change, Comparison, Findings, compare};
use conformance::report::read::Report;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::{cases, liars, report};
use spec::Dialect;

/// The report on a target, held to what begins so.
fn report_on(target: Target, select: &str) -> String {
    let trial = Trial {
        target,
        dialect: Dialect::default(),
        baseline: Baseline::default(),
        shape: Shape::Written,
        select: vec![select.to_owned()],
        jobs: 1,
        ..Trial::default()
    };
    report::json(&trial.run(&cases::all().unwrap(), &[]))
}

fn findings(text: &str) -> Result<Findings, String> {
    Findings::of(&Report::read(text)?)
}

/// A report in which stands this, and nothing else of interest.
fn with_results(results: &str) -> String {
    format!(
        r#"{{"tool":"touchstone","version":"1","law":"0","complete":true,"seed":1,"target":"t",
        "dialect":"law","elected":[],"conforms":true,"stale":[],"results":[{results}]}}"#
    )
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

fn honest(select: &str) -> Findings {
    findings(&report_on(Target::Honest, select)).unwrap()
}

fn lying(select: &str) -> Findings {
    let liar = liars::named("cas-as-replace").unwrap();
    findings(&report_on(Target::Liar(liar), select)).unwrap()
}

#[test]
fn a_rule_that_held_and_does_not_is_broken_and_fails_the_comparison() {
    let comparison = compare(&honest("storage.cas"), &lying("storage.cas"));
    let broken = "storage.cas.exists: pass -> fail".to_owned();
    assert!(lines(&comparison.broken).contains(&broken), "{comparison}");
    assert_eq!(comparison.exit_code(), 1);
    assert!(
        comparison
            .to_string()
            .contains("broken  storage.cas.exists")
    );
}

#[test]
fn a_rule_that_did_not_hold_and_does_is_fixed() {
    let comparison = compare(&lying("storage.cas"), &honest("storage.cas"));
    let fixed = "storage.cas.exists: fail -> pass".to_owned();
    assert!(lines(&comparison.fixed).contains(&fixed), "{comparison}");
    assert_eq!(comparison.exit_code(), 0);
}

#[test]
fn what_held_and_is_not_tried_is_lost_and_no_success() {
    let (few, many) = (honest("storage.cas"), honest("storage"));
    let grown = compare(&few, &many);
    assert!(grown.lost.is_empty() && !grown.new.is_empty());
    assert_eq!(grown.exit_code(), 0);
    let shrunk = compare(&many, &few);
    assert_eq!(shrunk.lost.len(), grown.new.len());
    assert!(shrunk.to_string().contains("lost    storage."), "{shrunk}");
    assert_eq!(shrunk.exit_code(), 3);
}

#[test]
fn a_report_is_as_it_was_beside_itself() {
    let findings = honest("storage");
    let same = compare(&findings, &findings);
    assert!(same.same > 10, "{same}");
    assert_eq!(
        same,
        Comparison {
            same: same.same,
            ..Comparison::default()
        }
    );
}

#[test]
fn what_was_skipped_before_is_new_when_it_is_tried() {
    let one = |verdict| {
        let case = format!(r#"{{"rule":"a.b","verdict":"{verdict}","case":"c","level":"MUST"}}"#);
        let other = case.replace("a.b", "a.c").replace(verdict, "pass");
        findings(&with_results(&format!("{case},{other}"))).unwrap()
    };
    let comparison = compare(&one("skipped"), &one("fail"));
    assert_eq!(lines(&comparison.new), ["a.b: not tried -> fail"]);
    let comparison = compare(&one("fail"), &one("unsupported"));
    assert_eq!(lines(&comparison.gone), ["a.b: fail -> not tried"]);
    assert_eq!(comparison.exit_code(), 0, "it did not hold before either");
}

#[test]
fn a_file_that_is_no_report_is_refused_with_a_reason() {
    let refused = |text: &str, why: &str| {
        let problem = findings(text).unwrap_err();
        assert!(problem.contains(why), "{problem}");
    };
    refused("", "no JSON report");
    refused("{}", "it names no `tool`");
    refused(r#"{"tool":"touchstone"}"#, "missing field `version`");
    refused(r#"{"tool":"h2spec","results":[]}"#, "a report of `h2spec`");
    refused(&with_results(""), "nothing was tried");
    let odd = with_results(r#"{"case":"c","rule":"a","verdict":"superb"}"#);
    refused(&odd, "no verdict is called `superb`");
}
