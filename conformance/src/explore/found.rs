//! What an exploration found, as something to read and to keep.
//!
//! A failure is shown as a failure of `check` is: the same report, the same files. Nothing is
//! judged here.

use super::history::Step;
use super::play::Difference;
use super::{Exploration, Failed, Found};
use crate::cases::Case;
use crate::report::describe;
use crate::target::Outcome;
use crate::verdict::{Conclusion, Judged, Report};

impl Found {
    /// The failures that are exchanges, as a report; these arguments try the same target.
    #[must_use]
    pub fn report(&self, exploration: &Exploration, arguments: String) -> Report<'_> {
        let exchanges = self
            .failures
            .iter()
            .filter_map(|failed| failed.exchange.as_ref());
        Report {
            target: exploration.target.to_string(),
            arguments,
            again: None,
            dialect: exploration.dialect.name().to_owned(),
            seed: exploration.seed,
            judged: exchanges
                .map(|(exchange, failure)| {
                    let outcome = Outcome::Failed(failure.clone());
                    Judged::new(Case::Exchange(exchange), outcome, None)
                })
                .collect(),
            elected: Vec::new(),
            certify: false,
            strict: false,
            cut_short: false,
            unreachable: None,
            stale: Vec::new(),
        }
    }

    /// Adds what another part of the same exploration found.
    pub fn absorb(&mut self, other: Found) {
        self.histories += other.histories;
        self.requests += other.requests;
        self.alone += other.alone;
        self.complete &= other.complete;
        self.reached.extend(other.reached);
        for failed in other.failures {
            self.add(failed);
        }
        self.unrepeated.extend(other.unrepeated);
        self.problem = self.problem.take().or(other.problem);
    }

    /// Adds a failure, where none by its rule is known.
    pub(super) fn add(&mut self, failed: Failed) {
        let rule = |failed: &Failed| failed.difference.rule().map(|rule| rule.name);
        let is_known = |known: &Failed| rule(known) == rule(&failed);
        if !self.failures.iter().any(is_known) {
            self.failures.push(failed);
        }
    }

    /// The exit code that says what it means.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let conclusion = if !self.failures.is_empty() {
            Conclusion::Violates
        } else if self.problem.is_some() {
            Conclusion::Crashed
        } else if self.requests == 0 {
            Conclusion::NothingTried
        } else if !self.unrepeated.is_empty() {
            Conclusion::TooLittle
        } else {
            Conclusion::Conforms
        };
        conclusion.exit_code()
    }
}

impl Failed {
    /// A history as it was played, and where it parted.
    pub(super) fn unreduced(history: &[Step], difference: Difference) -> Failed {
        Failed {
            history: history.to_vec(),
            difference,
            minimal: false,
            exchange: None,
        }
    }

    /// What was seen once, in few words.
    #[must_use]
    pub fn seen_once(&self) -> String {
        format!(
            "unsure  {}\n    it was answered otherwise once, and not when the same was played \
             again\n{}",
            self.name(),
            self.difference.told()
        )
    }

    /// The name of the rule that decided what was owed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let rule = self.difference.rule();
        rule.map_or("no rule", |rule| rule.name)
    }

    /// The failure in full, as the report has it; in few words where it is none of its exchanges.
    #[must_use]
    pub fn told(&self, report: &Report<'_>) -> String {
        let own = self.exchange.as_ref().map(|(exchange, _)| exchange);
        let judged = report.judged.iter().find(|judged| match judged.case {
            Case::Exchange(exchange) => own.is_some_and(|own| std::ptr::eq(own, exchange)),
            Case::Fault(_) => false,
        });
        let mut text = match judged {
            Some(judged) => describe(judged, report),
            None => self.in_few_words(),
        };
        text.push_str(&self.waits());
        if !self.minimal {
            text.push_str("    it may not be as short as it could be\n");
        }
        text
    }

    /// The steps, where time passes between them: what was said does not show that.
    fn waits(&self) -> String {
        let steps = self
            .exchange
            .iter()
            .flat_map(|(exchange, _)| &exchange.steps);
        if !self
            .history
            .iter()
            .any(|step| matches!(step, Step::Pass(_)))
        {
            return String::new();
        }
        let lines = steps.map(|step| format!("      {}\n", step.text));
        format!("    while time passes:\n{}", lines.collect::<String>())
    }

    fn in_few_words(&self) -> String {
        format!(
            "fail  {}\n    it is answered otherwise in a history that no exchange shows:\n    \
             {:?}\n{}",
            self.name(),
            self.history,
            self.difference.told()
        )
    }
}

impl Difference {
    fn told(&self) -> String {
        let (ruled, seen) = (self.ruled.escape_ascii(), self.seen.escape_ascii());
        format!("    expected {ruled}\n    received {seen}\n")
    }
}
