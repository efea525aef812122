//! Looks for an order of all requests for one key that explains every reply.
//!
//! It walks along the moments of the history. When a request is answered that has no place in the
//! order yet, it gets one, after as few of the other open ones as will do; what was tried in vain
//! is remembered. So memory follows what is open at once, not the length of the history. It never
//! says that there is no order because it gave up. What is left of a failure is in `witness.rs`.

#![expect(
    clippy::indexing_slicing,
    reason = "slots are below 128 and tasks come from the index"
)]

use std::collections::HashSet;

use super::history::{Mixed, Op, Reply, Values};
use super::index::{Event, Index, MISSING, NONE, Task};
use super::step::{Freedom, Item, State, is_pure, step};

/// So many steps, and so many more for each operation, before it gives up.
const STEPS_MAX: u64 = 3_000_000;
const STEPS_PER_OP: u64 = 50;
/// So many situations that lead nowhere are remembered.
const DEAD_MAX: usize = 2_000_000;
/// How far ahead somebody is looked for who finds a value.
const AHEAD: usize = 64;

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// An order that explains every reply.
    Order,
    /// That there is none: no order explains all that was answered until then.
    NoOrder {
        /// When the last answer was read that can still not be explained.
        until: u64,
    },
    /// Nothing, and not for lack of an order.
    GaveUp,
}

/// A request that may come next, and what it leaves.
#[derive(Clone, Copy, Debug)]
struct Move {
    score: (u8, u64),
    task: u32,
    state: State,
    class: u32,
}

/// A point of the order to which the search may come back.
#[derive(Clone, Copy, Debug)]
struct Frame {
    at: usize,
    mask: u128,
    state: State,
    class: u32,
    /// What got its place after this point.
    trail_start: usize,
    moves_start: usize,
    next: usize,
}

/// Searches one key after the other with the same memory.
#[derive(Debug, Default)]
pub struct Search {
    /// So many steps before it gives up, where that is not left to it.
    steps_max: Option<u64>,
    index: Index,
    frames: Vec<Frame>,
    moves: Vec<Move>,
    /// What has a place in the order, in that order.
    trail: Vec<u32>,
    dead: HashSet<(usize, u128, State), Mixed>,
    outcomes: Vec<State>,
    open: Vec<u32>,
    open_mask: u128,
    at: usize,
    mask: u128,
    state: State,
    /// The class of what the state holds.
    class: u32,
}

impl Search {
    /// One that gives up after so many steps for each key; otherwise after many.
    #[must_use]
    pub fn within(steps_max: Option<u64>) -> Search {
        Search {
            steps_max,
            ..Search::default()
        }
    }

    /// Judges the operations at these places, which are all of one key that has no item at first.
    pub fn run(&mut self, ops: &[Op], places: &[u32], values: &mut Values, free: Freedom) -> Found {
        self.run_from(State::default(), ops, places, values, free)
    }

    /// The same, from this state.
    pub(super) fn run_from(
        &mut self,
        start: State,
        ops: &[Op],
        places: &[u32],
        values: &mut Values,
        free: Freedom,
    ) -> Found {
        if !self.index.fill(ops, places, values, free) {
            return Found::GaveUp;
        }
        self.begin(start, values);
        let many = STEPS_MAX + STEPS_PER_OP * places.len() as u64;
        let steps_max = self.steps_max.unwrap_or(many);
        let mut furthest = 0;
        for _ in 0..steps_max {
            let Some(due) = self.advance() else {
                return Found::Order;
            };
            furthest = furthest.max(self.at);
            if self.list_moves(due, values, free) {
                continue;
            }
            if !self.take_next() {
                let until = match self.index.event(furthest) {
                    Some(Event::Ends(task)) => self.index.tasks[task as usize].answered,
                    _ => u64::MAX,
                };
                return Found::NoOrder { until };
            }
            if self.dead.len() > DEAD_MAX {
                return Found::GaveUp;
            }
        }
        Found::GaveUp
    }

