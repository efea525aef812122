//! What the search knows: every rule with its level and the beginning of its sentence.
//!
//! It is a script, and not data to fetch: a page that is read from disk may fetch nothing.

use super::Page;
use super::data::rules;

/// So much of a sentence is searched and shown.
const SENTENCE_MAX: usize = 90;

/// The script that hands the rules to `site.js`.
pub(super) fn index() -> Page {
    let rules = rules().map(|rule| {
        let sentence: Vec<&str> = rule.sentence.split_whitespace().collect();
        let sentence: String = sentence.join(" ").chars().take(SENTENCE_MAX).collect();
        (rule.name, rule.level.to_string(), sentence)
    });
    let rules: Vec<_> = rules.collect();
    let rules = serde_json::to_string(&rules).expect("words always serialise");
    Page::new("search.js", format!("found({rules})\n"))
}
