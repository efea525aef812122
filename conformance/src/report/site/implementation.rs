//! A page for each implementation: what was tried and how it went, chapter by chapter, what was
//! reached, and what was left out and why.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use spec::{CHAPTERS, Requirement};

use super::data::{Tried, rules};
use super::failure::to_failure;
use super::frame::{page as framed, to_chapter};
use super::mark::Mark;
use super::{Page, Site, explored};
use crate::report::read::Case;

pub(super) fn page(site: &Site, tried: &Tried) -> Page {
    let path = format!("at/{}.html", tried.slug);
    let report = &tried.report;
    let body = html! {
        h1 { (tried.name) }
        p.lead {
            @if report.conforms { "It conforms to " }
            @else if tried.breaks() { "It does not conform to " }
            @else { "Too little could be tried to say whether it conforms to " }
            code { (report.dialect) } "."
            @if !report.complete { " It could not be tried to the end." }
        }
        p { img src={ "../badges/" (tried.slug) ".svg" } alt="badge" height="20"; }
        dl.facts {
            dt { "tried" } dd { code { (report.target) } }
            dt { "by" } dd { "touchstone " (report.version) ", law " code { (report.law) }
                ", seed " (report.seed) }
            dt { "reached" } dd { (reached(tried))
                @if let Some((some, all)) = explored::count(site, tried) {
                    "; " a href="#explored" { "explored" } ": " (some) " of " (all)
                    " that exchanges show"
                } }
            @if !report.elected.is_empty() {
                dt { "elected" } dd { @for name in &report.elected { code { (name) } " " } }
            }
        }
        @for (rule, excuse) in &report.stale {
            p { span."m n" { "! stale" } " " code { (rule) } " holds, although it is excused: "
                (excuse) }
        }
        h2 { "By level" }
        (levels(tried))
        h2 { "What does not go as the law has it" }
        @for chapter in CHAPTERS { (failures(tried, chapter.name)) }
        h2 id="untried" { "What was not tried, and why" }
        (untried(tried))
        (explored::of_one(site, tried, |names| named(names.iter().copied().collect())))
    };
    framed(&path, &tried.name, &body)
}

/// How many rules had an example that was played, of how many.
pub(super) fn played(tried: &Tried) -> (usize, usize) {
    let is_played = |rule: &&'static Requirement| {
        let (mark, _) = tried.gravest(rule);
        !matches!(mark, Mark::Skipped | Mark::Unsupported | Mark::Silent)
    };
    (rules().filter(is_played).count(), rules().count())
}

/// The same in words; the others are named below.
fn reached(tried: &Tried) -> Markup {
    let (some, all) = played(tried);
    html! {
        (some) " of " (all) " rules"
        @if some < all { "; " a href="#untried" { "the others" } }
    }
}

fn levels(tried: &Tried) -> Markup {
    let of = |word: &str| tried.count(|rule| rule.level.to_string() == word);
    let levels = ["MUST", "SHOULD", "MAY"].map(|word| (word, of(word)));
    let marks = Mark::ALL.into_iter();
    let marks = marks.filter(|mark| levels.iter().any(|(_, counts)| counts.contains_key(mark)));
    let marks: Vec<Mark> = marks.collect();
    html! { div.wide { table.plain {
        thead { tr { th { "rules" } @for mark in &marks { th.n { (mark.shown()) } } } }
        tbody { @for (word, counts) in &levels { tr {
            th { (word) }
            @for mark in &marks { td.n { (counts.get(mark).copied().unwrap_or(0)) } }
        } } }
    } } }
}

/// The failures of one chapter, each reason with all that it stands for: some excuse a hundred.
fn failures(tried: &Tried, chapter: &str) -> Markup {
    let failing = tried.failing().filter(|named| named.chapter == chapter);
    let mut count = 0;
    let mut reasons: BTreeMap<(Mark, &str), Vec<&'static Requirement>> = BTreeMap::new();
    for named in failing {
        let Some(case) = tried.telling(named.name) else {
            continue;
        };
        let reason = case.reason.as_deref().unwrap_or_default();
        reasons
            .entry((case.mark(), reason))
            .or_default()
            .push(named);
        count += 1;
    }
    html! { @if count > 0 {
        h3 id=(chapter.replace('/', "-")) {
            a href={ "../" (to_chapter(chapter)) } { (chapter) } " " small { (count) }
        }
        @for ((mark, reason), failing) in reasons {
            @let link = |named: &'static Requirement| html! {
                a href={ "../" (to_failure(tried, named)) } { (named.name) }
            };
            @match failing.as_slice() {
                [alone] => p.why { (mark.shown()) " " (link(alone)) " " small { (reason) } },
                all => {
                    p.why { (mark.shown()) " " small { (reason) } }
                    ul.list { @for named in all { li; (link(named)) } }
                }
            }
        }
    } }
}

/// Every reason for which something was not tried, the most frequent first, and what.
fn untried(tried: &Tried) -> Markup {
    let mut reasons: BTreeMap<(Mark, &str), Vec<&Case>> = BTreeMap::new();
    for case in &tried.report.results {
        if matches!(case.mark(), Mark::Skipped | Mark::Unsupported) {
            let reason = case.reason.as_deref().unwrap_or("no reason is given");
            reasons.entry((case.mark(), reason)).or_default().push(case);
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let silent = rules().filter(|rule| tried.gravest(rule).0 == Mark::Silent);
    let silent: BTreeSet<&str> = silent.map(|rule| rule.name).collect();
    html! {
        @if reasons.is_empty() && silent.is_empty() { p { "Everything was tried." } }
        @for ((mark, reason), cases) in reasons {
            @let rules: BTreeSet<&str> = cases.iter().map(|case| case.rule.as_str()).collect();
            details {
                summary { (mark.shown()) " " (cases.len()) ": " (reason) }
                p { (named(rules)) }
            }
        }
        @if !silent.is_empty() { details {
            summary { (Mark::Silent.shown()) " " (silent.len()) ": " (Mark::Silent.meaning()) }
            p { (named(silent)) }
        } }
    }
}

/// Names, each beginning that several have in common only once: `deletion.{deleted not-found}`.
fn named(names: BTreeSet<&str>) -> String {
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (above, last) in names.into_iter().filter_map(|name| name.rsplit_once('.')) {
        below.entry(above).or_default().push(last);
    }
    let words = below
        .into_iter()
        .map(|(above, last)| match last.as_slice() {
            [alone] => format!("{above}.{alone}"),
            all => format!("{above}.{{{}}}", all.join(" ")),
        });
    words.collect::<Vec<_>>().join(" ")
}
