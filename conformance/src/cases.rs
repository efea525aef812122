//! Everything there is to try: the law's own examples, the long tail of case files, and the faults.
//!
//! A case file never states a rule: each of its cases names one of the law's. The notation is the
//! law's, in `spec/README.md`; what no notation can say is in `faults/`.

use spec::Requirement;
use spec::exchange::{Exchange, ParseError, cases, examples};

use crate::faults::Fault;

macro_rules! file {
    ($chapter:literal) => {
        (
            concat!("conformance/cases/", $chapter, ".exchange"),
            include_str!(concat!("../cases/", $chapter, ".exchange")),
        )
    };
}

/// The case files, by path: one for each chapter that has a long tail.
const FILES: &[(&str, &str)] = &[
    file!("framing"),
    file!("keys"),
    file!("numbers"),
    file!("expiration"),
    file!("concurrency"),
    file!("storage"),
    file!("retrieval"),
    file!("arithmetic"),
    file!("deletion"),
    file!("touch"),
    file!("flush"),
    file!("meta/flags"),
    file!("meta/noop"),
    file!("meta/get"),
    file!("meta/set"),
    file!("meta/delete"),
    file!("meta/arithmetic"),
    file!("meta/debug"),
    file!("statistics"),
    file!("administration"),
    file!("frames"),
];

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

/// Something that can be tried and judged.
#[derive(Clone, Copy, Debug)]
pub enum Case<'a> {
    /// Bytes that go back and forth.
    Exchange(&'a Exchange),
    /// Something that is done to a running process.
    Fault(&'static Fault),
}

impl Case<'_> {
    /// The rule that it shows.
    #[must_use]
    pub fn requirement(&self) -> &'static Requirement {
        match self {
            Case::Exchange(exchange) => exchange.requirement,
            Case::Fault(fault) => fault.rule,
        }
    }

    /// The file it stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Case::Exchange(exchange) => &exchange.file,
            Case::Fault(_) => "conformance/src/faults",
        }
    }

    /// Where in its file: the line of an exchange, the name of a fault.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Case::Exchange(exchange) => exchange.line.to_string(),
            Case::Fault(fault) => fault.name.to_owned(),
        }
    }

    /// What reports and baselines call it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.file(), self.place())
    }

    /// How much happens in it, where that can be said: the simplest is shown first.
    #[must_use]
    pub fn steps(&self) -> usize {
        match self {
            Case::Exchange(exchange) => exchange.steps.len(),
            Case::Fault(_) => usize::MAX,
        }
    }
}
