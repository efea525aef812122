//! How much of the law a trial must try to say anything, and what company cases are in.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use conformance::check::Trial;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::terms::Terms;
use conformance::verdict::{Conclusion, Report, Verdict};
use conformance::{cases, liars, report};
use spec::exchange::Exchange;

/// The honest server's trial, of one that speaks no binary as a liar does not.
fn tried<'a>(exchanges: &'a [Exchange], rules: &[&str], without: &[&str]) -> Report<'a> {
    let trial = Trial {
        target: Target::Honest,
        select: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        terms: Terms {
            without: without.iter().map(|what| (*what).to_owned()).collect(),
            ..Terms::default()
        },
        ..Trial::default()
    };
    trial.run(exchanges, &[])
}

fn last_line(report: &Report<'_>) -> String {
    let text = report::text(report, false);
    text.lines().last().unwrap().to_owned()
}

#[test]
fn who_supports_a_fraction_only_is_not_told_that_all_is_well() {
    let exchanges = cases::all().unwrap();
    // It has no datagrams: nearly all of this is unsupported, and nobody had said so.
    let report = tried(&exchanges, &["udp", "deletion.missing"], &[]);
    assert!(report.count(Verdict::Pass) > 0 && report.count(Verdict::Fail) == 0);
    assert_eq!(report.conclusion(), Conclusion::TooLittle);
    assert_eq!(report.conclusion().exit_code(), 3);
    let said = last_line(&report);
    assert!(said.contains(" %, to say more"), "{said}");
}

#[test]
fn what_is_declared_to_be_missing_is_no_reason_to_say_nothing_but_it_is_told() {
    let exchanges = cases::all().unwrap();
    let report = tried(&exchanges, &["udp", "deletion.missing"], &["udp"]);
    assert_eq!(report.conclusion(), Conclusion::Conforms);
    let said = last_line(&report);
    assert!(said.contains("conforms in what was tried, "), "{said}");
    let whole = tried(&exchanges, &["deletion.missing"], &[]);
    assert!(last_line(&whole).ends_with(": conforms"), "{whole:?}");
}

#[test]
fn who_wants_to_know_of_the_first_failure_waits_for_no_other() {
    let exchanges = cases::all().unwrap();
    let trial = |fail_fast| {
        let trial = Trial {
            target: Target::Liar(liars::named("append-as-set").unwrap()),
            terms: Terms {
                fail_fast,
                ..Terms::default()
            },
            ..Trial::default()
        };
        trial.run(&exchanges, &[])
    };
    let (whole, fast) = (trial(false), trial(true));
    assert!(whole.count(Verdict::Fail) > 1 && !whole.cut_short);
    assert_eq!(fast.count(Verdict::Fail), 1);
    assert!(fast.cut_short && fast.count(Verdict::Pass) < whole.count(Verdict::Pass));
    assert_eq!(fast.conclusion(), Conclusion::Violates);
    let honest = Trial {
        target: Target::Honest,
        terms: Terms {
            fail_fast: true,
            ..Terms::default()
        },
        ..Trial::default()
    };
    let honest = honest.run(&exchanges, &[]);
    assert!(!honest.cut_short && honest.count(Verdict::Pass) > 1000);
}

#[test]
fn a_target_that_is_not_there_is_told_in_one_line() {
    let exchanges = cases::all().unwrap();
    let trial = Trial {
        target: Target::Spawn("/bin/false {port}".to_owned()),
        ..Trial::default()
    };
    let report = trial.run(&exchanges, &[]);
    assert_eq!(report.conclusion().exit_code(), 4);
    for all in [false, true] {
        let text = report::text(&report, all);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("/bin/false") && text.contains("nothing was tried"),
            "{text}"
        );
    }
}

#[test]
fn in_company_cases_find_who_loses_a_reply_among_several() {
    let exchanges = cases::all().unwrap();
    let failures = |liar: &str, shape| {
        let trial = Trial {
            target: Target::Liar(liars::named(liar).unwrap()),
            shape,
            select: vec!["storage".to_owned(), "retrieval".to_owned()],
            ..Trial::default()
        };
        trial.run(&exchanges, &[]).count(Verdict::Fail)
    };
    let (alone, among) = (
        failures("drops-second-reply", Shape::Written),
        failures("drops-second-reply", Shape::Coalesced),
    );
    assert!(among > 2 * alone + 20, "{alone} alone, {among} in company");
}
