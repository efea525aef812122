//! The site of reports: that nothing hostile becomes markup, that no link leads nowhere, and that
//! ten implementations fit that conform; a page for each failure comes on top.

use std::collections::BTreeSet;

use conformance::report::site::data::Tried;
use conformance::report::site::{History, Page, Site};
use conformance::{cases, report};

/// So large may the site of ten implementations be, without their failures.
const BYTES_MAX: usize = 3_000_000;

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
    for page in html(&pages) {
        let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in page.text.split(" href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
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
        }
    }
}

#[test]
fn ten_implementations_that_conform_fit_into_three_megabytes() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let exchanges = cases::all().expect("the law can be read");
    let trial = conformance::check::Trial::default();
    let text = report::json(&trial.run(&exchanges, &[]));
    let bytes: usize = site(&names, &text).iter().map(|page| page.text.len()).sum();
    assert!(bytes < BYTES_MAX, "{bytes}");
}
