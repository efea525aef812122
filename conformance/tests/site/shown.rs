//! What the site says is what the reports say: marks, counts, bytes and reasons of real trials, of
//! which everything is known beforehand.

use conformance::check::Trial;
use conformance::explore::part::{Part, Subject};
use conformance::explore::reachable;
use conformance::liars;
use conformance::report;
use conformance::report::site::data::Tried;
use conformance::report::site::{Explored, History, LiarRow, Page, Site};
use conformance::selftest::selftest;
use conformance::target::Target;
use conformance::terms::Terms;
use spec::exchange::{self, Exchange};

/// Eight examples, five of them of storage.
const EXAMPLES: &str = include_str!("../report/examples.exchange");
/// The example that the liar fails, as it is when the law is written so.
const BROKEN: &str = "storage.append.stored";
const HELD: &str = "storage.add.exists";
const UNTRIED: &str = "storage.cas.exists";

pub(crate) fn examples() -> Vec<Exchange> {
    exchange::cases("examples.exchange", EXAMPLES).expect("they are in the notation")
}

/// The JSON report on one that is honest or lies, without what it is declared not to have.
fn reported(target: Target, without: &[&str]) -> String {
    let trial = Trial {
        target,
        terms: Terms {
            without: without.iter().map(ToString::to_string).collect(),
            ..Terms::default()
        },
        ..Trial::default()
    };
    let examples = examples();
    let mut report = trial.run(&examples, &[]);
    trial.shorten(&mut report, usize::MAX);
    report::json(&report)
}

pub(crate) fn honest() -> String {
    reported(Target::Honest, &[])
}

pub(crate) fn lying() -> String {
    let liar = liars::named("append-as-set").expect("there is one");
    reported(Target::Liar(liar), &["cas"])
}

pub(crate) fn tried(name: &str, text: &str) -> Tried {
    Tried::read(name, text).expect("it is a report")
}

/// The site of one that is honest and one that lies, in this order.
fn pages() -> Vec<Page> {
    let site = Site {
        tried: vec![tried("honest", &honest()), tried("lying", &lying())],
        exchanges: examples(),
        ..Site::default()
    };
    site.pages()
}

pub(crate) fn text<'a>(pages: &'a [Page], path: &str) -> &'a str {
    let page = pages.iter().find(|page| page.path == path);
    &page.unwrap_or_else(|| panic!("no page is {path}")).text
}

/// What stands between the first of these and the next of those.
pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).map_or(rest, |(part, _)| part)
}

#[test]
fn a_row_of_the_matrix_has_the_mark_of_each() {
    let pages = pages();
    let matrix = text(&pages, "matrix.html");
    let row = |rule: &str| between(matrix, &format!("\">{rule}</a>"), "<tr").to_owned();
    let failure = format!("<td class=\"f\"><a href=\"rules/{BROKEN}.html#lying\">✗</a>");
    assert_eq!(row(BROKEN), format!("<td>✓{failure}"));
    assert_eq!(row(HELD), "<td>✓<td>✓");
    assert_eq!(row(UNTRIED), "<td>✓<td class=\"u\">–");
    let silent = "<td class=\"o\">·<td class=\"o\">·";
    assert_eq!(row("storage.prepend.stored"), silent);
}

#[test]
fn the_book_has_the_marks_beside_the_rule() {
    let pages = pages();
    let book = text(&pages, "book/storage.html");
    let marks = |rule: &str| {
        let rule = between(book, &format!("<p class=\"rule\" id=\"{rule}\">"), "</p>");
        between(rule, "<span class=\"marks\">", "</span></p>").to_owned()
    };
    let failure = format!("href=\"../rules/{BROKEN}.html#lying\">✗</a>");
    let broken = marks(BROKEN);
    assert!(broken.contains("title=\"lying\""), "{broken}");
    assert!(broken.contains(&failure), "{broken}");
    assert!(!broken.contains("title=\"honest\""), "{broken}");
    assert!(broken.contains("<span class=\"p\">✓1</span>"), "{broken}");
    assert_eq!(marks(HELD), "<span class=\"p\">✓2</span></span>");
    assert_eq!(marks("storage.prepend.stored"), "</span>");
}

