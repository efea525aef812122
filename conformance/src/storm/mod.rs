//! Many clients at once on few keys of any server, and what they were told put before the judge.
//!
//! - [`client`]: one of them: what it asks, and how it takes down the answer.
//! - [`speech`]: how that is said, in text, in meta commands and in frames.
//! - [`disturb`]: what moves the items meanwhile.
//! - `excuse`: what a round is excused for, by a dialect.
//! - [`racy`]: servers that lose a race on purpose, so that a storm can be known to find them.
//!
//! It runs in rounds, each on keys of its own, all moments from one monotonic clock. It never calls
//! a history right that it could not judge. The judge is in `linear/`.

pub mod client;
pub mod disturb;
mod excuse;
pub mod racy;
pub mod speech;

use std::collections::BTreeMap;
use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use spec::{Dialect, Requirement};

use crate::linear::history::{History, NEVER, Op, Request};
use crate::linear::step::Freedom;
use crate::linear::witness::Witness;
use crate::linear::{Verdict, explain};
use crate::target::address::Wire;
use client::{Client, Log};
use disturb::{Disturbed, disturb};
use speech::Speech;

/// How long a round takes.
const ROUND: Duration = Duration::from_millis(400);
/// One round of so many takes longer, and what is stored in it lives for a second.
const FLEETING_EVERY: u64 = 12;
const FLEETING_FIRST: u64 = 2;
const FLEETING_ROUND: Duration = Duration::from_millis(2_400);
const FLEETING_EXPTIME: u32 = 1;
/// Otherwise an item of ours is gone after so many seconds, whatever happens to us.
const EXPTIME: u32 = 600;
/// By then an item of a second is gone, however late the clock of a server ticks.
const OUTLIVED: Duration = Duration::from_secs(3);

/// How a server is stormed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// So many clients at once.
    pub clients: u16,
    /// For so long.
    pub time: Duration,
    /// What the clients' requests are made of.
    pub seed: u64,
    /// What every key begins with.
    pub prefix: String,
    /// Items may vanish: the server is short of memory, or somebody else's.
    pub forgets: bool,
    /// How the server is known to deviate.
    pub dialect: Dialect,
    /// One more client stores so much that items must go.
    pub fills: bool,
    /// The whole cache may be flushed.
    pub flushes: bool,
    /// In some rounds what is stored expires.
    pub expires: bool,
    /// All keys are dumped again and again; where memory is short pages are moved, too.
    pub disturbs: bool,
}

/// What a round is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    round: u64,
    exptime: u32,
}

impl Weather {
    fn of(plan: &Plan, round: u64) -> Weather {
        let fleeting = plan.expires && round % FLEETING_EVERY == FLEETING_FIRST;
        let exptime = if fleeting { FLEETING_EXPTIME } else { EXPTIME };
        Weather { round, exptime }
    }

    fn is_fleeting(self) -> bool {
        self.exptime == FLEETING_EXPTIME
    }

    fn time(self) -> Duration {
        match self.is_fleeting() {
            true => FLEETING_ROUND,
            false => ROUND,
        }
    }
}

/// What came of a storm.
#[derive(Debug, Default)]
pub struct Outcome {
    /// So many requests for a key were judged.
    pub operations: u64,
    /// Of so many rounds.
    pub rounds: u64,
    /// Of them, so many in which what was stored expired.
    pub fleeting: u64,
    /// How the clients spoke.
    pub spoken: Vec<Speech>,
    /// What moved items meanwhile.
    pub disturbed: Disturbed,
    /// How long the judge took for all.
    pub judged: Duration,
    /// So many keys of which nobody knows.
    pub unknown: usize,
    /// That no order explains the replies.
    pub refuted: Option<Refuted>,
    /// So many rounds that only this deviation of the dialect explains, or only several together.
    pub excused: BTreeMap<&'static str, u64>,
    /// Connections that ended, and what for.
    pub broken: Vec<String>,
    /// When it was refuted.
    pub took: Duration,
}

/// What a server was found to do wrong.
#[derive(Debug)]
pub struct Refuted {
    /// The name of the key.
    pub key: String,
    /// The rule that it breaks.
    pub rule: &'static Requirement,
    /// The operations that show it.
    pub witness: Witness,
}

