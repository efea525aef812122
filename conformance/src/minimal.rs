//! Makes a failing exchange as short as it can be: without any one of its requests it would no
//! longer fail, or no longer be an example of the law.
//!
//! The model says whether what is left is still lawful, the target whether it still fails at the
//! same step; so nothing is thrown away that the failure needs. Requests are tried from the last to
//! the first, in one order, and a fixed number of times: the same server gives the same transcript.
//! It never changes a verdict.

use spec::exchange::{Action, Exchange, Failure};

/// How often one exchange is played again at most.
pub const PLAYS_MAX: usize = 48;

/// The shortest part of the exchange that fails alike, and how; nothing where it is as short as it
/// can be, or where the law's own ruling is not what the exchange says.
pub fn minimal(
    exchange: &Exchange,
    failure: &Failure,
    lawful: impl Fn(&Exchange) -> bool,
    mut play: impl FnMut(&Exchange) -> Option<Box<Failure>>,
) -> Option<(Exchange, Box<Failure>)> {
    if requests(exchange).iter().max() == Some(&0) || !lawful(exchange) {
        return None;
    }
    let mut shortest: Option<(Exchange, Box<Failure>)> = None;
    let mut plays = 0;
    loop {
        let from = shortest.as_ref().map_or(exchange, |(shorter, _)| shorter);
        let last = requests(from).into_iter().max().unwrap_or(0);
        let mut shrunk = false;
        for request in (0..=last).rev() {
            let from = shortest.as_ref().map_or(exchange, |(shorter, _)| shorter);
            let Some(shorter) = without(from, request, failure.line) else {
                continue;
            };
            if !lawful(&shorter) {
                continue;
            }
            plays += 1;
            if plays > PLAYS_MAX {
                return shortest;
            }
            let alike =
                |again: &Failure| again.line == failure.line && again.expected == failure.expected;
            if let Some(again) = play(&shorter).filter(|again| alike(again)) {
                shortest = Some((shorter, again));
                shrunk = true;
            }
        }
        if !shrunk {
            return shortest;
        }
    }
}

/// For each step, which request it belongs to: what is sent, and what is said to it.
fn requests(exchange: &Exchange) -> Vec<usize> {
    let mut open = [None; 256];
    let mut next = 0;
    let mut begin = || {
        next += 1;
        next - 1
    };
    let steps = exchange.steps.iter().map(|step| {
        let client = open.get_mut(usize::from(step.client));
        match (&step.action, client) {
            (Action::Send(_), Some(client)) => {
                let request = begin();
                *client = Some(request);
                request
            }
            (Action::Pass { .. }, _) | (_, None) => begin(),
            (_, Some(client)) => *client.get_or_insert_with(&mut begin),
        }
    });
    steps.collect()
}

/// The exchange without this request; nothing where that is what fails, or all there is.
fn without(exchange: &Exchange, request: usize, failing: u32) -> Option<Exchange> {
    let belongs = requests(exchange);
    let mut shorter = exchange.clone();
    let mut of = belongs.iter();
    shorter.steps.retain(|_| of.next() != Some(&request));
    let fails = shorter.steps.iter().any(|step| step.line == failing);
    fails.then_some(shorter)
}
