//! The site of reports: that nothing hostile becomes markup, that no link leads nowhere, and that
//! ten implementations fit that conform, and that a failure takes no more than its share.
//!
//! Whether it says what the reports say is in `site/shown.rs`; the implementations that are tried
//! for our own, in `site/targets.rs`.

#![allow(clippy::indexing_slicing, reason = "only tests are here")]

#[path = "site/shown.rs"]
mod shown;
#[path = "site/targets.rs"]
mod targets;

use std::collections::BTreeSet;

use conformance::report::site::data::Tried;
use conformance::report::site::{History, Page, Site};
use conformance::{cases, report};

/// So large may the site of ten implementations be, half of which break much of the law.
const BYTES_MAX: usize = 3_000_000;
/// So much may the law take, before anybody is tried.
const LAW_BYTES_MAX: usize = 1_900_000;
/// So much may an implementation add that conforms,
const EACH_BYTES_MAX: usize = 30_000;
/// and so much each of its failures.
const FAILURE_BYTES_MAX: usize = 900;
/// Of so many rules the strangest of those tried here breaks one.
const BROKEN_OF_ALL: usize = 4;

const HOSTILE: &str = "<script>alert(1)</script>\"'&</pre>";

/// A report in which everything that a server says, and a user writes, is hostile.
fn hostile() -> String {
    let failure = serde_json::json!({
        "line": 1, "expected": HOSTILE, "received": HOSTILE, "agreed": 3, "shortest": true,
        "transcript": [{"client": 1, "sent": true, "bytes": HOSTILE},
                       {"client": 1, "sent": false, "bytes": HOSTILE}],
        "again": HOSTILE, "exchange": HOSTILE, "script": HOSTILE
    });
    let case = serde_json::json!({
        "case": HOSTILE, "rule": "storage.set.stored", "place": HOSTILE, "level": "MUST",
        "verdict": "fail", "reason": HOSTILE, "failure": failure
    });
    serde_json::json!({
        "tool": "touchstone", "version": HOSTILE, "law": HOSTILE, "complete": true, "seed": 1,
        "target": HOSTILE, "dialect": HOSTILE, "elected": [HOSTILE], "conforms": false,
        "counts": {}, "stale": [[HOSTILE, HOSTILE]], "results": [case]
    })
    .to_string()
}

fn site(names: &[&str], text: &str) -> Vec<Page> {
    let read = |name: &&str| Tried::read(name, text).expect("it is a report");
    let history = serde_json::json!({
        "target": HOSTILE, "outcome": HOSTILE, "refuted": {
            "key": HOSTILE, "rule": "concurrency.key", "before": HOSTILE, "lanes": [
                {"client": 1, "from": 0, "to": 2, "said": HOSTILE, "witness": true},
                {"client": 2, "from": 1, "to": null, "said": HOSTILE, "witness": false}]}
    });
    let site = Site {
        tried: names.iter().map(read).collect(),
        before: names.iter().map(read).collect(),
        explored: Vec::new(),
        histories: vec![History::read(&history.to_string()).expect("it is a history")],
        liars: Vec::new(),
        exchanges: cases::all().expect("the law can be read"),
    };
    site.pages()
}

fn html(pages: &[Page]) -> impl Iterator<Item = &Page> {
    pages.iter().filter(|page| page.path.ends_with(".html"))
}

#[test]
fn nothing_that_a_server_says_is_markup() {
    let pages = site(&[HOSTILE], &hostile());
    for page in html(&pages) {
        assert!(!page.text.contains("<script>"), "{}", page.path);
        assert!(!page.text.contains("alert(1)</"), "{}", page.path);
        assert!(
            page.text.contains("Content-Security-Policy"),
            "{}",
            page.path
        );
    }
    let shown = html(&pages).filter(|page| page.text.contains("&lt;script&gt;alert(1)"));
    assert!(shown.count() > 4);
}

