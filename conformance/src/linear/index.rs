//! The operations for one key, laid out for the search: what begins and ends when, and which values
//! somebody still has to find.
//!
//! An operation has a slot while it is open, so that a set of open ones is one word. It never looks
//! at a state.

#![expect(
    clippy::indexing_slicing,
    reason = "all places are made here, and stay within their tables"
)]

use std::collections::HashMap;
use std::iter;

use super::history::{Mixed, NEVER, Op, Reply, Request, Value, Values};
use super::step::{Freedom, Item, State};

/// The place of what is not there.
pub(super) const NONE: u32 = u32::MAX;
/// So many operations for one key may be open at once.
const SLOTS: u32 = 128;
/// So often may a flush that walks come by a key.
const WALKS: usize = 3;
/// What somebody finds that finds nothing.
pub(super) const MISSING: u32 = 0;
/// The mark of an event that is an end.
const END: u32 = 1 << 31;

/// One operation, and where it is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) request: Request,
    pub(super) reply: Reply,
    pub(super) answered: u64,
    client: u16,
    pub(super) slot: u32,
    /// The operation of the same client that takes effect before this one.
    pub(super) before: u32,
    /// The class of values that it finds, and that it leaves.
    pub(super) finds: u32,
    pub(super) leaves: u32,
    /// Whether nobody can say what it leaves.
    is_wild: bool,
}

/// All operations for one key.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) tasks: Vec<Task>,
    /// The moments in their order: a task begins, or ends (with [`END`]).
    events: Vec<u32>,
    times: Vec<(u64, u32)>,
    /// For each event the next one, itself included, that ends a task which found a value.
    finding: Vec<u32>,
    classes: HashMap<u64, u32, Mixed>,
    /// How many, of those without a place in the order, find or leave a value of each class.
    finders: Vec<u32>,
    leavers: Vec<u32>,
    wild: u32,
    pub(super) grows: bool,
}

/// What happens at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Begins(u32),
    Ends(u32),
}

impl Index {
    /// Lays out these operations; false where too many are open at once.
    pub(super) fn fill(
        &mut self,
        ops: &[Op],
        places: &[u32],
        values: &Values,
        free: Freedom,
    ) -> bool {
        self.clear();
        let times = |op: &Op| match op.request {
            Request::Flush if free.walks => WALKS,
            _ => 1,
        };
        let asked = places.iter().map(|place| &ops[*place as usize]);
        let repeated = asked.flat_map(|op| iter::repeat_n(op, times(op)));
        for (number, op) in (0_u32..).zip(repeated) {
            let task = self.task(op, values, free);
            self.tasks.push(task);
            self.count(number, true);
            self.times.push((op.sent, number));
            if op.answered != NEVER {
                self.times.push((op.answered, number | END));
            }
        }
        // At the same moment a beginning comes first: such operations count as concurrent.
        self.times.sort_unstable();
        self.events
            .extend(self.times.iter().map(|(_, event)| event));
        self.link_findings();
        self.open_slots()
    }

    fn link_findings(&mut self) {
        self.finding.resize(self.events.len(), NONE);
        let mut next = NONE;
        for at in (0..self.events.len()).rev() {
            let event = self.events[at];
            let reply = self.tasks[(event & !END) as usize].reply;
            if event & END != 0 && matches!(reply, Reply::Found(..)) {
                next = u32::try_from(at).unwrap_or(NONE);
            }
            self.finding[at] = next;
        }
    }

    fn clear(&mut self) {
        self.tasks.clear();
        self.events.clear();
        self.times.clear();
        self.finding.clear();
        self.classes.clear();
        self.finders.clear();
        self.leavers.clear();
        self.finders.push(0);
        self.leavers.push(0);
        self.wild = 0;
        self.grows = false;
    }

    fn open_slots(&mut self) -> bool {
        let mut free = u128::MAX;
        let mut last: [u32; SLOTS as usize] = [NONE; SLOTS as usize];
        for event in &self.events {
            let number = (event & !END) as usize;
            if event & END != 0 {
                free |= 1 << self.tasks[number].slot;
                continue;
            }
            let slot = free.trailing_zeros();
            if slot == SLOTS {
                return false;
            }
            free &= !(1 << slot);
            self.tasks[number].slot = slot;
            let client = self.tasks[number].client;
            let mut open = !free & !(1 << slot);
            let mut before = NONE;
            while open != 0 {
                let other = last[open.trailing_zeros() as usize];
                open &= open - 1;
                let op = &self.tasks[other as usize];
                // What was never answered may never take effect, so nothing waits for it.
                let same = op.client == client && op.answered != NEVER;
                let earlier = (other as usize) < number && (before == NONE || other > before);
                if same && earlier {
                    before = other;
                }
            }
            self.tasks[number].before = before;
            last[slot as usize] = u32::try_from(number).unwrap_or(NONE);
        }
        true
    }

