//! What a trial is about: which rules, how strictly, and for how long.
//!
//! Nothing here plays anything; `check.rs` does.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use spec::{Level, Requirement};

/// What is tried beyond the target and the dialect; the default is everything.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The lowest level that is tried.
    pub level: Level,
    /// What the target is declared not to have.
    pub without: Vec<String>,
    /// What the order of play is made of.
    pub seed: u64,
    /// How long it may take.
    pub budget: Option<Duration>,
    /// Whether it is over when something is broken.
    pub fail_fast: bool,
    /// Whether every case must be tried.
    pub certify: bool,
    /// Whether a SHOULD or a MAY that does not hold is a violation too.
    pub strict: bool,
    /// Whether somebody watches, who is shown how far it is.
    pub watched: bool,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            level: Level::May,
            without: Vec::new(),
            seed: 0,
            budget: None,
            fail_fast: false,
            certify: false,
            strict: false,
            watched: false,
        }
    }
}

/// A seed that nobody chose.
#[must_use]
pub fn any_seed() -> u64 {
    RandomState::new().hash_one(0) >> 32
}

/// Whether a name, the beginning of one, or a pattern with `*` means this requirement.
#[must_use]
pub fn selects(selection: &str, requirement: &Requirement) -> bool {
    let name = requirement.name;
    if !selection.contains('*') {
        let beginning = selection.trim_end_matches('.');
        let rest = name.strip_prefix(beginning);
        return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    }
    let whole = selection.strip_suffix(".*");
    whole.is_some_and(|whole| matches(whole, name)) || matches(selection, name)
}

/// `*` stands for any letters, dots among them.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_a_beginning_or_a_pattern() {
        let rule = spec::find("storage.cas.exists").unwrap();
        for selection in [
            "storage",
            "storage.cas",
            "storage.*",
            "*.cas.*",
            "storage*exists",
            "*",
        ] {
            assert!(selects(selection, rule), "{selection}");
        }
        for selection in [
            "stor",
            "storage.ca",
            "cas",
            "*.cas",
            "meta.*",
            "storage.cas.exists.more",
        ] {
            assert!(!selects(selection, rule), "{selection}");
        }
    }
}
