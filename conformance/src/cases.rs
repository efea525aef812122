//! Every exchange there is to play: the law's own examples, then the long tail of case files.
//!
//! A case file never states a rule: each of its cases names one of the law's. The notation is the
//! law's, in `spec/README.md`.

use spec::exchange::{Exchange, ParseError, cases, examples};

/// The case files, by path.
const FILES: [(&str, &str); 1] = [(
    "conformance/cases/storage.exchange",
    include_str!("../cases/storage.exchange"),
)];

/// The examples and the cases, in the law's order and then by file.
///
/// # Errors
/// On the first line that is not in the notation.
pub fn all() -> Result<Vec<Exchange>, ParseError> {
    let mut exchanges = examples()?;
    for (file, text) in FILES {
        exchanges.extend(cases(file, text)?);
    }
    Ok(exchanges)
}