/// Storms the server behind these connections until time is up or it is refuted.
///
/// # Errors
/// When a client cannot connect.
///
/// # Panics
/// When a client panics.
#[expect(clippy::disallowed_methods, reason = "a history is of real time")]
pub fn storm(
    plan: &Plan,
    connect: impl Fn() -> io::Result<Box<dyn Wire>> + Sync,
) -> io::Result<Outcome> {
    let mut outcome = Outcome {
        spoken: speech::spoken(&connect)?,
        ..Outcome::default()
    };
    let start = Instant::now();
    while start.elapsed() < plan.time && outcome.refuted.is_none() {
        let weather = Weather::of(plan, outcome.rounds);
        let logs = round(plan, weather, &connect, start, &mut outcome)?;
        let (mut history, broken) = merge(plan, weather, logs);
        outcome.broken.extend(broken);
        outcome.operations += history.ops.len() as u64;
        let began = Instant::now();
        match excuse::judge(&plan.dialect, &mut history, &mut outcome.excused) {
            Verdict::Linearizable => {}
            Verdict::Unknown(keys) => outcome.unknown += keys.len(),
            Verdict::Not(refutation) => {
                outcome.refuted = Some(Refuted {
                    key: client::key(plan, outcome.rounds, refutation.key),
                    rule: excuse::rule_broken(&mut history, refutation.key),
                    witness: explain(&mut history, refutation),
                });
            }
        }
        outcome.judged += began.elapsed();
        outcome.rounds += 1;
        outcome.took = start.elapsed();
        if weather.is_fleeting() {
            outcome.fleeting += 1;
            thread::sleep(OUTLIVED);
            let mut last = Client::new(plan, 0, weather, Speech::Text, connect()?);
            if !last.finds_nothing()? {
                let problem = "an item was there long after its exptime was over";
                outcome.broken.push(problem.to_owned());
            }
        }
    }
    Ok(outcome)
}

/// Lets all clients ask for a while, and what moves items do so; what they took down.
fn round(
    plan: &Plan,
    weather: Weather,
    connect: &(impl Fn() -> io::Result<Box<dyn Wire>> + Sync),
    start: Instant,
    outcome: &mut Outcome,
) -> io::Result<Vec<Log>> {
    let speech = |number: u16| {
        let turn = usize::from(number) + usize::try_from(weather.round).unwrap_or(0);
        let spoken = &outcome.spoken;
        let speech = spoken.get(turn % spoken.len().max(1));
        speech.copied().unwrap_or(Speech::Text)
    };
    let clients: Vec<Client> = (0..plan.clients + u16::from(plan.fills))
        .map(|number| {
            Ok(Client::new(
                plan,
                number,
                weather,
                speech(number),
                connect()?,
            ))
        })
        .collect::<io::Result<_>>()?;
    let disturber = plan.disturbs.then(connect).transpose()?;
    let barrier = Barrier::new(clients.len());
    let end = start.elapsed() + weather.time();
    let (logs, disturbed) = thread::scope(|scope| {
        let run = |mut client: Client| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                client.run(&|| nanoseconds(start), nanoseconds_of(end));
                client.finish()
            })
        };
        let threads: Vec<_> = clients.into_iter().map(run).collect();
        let is_over = move || start.elapsed() >= end;
        let disturber =
            disturber.map(|wire| scope.spawn(move || disturb(wire, plan.fills, &is_over)));
        let logs = threads.into_iter();
        let logs: Vec<Log> = logs
            .map(|thread| thread.join().expect("no client panics"))
            .collect();
        let disturbed = disturber.map(|thread| thread.join().expect("it does not panic"));
        (logs, disturbed.unwrap_or_default())
    });
    outcome.disturbed.dumps += disturbed.dumps;
    outcome.disturbed.moves += disturbed.moves;
    Ok(logs)
}

fn nanoseconds(start: Instant) -> u64 {
    nanoseconds_of(start.elapsed())
}

fn nanoseconds_of(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER - 1)
}

/// One history of all that the clients took down: a flush is for each key.
fn merge(plan: &Plan, weather: Weather, logs: Vec<Log>) -> (History, Vec<String>) {
    let mut history = History {
        free: Freedom {
            forgets: plan.forgets || weather.is_fleeting(),
            ..Freedom::default()
        },
        ..History::default()
    };
    let mut broken = Vec::new();
    for log in logs {
        broken.extend(log.broken);
        for op in log.ops {
            let request = op.request.moved(&log.values, &mut history.values);
            let reply = op.reply.moved(&log.values, &mut history.values);
            if op.request == Request::Flush {
                history
                    .ops
                    .extend((0..client::KEYS).map(|key| Op { key, ..op }));
            } else {
                history.ops.push(Op {
                    request,
                    reply,
                    ..op
                });
            }
        }
    }
    (history, broken)
}
