//! Histories of many clients: for each a line of what came of it, and where no order explains what
//! they were told, the requests as lanes.
//!
//! It reads what `touchstone storm --save FILE` wrote, and searches for no order itself.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::Page;
use super::frame::{page as framed, to_rule};
use crate::linear::history::{NEVER, Op};
use crate::storm;

/// What a storm came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// What was stormed, in words.
    pub target: String,
    /// What it came to, in a line.
    pub outcome: String,
    /// What no order explains, where there is such.
    pub refuted: Option<Refuted>,
}

/// Requests for one key that no order explains.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refuted {
    /// The key.
    pub key: String,
    /// The rule that is broken.
    pub rule: String,
    /// What the key held before.
    pub before: String,
    /// The requests, client by client.
    pub lanes: Vec<Lane>,
}

/// A request, from its being sent to its being answered, in steps from one moment to the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lane {
    /// Who asked.
    pub client: u16,
    /// When it was sent.
    pub from: usize,
    /// When it was answered; nothing where it never was, or too late to matter.
    pub to: Option<usize>,
    /// What was asked, and what was told.
    pub said: String,
    /// Whether this is the answer that cannot be explained: the last that was told.
    pub witness: bool,
}

impl Refuted {
    /// The requests that show it, as lanes.
    #[must_use]
    pub fn of(found: &storm::Refuted) -> Refuted {
        let witness = &found.witness;
        let moments = witness.moments();
        let place = |moment| moments.partition_point(|other| *other < moment);
        let told = witness.ops.iter().map(|op| op.answered);
        let last = told.filter(|moment| *moment != NEVER).max();
        let lane = |op: &Op| Lane {
            client: op.client,
            from: place(op.sent),
            to: (op.answered != NEVER).then(|| place(op.answered)),
            said: witness.said(op),
            witness: Some(op.answered) == last,
        };
        Refuted {
            key: found.key.clone(),
            rule: found.rule.name.to_owned(),
            before: witness.before(),
            lanes: witness.ops.iter().map(lane).collect(),
        }
    }
}

impl History {
    /// What a storm of this target came to.
    #[must_use]
    pub fn of(target: String, outcome: &storm::Outcome) -> History {
        let (operations, rounds) = (outcome.operations, outcome.rounds);
        let told = match (&outcome.refuted, outcome.unknown) {
            (Some(_), _) => "no order explains what was told",
            (None, 0) => "for each key there is an order that explains every reply",
            (None, _) => "some keys could not be judged",
        };
        let excused = outcome.excused.iter().map(|(deviation, rounds)| {
            format!("; {rounds} rounds are explained only by {deviation}")
        });
        let excused: String = excused.collect();
        History {
            target,
            outcome: format!("{operations} operations in {rounds} rounds: {told}{excused}"),
            refuted: outcome.refuted.as_ref().map(Refuted::of),
        }
    }

    /// As [`History::read`] reads it.
    #[must_use]
    pub fn written(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers always serialise")
    }

    /// Reads what `touchstone storm --save FILE` wrote.
    ///
    /// # Errors
    /// When the text is nothing of the kind.
    pub fn read(text: &str) -> Result<History, String> {
        serde_json::from_str(text).map_err(|error| {
            format!("this is no history ({error}); write one with `touchstone storm --save FILE`")
        })
    }
}

/// So wide is a step.
const STEP: usize = 44;
/// So high is a lane.
const LANE: usize = 34;
/// So wide is a letter of what stands above a lane, at most.
const LETTER: usize = 8;
/// Where the lanes begin, behind the clients' numbers.
const LEFT: usize = 40;

/// The page of all histories.
pub(super) fn page(histories: &[History]) -> Option<Page> {
    let body = html! {
        h1 { "Histories" }
        p.lead {
            "What one client sees may be right, and what many see wrong. Many clients asked at "
            "once about few keys; for each key an order is looked for that explains every answer."
        }
        @for history in histories {
            section {
                h2 { (history.target) }
                p { @if history.refuted.is_some() { span."m f" { "✗ no order" } }
                    @else { span."m p" { "✓" } } " " (history.outcome) }
                @if let Some(refuted) = &history.refuted { (lanes(refuted)) }
            }
        }
    };
    (!histories.is_empty()).then(|| framed("histories.html", "Histories", &body))
}

fn lanes(refuted: &Refuted) -> Markup {
    let ends = refuted.lanes.iter().filter_map(|lane| lane.to);
    let last = ends
        .chain(refuted.lanes.iter().map(|lane| lane.from))
        .max()
        .unwrap_or(0)
        + 1;
    // What is said of the last is longer than its lane, and is what one came to read.
    let said = { refuted.lanes.iter() }
        .map(|lane| LEFT + lane.from * STEP + words(lane).chars().count() * LETTER);
    let width = said.max().unwrap_or(0).max(LEFT + last * STEP) + 10;
    let height = refuted.lanes.len() * LANE;
    html! {
        p { a href=(to_rule(&refuted.rule)) { (refuted.rule) } ", key " code { (refuted.key) } ": "
            (refuted.before) " no order explains these, time to the right. Marked: the answer that "
            "nothing before it explains." }
        div.wide { svg.lanes width=(width) height=(height) role="img" aria-label="lanes" {
            @for (row, lane) in refuted.lanes.iter().enumerate() {
                @let (top, left) = (row * LANE, LEFT + lane.from * STEP);
                @let end = lane.to.unwrap_or(last);
                @let class = match (lane.witness, lane.to) {
                    (true, _) => "w",
                    (false, None) => "open",
                    (false, Some(_)) => "done",
                };
                text.who x="0" y=(top + 26) { (lane.client) }
                text x=(left) y=(top + 13) { (words(lane)) }
                rect class=(class) x=(left) y=(top + 18) height="10" rx="3"
                    width=((end.saturating_sub(lane.from) * STEP).max(6)) {}
            }
        } }
    }
}

/// What stands above a lane.
fn words(lane: &Lane) -> String {
    let perhaps = if lane.to.is_none() { " (perhaps)" } else { "" };
    let witness = if lane.witness { " ◀" } else { "" };
    format!("{}{perhaps}{witness}", lane.said)
}
