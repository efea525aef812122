//! Cases beside each other on one connection, with all that they ask in one write.
//!
//! A server that reads more than one request at a time must answer each as if it had come alone. So
//! cases next to each other, each with keys of its own, become one exchange, whose replies are
//! judged case by case. It is played on the model first: who is ruled otherwise in company is left
//! out. It never blames a case for what its neighbour did: the one that parts first has failed, and
//! the others are tried again without it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use model::Time;
use spec::Dialect;
use spec::exchange::{
    Action, Bindings, Exchange, Failure, Fence, Header, Message, Protocol, Step, cases,
};

use super::prefix::own;
use super::shape::Shape;
use super::{Outcome, START, Target};
use crate::cases::Case;
use crate::interrupt;
use crate::schedule::{self, Turn};

/// So many cases at most are joined.
const TOGETHER_MAX: usize = 8;
/// What one of them sends at most: all of it must fit where a server reads.
const SENT_MAX_BYTES: usize = 2048;
/// Keys from this length on cannot be told apart by a prefix.
const KEY_MAX_BYTES: usize = 64;

/// A case, and the same with keys that no neighbour has.
struct Member<'a> {
    case: &'a Exchange,
    owned: Exchange,
}

/// How cases fail in company, by their names.
#[must_use]
pub fn failures(
    target: &Target,
    dialect: &Dialect,
    exchanges: &[&Exchange],
    fence: Fence,
    jobs: usize,
) -> BTreeMap<String, Box<Failure>> {
    let simple = exchanges.iter().filter(|exchange| is_simple(exchange));
    let members: Vec<Member<'_>> = { simple.enumerate() }
        .filter_map(|(number, exchange)| Member::of(exchange, number))
        .collect();
    let groups: Vec<&[Member<'_>]> = members.chunks(TOGETHER_MAX).collect();
    let found = Mutex::new(BTreeMap::new());
    let any = |_: &&[Member<'_>]| Turn::Any;
    schedule::all(&groups, jobs, 0, any, |group| {
        let failed = tried(target, dialect, group, fence);
        found.lock().expect("nobody panics").extend(failed);
        Outcome::Passed
    });
    found.into_inner().expect("nobody panics")
}

/// Whether it is about one client that asks and is answered, and hangs on nothing else.
fn is_simple(exchange: &Exchange) -> bool {
    let header = &exchange.header;
    let names = |text: &str| text.contains("{unique ") || text.contains("{number ");
    let is_plain = |step: &Step| {
        let asks = match &step.action {
            Action::Send(message) => matches!(message, Message::Text(_)),
            Action::Expect(_) | Action::ExpectAmong(_) | Action::ExpectLater(_) => true,
            Action::Silent => true,
            Action::Closed | Action::HalfClose | Action::Pass { .. } => false,
        };
        asks && step.client == 1 && !names(&step.text)
    };
    let plain = Header {
        dialects: header.dialects.clone(),
        ..Header::default()
    };
    header.protocol(1) == Protocol::Text
        && *header == plain
        && exchange.steps.iter().all(is_plain)
        && sent_bytes(exchange).is_some_and(|sent| sent <= SENT_MAX_BYTES)
}

/// How much it sends, where that is known beforehand.
fn sent_bytes(exchange: &Exchange) -> Option<usize> {
    let Time(now) = START;
    let sent = exchange.steps.iter().map(|step| match &step.action {
        Action::Send(message) => {
            let bytes = message.render(&Bindings::new(), now);
            bytes.ok().map(|bytes| bytes.len())
        }
        _ => Some(0),
    });
    sent.sum()
}

impl<'a> Member<'a> {
    fn of(case: &'a Exchange, number: usize) -> Option<Member<'a>> {
        let owned = own(case, &format!("n{number}-"), false).ok()?;
        let are_short = owned.keys.iter().all(|key| key.len() < KEY_MAX_BYTES);
        are_short.then_some(Member {
            case,
            owned: owned.exchange,
        })
    }
}

/// The members of a group that fail in the company of the others.
fn tried(
    target: &Target,
    dialect: &Dialect,
    group: &[Member<'_>],
    fence: Fence,
) -> Vec<(String, Box<Failure>)> {
    let model = Target::Model(Box::new(dialect.clone()));
    let mut left: Vec<&Member<'_>> = group.iter().collect();
    while let Some((first, _)) = parted(&model, &left, fence) {
        left.remove(first);
    }
    let mut failed = Vec::new();
    while left.len() > 1 && !interrupt::was_heard() {
        // A failure that does not come again was a machine under load.
        let found = parted(target, &left, fence).and_then(|_| parted(target, &left, fence));
        let Some((first, failure)) = found else {
            break;
        };
        let member = left.remove(first);
        failed.push((Case::Exchange(member.case).name(), failure));
    }
    failed
}

/// The first of them that is not answered as written, and how.
fn parted(target: &Target, members: &[&Member<'_>], fence: Fence) -> Option<(usize, Box<Failure>)> {
    let (joined, owners) = joined(members, fence)?;
    let Outcome::Failed(mut failure) = target.play(&joined, Shape::Coalesced, fence) else {
        return None;
    };
    let step = usize::try_from(failure.line).ok()?;
    let (member, line) = *owners.get(step)?;
    failure.line = line;
    Some((member, failure))
}

/// The exchange of all of them. A case reads where it reads alone, so that no request of it is
/// under way behind another: in each round all that they send comes first, then all that they
/// expect. Its lines are numbers of steps; whose each is, and which line it has there, is told too.
fn joined(members: &[&Member<'_>], fence: Fence) -> Option<(Exchange, Vec<(usize, u32)>)> {
    let first = members.first()?;
    let fence = fence_steps(fence)?;
    let parts: Vec<Vec<Round>> = { members.iter() }
        .map(|member| rounds(&member.owned, &fence))
        .collect();
    let (mut steps, mut owners) = (Vec::new(), Vec::new());
    let longest = parts.iter().map(Vec::len).max().unwrap_or_default();
    let mut line = 0..;
    for number in 0..longest {
        for half in [true, false] {
            for (owner, rounds) in parts.iter().enumerate() {
                let round = rounds.get(number);
                let own = round.map(|round| if half { &round.sent } else { &round.expected });
                for step in own.into_iter().flatten() {
                    owners.push((owner, step.line));
                    let line = line.next()?;
                    steps.push(Step {
                        line,
                        ..step.clone()
                    });
                }
            }
        }
    }
    let exchange = Exchange {
        file: format!("{} and its neighbours", first.case.file),
        header: Header::default(),
        steps,
        ..first.case.clone()
    };
    Some((exchange, owners))
}

/// What a case sends until it reads, and what it then expects.
#[derive(Default)]
struct Round {
    sent: Vec<Step>,
    expected: Vec<Step>,
}

/// The rounds of a case. Silence, also that at its end, is a request whose reply comes next.
fn rounds(exchange: &Exchange, fence: &[Step; 2]) -> Vec<Round> {
    let mut rounds = vec![Round::default()];
    let mut add = |step: Step| {
        let sends = matches!(step.action, Action::Send(_));
        if sends && rounds.last().is_none_or(|round| !round.expected.is_empty()) {
            rounds.push(Round::default());
        }
        match rounds.last_mut() {
            Some(round) if sends => round.sent.push(step),
            Some(round) => round.expected.push(step),
            None => {}
        }
    };
    let mut end = 0;
    for step in &exchange.steps {
        end = step.line;
        match &step.action {
            Action::Silent => fence.iter().for_each(|fence| {
                add(Step {
                    line: step.line,
                    ..fence.clone()
                });
            }),
            _ => add(step.clone()),
        }
    }
    for fence in fence {
        add(Step {
            line: end,
            ..fence.clone()
        });
    }
    rounds
}

/// A request that changes nothing, and its reply.
fn fence_steps(fence: Fence) -> Option<[Step; 2]> {
    let text = match fence {
        Fence::Noop => "r[meta.noop.reply]\n> mn\n< MN\n",
        Fence::Miss | Fence::Frame => "r[retrieval.get.miss]\n> get fence\n< END\n",
    };
    let fence = cases("a fence between neighbours", text).expect("it is in the notation");
    fence.into_iter().next()?.steps.try_into().ok()
}
