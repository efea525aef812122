//! The matrix: every rule in a line, every implementation in a column.
//!
//! Whatever is to be filtered stands in the row itself; the script only hides rows.

use maud::{Markup, html};
use spec::{CHAPTERS, Requirement};

use super::data::{Tried, rules};
use super::failure::to_failure;
use super::frame::{page as framed, to_chapter, to_rule};
use super::mark::Mark;
use super::{Page, Site};

pub(super) fn page(site: &Site) -> Page {
    let body = html! {
        h1 { "The matrix" }
        form.filter hidden {
            label { "Name " input name="q" type="search" placeholder="storage.cas"
                autocomplete="off"; }
            label { "Level " select name="level" {
                option value="" { "all" }
                @for (value, word) in [("M", "MUST"), ("S", "SHOULD"), ("Y", "MAY")] {
                    option value=(value) { (word) }
                }
            } }
            label { "Mark " select name="mark" {
                option value="" { "any" }
                option value="x" { "any difference" }
                @for mark in Mark::ALL { @if mark != Mark::KnownUnsupported {
                    option value=(mark.class()) { (mark.word()) }
                } }
            } }
            label { "Of " select name="at" {
                option value="" { "anybody" }
                @for (place, tried) in site.tried.iter().enumerate() {
                    option value=(place) { (tried.name) }
                }
            } }
            output {}
        }
        div.wide.tall { table.matrix {
            thead { tr {
                th { "rule" }
                @for tried in &site.tried {
                    th { a href={ "at/" (tried.slug) ".html" } { (tried.name) } }
                }
            } }
            @for chapter in CHAPTERS {
                tbody {
                    tr.chapter { th colspan=(site.tried.len() + 1) {
                        a href=(to_chapter(chapter.name)) { (chapter.name) }
                    } }
                    @for rule in rules().filter(|rule| rule.chapter == chapter.name) {
                        (row(site, rule))
                    }
                }
            }
        } }
    };
    framed("matrix.html", "Matrix: rules and implementations", &body)
}

fn row(site: &Site, rule: &'static Requirement) -> Markup {
    let level = letter(rule);
    html! {
        tr class=(level);
        th; a href=(to_rule(rule.name)) { (rule.name) }
        @for tried in &site.tried { (cell(tried, rule)) }
    }
}

/// The letter by which the script knows the level: MAY and MUST begin alike.
fn letter(rule: &Requirement) -> &'static str {
    match rule.level {
        spec::Level::Must => "M",
        spec::Level::Should => "S",
        spec::Level::May => "Y",
    }
}

fn cell(tried: &Tried, rule: &'static Requirement) -> Markup {
    let (mark, named) = tried.gravest(rule);
    // End tags that may be left out are: there are thousands of cells. Without a class it holds.
    match mark {
        Mark::Pass => html! { td; (mark.glyph()) },
        _ if mark.has_page() => {
            html! { td class=(mark.class()); a href=(to_failure(tried, named)) { (mark.glyph()) } }
        }
        _ => html! { td class=(mark.class()); (mark.glyph()) },
    }
}
