//! Which alternatives a target has elected, found out by trying each one's own examples.
//!
//! The result is a dialect, and the target is held to it like to any other. Deviations are never
//! elected: nobody may elect to break the law.

use spec::exchange::{Exchange, Fence};
use spec::{Dialect, Kind, REQUIREMENTS, Requirement};

use crate::interrupt;
use crate::schedule::{self, Turn};
use crate::target::shape::Shape;
use crate::target::{Outcome, Target};

/// What was elected, and the dialect that follows.
#[derive(Debug)]
pub struct Election {
    /// What the target is held to.
    pub dialect: Dialect,
    /// The alternatives whose examples hold, by name.
    pub elected: Vec<&'static str>,
}

/// Plays every alternative's examples; of each rule's alternatives the first that holds is elected,
/// the law's own where none does.
#[must_use]
pub fn elect(target: &Target, exchanges: &[Exchange], jobs: usize) -> Election {
    let fence = target.fence();
    let ballots: Vec<&Exchange> = exchanges
        .iter()
        .filter(|exchange| exchange.requirement.kind == Kind::Alternative)
        .filter(|exchange| exchange.header.holds_for("law"))
        .collect();
    let turn = |exchange: &&Exchange| match target {
        Target::Foreign(_) => schedule::turn(exchange, true, false),
        _ => Turn::Any,
    };
    let outcomes = schedule::all(&ballots, jobs, 0, turn, |exchange| {
        holds(target, exchange, fence)
    });
    let held = |alternative: &Requirement| {
        let votes = ballots.iter().zip(&outcomes);
        let mut votes = votes
            .filter(|(exchange, _)| exchange.requirement == alternative)
            .peekable();
        votes.peek().is_some() && votes.all(|(_, outcome)| matches!(outcome, Outcome::Passed))
    };
    let mut elected: Vec<&'static str> = Vec::new();
    let mut settled = false;
    for requirement in REQUIREMENTS.iter() {
        match requirement.kind {
            Kind::Rule => settled = false,
            Kind::Alternative if !settled && held(requirement) => {
                settled = true;
                elected.push(requirement.name);
            }
            Kind::Alternative | Kind::Deviation => {}
        }
    }
    let text: String = elected
        .iter()
        .map(|name| format!("elect {name}\n"))
        .collect();
    let text = text + &excuses(&elected, target, exchanges, fence);
    let dialect = Dialect::parse("auto", &text).expect("it names alternatives of the law");
    Election { dialect, elected }
}

fn holds(target: &Target, exchange: &Exchange, fence: Fence) -> Outcome {
    if interrupt::was_heard() {
        return Outcome::Skipped("somebody interrupted the election".to_owned());
    }
    target.play(exchange, Shape::Written, fence)
}

/// Examples that fail only because of what was elected, as the dialects that we ship know, and that
/// do fail here.
fn excuses(
    elected: &[&'static str],
    target: &Target,
    exchanges: &[Exchange],
    fence: Fence,
) -> String {
    let mut text = String::new();
    let dialects = Dialect::shipped_names()
        .into_iter()
        .filter_map(Dialect::shipped);
    let mut seen: Vec<&str> = Vec::new();
    for dialect in dialects {
        for (rule, because) in dialect.excuses() {
            if !elected.contains(&because) || seen.contains(&rule.name) {
                continue;
            }
            seen.push(rule.name);
            let own = exchanges.iter().filter(|exchange| {
                exchange.requirement == rule && exchange.header.holds_for("law")
            });
            let mut played = own.map(|exchange| holds(target, exchange, fence));
            if played.any(|outcome| matches!(outcome, Outcome::Failed(_))) {
                text.push_str(&format!("fails {} because {because}\n", rule.name));
            }
        }
    }
    text
}
