//! A badge: what a project shows of its verdict in its own README.
//!
//! It never says "conforms" of what was not tried to the end.

use maud::html;
use spec::Level;

use super::Page;
use super::data::Tried;
use super::mark::Mark;

/// So wide is a letter of the badge, about.
const LETTER: usize = 7;

/// An image of one line.
pub(super) fn page(tried: &Tried) -> Page {
    let left = "memcached, the law";
    let (right, class) = said(tried);
    let (first, second) = ((left.len() * LETTER) + 12, (right.len() * LETTER) + 12);
    let whole = first + second;
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(whole) height="20" role="img"
            aria-label={ (left) ": " (right) } {
            title { (left) ": " (right) }
            rect width=(first) height="20" rx="3" fill="#3d3a36" {}
            rect x=(first) width=(second) height="20" rx="3" fill=(class) {}
            rect x=(first) width="4" height="20" fill=(class) {}
            g fill="#fff" text-anchor="middle" font-size="11"
                font-family="Verdana,DejaVu Sans,sans-serif" {
                text x=(first / 2) y="14" textLength=(first - 12) { (left) }
                text x=(first + second / 2) y="14" textLength=(second - 12) { (right) }
            }
        }
    };
    Page::new(format!("badges/{}.svg", tried.slug), svg.into_string())
}

/// What it says, and in which colour.
fn said(tried: &Tried) -> (String, &'static str) {
    let counts = tried.count(|rule| rule.level == Level::Must);
    let of = |mark| counts.get(&mark).copied().unwrap_or(0);
    let (holds, broken) = (of(Mark::Pass), of(Mark::Fail) + of(Mark::KnownBug));
    match (tried.report.complete, broken) {
        (false, _) => ("not tried to the end".to_owned(), "#8a8580"),
        (true, 0) => (format!("{holds} MUST hold"), "#1f7a4d"),
        (true, _) => (format!("{holds} MUST hold, {broken} broken"), "#b3392f"),
    }
}