    fn begin(&mut self, start: State, values: &Values) {
        self.frames.clear();
        self.moves.clear();
        self.trail.clear();
        self.dead.clear();
        self.open.clear();
        self.open.resize(128, NONE);
        self.open_mask = 0;
        (self.at, self.mask, self.state) = (0, 0, start);
        self.class = self.index.held(start, values);
    }

    /// Goes on to the next answer to a request that has no place yet; nothing at the end.
    fn advance(&mut self) -> Option<u32> {
        loop {
            match self.index.event(self.at)? {
                Event::Begins(task) => {
                    let slot = self.index.tasks[task as usize].slot;
                    self.open[slot as usize] = task;
                    self.open_mask |= 1 << slot;
                }
                Event::Ends(task) => {
                    let bit = 1 << self.index.tasks[task as usize].slot;
                    if self.mask & bit == 0 {
                        return Some(task);
                    }
                    self.mask &= !bit;
                    self.open_mask &= !bit;
                }
            }
            self.at += 1;
        }
    }

    /// Goes back to where the last frame stands, and takes back what got its place since.
    fn back(&mut self) {
        let Some(frame) = self.frames.last().copied() else {
            return;
        };
        while self.at > frame.at {
            self.at -= 1;
            match self.index.event(self.at) {
                Some(Event::Begins(task)) => {
                    self.open_mask &= !(1 << self.index.tasks[task as usize].slot);
                }
                Some(Event::Ends(task)) => {
                    let slot = self.index.tasks[task as usize].slot;
                    self.open[slot as usize] = task;
                    self.open_mask |= 1 << slot;
                }
                None => {}
            }
        }
        (self.mask, self.state, self.class) = (frame.mask, frame.state, frame.class);
        for number in self.trail.drain(frame.trail_start..) {
            self.index.count(number, true);
        }
    }

    fn place(&mut self, number: u32) {
        self.index.count(number, false);
        self.trail.push(number);
        self.mask |= 1 << self.index.tasks[number as usize].slot;
    }

    /// Gives a place to all that changes nothing, for nothing is lost when that comes at once; true
    /// where the request that is due is among it. Otherwise opens a frame here with all else that
    /// may come next, what is most likely first.
    fn list_moves(&mut self, due: u32, values: &mut Values, free: Freedom) -> bool {
        let moves_start = self.moves.len();
        let mut is_any_placed = false;
        let mut is_any_blocked = false;
        let mut candidates = self.open_mask & !self.mask;
        while candidates != 0 {
            let number = self.open[candidates.trailing_zeros() as usize];
            candidates &= candidates - 1;
            let task = &self.index.tasks[number as usize];
            if self.is_blocked(task) {
                is_any_blocked = true;
                continue;
            }
            let (request, reply, answered) = (task.request, task.reply, task.answered);
            self.outcomes.clear();
            let out = &mut self.outcomes;
            step(self.state, request, reply, free, values, out);
            self.outcomes.dedup();
            if self.outcomes == [self.state] && is_pure(request, reply) {
                self.place(number);
                is_any_placed = true;
                continue;
            }
            for place in 0..self.outcomes.len() {
                let state = self.outcomes[place];
                self.moves.push(Move {
                    score: (0, answered),
                    task: number,
                    state,
                    class: self.class_after(number, state, values),
                });
            }
        }
        let is_due_placed = self.mask & (1 << self.index.tasks[due as usize].slot) != 0;
        if is_due_placed || (is_any_placed && is_any_blocked) {
            self.moves.truncate(moves_start);
            return true;
        }
        self.open_frame(due, moves_start, values);
        false
    }

