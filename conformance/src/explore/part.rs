//! What one part of an exploration found, as a file, and several such files as one result.
//!
//! Parts go together when they are of one exploration: the same target, dialect, commands and seed.
//! Whether all of them are there is counted, never assumed. Nothing is judged again here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exhaust::alphabet;
use super::peer::Server;
use super::{Exploration, Failed, Found, reachable};
use crate::verdict::Conclusion;

/// What was explored, in words: parts of the same can be merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What was explored.
    pub target: String,
    /// What it was held to.
    pub dialect: String,
    /// Of how many commands each sequence was, at most; nothing where histories were made.
    pub exhaustive: Option<u8>,
    /// Out of how many commands.
    pub commands: usize,
    /// What made the histories; nothing where all sequences were played.
    pub seed: Option<u64>,
    /// In how many parts.
    pub parts: u64,
}

/// What one part found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is a part of.
    pub of: Subject,
    /// Which part, from 0.
    pub part: u64,
    /// Whether all of this part was played.
    pub complete: bool,
    /// How many histories or sequences were played.
    pub histories: u64,
    /// How many requests were in them.
    pub requests: u64,
    /// How many of them were played alone.
    pub alone: u64,
    /// How long it took.
    pub seconds: f64,
    /// The rules that the model cited.
    pub reached: BTreeSet<String>,
    /// The failures, by their rules, as they were told.
    pub failures: BTreeMap<String, String>,
    /// What was answered otherwise once, and not again, as it was told.
    pub unrepeated: Vec<String>,
    /// Why it was cut short, where the target is to blame.
    pub problem: Option<String>,
}

/// Parts of one exploration together.
#[derive(Debug)]
pub struct Merged {
    of: Subject,
    parts: BTreeMap<u64, Part>,
}

impl Part {
    /// What an exploration found that was exhaustive to this depth, or was not, and took so long;
    /// the failures are told so.
    #[must_use]
    pub fn new(
        exploration: &Exploration,
        exhaustive: Option<u8>,
        found: &Found,
        told: &[String],
        took: Duration,
    ) -> Part {
        let letters = || alphabet(Server::bounds(&exploration.target)).len();
        let rules = found.failures.iter().map(Failed::name);
        let (part, parts) = exploration.shard;
        Part {
            of: Subject {
                target: exploration.target.to_string(),
                dialect: exploration.dialect.name().to_owned(),
                exhaustive,
                commands: exhaustive.map_or(0, |_| letters()),
                seed: exhaustive.is_none().then_some(exploration.seed),
                parts,
            },
            part,
            complete: found.complete,
            histories: found.histories,
            requests: found.requests,
            alone: found.alone,
            seconds: took.as_secs_f64(),
            reached: found
                .reached
                .iter()
                .map(|rule| (*rule).to_owned())
                .collect(),
            failures: rules.map(str::to_owned).zip(told.iter().cloned()).collect(),
            unrepeated: found.unrepeated.iter().map(Failed::seen_once).collect(),
            problem: found.problem.clone(),
        }
    }

    /// Reads what `touchstone explore --save FILE` wrote.
    ///
    /// # Errors
    /// When the text is no such part; the text says why.
    pub fn read(text: &str) -> Result<Part, String> {
        serde_json::from_str(text).map_err(|error| {
            format!("this is no part ({error}); write one with `touchstone explore --save FILE`")
        })
    }

    /// The part as text.
    #[must_use]
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("names and numbers can be written") + "\n"
    }
}

impl Merged {
    /// These parts together.
    ///
    /// # Errors
    /// When there are none, when they are not of one exploration, or when one is there twice.
    pub fn new(all: Vec<Part>) -> Result<Merged, String> {
        let Some(first) = all.first() else {
            return Err("there are no parts to merge".to_owned());
        };
        let of = first.of.clone();
        let mut parts = BTreeMap::new();
        for part in all {
            let name = format!("part {}/{}", part.part, part.of.parts);
            if part.of != of {
                return Err(format!(
                    "{name} is of another exploration: {:?}, not {of:?}",
                    part.of
                ));
            }
            if part.part >= of.parts {
                return Err(format!("there is no {name}"));
            }
            if parts.insert(part.part, part).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
        Ok(Merged { of, parts })
    }

    /// Whether every sequence was played that there is.
    #[must_use]
    pub fn is_exhaustive(&self) -> bool {
        self.missing().is_empty()
            && self.of.exhaustive.is_some()
            && self.parts.values().all(|part| part.complete)
    }

    /// The parts that are not there.
    fn missing(&self) -> Vec<u64> {
        let all = 0..self.of.parts;
        all.filter(|part| !self.parts.contains_key(part)).collect()
    }

    /// The failures of all parts, by their rules.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<&str, &str> {
        let failures = self.parts.values().flat_map(|part| &part.failures);
        let failures = failures.map(|(rule, told)| (rule.as_str(), told.as_str()));
        failures.collect()
    }

    /// What was answered otherwise once in any part, and not again.
    pub fn unrepeated(&self) -> impl Iterator<Item = &str> {
        let all = self.parts.values().flat_map(|part| &part.unrepeated);
        all.map(String::as_str)
    }

