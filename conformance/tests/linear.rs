//! The checker of concurrent histories against one that tries every order, and against the model.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "only tests are here"
)]

use conformance::linear::history::{History, NEVER, Op, Reply, Request, Values};
use conformance::linear::step::{Freedom, State, is_pure, step};
use conformance::linear::witness::Witness;
use conformance::linear::{Verdict, explain, judge, judge_within};
use model::{Model, Options, Session, Time};
use spec::Dialect;

/// A stream of numbers that looks random and is the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.0 >> 33) ^ (self.0 >> 47)) % bound
    }
}

/// Whether some order explains it, by trying all of them.
fn brute_force(start: State, ops: &[Op], values: &mut Values, free: Freedom) -> bool {
    fn tries(
        ops: &[Op],
        placed: &mut Vec<usize>,
        state: State,
        values: &mut Values,
        free: Freedom,
    ) -> bool {
        let left = |placed: &Vec<usize>, at: usize| !placed.contains(&at);
        if (0..ops.len()).all(|at| !left(placed, at) || ops[at].answered == NEVER) {
            return true;
        }
        for at in 0..ops.len() {
            let waits = |other: usize| {
                let (first, then) = (&ops[other], &ops[at]);
                let same = first.client == then.client && first.answered != NEVER && other < at;
                left(placed, other) && (first.answered < then.sent || same)
            };
            if !left(placed, at) || (0..ops.len()).any(waits) {
                continue;
            }
            let mut next = Vec::new();
            step(
                state,
                ops[at].request,
                ops[at].reply,
                free,
                values,
                &mut next,
            );
            placed.push(at);
            if next
                .into_iter()
                .any(|state| tries(ops, placed, state, values, free))
            {
                return true;
            }
            placed.pop();
        }
        false
    }
    tries(ops, &mut Vec::new(), start, values, free)
}

const KINDS: u64 = 12;
const LAW: Freedom = Freedom {
    forgets: false,
    walks: false,
    shuffles: false,
    blurs: false,
    moves: false,
};

fn request(kind: u64, argument: u64, values: &mut Values) -> Request {
    let value = values.of([b"9".as_slice(), b"10", b"x"][argument as usize % 3]);
    match kind {
        0 => Request::Set(value),
        1 => Request::Add(value),
        2 => Request::Replace(value),
        3 => Request::Append(value),
        4 => Request::Prepend(value),
        5 => Request::Cas(value, argument),
        6 => Request::Incr(1),
        7 => Request::Decr(1),
        8 => Request::Delete,
        9 => Request::Touch,
        10 => Request::Flush,
        _ => Request::Get,
    }
}

/// A small history that a server could have made, with perhaps a reply changed.
fn small(chance: &mut Chance, free: Freedom) -> History {
    let mut history = History {
        free,
        ..History::default()
    };
    let mut state = State::default();
    let mut unique = 0;
    let mut busy = [0_u64; 4];
    let count = 2 + chance.below(6);
    for moment in 1..=count {
        let client = chance.below(4) as usize;
        let kind = chance.below(KINDS + 4);
        let asked = request(kind, chance.below(4), &mut history.values);
        let replies = replies(state, asked, &mut unique, &mut history.values, free);
        let (told, next) = replies[chance.below(replies.len() as u64) as usize];
        state = next;
        let sent = (moment * 10)
            .saturating_sub(chance.below(40))
            .max(busy[client].saturating_add(1));
        let sent = sent.min(moment * 10);
        let end = moment * 10 + chance.below(40) + 1;
        if busy[client] >= moment * 10 {
            continue;
        }
        busy[client] = end;
        let (answered, reply) = match chance.below(12) {
            0 => {
                busy[client] = NEVER;
                (NEVER, Reply::Untold)
            }
            1 => (end, Reply::Untold),
            _ => (end, told),
        };
        let client = client as u16;
        history.ops.push(Op {
            key: 0,
            client,
            sent,
            answered,
            request: asked,
            reply,
        });
    }
    if chance.below(3) > 0 && !history.ops.is_empty() {
        spoil(&mut history, chance);
    }
    history
}

