//! The liars' table: servers that are known to be wrong, and which rules saw it.
//!
//! It shows that a verdict means something. It plays nothing: `selftest.rs` does.

use maud::html;

use super::Page;
use super::frame::{page as framed, to_rule};
use crate::selftest::SelfTest;

/// One liar and what became of it.
#[derive(Clone, Debug)]
pub struct LiarRow {
    name: &'static str,
    does: &'static str,
    expected: &'static str,
    rules: usize,
    caught: bool,
}

impl LiarRow {
    /// What the suite made of each liar.
    #[must_use]
    pub fn all(tested: &SelfTest<'_>) -> Vec<LiarRow> {
        let rows = tested.rows.iter().map(|row| LiarRow {
            name: row.liar.name,
            does: row.liar.does,
            expected: row.liar.caught_by.name,
            rules: row.caught_by.len(),
            caught: row.is_caught(),
        });
        rows.collect()
    }
}

/// The table, where the liars were tried.
pub(super) fn page(rows: &[LiarRow]) -> Option<Page> {
    let caught = rows.iter().filter(|row| row.caught).count();
    let body = html! {
        h1 { "The liars" }
        p.lead {
            "A suite that cannot fail says nothing. These servers are wrong on purpose, each in "
            "one way; " (caught) " of " (rows.len()) " were caught by the rule one would expect."
        }
        div.wide { table.plain {
            thead { tr { th { "liar" } th { "what it does" } th { "expected to break" }
                th.n { "rules broken" } th { "caught" } } }
            tbody { @for row in rows {
                tr {
                    td { code { (row.name) } }
                    td { (row.does) }
                    td { a href=(to_rule(row.expected)) { (row.expected) } }
                    td.n { (row.rules) }
                    td { @if row.caught { span."m p" { "✓ yes" } }
                        @else { span."m f" { "✗ no" } } }
                }
            } }
        } }
    };
    (!rows.is_empty()).then(|| framed("liars.html", "The liars", &body))
}
