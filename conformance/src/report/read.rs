//! Reports read back that `json.rs` wrote.
//!
//! It never guesses: what is no report of ours is refused, with what would be one. Two are compared
//! in `compare.rs`; the site beside this file shows many.

use serde::Deserialize;
use serde_json::Value;

use crate::verdict::Verdict;

/// A report, as `report.schema.json` describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    pub(super) version: String,
    pub(super) law: String,
    pub(super) complete: bool,
    pub(super) seed: u64,
    pub(super) target: String,
    pub(super) dialect: String,
    pub(super) elected: Vec<String>,
    pub(super) conforms: bool,
    pub(super) stale: Vec<(String, String)>,
    /// What became of each case.
    pub results: Vec<Case>,
}

/// A case that was tried, or was to be.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    pub(super) case: String,
    /// The rule that it speaks of.
    pub rule: String,
    /// What it says of it.
    pub verdict: Verdict,
    pub(super) reason: Option<String>,
    pub(super) failure: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    pub(super) expected: String,
    pub(super) received: String,
    pub(super) agreed: Option<usize>,
    #[serde(default)]
    pub(super) shortest: bool,
    #[serde(default)]
    pub(super) transcript: Vec<Said>,
    #[serde(default)]
    pub(super) again: String,
    pub(super) script: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Said {
    pub(super) client: u8,
    pub(super) sent: bool,
    pub(super) bytes: String,
}

impl Report {
    /// Reads a report that `touchstone check --report json=FILE` wrote.
    ///
    /// # Errors
    /// When the text is no such report; the text says why, and what would be one.
    pub fn read(text: &str) -> Result<Report, String> {
        let what = "write one with `touchstone check --report json=FILE`";
        let unlike = |error| format!("this is no JSON report ({error}); {what}");
        let value: Value = serde_json::from_str(text).map_err(unlike)?;
        match value.get("tool").and_then(Value::as_str) {
            Some("touchstone") => serde_json::from_value(value).map_err(unlike),
            Some(other) => Err(format!("this is a report of `{other}`; {what}")),
            None => Err(format!(
                "this is no JSON report (it names no `tool`); {what}"
            )),
        }
    }
}
