//! The first page: who was tried, how each stands, and which chapter is weak in whom.

use maud::{Markup, html};
use spec::{CHAPTERS, Level};

use super::data::{Tried, rules};
use super::frame::{page as framed, to_chapter};
use super::implementation::played;
use super::mark::Mark;
use super::{Page, Site, explored};

pub(super) fn page(site: &Site) -> Page {
    let count = rules().count();
    let body = html! {
        h1 { "How memcacheds keep the law" }
        p.lead {
            (count) " rules of the memcached protocol, each with examples that run, played against "
            (site.tried.len()) @if site.tried.len() == 1 { " implementation. " }
            @else { " implementations. " }
            a href="matrix.html" { "The matrix" } " has all of them; every mark in it leads to the "
            "bytes. " a href="book/index.html" { "The law" } " is a book to read."
        }
        section.cards { @for tried in &site.tried { (card(site, tried)) } }
        h2 { "By chapter" }
        p { "How many rules hold of those that could be tried. A chapter's name leads to its text, "
            "a figure to what failed." }
        (chapters(site))
        h2 { "What the marks mean" }
        (legend())
        @if !site.histories.is_empty() || !site.liars.is_empty() {
            h2 { "More" }
            ul {
                @if !site.histories.is_empty() {
                    li { a href="histories.html" { "Histories" } " of many clients at once" }
                }
                @if !site.liars.is_empty() {
                    li { a href="liars.html" { "The liars" } ": whether the suite can fail" }
                }
            }
        }
    };
    framed(
        "index.html",
        "Touchstone: how memcacheds keep the law",
        &body,
    )
}

fn card(site: &Site, tried: &Tried) -> Markup {
    let (played, all) = played(tried);
    let report = &tried.report;
    // Of a dialect that is a file, the way to it stands on the implementation's own page.
    let habits = report.dialect.rsplit('/').next().unwrap_or_default();
    html! {
        article.card {
            h3 { a href={ "at/" (tried.slug) ".html" } { (tried.name) } }
            p {
                @if report.conforms { span."m p" { "✓ conforms to " (habits) } }
                @else if !report.complete { span."m c" { "† not tried to the end" } }
                @else if tried.breaks() { span."m f" { "✗ does not conform to " (habits) } }
                @else { span."m k" { "? too little to say whether it conforms to " (habits) } }
            }
            dl { @for level in [Level::Must, Level::Should, Level::May] {
                @let counts = tried.count(|rule| rule.level == level);
                dt { (level.to_string()) }
                dd { (bar(&counts)) }
            } }
            p.reached { "reached " (played) " of " (all) " rules"
                @if let Some((some, all)) = explored::count(site, tried) {
                    "; exploring, " (some) " of " (all)
                } }
        }
    }
}

type Counts = std::collections::BTreeMap<Mark, usize>;

/// What holds, what does not, and what was not tried, as one line.
fn bar(counts: &Counts) -> Markup {
    let all: usize = counts.values().sum();
    let (holds, differs) = (held(counts), differing(counts));
    let share = |part: usize| part * 200 / all.max(1);
    html! {
        svg viewBox="0 0 200 8" preserveAspectRatio="none" role="img"
            aria-label={ (holds) " of " (all) " hold" } {
            rect.so width="200" height="8" {}
            rect.sf width=(share(holds + differs)) height="8" {}
            rect.sp width=(share(holds)) height="8" {}
        }
        span { (holds) @if differs > 0 { ", not " (differs) } }
    }
}

fn held(counts: &Counts) -> usize {
    counts.get(&Mark::Pass).copied().unwrap_or(0)
}

fn differing(counts: &Counts) -> usize {
    let differing = counts.iter().filter(|(mark, _)| mark.has_page());
    differing.map(|(_, count)| count).sum()
}

fn chapters(site: &Site) -> Markup {
    html! {
        div.wide { table.heat {
            thead { tr {
                th { "chapter" }
                @for tried in &site.tried {
                    th.n { a href={ "at/" (tried.slug) ".html" } { (tried.name) } }
                }
            } }
            tbody { @for chapter in CHAPTERS {
                tr {
                    th { a href=(to_chapter(chapter.name)) { (chapter.name) } }
                    @for tried in &site.tried {
                        (cell(tried, &tried.count(|rule| rule.chapter == chapter.name),
                            chapter.name))
                    }
                }
            } }
        } }
    }
}

fn cell(tried: &Tried, counts: &Counts, chapter: &str) -> Markup {
    let (holds, differs) = (held(counts), differing(counts));
    let tried_rules = holds + differs;
    let class = match (tried_rules, holds * 4 / tried_rules.max(1)) {
        (0, _) => "n o",
        (_, 4) => "n h4",
        (_, 3) => "n h3",
        (_, 2) => "n h2",
        _ => "n h1",
    };
    let address = format!("at/{}.html#{}", tried.slug, chapter.replace('/', "-"));
    html! { td class=(class) {
        @if tried_rules == 0 { "–" }
        @else { a href=(address) { (holds) span { "/" (tried_rules) } } }
    } }
}

/// Every mark with its meaning.
pub(super) fn legend() -> Markup {
    html! { dl.legend { @for mark in Mark::ALL {
        dt { (mark.shown()) }
        dd { (mark.meaning()) }
    } } }
}