    /// Opens a frame here with these moves, unless it is known to lead nowhere.
    fn open_frame(&mut self, due: u32, moves_start: usize, values: &Values) {
        if !self.dead.is_empty() && self.dead.contains(&(self.at, self.mask, self.state)) {
            self.moves.truncate(moves_start);
            self.back();
            return;
        }
        if self.moves.len() > moves_start + 1 {
            let wanted = self.wanted();
            for place in moves_start..self.moves.len() {
                let next = self.moves[place];
                self.moves[place].score.0 = self.rank(next.task == due, &next, wanted, values);
            }
            self.moves[moves_start..].sort_unstable_by_key(|next| next.score);
        }
        self.frames.push(Frame {
            at: self.at,
            mask: self.mask,
            state: self.state,
            class: self.class,
            trail_start: self.trail.len(),
            moves_start,
            next: moves_start,
        });
    }

    /// The class of what a request leaves.
    fn class_after(&self, number: u32, state: State, values: &Values) -> u32 {
        let leaves = self.index.tasks[number as usize].leaves;
        match state.item {
            item if item == self.state.item => self.class,
            Item::Present(_) if leaves != NONE && leaves != MISSING => leaves,
            _ => self.index.held(state, values),
        }
    }

    /// What is answered must come now, unless it spoils the value that is found next.
    fn rank(&self, is_due: bool, next: &Move, wanted: Option<(Item, u32)>, values: &Values) -> u8 {
        let exact = wanted.is_some_and(|(item, _)| item == next.state.item);
        let leads = exact || wanted.is_some_and(|(_, class)| class == next.class);
        let grows = self.index.grows;
        let part = grows && wanted.is_some_and(|(item, _)| is_part(next.state.item, item, values));
        match (is_due, exact, leads, part) {
            (true, true, ..) => 0,
            (true, _, true, _) | (true, _, _, true) => 1,
            (true, ..) if !grows => 2,
            (_, true, ..) => 3,
            (_, _, true, _) | (_, _, _, true) => 4,
            (true, ..) => 5,
            _ => 6,
        }
    }

    /// The value that is found next by somebody who has no place yet, and its class.
    fn wanted(&self) -> Option<(Item, u32)> {
        let mut at = self.index.next_finding(self.at)?;
        while at < self.at + AHEAD
            && let Some(Event::Ends(number)) = self.index.event(at)
        {
            let task = &self.index.tasks[number as usize];
            let is_open = self.open[task.slot as usize] == number;
            let is_placed = self.mask & (1 << task.slot) != 0 && is_open;
            if let (Reply::Found(value, _), false) = (task.reply, is_placed) {
                return Some((Item::Present(value), task.finds));
            }
            at = self.index.next_finding(at + 1)?;
        }
        None
    }

    /// Whether the same client sent something before it that has no place yet.
    fn is_blocked(&self, task: &Task) -> bool {
        if task.before == NONE {
            return false;
        }
        let slot = self.index.tasks[task.before as usize].slot;
        let waits = self.open_mask & !self.mask & (1 << slot) != 0;
        waits && self.open[slot as usize] == task.before
    }

    /// Gives the next request a place, going back where nothing is left to try; false at the end.
    fn take_next(&mut self) -> bool {
        while let Some(frame) = self.frames.last_mut() {
            let Some(chosen) = self.moves.get(frame.next).copied() else {
                let frame = *frame;
                self.moves.truncate(frame.moves_start);
                self.dead.insert((frame.at, frame.mask, frame.state));
                self.frames.pop();
                self.back();
                continue;
            };
            frame.next += 1;
            self.place(chosen.task);
            if chosen.class != self.class && self.index.is_missed(self.class) {
                self.back();
                continue;
            }
            (self.state, self.class) = (chosen.state, chosen.class);
            return true;
        }
        false
    }
}

/// Whether what an item holds may grow into what another holds.
fn is_part(item: Item, whole: Item, values: &Values) -> bool {
    let (Item::Present(part), Item::Present(whole)) = (item, whole) else {
        return false;
    };
    let (part, whole) = (values.bytes(part), values.bytes(whole));
    whole
        .windows(part.len().max(1))
        .any(|window| window == part)
}
