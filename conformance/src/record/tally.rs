//! What the judge of a recording found, and how that is shown.
//!
//! What nobody can know is counted by its reason, and never as agreement. How it is found is in
//! `judge/`.

use std::collections::BTreeMap;
use std::fmt;

use crate::refine::Freedom;

/// How much of a request or reply a finding shows.
const SHOWN_MAX: usize = 300;

/// What a judge found.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests answered as the law says.
    pub agreed: u64,
    /// Among them: those for keys that clients shared, which an order explains.
    pub ordered: u64,
    /// Among them: the freedoms taken.
    pub freedoms: BTreeMap<Freedom, u64>,
    /// Requests of which nothing can be said, by reason.
    pub unknown: BTreeMap<&'static str, u64>,
    /// Requests answered as no lawful server answers.
    pub violations: u64,
    /// The first of those.
    pub findings: Vec<Finding>,
}

/// One request that was answered as no lawful server answers.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Who sent it.
    pub client: u8,
    /// What was sent.
    pub request: Vec<u8>,
    /// What the model rules.
    pub ruled: Vec<u8>,
    /// What came.
    pub observed: Vec<u8>,
    /// The rules behind the ruling.
    pub rules: Vec<&'static str>,
    /// Where it is no one reply, but several for one key (the request) that no order explains:
    /// those, drawn.
    pub order: Option<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown: u64 = self.unknown.values().sum();
        write!(
            f,
            "{} requests were answered as the law says, {} were not, of {unknown} nothing is known",
            self.agreed, self.violations
        )?;
        if self.ordered > 0 {
            let ordered = self.ordered;
            write!(
                f,
                "\n  {ordered} were about keys that clients shared; an order explains them"
            )?;
        }
        for (freedom, count) in &self.freedoms {
            write!(f, "\n  {count} took a freedom: {freedom}")?;
        }
        for (reason, count) in &self.unknown {
            write!(f, "\n  {count} unknown: {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |bytes: &[u8]| {
            let (shown, more) = bytes.split_at_checked(SHOWN_MAX).unwrap_or((bytes, &[]));
            let dots = if more.is_empty() { "" } else { "…" };
            format!("{}{dots}", shown.escape_ascii())
        };
        if let Some(order) = &self.order {
            writeln!(f, "the key {}: {}", show(&self.request), order.trim_end())?;
            return write!(f, "    by            {}", self.rules.join(", "));
        }
        writeln!(f, "client {} sent  {}", self.client, show(&self.request))?;
        writeln!(f, "    the law says  {}", show(&self.ruled))?;
        writeln!(f, "    it was told   {}", show(&self.observed))?;
        write!(f, "    by            {}", self.rules.join(", "))
    }
}
