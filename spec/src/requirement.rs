//! What a marker in the prose becomes.
//!
//! It never holds behaviour: what a rule means is said by its sentence, shown by its exchanges and
//! ruled by the model. The scan that fills these is `scan.rs`.

use core::fmt;

/// One named sentence of the law.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// The permanent name, general to specific: `storage.cas.exists`.
    pub name: &'static str,
    /// Rule, alternative or deviation.
    pub kind: Kind,
    /// How binding it is; an alternative or deviation carries the level of its rule.
    pub level: Level,
    /// What kind of evidence shows it.
    pub witness: Witness,
    /// What kind of difference a deviation is; nothing for whatever else.
    pub class: Option<Class>,
    /// The sentence, as it stands in the prose.
    pub sentence: &'static str,
    /// The chapter it stands in: `storage`, `meta/get`.
    pub chapter: &'static str,
    /// The line of its marker in the chapter's file.
    pub line: u32,
    /// Its place in the whole law, dense from zero; not a name, and not stable.
    pub ordinal: u16,
}

/// What a marker introduces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `r[…]`: what every implementation is held to.
    Rule,
    /// `a[…]`: one of several legitimate ways to satisfy the rule before it.
    Alternative,
    /// `d[…]`: what a known implementation does instead of the rule before it.
    Deviation,
}

/// How binding a rule is. The written rule for levels is in `README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Documented and agreed by all versions, or demanded by safety.
    Must,
    /// Documented, but versions differ.
    Should,
    /// Observed only.
    May,
}

/// The kind of evidence a rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// Shown by an exchange, and cited by the model when that is replayed.
    Exchange,
    /// Judged over a history of concurrent clients.
    History,
    /// Checked on a running process: sockets, signals, memory, limits.
    Process,
}

/// Why an implementation deviates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It contradicts what it documents, or itself, or harms whoever relies on it.
    Bug,
    /// No document says what is to happen, and it does something else.
    Undocumented,
    /// Its versions speak differently; an older one does not know what came later.
    Dialect,
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        self.ordinal == other.ordinal
    }
}

impl Eq for Requirement {}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Bug => "bug",
            Class::Undocumented => "undocumented",
            Class::Dialect => "dialect",
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        })
    }
}