#[test]
fn no_link_leads_nowhere() {
    let pages = site(&["one", "another"], &hostile());
    let paths: BTreeSet<&str> = pages.iter().map(|page| page.path.as_str()).collect();
    let has = |whole: &str, place: &str| {
        let page = pages.iter().find(|page| page.path == whole);
        page.is_some_and(|page| page.text.contains(&format!("id=\"{place}\"")))
    };
    for page in html(&pages) {
        let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in page.text.split(" href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            if file.is_empty() {
                assert!(has(&page.path, place), "{}: {link}", page.path);
                continue;
            }
            let mut whole: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in file.split('/') {
                match part {
                    ".." => drop(whole.pop()),
                    part => whole.push(part),
                }
            }
            let whole = whole.join("/");
            assert!(paths.contains(whole.as_str()), "{}: {link}", page.path);
            let is_led = place.is_empty() || has(&whole, place);
            assert!(is_led, "{}: {link}", page.path);
        }
    }
}

/// What a site of these reports takes.
fn bytes(reports: &[String]) -> usize {
    let named = reports.iter().enumerate();
    let tried = named.map(|(place, text)| Tried::read(&format!("memcached-1.6.{place}"), text));
    let site = Site {
        tried: tried.map(|tried| tried.expect("it is a report")).collect(),
        exchanges: cases::all().expect("the law can be read"),
        ..Site::default()
    };
    site.pages().iter().map(|page| page.written().len()).sum()
}

/// The report of one that conforms, and how many rules it speaks of.
fn conforming() -> String {
    let exchanges = cases::all().expect("the law can be read");
    report::json(&conformance::check::Trial::default().run(&exchanges, &[]))
}

/// The same with every fourth rule broken, as servers break them: a short transcript each.
fn strange(report: &str) -> (String, usize) {
    let mut report: serde_json::Value = serde_json::from_str(report).expect("it is JSON");
    let mut broken = BTreeSet::new();
    let results = report["results"].as_array_mut().expect("it has results");
    let rules: BTreeSet<String> = { results.iter() }
        .map(|case| case["rule"].as_str().expect("it has a rule").to_owned())
        .collect();
    let wanted: BTreeSet<String> = rules.into_iter().step_by(BROKEN_OF_ALL).collect();
    for case in results {
        let rule = case["rule"].as_str().expect("it has a rule").to_owned();
        if !wanted.contains(&rule) || !broken.insert(rule.clone()) {
            continue;
        }
        case["verdict"] = "fail".into();
        case["failure"] = serde_json::json!({
            "line": 3, "agreed": 0, "shortest": true,
            "expected": "CLIENT_ERROR bad command line format", "received": "ERROR\\r\\n",
            "transcript": [{"client": 1, "sent": true, "bytes": "set stock 0 0 2\\r\\n10\\r\\n"},
                           {"client": 1, "sent": false, "bytes": "STORED\\r\\n"},
                           {"client": 1, "sent": true, "bytes": "incr stock\\r\\n"},
                           {"client": 1, "sent": false, "bytes": "ERROR\\r\\n"}],
            "again": format!("touchstone check --spawn 'conformance/matrix/stranger {{port}}' \
                --dialect conformance/matrix/stranger.dialect {rule}"),
            "script": "{ printf 'set stock 0 0 2\\r\\n10\\r\\nincr stock\\r\\n'; sleep 1; } | nc \
                \"${HOST:-127.0.0.1}\" \"${PORT:-11211}\"",
        });
    }
    (report.to_string(), broken.len())
}

#[test]
fn ten_implementations_fit_into_three_megabytes_and_none_takes_more_than_its_share() {
    let good = conforming();
    let (bad, broken) = strange(&good);
    let law = bytes(&[]);
    let each = (bytes(&vec![good.clone(); 5]) - law) / 5;
    let mixed = bytes(&[vec![good; 5], vec![bad; 5]].concat());
    let failure = (mixed - law - 10 * each) / (5 * broken);
    println!("{law} law, {each} each, {failure} a failure, {broken} broken, {mixed} in all");
    assert!(law < LAW_BYTES_MAX, "{law}");
    assert!(each < EACH_BYTES_MAX, "{each}");
    assert!(failure < FAILURE_BYTES_MAX, "{failure}");
    assert!(broken > 100, "{broken}");
    assert!(mixed < BYTES_MAX, "{mixed}");
}
