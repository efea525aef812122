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
use super::index::{Event, Index, NONE, Task};
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
}

/// A point of the order to which the search may come back.
#[derive(Clone, Copy, Debug)]
struct Frame {
    at: usize,
    mask: u128,
    state: State,
    moves_start: usize,
    next: usize,
    chosen: u32,
}

/// Searches one key after the other with the same memory.
#[derive(Debug, Default)]
pub struct Search {
    index: Index,
    frames: Vec<Frame>,
    moves: Vec<Move>,
    dead: HashSet<(usize, u128, State), Mixed>,
    outcomes: Vec<State>,
    open: Vec<u32>,
    open_mask: u128,
    at: usize,
    mask: u128,
    state: State,
}

impl Search {
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
        self.frames.clear();
        self.moves.clear();
        self.dead.clear();
        self.open.clear();
        self.open.resize(128, NONE);
        self.open_mask = 0;
        (self.at, self.mask, self.state) = (0, 0, start);
        let steps_max = STEPS_MAX + STEPS_PER_OP * places.len() as u64;
        let mut furthest = 0;
        for _ in 0..steps_max {
            let Some(due) = self.advance() else {
                return Found::Order;
            };
            furthest = furthest.max(self.at);
            let known = !self.dead.is_empty() && self.dead.contains(&self.here());
            if known {
                self.back();
            } else {
                self.list_moves(due, values, free);
            }
            if !self.take_next(values) {
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

    fn here(&self) -> (usize, u128, State) {
        (self.at, self.mask, self.state)
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

    /// Goes back to where a frame stands.
    fn retreat(&mut self, frame: &Frame) {
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
        self.mask = frame.mask;
        self.state = frame.state;
    }

    /// Takes back the last request that got a place.
    fn back(&mut self) {
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        self.retreat(&frame);
        if frame.chosen != NONE {
            let task = self.index.tasks[frame.chosen as usize];
            self.index.count(&task, true);
        }
        frame.chosen = NONE;
        self.frames.push(frame);
    }

    /// Opens a frame here with all that may come next, what is most likely first.
    fn list_moves(&mut self, due: u32, values: &mut Values, free: Freedom) {
        let moves_start = self.moves.len();
        self.frames.push(Frame {
            at: self.at,
            mask: self.mask,
            state: self.state,
            moves_start,
            next: moves_start,
            chosen: NONE,
        });
        let wanted = self.wanted();
        let wanted_class = wanted.map_or(NONE, |item| self.class_of(item, values));
        let mut candidates = self.open_mask & !self.mask;
        while candidates != 0 {
            let number = self.open[candidates.trailing_zeros() as usize];
            candidates &= candidates - 1;
            let task = self.index.tasks[number as usize];
            if self.is_blocked(&task) {
                continue;
            }
            self.outcomes.clear();
            let (request, reply) = (task.request, task.reply);
            step(self.state, request, reply, free, values, &mut self.outcomes);
            self.outcomes.dedup();
            if self.outcomes == [self.state] && is_pure(request, reply) {
                // Nothing is lost when what changes nothing comes at once, and alone.
                self.moves.truncate(moves_start);
                let score = (0, 0);
                self.moves.push(Move {
                    score,
                    task: number,
                    state: self.state,
                });
                return;
            }
            for place in 0..self.outcomes.len() {
                let state = self.outcomes[place];
                let rank = self.rank(number == due, state, wanted, wanted_class, values);
                let score = (rank, task.answered);
                self.moves.push(Move {
                    score,
                    task: number,
                    state,
                });
            }
        }
        self.moves[moves_start..].sort_unstable_by_key(|next| next.score);
    }

    /// What is answered must come now, unless it spoils the value that is found next.
    fn rank(
        &self,
        is_due: bool,
        state: State,
        wanted: Option<Item>,
        class: u32,
        values: &Values,
    ) -> u8 {
        let exact = wanted == Some(state.item);
        let leads = exact || (class != NONE && self.index.held(state, values) == class);
        let part = self.index.grows && wanted.is_some_and(|item| is_part(state.item, item, values));
        match (is_due, exact, leads, part) {
            (true, true, ..) => 0,
            (true, _, true, _) | (true, _, _, true) => 1,
            (true, ..) if !self.index.grows => 2,
            (_, true, ..) => 3,
            (_, _, true, _) | (_, _, _, true) => 4,
            (true, ..) => 5,
            _ => 6,
        }
    }

    /// The value that is found next by somebody who has no place yet.
    fn wanted(&self) -> Option<Item> {
        (self.at..self.at + AHEAD).find_map(|at| {
            let Event::Ends(number) = self.index.event(at)? else {
                return None;
            };
            let task = &self.index.tasks[number as usize];
            let bit = 1 << task.slot;
            let placed = self.mask & bit != 0 && self.open[task.slot as usize] == number;
            match task.reply {
                Reply::Found(value, _) if !placed => Some(Item::Present(value)),
                _ => None,
            }
        })
    }

    fn class_of(&self, item: Item, values: &Values) -> u32 {
        let state = State {
            item,
            ..State::default()
        };
        self.index.held(state, values)
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
    fn take_next(&mut self, values: &Values) -> bool {
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
            let task = self.index.tasks[chosen.task as usize];
            self.index.count(&task, false);
            let held = self.index.held(self.state, values);
            let leaves = self.index.held(chosen.state, values) != held;
            if leaves && self.index.is_missed(held) {
                self.index.count(&task, true);
                continue;
            }
            frame.chosen = chosen.task;
            self.mask |= 1 << task.slot;
            self.state = chosen.state;
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