/// Changes one reply.
fn spoil(history: &mut History, chance: &mut Chance) {
    let at = chance.below(history.ops.len() as u64) as usize;
    let op = history.ops[at];
    let any = [
        Reply::Stored,
        Reply::NotStored,
        Reply::Exists,
        Reply::NotFound,
        Reply::Done,
    ];
    history.ops[at].reply = match op.reply {
        Reply::Found(_, unique) => Reply::Found(history.values.of(b"9"), chance.below(unique + 2)),
        Reply::Miss => Reply::Found(history.values.of(b"10"), 0),
        Reply::Number(number) => Reply::Number(number + 1),
        _ => any[chance.below(5) as usize],
    };
}

/// Each reply that a request may get in a state, and the state after it.
fn replies(
    state: State,
    asked: Request,
    unique: &mut u64,
    values: &mut Values,
    free: Freedom,
) -> Vec<(Reply, State)> {
    *unique += 2;
    let mut told = vec![Reply::Miss, Reply::Stored, Reply::NotStored, Reply::Exists];
    told.extend([Reply::NotFound, Reply::Done, Reply::NotNumeric]);
    let held = match state.item {
        conformance::linear::step::Item::Present(value) => Some(value),
        _ => None,
    };
    if let Some(value) = held {
        let seen = if state.bound { state.unique } else { *unique };
        told.extend([Reply::Found(value, 0), Reply::Found(value, seen)]);
        let number = values.counted(value).unwrap_or(0);
        told.extend([
            Reply::Number(number + 1),
            Reply::Number(number.saturating_sub(1)),
        ]);
    }
    let mut all = Vec::new();
    for reply in told {
        let mut next = Vec::new();
        step(state, asked, reply, free, values, &mut next);
        all.extend(next.into_iter().map(|state| (reply, state)));
    }
    all
}

/// A flush that walks may come by so often.
fn often(ops: &[Op], free: Freedom) -> Vec<Op> {
    let times = |op: &Op| match op.request {
        Request::Flush if free.walks => 3,
        _ => 1,
    };
    let ops = ops.iter();
    ops.flat_map(|op| std::iter::repeat_n(*op, times(op)))
        .collect()
}

/// That the witness shows what it is to show, and nothing could be left out: but for what changed
/// something, which others may have seen. How many operations were tried for that.
fn as_short_as_can_be(witness: &mut Witness, free: Freedom, round: u32) -> usize {
    let mut is_refuted =
        |ops: &[Op]| !brute_force(witness.start, &often(ops, free), &mut witness.values, free);
    assert!(is_refuted(&witness.ops), "round {round}: it shows nothing");
    let is_idle = |op: &&Op| is_pure(op.request, op.reply);
    for (place, op) in witness.ops.iter().enumerate().filter(|(_, op)| is_idle(op)) {
        let mut fewer = witness.ops.clone();
        fewer.remove(place);
        assert!(!is_refuted(&fewer), "round {round}: without {op:?} as well");
    }
    witness.ops.iter().filter(is_idle).count()
}

#[test]
fn it_agrees_with_trying_every_order() {
    let mut chance = Chance(7);
    let (mut yes, mut no, mut unknown, mut needed) = (0, 0, 0, 0);
    for round in 0..10_000 {
        let free = Freedom {
            forgets: round % 4 == 0,
            walks: round % 5 == 0,
            shuffles: round % 3 == 0,
            blurs: round % 7 == 0,
            moves: round % 6 == 0,
        };
        let mut history = small(&mut chance, free);
        let ops = history.ops.clone();
        let ops = often(&ops, free);
        let expected = brute_force(State::default(), &ops, &mut history.values, free);
        let verdict = judge(&mut history);
        let agrees = match &verdict {
            Verdict::Linearizable => expected,
            Verdict::Not(_) => !expected,
            Verdict::Unknown(_) => false,
        };
        assert!(
            agrees,
            "round {round}: {expected}, but {verdict:?} of {ops:?}"
        );
        if let Verdict::Not(refutation) = verdict {
            let mut witness = explain(&mut history, refutation);
            assert!(witness.ops.len() <= ops.len());
            needed += as_short_as_can_be(&mut witness, free, round);
        }
        // Who may not search to the end may not know, but is never wrong.
        match judge_within(&mut history, Some(2)) {
            Verdict::Linearizable => assert!(expected, "round {round}"),
            Verdict::Not(_) => assert!(!expected, "round {round}"),
            Verdict::Unknown(keys) => {
                assert!(!keys.is_empty());
                unknown += 1;
            }
        }
        *(if expected { &mut yes } else { &mut no }) += 1;
    }
    println!("{yes} linearizable, {no} not, {unknown} unknown in two steps");
    assert!(yes > 2_000 && no > 2_000, "{yes} and {no}");
    assert!(unknown > 2_000, "{unknown}");
    assert!(needed > 2_000, "{needed}");
}