    /// The exit code that says what it means.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let conclusion = if !self.failures().is_empty() {
            Conclusion::Violates
        } else if self.parts.values().any(|part| part.problem.is_some()) {
            Conclusion::Crashed
        } else if self.sum(|part| part.requests) == 0 {
            Conclusion::NothingTried
        } else if !self.missing().is_empty() || self.unrepeated().next().is_some() {
            Conclusion::TooLittle
        } else {
            Conclusion::Conforms
        };
        conclusion.exit_code()
    }

    fn sum(&self, of: impl Fn(&Part) -> u64) -> u64 {
        self.parts.values().map(of).sum()
    }

    fn reached(&self) -> BTreeSet<&str> {
        let reached = self.parts.values().flat_map(|part| &part.reached);
        reached.map(String::as_str).collect()
    }

    /// The rules that exchanges show and nothing here reached.
    #[must_use]
    pub fn unreached(&self) -> Vec<&'static str> {
        let reached = self.reached();
        let rules = reachable().map(|rule| rule.name);
        rules.filter(|rule| !reached.contains(rule)).collect()
    }

    /// What was played, in a line.
    fn played(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let histories = self.sum(|part| part.histories);
        let requests = self.sum(|part| part.requests);
        let seconds: f64 = self.parts.values().map(|part| part.seconds).sum();
        let Some(depth) = self.of.exhaustive else {
            let seed = self.of.seed.unwrap_or_default();
            return writeln!(
                f,
                "seed {seed}: {histories} histories, {requests} requests, in {seconds:.1} s"
            );
        };
        let all = match self.is_exhaustive() {
            true => "exhaustive: all",
            false => "not all:",
        };
        writeln!(
            f,
            "{all} {histories} sequences of up to {depth} out of {} commands, each with keys of \
             its own, {requests} requests, in {seconds:.1} s",
            self.of.commands
        )?;
        writeln!(
            f,
            "{:.0} a minute; {} of them ask for what concerns all items, and were played one after \
             the other",
            histories as f64 * 60.0 / seconds.max(f64::MIN_POSITIVE),
            self.sum(|part| part.alone)
        )
    }
}

impl fmt::Display for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing();
        if self.of.parts > 1 {
            let (there, of) = (self.parts.len(), self.of.parts);
            writeln!(f, "{there} of {of} parts; missing: {missing:?}")?;
        }
        self.played(f)?;
        let all = reachable().count();
        let reached = all.saturating_sub(self.unreached().len());
        writeln!(
            f,
            "reached {reached} of the {all} rules that exchanges show"
        )?;
        for problem in self.parts.values().filter_map(|part| part.problem.as_ref()) {
            writeln!(f, "stopped: {problem}")?;
        }
        let once = self.unrepeated().count();
        if once > 0 {
            writeln!(
                f,
                "{once} answered otherwise once, and not when played again: that is no pass"
            )?;
        }
        match self.failures().len() {
            0 if self.sum(|part| part.requests) == 0 => writeln!(f, "nothing was played"),
            0 if once > 0 => Ok(()),
            0 => writeln!(f, "all was answered as the law rules"),
            1 => writeln!(f, "1 was answered otherwise than the law rules"),
            more => writeln!(f, "{more} were answered otherwise than the law rules"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: u64, parts: u64) -> Part {
        Part {
            of: Subject {
                target: "a server".to_owned(),
                dialect: "law".to_owned(),
                exhaustive: Some(2),
                commands: 10,
                seed: None,
                parts,
            },
            part,
            complete: true,
            histories: 55,
            requests: 500,
            alone: 3,
            seconds: 1.5,
            reached: BTreeSet::new(),
            failures: BTreeMap::new(),
            unrepeated: Vec::new(),
            problem: None,
        }
    }

    #[test]
    fn all_parts_together_are_exhaustive_and_one_less_is_not() {
        let merged = Merged::new(vec![part(1, 2), part(0, 2)]).expect("of one");
        assert!(merged.is_exhaustive());
        assert_eq!(merged.exit_code(), 0);
        let told = merged.to_string();
        assert!(
            told.contains("exhaustive: all 110 sequences of up to 2"),
            "{told}"
        );
        let merged = Merged::new(vec![part(1, 2)]).expect("of one");
        assert!(!merged.is_exhaustive());
        assert_eq!(merged.exit_code(), 3);
        assert!(merged.to_string().contains("missing: [0]"));
    }

    #[test]
    fn a_part_that_was_cut_short_is_not_exhaustive() {
        let short = Part {
            complete: false,
            ..part(0, 1)
        };
        let merged = Merged::new(vec![short]).expect("of one");
        assert!(!merged.is_exhaustive());
        assert!(merged.to_string().starts_with("not all: 55 "));
    }

    #[test]
    fn what_is_not_of_one_exploration_is_refused() {
        assert!(Merged::new(Vec::new()).is_err());
        assert!(Merged::new(vec![part(0, 2), part(0, 2)]).is_err());
        assert!(Merged::new(vec![part(0, 2), part(1, 3)]).is_err());
        assert!(Merged::new(vec![part(2, 2)]).is_err());
    }

    #[test]
    fn a_failure_of_one_part_is_one_of_all() {
        let mut failing = part(0, 2);
        let told = ("storage.set.stored".to_owned(), "fail".to_owned());
        failing.failures.extend([told]);
        let merged = Merged::new(vec![part(1, 2), failing]).expect("of one");
        assert_eq!(merged.exit_code(), 1);
        assert_eq!(merged.failures().len(), 1);
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let part = part(0, 2);
        assert_eq!(Part::read(&part.text()), Ok(part));
        assert!(Part::read("{}").is_err());
    }
}