#[test]
fn a_failure_shows_its_bytes_where_they_part_and_how_to_see_them_again() {
    let pages = pages();
    let rule = text(&pages, &format!("rules/{BROKEN}.html"));
    assert!(rule.contains("put the block behind the present value"));
    assert!(
        rule.contains("<span class=\"m p\">✓ pass</span> · honest"),
        "{rule}"
    );
    assert!(!rule.contains("<section id=\"honest\">"));
    let failure = between(rule, "<section id=\"lying\">", "</section>");
    for shown in [
        "<span class=\"m f\">✗ fail</span>",
        // What is sent stands behind the notation's own sign, which needs no escape.
        "<b>> append k 0 0 1\\r\\nb\\r\\n</b>\n&lt; STORED\\r\\n\n",
        "<code>VALUE k 0 <mark>2</mark></code>",
        "<code>VALUE k 0 <mark>1\\r\\nb\\r\\nEND\\r\\n</mark></code>",
        "differs from byte 10",
        "<pre class=\"copy\">touchstone check --liar append-as-set",
        "storage.append.stored</pre>",
    ] {
        assert!(failure.contains(shown), "{shown} is not in {failure}");
    }
    assert!(!text(&pages, &format!("rules/{HELD}.html")).contains("<mark>"));
}

#[test]
fn what_was_not_tried_says_why() {
    let pages = pages();
    let untried = |name: &str| {
        let page = text(&pages, &format!("at/{name}.html"));
        between(page, "id=\"untried\">", "no example holds").to_owned()
    };
    let lying = untried("lying");
    assert!(lying.contains("– unsupported</span> 1: "), "{lying}");
    assert!(lying.contains("--without cas"), "{lying}");
    assert!(lying.contains(&format!("<p>{UNTRIED}</p>")), "{lying}");
    assert!(!untried("honest").contains("unsupported"));
    let rule = text(&pages, &format!("rules/{UNTRIED}.html"));
    assert!(rule.contains("– unsupported</span> · lying"), "{rule}");
}

#[test]
fn a_chapter_counts_what_holds_of_what_was_tried() {
    let pages = pages();
    let row = between(text(&pages, "index.html"), "book/storage.html\">", "</tr>");
    let cell = |class: &str, name: &str, holds: usize, of: usize| {
        let address = format!("at/{name}.html#storage");
        format!("<td class=\"n {class}\"><a href=\"{address}\">{holds}<span>/{of}</span></a></td>")
    };
    let (honest, lying) = (cell("h4", "honest", 5, 5), cell("h3", "lying", 3, 4));
    assert_eq!(row, format!("storage</a></th>{honest}{lying}"));
    let untouched = between(
        text(&pages, "index.html"),
        "book/arithmetic.html\">",
        "</tr>",
    );
    assert_eq!(untouched.matches("<td class=\"n o\">–</td>").count(), 2);
}

#[test]
fn a_badge_tells_what_holds_and_never_conforms_of_what_was_cut_short() {
    let pages = pages();
    let said = |pages: &[Page], name: &str| {
        let badge = text(pages, &format!("badges/{name}.svg")).to_owned();
        let said = between(&badge, "<title>memcached, the law: ", "</title>").to_owned();
        assert!(
            badge.ends_with(&format!(">{said}</text></g></svg>")),
            "{badge}"
        );
        said
    };
    assert_eq!(said(&pages, "honest"), "8 MUST hold");
    assert_eq!(said(&pages, "lying"), "6 MUST hold, 1 broken");
    let cut = honest().replace("\"complete\": true", "\"complete\": false");
    let site = Site {
        tried: vec![tried("cut", &cut)],
        ..Site::default()
    };
    let pages = site.pages();
    assert_eq!(said(&pages, "cut"), "not tried to the end");
}