/// One reply of the model, as the checker sees it.
fn told(bytes: &[u8], values: &mut Values) -> Reply {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    match lines[0] {
        "END" => Reply::Miss,
        "STORED" => Reply::Stored,
        "NOT_STORED" => Reply::NotStored,
        "EXISTS" => Reply::Exists,
        "NOT_FOUND" => Reply::NotFound,
        "DELETED" | "TOUCHED" | "OK" => Reply::Done,
        line if line.starts_with("CLIENT_ERROR") => Reply::NotNumeric,
        line if line.starts_with("VALUE") => {
            let unique = line.rsplit(' ').next().unwrap().parse().unwrap();
            Reply::Found(values.of(lines[1].as_bytes()), unique)
        }
        line => Reply::Number(line.parse().unwrap()),
    }
}

fn line(asked: Request, values: &Values) -> Vec<u8> {
    let block = |name: &str, value, tail: &str| {
        let data = values.bytes(value);
        let line = format!("{name} k 0 0 {}{tail}\r\n", data.len());
        [line.as_bytes(), &data, b"\r\n"].concat()
    };
    match asked {
        Request::Set(value) => block("set", value, ""),
        Request::Add(value) => block("add", value, ""),
        Request::Replace(value) => block("replace", value, ""),
        Request::Append(value) => block("append", value, ""),
        Request::Prepend(value) => block("prepend", value, ""),
        Request::Cas(value, unique) => block("cas", value, &format!(" {unique}")),
        Request::Incr(delta) => format!("incr k {delta}\r\n").into_bytes(),
        Request::Decr(delta) => format!("decr k {delta}\r\n").into_bytes(),
        Request::Delete => b"delete k\r\n".to_vec(),
        Request::Touch => b"touch k 0\r\n".to_vec(),
        Request::Flush => b"flush_all\r\n".to_vec(),
        Request::Get => b"gets k\r\n".to_vec(),
    }
}

/// Of the replies that say what was done, a step allows no other than this.
fn only_allows(state: State, asked: Request, reply: Reply, values: &mut Values) {
    if matches!(asked, Request::Cas(..)) {
        // What it is told hangs on a unique that may not be known yet.
        return;
    }
    let all = [
        Reply::Stored,
        Reply::NotStored,
        Reply::Exists,
        Reply::NotFound,
    ];
    for other in all.into_iter().filter(|other| *other != reply) {
        let mut wrong = Vec::new();
        step(state, asked, other, LAW, values, &mut wrong);
        assert!(wrong.is_empty(), "{asked:?} → {other:?}");
    }
}

#[test]
fn a_step_allows_what_the_model_rules_and_no_other_kind_of_reply() {
    const LENGTH: u32 = 4;
    let mut values = Values::default();
    let mut alphabet: Vec<Request> = Vec::new();
    for kind in 0..KINDS {
        let arguments = if kind <= 5 { 3 } else { 1 };
        alphabet.extend((0..arguments).map(|n| request(kind, n, &mut values)));
    }
    let mut sequences = 0;
    let count = alphabet.len();
    for number in 0..count.pow(LENGTH) {
        let mut model = Model::new(Options::default(), Dialect::default());
        let mut session = Session::new();
        let mut states = vec![State::default()];
        let mut left = number;
        for _ in 0..LENGTH {
            let asked = alphabet[left % count];
            left /= count;
            let bytes = line(asked, &values);
            let rulings = session.receive(&mut model, &bytes, Time(1_800_000_000));
            let answer: Vec<u8> = rulings.iter().flat_map(|r| r.bytes().to_vec()).collect();
            let reply = told(&answer, &mut values);
            let mut next = Vec::new();
            for state in &states {
                only_allows(*state, asked, reply, &mut values);
                step(*state, asked, reply, LAW, &mut values, &mut next);
            }
            assert!(!next.is_empty(), "{states:?} {asked:?} → {reply:?}");
            states = next;
        }
        sequences += 1;
    }
    println!("{sequences} sequences of {LENGTH} requests out of {count}");
}
