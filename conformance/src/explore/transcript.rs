//! A history as an exchange of the law: what was sent, and what the model owes for it.
//!
//! Where the next run may differ there is a hole, so that anybody can play it again on any server.
//! It takes the model's word for everything; what a server said is for whoever plays the exchange.

use spec::exchange::{Exchange, cases};
use spec::{Kind, Requirement};

use super::history::FIRST_BINARY;
use super::play::Said;
use crate::record::Notation;
use crate::record::requests::Request;

/// The exchange, under this rule; nothing where the notation has no words for it.
#[must_use]
pub fn exchange(
    said: &[Said],
    rule: &Requirement,
    file: &str,
    exact_times: bool,
) -> Option<Exchange> {
    let mut notation = Notation::new(None).with_exact_times(exact_times);
    let steps: String = said.iter().map(|said| step(&mut notation, said)).collect();
    let kind = match rule.kind {
        Kind::Rule => 'r',
        Kind::Alternative => 'a',
        Kind::Deviation => 'd',
    };
    let text = format!("{kind}[{}]{}\n{steps}", rule.name, header(said));
    cases(file, &text).ok()?.pop()
}

/// What the exchange needs of whoever plays it.
fn header(said: &[Said]) -> String {
    let mut words = String::new();
    let sent = || {
        said.iter().filter_map(|said| match said {
            Said::Sent(client, requests, ..) => Some((*client, requests.concat())),
            _ => None,
        })
    };
    let concerns_all = |(client, bytes): (u8, Vec<u8>)| match client {
        FIRST_BINARY.. => matches!(bytes.get(1), Some(0x08 | 0x18)),
        _ => bytes.starts_with(b"flush_all") || bytes.starts_with(b"verbosity"),
    };
    if sent().any(concerns_all) {
        words.push_str(" exclusive");
    }
    if sent().any(|(client, _)| client >= FIRST_BINARY) {
        words.push_str(" protocol=text,text,binary");
    }
    words
}

/// What happened, as steps.
fn step(notation: &mut Notation, said: &Said) -> String {
    match said {
        Said::Passed(seconds) => notation.pass(*seconds),
        Said::Silent(client) => notation.end(*client, "silent"),
        Said::Closed(client) => notation.end(*client, "closed"),
        Said::Owed(client @ FIRST_BINARY.., bytes) => notation.whole_frames(*client, "<", bytes),
        Said::Owed(client, bytes) => {
            notation.reply(*client, bytes);
            notation.rest(*client);
        }
        Said::Sent(client, requests, _, Some(cut)) => {
            let bytes = requests.concat();
            let (beginning, rest) = bytes.split_at(*cut.min(&bytes.len()));
            for piece in [beginning, rest]
                .into_iter()
                .filter(|piece| !piece.is_empty())
            {
                notation.frames(*client, ">>", piece);
            }
        }
        Said::Sent(client @ FIRST_BINARY.., requests, ..) => {
            notation.whole_frames(*client, ">", &requests.concat());
        }
        Said::Sent(client, requests, now, None) => return sent(notation, *client, requests, *now),
    }
    notation.take()
}

/// What was sent in one write, as one step.
fn sent(notation: &mut Notation, client: u8, requests: &[Vec<u8>], now: u64) -> String {
    let mut lines = requests.iter().map(|request| {
        notation.request(client, &Request::new(request.clone()), now);
        notation.take()
    });
    if let [_] = requests {
        return lines.next().unwrap_or_default();
    }
    let joined = lines.map(|line| {
        let (_, text) = line
            .trim_end_matches('\n')
            .split_once(' ')
            .unwrap_or_default();
        let end = if line.contains(">> ") { "" } else { "\\r\\n" };
        format!("{text}{end}")
    });
    let client = if client == 1 {
        String::new()
    } else {
        client.to_string()
    };
    format!("{client}>> {}\n", joined.collect::<String>())
}
