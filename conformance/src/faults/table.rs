//! The cases that every server must stand, as data: `cases.toml`. What shows a case is named there.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The cases and the vulnerabilities that are known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What is done to a server, by number.
    pub cases: Vec<Row>,
    /// What was found in memcached, each with its class.
    pub vulnerabilities: Vec<Row>,
    /// What the classes are.
    pub classes: BTreeMap<String, String>,
}

/// A case, and what shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its number, where it is a case.
    #[serde(default)]
    pub number: Option<u16>,
    /// What others call it, where it is a vulnerability.
    #[serde(default)]
    pub id: Option<String>,
    /// Of which class that is.
    #[serde(default)]
    pub class: Option<String>,
    /// What it is.
    pub says: String,
    /// The rules whose exchanges show it.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The faults that show it.
    #[serde(default)]
    pub faults: Vec<String>,
    /// The tests that hold what is not on the wire: `FILE:NAME`.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Why nobody shows it.
    #[serde(default)]
    pub lacks: Option<String>,
}

impl Table {
    /// The one that ships.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn shipped() -> Table {
        toml::from_str(include_str!("cases.toml")).expect("a test reads the table")
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.cases.iter().chain(&self.vulnerabilities)
    }
}

impl Row {
    /// What it is called: its number, or what others call it.
    #[must_use]
    pub fn name(&self) -> String {
        let number = self.number.map(|number| number.to_string());
        number.or_else(|| self.id.clone()).unwrap_or_default()
    }

    /// What shows it on the wire: names of rules, and of faults.
    pub fn shown_by(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().chain(&self.faults).map(String::as_str)
    }

    /// Whether that rule or fault shows it.
    #[must_use]
    pub fn names(&self, other: &str) -> bool {
        self.shown_by().any(|name| name == other)
    }
}
