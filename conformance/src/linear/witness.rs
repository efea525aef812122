//! Why no order explains what clients were told: few operations, drawn as lanes.
//!
//! An operation is left out only where what remains is still a proof: the end, after what cannot be
//! explained; the beginning, with anything under the key instead; and what changed nothing. Of the
//! last, none is left that the proof could do without.

use std::fmt;

use super::history::{NEVER, Op, Reply, Request, Value, Values};
use super::search::{Found, Search};
use super::step::{Freedom, Item, State, is_pure};

/// So many steps are tried to do without some operations; where that is too few, they stay.
const STEPS_MAX: u64 = 50_000;
/// So wide is the picture of the time.
const WIDTH: usize = 48;
/// Beyond so many operations none is tried alone.
const ALONE_MAX: usize = 400;
/// So much of a value is shown.
const SHOWN_MAX: usize = 24;

/// Operations for one key that no order explains.
#[derive(Debug)]
pub struct Witness {
    /// The operations; those that may still have taken effect before or after are never answered.
    pub ops: Vec<Op>,
    /// Whether the beginning was left out.
    pub is_cut: bool,
    /// In which state the key was before.
    pub start: State,
    /// The values that the operations name.
    pub values: Values,
}

impl Witness {
    /// Shortens operations for one key that no order explains, the last of them by this moment.
    pub(super) fn of(
        start: State,
        mut ops: Vec<Op>,
        until: u64,
        values: &mut Values,
        free: Freedom,
    ) -> Witness {
        let mut proof = Proof {
            start,
            values,
            free,
            search: Search::within(Some(STEPS_MAX)),
        };
        let whole = ops.clone();
        ops.retain(|op| op.sent <= until);
        for op in &mut ops {
            if op.answered > until {
                op.answered = NEVER;
            }
        }
        if !proof.refutes(&ops, false) {
            ops = whole;
        }
        let (mut ops, is_cut) = proof.late_start(ops);
        if ops.len() <= ALONE_MAX {
            let mut place = 0;
            while let Some(op) = ops.get(place).copied() {
                ops.remove(place);
                if !(is_pure(op.request, op.reply) && proof.refutes(&ops, is_cut)) {
                    ops.insert(place, op);
                    place += 1;
                }
            }
        }
        ops.sort_by_key(|op| (op.client, op.sent));
        let mut shown = Values::default();
        for op in &mut ops {
            op.request = op.request.moved(proof.values, &mut shown);
            op.reply = op.reply.moved(proof.values, &mut shown);
        }
        let mut start = proof.start_of(is_cut);
        if let Item::Present(value) = start.item {
            start.item = Item::Present(shown.of(&proof.values.bytes(value)));
        }
        Witness {
            ops,
            is_cut,
            start,
            values: shown,
        }
    }
}

struct Proof<'a> {
    start: State,
    values: &'a mut Values,
    free: Freedom,
    search: Search,
}