#[test]
fn requests_that_no_order_explains_are_lanes_and_the_witness_is_marked() {
    let history = serde_json::json!({
        "target": "a racy one", "outcome": "3 operations in 1 rounds", "refuted": {
            "key": "k", "rule": "concurrency.key", "before": "it holds 1.", "lanes": [
                {"client": 4, "from": 0, "to": 2, "said": "incr k: 2", "witness": false},
                {"client": 5, "from": 1, "to": 3, "said": "incr k: 2 too", "witness": true},
                {"client": 6, "from": 2, "to": null, "said": "delete k", "witness": false}]}
    });
    let site = Site {
        histories: vec![History::read(&history.to_string()).expect("it is a history")],
        ..Site::default()
    };
    let pages = site.pages();
    let page = text(&pages, "histories.html");
    assert!(page.contains("✗ no order"), "{page}");
    let lanes: Vec<&str> = page.split("<text class=\"who\"").skip(1).collect();
    let [done, witness, open] = lanes.as_slice() else {
        panic!("{page}");
    };
    assert!(done.contains(">4</text>") && done.contains(">incr k: 2</text>"));
    assert!(done.contains("<rect class=\"done\"") && !done.contains('◀'));
    assert!(witness.contains(">5</text>") && witness.contains(">incr k: 2 too ◀</text>"));
    assert!(witness.contains("<rect class=\"w\""), "{witness}");
    assert!(open.contains(">delete k (perhaps)</text>"), "{open}");
    assert!(open.contains("<rect class=\"open\""), "{open}");
}

#[test]
fn a_row_of_the_liars_tells_who_was_caught_and_who_was_not() {
    let examples = examples();
    let site = Site {
        liars: LiarRow::all(&selftest(&examples, 2)),
        ..Site::default()
    };
    let pages = site.pages();
    let page = text(&pages, "liars.html");
    let row = |name: &str| between(page, &format!("<code>{name}</code>"), "</tr>").to_owned();
    let caught = row("append-as-set");
    assert!(
        caught.contains("It stores what it should append."),
        "{caught}"
    );
    assert!(
        caught.contains(&format!("rules/{BROKEN}.html\">{BROKEN}</a>")),
        "{caught}"
    );
    assert!(caught.contains("<td class=\"n\">1</td>"), "{caught}");
    assert!(caught.contains("✓ yes"), "{caught}");
    // No example here deletes what is there.
    let missed = row("keeps-deleted");
    assert!(missed.contains("<td class=\"n\">0</td>"), "{missed}");
    assert!(missed.contains("✗ no"), "{missed}");
}

#[test]
fn what_changed_between_two_reports_is_told_apart() {
    let sections = |before: &str, after: &str| {
        let site = Site {
            tried: vec![tried("one", after)],
            before: vec![tried("one", before)],
            ..Site::default()
        };
        let pages = site.pages();
        text(&pages, "at/one/changes.html").to_owned()
    };
    let change = |was: &str, is: &str, rule: &str| {
        let (was, is) = (
            was.to_owned() + "</span> → ",
            is.to_owned() + "</span></li>",
        );
        (
            format!("rules/{rule}.html\">{rule}</a> <span class="),
            was,
            is,
        )
    };
    let assert_change = |page: &str, part: &str, count: usize, change: (String, String, String)| {
        let part = between(page, &format!("<h2 id=\"{part}\">"), "</ul>");
        assert!(part.contains(&format!("<small>{count}</small>")), "{part}");
        let line = between(part, &change.0, "</li>").to_owned() + "</li>";
        assert!(
            line.contains(&change.1) && line.ends_with(&change.2),
            "{line}"
        );
    };
    let worse = sections(&honest(), &lying());
    assert_change(&worse, "broken", 1, change("✓ pass", "✗ fail", BROKEN));
    assert_change(
        &worse,
        "lost",
        1,
        change("✓ pass", "– unsupported", UNTRIED),
    );
    assert!(
        worse.contains("<p>6 rules are as they were.</p>"),
        "{worse}"
    );
    let better = sections(&lying(), &honest());
    assert_change(&better, "fixed", 1, change("✗ fail", "✓ pass", BROKEN));
    assert_change(
        &better,
        "new",
        1,
        change("– unsupported", "✓ pass", UNTRIED),
    );
    for absent in ["broken", "lost", "gone"] {
        assert!(!better.contains(&format!("id=\"{absent}\"")), "{better}");
    }
}

