//! The law as a book: the prose of `spec/`, with each rule's verdicts beside it.

use maud::{Markup, html};
use spec::{CHAPTERS, Chapter, Kind, Requirement, find};

use super::failure::to_failure;
use super::frame::{page as framed, root, to_chapter, to_rule};
use super::mark::Mark;
use super::prose::chapter as shown;
use super::rule::level;
use super::{Page, Site};

/// How to read it.
const OPENING: &str = include_str!("../../../../spec/README.md");

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let chapters = CHAPTERS.iter().enumerate();
    let mut pages = vec![opening()];
    pages.extend(chapters.map(|(place, chapter)| page(site, place, chapter)));
    pages
}

fn opening() -> Page {
    let body = html! { article.book { (shown(OPENING, "")) } };
    framed("book/index.html", "The law of memcached", &body)
}

fn page(site: &Site, place: usize, chapter: &Chapter) -> Page {
    let path = to_chapter(chapter.name);
    let root = root(&path);
    let beside = |place: Option<usize>| place.and_then(|place| CHAPTERS.get(place));
    let link = |chapter: &Chapter| format!("{root}{}", to_chapter(chapter.name));
    let body = html! {
        article.book {
            @for part in parts(chapter.prose) { @match part {
                Part::Prose(text) => (shown(&text, chapter.name)),
                Part::Named(named) => (marker(site, named, &root)),
            } }
        }
        nav.turn {
            @if let Some(before) = beside(place.checked_sub(1)) {
                a rel="prev" href=(link(before)) { "← " (before.name) }
            }
            a href="index.html" { "contents" }
            @if let Some(after) = beside(place.checked_add(1)) {
                a rel="next" href=(link(after)) { (after.name) " →" }
            }
        }
    };
    framed(
        &path,
        &format!("{}: the law of memcached", chapter.name),
        &body,
    )
}

enum Part {
    Prose(String),
    Named(&'static Requirement),
}

/// The prose, cut at its markers; what looks like one in a block of code is none.
fn parts(prose: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut is_code = false;
    for line in prose.lines() {
        is_code ^= line.starts_with("```");
        let name = line
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'));
        let named = name.filter(|_| !is_code).and_then(|(name, _)| find(name));
        let opens = ["r[", "a[", "d["].iter().any(|kind| line.starts_with(kind));
        match named.filter(|_| opens) {
            Some(named) => {
                parts.push(Part::Prose(std::mem::take(&mut text)));
                parts.push(Part::Named(named));
            }
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    parts.push(Part::Prose(text));
    parts
}

/// A rule's name in the book, and what each implementation does with it.
fn marker(site: &Site, named: &'static Requirement, root: &str) -> Markup {
    let address = match named.kind {
        Kind::Rule => format!("{root}{}", to_rule(named.name)),
        _ => {
            let rule = super::data::rule_of(named).name;
            format!("{root}{}#{}", to_rule(rule), named.name)
        }
    };
    let kind = match named.kind {
        Kind::Rule => html! { (level(named)) },
        Kind::Alternative => html! { b.l { "or" } },
        Kind::Deviation => html! { b.l { "but" } },
    };
    html! { p.rule id=(named.name) {
        (kind) " " a href=(address) { (named.name) }
        @if named.kind == Kind::Rule { (marks(site, named, root)) }
    } }
}

/// For how many it holds, and a mark for each for whom it does not.
fn marks(site: &Site, rule: &'static Requirement, root: &str) -> Markup {
    let marks = site.tried.iter().map(|tried| (tried, tried.gravest(rule)));
    let marks: Vec<_> = marks.collect();
    let holds = marks
        .iter()
        .filter(|(_, (mark, _))| *mark == Mark::Pass)
        .count();
    html! { span.marks {
        @for (tried, (mark, named)) in marks { @if mark.has_page() {
            a class=(mark.class()) title=(tried.name)
                href={ (root) (to_failure(tried, named)) } { (mark.glyph()) }
        } }
        @if holds > 0 { span.p { "✓" (holds) } }
    } }
}