impl Proof<'_> {
    fn start_of(&self, is_cut: bool) -> State {
        let anything = State {
            item: Item::Anything,
            ..State::default()
        };
        if is_cut { anything } else { self.start }
    }

    fn refutes(&mut self, ops: &[Op], is_cut: bool) -> bool {
        let start = self.start_of(is_cut);
        let places: Vec<u32> = (0_u32..).zip(ops).map(|(place, _)| place).collect();
        let found = self
            .search
            .run_from(start, ops, &places, self.values, self.free);
        matches!(found, Found::NoOrder { .. })
    }

    /// The latest beginning from which it is still a proof, whatever was there before.
    fn late_start(&mut self, ops: Vec<Op>) -> (Vec<Op>, bool) {
        let mut starts: Vec<u64> = ops.iter().map(|op| op.answered).collect();
        starts.sort_unstable();
        let (mut low, mut high) = (0, starts.len());
        let mut best = None;
        while low < high {
            let middle = low.midpoint(high);
            let Some(start) = starts.get(middle) else {
                break;
            };
            let rest = since(&ops, *start);
            if self.refutes(&rest, true) {
                best = Some(rest);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        match best {
            Some(rest) => (rest, true),
            None => (ops, false),
        }
    }
}

/// What was not answered before this moment; what was open then may have had its effect before.
fn since(ops: &[Op], start: u64) -> Vec<Op> {
    let rest = ops.iter().filter(|op| op.answered >= start);
    rest.map(|op| match op.sent < start {
        true => Op {
            answered: NEVER,
            ..*op
        },
        false => *op,
    })
    .collect()
}

impl Witness {
    /// What the key held before, in words.
    #[must_use]
    pub fn before(&self) -> String {
        match self.start.item {
            Item::Anything => "whatever the key held before,".to_owned(),
            Item::Absent => "the key held nothing before, and".to_owned(),
            Item::Present(value) => format!("the key held {} before, and", self.shown(value)),
        }
    }

    /// Each moment at which something was sent or answered, in their order.
    #[must_use]
    pub fn moments(&self) -> Vec<u64> {
        let ends = self.ops.iter().map(|op| op.answered);
        let ends = ends.filter(|end| *end != NEVER);
        let mut moments: Vec<u64> = self.ops.iter().map(|op| op.sent).chain(ends).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// What was asked and what was told.
    #[must_use]
    pub fn said(&self, op: &Op) -> String {
        format!("{} → {}", self.asked(op.request), self.told(op.reply))
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} no order explains these:", self.before())?;
        let moments = self.moments();
        let last = moments.len().max(2) - 1;
        let column = |moment: u64| {
            let rank = moments.partition_point(|other| *other < moment);
            rank.min(last) * (WIDTH - 1) / last
        };
        for op in &self.ops {
            let (from, is_open) = (column(op.sent), op.answered == NEVER);
            let to = if is_open {
                WIDTH - 1
            } else {
                column(op.answered)
            };
            let lane: String = (0..WIDTH)
                .map(|at| match at {
                    at if at < from || at > to => ' ',
                    at if at == from => '├',
                    at if at == to => {
                        if is_open {
                            '…'
                        } else {
                            '┤'
                        }
                    }
                    _ => '─',
                })
                .collect();
            let perhaps = if is_open { " (perhaps)" } else { "" };
            writeln!(f, "  {:>4} {lane} {}{perhaps}", op.client, self.said(op))?;
        }
        Ok(())
    }
}

impl Witness {
    fn shown(&self, value: Value) -> String {
        let bytes = self.values.bytes(value);
        let text = String::from_utf8_lossy(bytes.get(..SHOWN_MAX).unwrap_or(&bytes)).into_owned();
        match bytes.len() {
            0..=SHOWN_MAX => format!("`{text}`"),
            length => format!("`{text}…` of {length} bytes"),
        }
    }

    fn asked(&self, request: Request) -> String {
        match request {
            Request::Get => "get".to_owned(),
            Request::Set(value) => format!("set {}", self.shown(value)),
            Request::Add(value) => format!("add {}", self.shown(value)),
            Request::Replace(value) => format!("replace {}", self.shown(value)),
            Request::Append(value) => format!("append {}", self.shown(value)),
            Request::Prepend(value) => format!("prepend {}", self.shown(value)),
            Request::Cas(value, unique) => format!("cas {} if {unique}", self.shown(value)),
            Request::Incr(delta) => format!("incr {delta}"),
            Request::Decr(delta) => format!("decr {delta}"),
            Request::Delete => "delete".to_owned(),
            Request::Touch => "touch".to_owned(),
            Request::Flush => "flush_all".to_owned(),
        }
    }

    fn told(&self, reply: Reply) -> String {
        match reply {
            Reply::Untold => "nothing was told".to_owned(),
            Reply::Found(value, 0) => self.shown(value),
            Reply::Found(value, unique) => format!("{}, unique {unique}", self.shown(value)),
            Reply::Miss => "no item".to_owned(),
            Reply::Stored => "STORED".to_owned(),
            Reply::NotStored => "NOT_STORED".to_owned(),
            Reply::Exists => "EXISTS".to_owned(),
            Reply::NotFound => "NOT_FOUND".to_owned(),
            Reply::Done => "done".to_owned(),
            Reply::Number(number) => number.to_string(),
            Reply::NotNumeric => "no number".to_owned(),
            Reply::NoRoom => "SERVER_ERROR".to_owned(),
        }
    }
}