    fn task(&mut self, op: &Op, values: &Values, free: Freedom) -> Task {
        let told = matches!(op.reply, Reply::Stored | Reply::Untold);
        let is_required = op.answered != NEVER;
        let finds = match op.reply {
            _ if !is_required => NONE,
            Reply::Found(value, _) => self.class(value, values),
            Reply::Miss | Reply::NotFound if !free.forgets => MISSING,
            _ => NONE,
        };
        let leaves = match (op.request, op.reply) {
            (Request::Delete | Request::Flush, Reply::Done | Reply::Untold) => MISSING,
            (_, Reply::NoRoom) => MISSING,
            (Request::Set(value) | Request::Add(value), _) if told => self.class(value, values),
            (Request::Replace(value) | Request::Cas(value, _), _) if told => {
                self.class(value, values)
            }
            (_, Reply::Number(number)) => self.numbered(number),
            _ => NONE,
        };
        let grows = matches!(op.request, Request::Append(_) | Request::Prepend(_)) && told;
        self.grows |= grows;
        let counts = matches!(op.request, Request::Incr(_) | Request::Decr(_));
        Task {
            request: op.request,
            reply: op.reply,
            answered: op.answered,
            client: op.client,
            slot: 0,
            before: NONE,
            finds,
            leaves,
            is_wild: grows || (counts && op.reply == Reply::Untold),
        }
    }

    /// Values that `incr` cannot tell apart are one class: `9` and `9 `.
    fn class(&mut self, value: Value, values: &Values) -> u32 {
        let key = Self::class_key(value, values);
        self.class_of(key)
    }

    fn numbered(&mut self, number: u64) -> u32 {
        self.class_of(number << 1)
    }

    fn class_of(&mut self, key: u64) -> u32 {
        let next = u32::try_from(self.finders.len()).unwrap_or(NONE);
        let class = *self.classes.entry(key).or_insert(next);
        if class == next {
            self.finders.push(0);
            self.leavers.push(0);
        }
        class
    }

    fn class_key(value: Value, values: &Values) -> u64 {
        match values.counted(value) {
            Some(number) => number << 1,
            None => value.place() << 1 | 1,
        }
    }

    /// Counts a task among those without a place in the order, or no longer.
    pub(super) fn count(&mut self, number: u32, is_left: bool) {
        let task = &self.tasks[number as usize];
        let change = |count: &mut u32| {
            *count = if is_left { *count + 1 } else { *count - 1 };
        };
        if task.finds != NONE {
            change(&mut self.finders[task.finds as usize]);
        }
        if task.leaves != NONE {
            change(&mut self.leavers[task.leaves as usize]);
        }
        if task.is_wild {
            change(&mut self.wild);
        }
    }

    /// The class of what a state holds; [`NONE`] where nobody finds or leaves such a value.
    pub(super) fn held(&self, state: State, values: &Values) -> u32 {
        match state.item {
            Item::Absent => MISSING,
            Item::Anything => NONE,
            Item::Present(value) => {
                let key = Self::class_key(value, values);
                self.classes.get(&key).copied().unwrap_or(NONE)
            }
        }
    }

    /// Whether somebody still has to find such a value, and nobody is left to bring it back.
    pub(super) fn is_missed(&self, class: u32) -> bool {
        class != NONE
            && self.wild == 0
            && self.finders[class as usize] > 0
            && self.leavers[class as usize] == 0
    }

    /// Where the next task ends, from here on, that found a value.
    pub(super) fn next_finding(&self, at: usize) -> Option<usize> {
        let next = *self.finding.get(at)?;
        (next != NONE).then_some(next as usize)
    }

    pub(super) fn event(&self, at: usize) -> Option<Event> {
        let event = *self.events.get(at)?;
        Some(match event & END {
            0 => Event::Begins(event),
            _ => Event::Ends(event & !END),
        })
    }
}
