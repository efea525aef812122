//! A failure as files: an exchange that `touchstone replay` plays again, and a script for `nc`.
//!
//! Both are text that anybody may read before running it. It writes nothing; the command line does.

use std::fmt::Write as _;

use spec::exchange::{Action, Direction, Exchange, Failure, Protocol};

use super::failure::describe;
use super::plain::{plain, printf};
use crate::cases::Case;
use crate::ranking::broken;
use crate::verdict::{Judged, Report};

/// A file to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name: that of the rule, and what it is.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// For each broken rule that an exchange shows, its shortest failure as files.
#[must_use]
pub fn kept(report: &Report<'_>) -> Vec<Kept> {
    let mut files = Vec::new();
    for broken in broken(report) {
        let Some(judged) = report.judged.get(broken.index) else {
            continue;
        };
        let (Some(failure), Case::Exchange(written)) = (&judged.failure, judged.case) else {
            continue;
        };
        let exchange = judged.shortest.as_ref().unwrap_or(written);
        let rule = judged.case.requirement().name;
        files.push(Kept {
            name: format!("{rule}.exchange"),
            text: notation(exchange, judged, report),
        });
        if let Some(script) = script(exchange, failure) {
            let text = format!("#!/bin/sh\n{}{script}\n", told(judged, report));
            let name = format!("{rule}.sh");
            files.push(Kept { name, text });
        }
    }
    files
}

/// The failure as a comment.
fn told(judged: &Judged<'_>, report: &Report<'_>) -> String {
    let told = describe(judged, report);
    told.lines()
        .map(|line| format!("# {line}").trim_end().to_owned() + "\n")
        .collect()
}

/// The exchange in the notation, below what came of it.
fn notation(exchange: &Exchange, judged: &Judged<'_>, report: &Report<'_>) -> String {
    told(judged, report) + &exchange.to_string()
}

/// One line for a shell that sends the same bytes; nothing where it takes several connections,
/// or datagrams.
#[must_use]
pub fn script(exchange: &Exchange, failure: &Failure) -> Option<String> {
    let packed = exchange.header.protocols.contains(&Protocol::Udp);
    if packed || exchange.steps.iter().any(|step| step.client != 1) {
        return None;
    }
    let sent = |event: &&spec::exchange::Event| event.direction == Direction::Sent;
    let mut sent = failure.events.iter().filter(sent);
    let mut line = String::from("{ ");
    for step in &exchange.steps {
        match &step.action {
            Action::Send(_) => match sent.next() {
                Some(event) => {
                    let _ = write!(line, "printf {}; ", printf(&event.bytes));
                }
                None => break,
            },
            Action::Pass { seconds } => {
                let _ = write!(line, "sleep {seconds}; ");
            }
            _ => {}
        }
    }
    line.push_str("sleep 1; } | nc \"${HOST:-127.0.0.1}\" \"${PORT:-11211}\"");
    Some(plain(&line))
}
