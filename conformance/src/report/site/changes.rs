//! Two reports of one implementation compared: what was fixed, what broke, what is new or gone.
//!
//! The comparison is that of `compare.rs`; here it is shown.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::data::{Tried, rules};
use super::frame::{page as framed, root, to_rule};
use super::mark::Mark;
use super::{Page, Site};

/// A page for each implementation of which there is an earlier report.
pub(super) fn pages(site: &Site) -> Vec<Page> {
    let pairs = site.tried.iter().filter_map(|after| {
        let before = site
            .before
            .iter()
            .find(|before| before.slug == after.slug)?;
        Some(page(before, after))
    });
    pairs.collect()
}

fn page(before: &Tried, after: &Tried) -> Page {
    let path = format!("at/{}/changes.html", after.slug);
    let root = root(&path);
    let changes = changes(before, after);
    let body = html! {
        p.crumbs { a href={ "../" (after.slug) ".html" } { (after.name) } }
        h1 { "What changed" }
        p.lead { "Rule by rule, from one report of " (after.name) " to the next." }
        @if before.report.law != after.report.law {
            p { span."m n" { "! another law" } " The text of the law changed between them." }
        }
        @if changes.is_empty() { p { "Every rule is as it was." } }
        @for (word, rules) in &changes { (part(word, rules, &root)) }
    };
    framed(&path, &format!("What changed in {}", after.name), &body)
}

type Change = (&'static str, Mark, Mark);

fn part(word: &str, rules: &[Change], root: &str) -> Markup {
    html! {
        h2 id=(word) { (word) " " small { (rules.len()) } }
        ul.list { @for (rule, was, is) in rules {
            li { a href={ (root) (to_rule(rule)) } { (rule) } " " (was.shown()) " → " (is.shown()) }
        } }
    }
}

fn changes(before: &Tried, after: &Tried) -> BTreeMap<&'static str, Vec<Change>> {
    let mut changes: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for rule in rules() {
        let (was, is) = (before.gravest(rule).0, after.gravest(rule).0);
        let tried = |mark: Mark| mark == Mark::Pass || mark.has_page();
        let word = match (was, is) {
            _ if was == is || !(tried(was) || tried(is)) => continue,
            _ if !tried(was) => "new",
            _ if !tried(is) => "gone",
            (_, Mark::Pass) => "fixed",
            (Mark::Pass, _) => "broken",
            _ => "different",
        };
        changes.entry(word).or_default().push((rule.name, was, is));
    }
    changes
}
