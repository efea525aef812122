//! Two reports of one implementation: what was fixed, what broke, what is new, lost or gone.
//!
//! It compares nothing itself: that is for `compare.rs`; here it is shown.

use maud::{Markup, html};

use super::data::{Tried, rule_of};
use super::frame::{page as framed, root, to_rule};
use super::{Page, Site};
use crate::compare::{Change, Findings, compare};

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
    let findings = [before, after].map(|tried| Findings::of(&tried.report));
    let body = html! {
        p.crumbs { a href={ "../" (after.slug) ".html" } { (after.name) } }
        h1 { "What changed" }
        p.lead { "Rule by rule, from one report of " (after.name) " to the next." }
        @if before.report.law != after.report.law {
            p { span."m n" { "! another law" } " The text of the law changed between them." }
        }
        @match &findings {
            [Ok(was), Ok(is)] => {
                @let comparison = compare(was, is);
                @for (word, changes) in comparison.parts() { @if !changes.is_empty() {
                    h2 id=(word) { (word) " " small { (changes.len()) } }
                    ul.list { @for change in changes {
                        li { (shown(change, before, after, &root(&path))) }
                    } }
                } }
                p { (comparison.same) " rules are as they were." }
            }
            _ => p { "There is nothing to compare: in one of them nothing was tried." }
        }
    };
    framed(&path, &format!("What changed in {}", after.name), &body)
}

/// A rule, and what it was and is. One that the law no longer has leads nowhere.
fn shown(change: &Change, before: &Tried, after: &Tried, root: &str) -> Markup {
    let rule = change.rule.as_str();
    html! {
        @match spec::find(rule) {
            Some(named) => a href={ (root) (to_rule(rule_of(named).name)) } { (rule) }
            None => (rule)
        }
        " " (before.mark(rule).shown()) " → " (after.mark(rule).shown())
    }
}
