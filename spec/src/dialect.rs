//! Which alternatives an implementation elects, and where it is known to deviate.
//!
//! A dialect never adds behaviour of its own: each of its words names an alternative or a deviation
//! that stands in the prose, with its transcript. The files are in `dialects/`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::chapters::{CHAPTERS, NAMES, REQUIREMENTS, find};
use crate::requirement::{Kind, Requirement};

const WORDS: usize = NAMES.div_ceil(64);

/// Alternatives elected and deviations known, as data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dialect {
    name: String,
    holds: [u64; WORDS],
    fails: Vec<(&'static str, &'static str)>,
}

/// What a dialect leads one to expect of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It passes.
    Held,
    /// It fails, for this known deviation or elected alternative.
    Excused(&'static str),
    /// It shows an alternative or a deviation that this dialect does not have.
    NotElected,
}

/// A line of a dialect file that says nothing the law knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialectError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what is accepted.
    pub problem: String,
}

impl core::fmt::Display for DialectError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl core::error::Error for DialectError {}

impl Default for Dialect {
    /// The law itself: of each rule the alternative that stands first, and no deviation.
    fn default() -> Self {
        let mut law = Dialect {
            name: "law".to_owned(),
            holds: [0; WORDS],
            fails: Vec::new(),
        };
        for chapter in CHAPTERS {
            let mut elected = false;
            for requirement in chapter.requirements {
                match requirement.kind {
                    Kind::Rule => elected = false,
                    Kind::Alternative if !elected => {
                        law.set(requirement, true);
                        elected = true;
                    }
                    Kind::Alternative | Kind::Deviation => {}
                }
            }
        }
        law
    }
}

impl Dialect {
    /// The dialect of memcached 1.6.45.
    pub const MEMCACHED_1_6_45: &str = include_str!("../dialects/memcached-1.6.45.dialect");
    /// The dialect of memcached 1.6.18.
    pub const MEMCACHED_1_6_18: &str = include_str!("../dialects/memcached-1.6.18.dialect");

    /// The dialect that ships under this name: `law`, `memcached-1.6.45`, `memcached-1.6.18`.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Dialect> {
        let text = match name {
            "law" => return Some(Dialect::default()),
            "memcached-1.6.45" => Self::MEMCACHED_1_6_45,
            "memcached-1.6.18" => Self::MEMCACHED_1_6_18,
            _ => return None,
        };
        Some(Dialect::parse(name, text).expect("a test parses the shipped dialects"))
    }

    /// The names `shipped` knows.
    #[must_use]
    pub fn shipped_names() -> [&'static str; 3] {
        ["law", "memcached-1.6.45", "memcached-1.6.18"]
    }

    /// Reads a dialect: lines of `elect NAME`, `deviate NAME`, `fails RULE because NAME`, `# …`.
    ///
    /// # Errors
    /// On the first line that is none of these or names what the law does not have.
    pub fn parse(name: &str, text: &str) -> Result<Dialect, DialectError> {
        let mut dialect = Dialect {
            name: name.to_owned(),
            ..Dialect::default()
        };
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let problem = match words.as_slice() {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                ["elect", name] => dialect.elect(name),
                ["deviate", name] => dialect.deviate(name),
                ["fails", rule, "because", name] => dialect.fail(rule, name),
                _ => Err(
                    "write `elect NAME`, `deviate NAME`, `fails RULE because NAME` \
                          or a `#` comment"
                        .to_owned(),
                ),
            };
            problem.map_err(|problem| DialectError {
                line: number,
                problem,
            })?;
        }
        Ok(dialect)
    }

    /// What the dialect is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this alternative is elected, or this deviation known. A rule always holds here:
    /// whether an example of it may fail is what [`Dialect::excuse`] says.
    #[must_use]
    #[inline]
    pub fn has(&self, requirement: &Requirement) -> bool {
        let (word, bit) = place(requirement);
        requirement.kind == Kind::Rule || self.holds.get(word).is_some_and(|held| held & bit != 0)
    }

    /// Why an example of this rule fails under this dialect: the name of the deviation or
    /// alternative that makes it.
    #[must_use]
    pub fn excuse(&self, rule: &Requirement) -> Option<&'static str> {
        let listed = self.fails.iter().find(|(failing, _)| *failing == rule.name);
        listed.map(|(_, because)| *because).or_else(|| {
            variants(rule)
                .find(|variant| variant.kind == Kind::Deviation && self.has(variant))
                .map(|variant| variant.name)
        })
    }

    /// What this dialect leads one to expect of an example of this requirement.
    #[must_use]
    pub fn standing(&self, requirement: &Requirement) -> Standing {
        if !self.has(requirement) {
            return Standing::NotElected;
        }
        let excuse = (requirement.kind == Kind::Rule)
            .then(|| self.excuse(requirement))
            .flatten();
        excuse.map_or(Standing::Held, Standing::Excused)
    }

    /// Every rule with an excuse, and the excuse.
    pub fn excuses(&self) -> impl Iterator<Item = (&'static Requirement, &'static str)> + '_ {
        REQUIREMENTS
            .iter()
            .filter(|requirement| requirement.kind == Kind::Rule)
            .filter_map(|rule| Some((rule, self.excuse(rule)?)))
    }

    fn elect(&mut self, name: &str) -> Result<(), String> {
        let elected = known(name, Kind::Alternative, "an alternative")?;
        for other in variants(rule_of(elected)) {
            if other.kind == Kind::Alternative {
                self.set(other, other == elected);
            }
        }
        Ok(())
    }

    fn deviate(&mut self, name: &str) -> Result<(), String> {
        self.set(known(name, Kind::Deviation, "a deviation")?, true);
        Ok(())
    }

    fn fail(&mut self, rule: &str, because: &str) -> Result<(), String> {
        let rule = known(rule, Kind::Rule, "a rule")?;
        let because = find(because)
            .filter(|variant| variant.kind != Kind::Rule && self.has(variant))
            .ok_or_else(|| {
                format!(
                    "`{because}` is no alternative or deviation of this dialect (name it above)"
                )
            })?;
        self.fails.push((rule.name, because.name));
        Ok(())
    }

    fn set(&mut self, requirement: &Requirement, held: bool) {
        let (word, bit) = place(requirement);
        if let Some(word) = self.holds.get_mut(word) {
            *word = if held { *word | bit } else { *word & !bit };
        }
    }
}

fn place(requirement: &Requirement) -> (usize, u64) {
    let ordinal = usize::from(requirement.ordinal);
    (ordinal / 64, 1 << (ordinal % 64))
}

fn known(name: &str, kind: Kind, what: &str) -> Result<&'static Requirement, String> {
    match find(name) {
        Some(found) if found.kind == kind => Ok(found),
        Some(_) => Err(format!("`{name}` is not {what}")),
        None => Err(format!("the law has no name `{name}`")),
    }
}

/// The rule an alternative or deviation stands under: the last one before it.
fn rule_of(variant: &'static Requirement) -> &'static Requirement {
    REQUIREMENTS
        .iter()
        .take_while(|requirement| requirement.ordinal <= variant.ordinal)
        .filter(|requirement| requirement.kind == Kind::Rule)
        .last()
        .unwrap_or(variant)
}

/// The alternatives and deviations that stand under a rule.
fn variants(rule: &Requirement) -> impl Iterator<Item = &'static Requirement> {
    REQUIREMENTS
        .iter()
        .skip(usize::from(rule.ordinal) + 1)
        .take_while(|requirement| requirement.kind != Kind::Rule)
}
