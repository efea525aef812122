//! Plays a file of exchanges again: a recorded session, a kept failure, cases of one's own.
//!
//! It is a trial like any other; only where the exchanges come from differs. What a session parts
//! over is seldom the rule it stands under, so the model is asked which rules speak there.

use std::collections::BTreeSet;

use model::{Host, Model, Options};
use spec::Dialect;
use spec::exchange::{Action, Exchange, ParseError, Step, cases, replay};

use crate::target::START;

/// The exchanges of a file.
///
/// # Errors
/// When a line is not in the notation, or there is no exchange.
pub fn read(file: &str, text: &str) -> Result<Vec<Exchange>, ParseError> {
    let exchanges = cases(file, text)?;
    if exchanges.is_empty() {
        return Err(ParseError {
            file: file.to_owned(),
            line: 1,
            problem: "there is no exchange: one begins with `r[NAME]`".to_owned(),
        });
    }
    Ok(exchanges)
}

/// The rules by which the model answers the request that was to be answered at this line: what the
/// step there is about. None where the model itself goes another way before that.
#[must_use]
pub fn rules_at(exchange: &Exchange, line: u32, dialect: &Dialect) -> Vec<&'static str> {
    let steps = &exchange.steps;
    let client = steps.iter().find(|step| step.line == line);
    let client = client.map_or(1, |step| step.client);
    let sends = |step: &&Step| step.client == client && matches!(step.action, Action::Send(_));
    let mut before = steps.iter().filter(|step| step.line <= line);
    let Some(request) = before.rfind(sends).map(|step| step.line) else {
        return Vec::new();
    };
    let known = cited(exchange, request.saturating_sub(1), dialect).len();
    let rules = cited(exchange, request, dialect);
    let rules: BTreeSet<_> = rules.into_iter().skip(known).collect();
    rules.into_iter().collect()
}

/// The rules that the model cites up to this line.
fn cited(exchange: &Exchange, until: u32, dialect: &Dialect) -> Vec<&'static str> {
    let options = Options::of(&exchange.header).unwrap_or_default();
    let mut host = Host::new(Model::new(options, dialect.clone()), START);
    let mut part = exchange.clone();
    part.header.fence = false;
    part.steps.retain(|step| step.line <= until);
    let _ = replay(&part, &mut host);
    host.cited().iter().map(|rule| rule.name).collect()
}
