//! What every page has: the head, the way to the other pages, and the foot.
//!
//! The policy in the head lets nothing run or load but files of ours, and no script that stands in
//! a page, whatever a reply has in it. `file:` is for readers that do not count a folder on disk as
//! one place.

use maud::{DOCTYPE, Markup, html};

use super::Page;

const POLICY: &str = "default-src 'self' file:";

/// A page of the site; its path says how far the root is.
pub(super) fn page(path: &str, title: &str, body: &Markup) -> Page {
    let root = root(path);
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            // The tags of head and body may be left out, and there are thousands of pages.
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width";
            title { (title) }
            link rel="stylesheet" href={ (root) "style.css" };
            script src={ (root) "site.js" } defer {}
            header {
                a.home href={ (root) "index.html" } { "Touchstone" }
                a href={ (root) "matrix.html" } { "Matrix" }
                a href={ (root) "book/index.html" } { "The law" }
            }
            main { (body) }
        }
    };
    Page::new(path, text.into_string())
}

/// The way from a page to the root.
pub(super) fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count())
}

/// The way from the root to a rule.
pub(super) fn to_rule(name: &str) -> String {
    format!("rules/{name}.html")
}

/// The way from the root to where a rule stands in its chapter.
pub(super) fn to_chapter(chapter: &str) -> String {
    format!("book/{}.html", chapter.replace('/', "-"))
}