/// What an exploration that reached one rule would have written.
fn explored() -> String {
    let part = Part {
        of: Subject {
            target: "one".to_owned(),
            dialect: "law".to_owned(),
            exhaustive: None,
            commands: 0,
            seed: Some(7),
            parts: 1,
        },
        part: 0,
        complete: true,
        histories: 3,
        requests: 40,
        alone: 0,
        seconds: 1.0,
        reached: [BROKEN.to_owned()].into(),
        failures: std::collections::BTreeMap::new(),
        unrepeated: Vec::new(),
        problem: None,
    };
    part.text()
}

#[test]
fn what_histories_reached_stands_at_the_rule_and_is_counted() {
    let site = Site {
        tried: vec![tried("honest", &honest()), tried("lying", &lying())],
        explored: vec![Explored::read("honest", &explored()).expect("it is an exploration")],
        exchanges: examples(),
        ..Site::default()
    };
    let pages = site.pages();
    let rule = |name: &str| text(&pages, &format!("rules/{name}.html"));
    assert!(rule(BROKEN).contains("explored · reached in honest</p>"));
    let not = "not reached</span> by exploring honest</p>";
    assert!(rule(HELD).contains(not) && !rule(BROKEN).contains(not));
    // No history can show what takes a running process.
    assert!(!rule("listeners.unix.living").contains("explor"));
    let all = reachable().count();
    let home = text(&pages, "index.html");
    let cards: Vec<&str> = home.split("<article").skip(1).collect();
    assert!(cards[0].contains(&format!("; exploring, 1 of {all}</p>")));
    assert!(cards[0].contains("reached 8 of ") && cards[1].contains("reached 7 of "));
    assert!(!cards[1].contains("exploring"), "{}", cards[1]);
    let one = text(&pages, "at/honest.html");
    assert!(one.contains("seed 7: 3 histories, 40 requests"), "{one}");
    let part = between(one, "id=\"explored\"", "</main>");
    assert!(
        part.contains(&format!("not reached</span> {} ", all - 1)),
        "{part}"
    );
    assert!(!text(&pages, "at/lying.html").contains("id=\"explored\""));
}

#[test]
fn what_two_do_alike_is_shown_once_and_the_other_leads_to_it() {
    let site = Site {
        tried: vec![tried("lying", &lying()), tried("alike", &lying())],
        exchanges: examples(),
        ..Site::default()
    };
    let pages = site.pages();
    let rule = text(&pages, &format!("rules/{BROKEN}.html"));
    let first = between(rule, "<section id=\"lying\">", "</section>");
    let other = between(rule, "<section id=\"alike\">", "</section>");
    assert!(first.contains("differs from byte 10"), "{first}");
    assert!(
        other.contains("Byte for byte as <a href=\"#lying\">lying</a>."),
        "{other}"
    );
    assert!(!other.contains("differs from byte"), "{other}");
    assert!(first.contains("touchstone check") && other.contains("touchstone check"));
}

#[test]
fn what_stands_in_a_file_is_the_page_in_fewer_bytes() {
    for page in pages() {
        let written = page.written();
        match page.path.ends_with(".html") {
            true => assert!(written.len() < page.text.len(), "{}", page.path),
            false => assert_eq!(written, page.text, "{}", page.path),
        }
    }
}
