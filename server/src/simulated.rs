//! What a simulation does to a server: it refuses memory, looks on, and sees whether a mistake
//! would be found.
//!
//! A release build has none of this: there `refuses` and `errs` are no at compile time, and nobody
//! looks on. What is asked for here holds for the thread that asks, so that simulations do not
//! disturb one another. How the conversations of a worker are simulated is in `net::simulated`.

pub use crate::store::fault::Fault;

/// Where memory may be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// A segment of the store is not to be had within `-m`.
    Segment,
    /// There is no room for an item, where none may be evicted.
    Room,
    /// The system has no memory for a segment.
    Memory,
    /// The system has no memory for a large value.
    Value,
    /// The room that unfinished blocks share is full.
    Held,
    /// The system has no memory for more of an unfinished block.
    Block,
    /// The system has no memory for a value and what is added to it.
    Joined,
}

/// A mistake that a simulation must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// One of the store's.
    Store(Fault),
    /// What a short write left over is not sent.
    DropsRestOfWrite,
    /// A connection that is gone keeps the room of its unfinished block.
    KeepsHeldRoom,
    /// What is still to come of a refused block is taken for requests.
    ForgetsToSwallow,
    /// A line or a block that does not come is waited for without an end.
    WaitsForEver,
    /// A line that came in pieces is looked at from where the one before it was.
    KeepsScanned,
    /// A refused `set` leaves the item that it was to replace.
    KeepsRefused,
    /// A connection that is gone stays in the list.
    StaysListed,
    /// What time it is, the system is asked each time.
    FollowsWallClock,
    /// A dump ends behind the first items.
    EndsDumpEarly,
    /// The datagrams of an answer begin with the number 1.
    MisnumbersDatagrams,
    /// Who adds to a value is told that it was done where there was no memory for that.
    HidesRefusedJoin,
}

#[cfg(debug_assertions)]
mod armed {
    use std::cell::Cell;
    use std::time::Duration;

    use super::{Mistake, Refusal};

    thread_local! {
        static REFUSAL: Cell<Option<(Refusal, u32)>> = const { Cell::new(None) };
        static MISTAKE: Cell<Option<Mistake>> = const { Cell::new(None) };
        static SECRETS: Cell<Option<[u64; 2]>> = const { Cell::new(None) };
        static WALL_CLOCK: Cell<Option<Duration>> = const { Cell::new(None) };
    }

    /// Refuses memory there, once, after it has been had so many times more.
    pub fn refuse(refusal: Refusal, after: u32) {
        REFUSAL.set(Some((refusal, after)));
    }

    /// What is to be refused, and has not been yet.
    #[must_use]
    pub fn to_be_refused() -> Option<Refusal> {
        REFUSAL.get().map(|(refusal, _)| refusal)
    }

    /// Refuses nothing more.
    pub fn relent() {
        REFUSAL.set(None);
    }

    /// Lets stores know these secrets, so that what they do can be had again.
    pub fn share(secrets: [u64; 2]) {
        SECRETS.set(Some(secrets));
    }

    /// Sets the time of day, since the Unix epoch, that the system shows.
    pub fn set_wall_clock(since_epoch: Duration) {
        WALL_CLOCK.set(Some(since_epoch));
    }

    pub(crate) fn wall_clock() -> Option<Duration> {
        WALL_CLOCK.get()
    }

    pub(crate) fn secrets() -> Option<[u64; 2]> {
        SECRETS.get()
    }

    /// Makes a mistake from now on, or none.
    pub fn make(mistake: Option<Mistake>) {
        MISTAKE.set(mistake);
    }

    pub(crate) fn refuses(refusal: Refusal) -> bool {
        match REFUSAL.get() {
            Some((armed, after)) if armed == refusal => {
                REFUSAL.set(after.checked_sub(1).map(|after| (armed, after)));
                after == 0
            }
            _ => false,
        }
    }

    pub(crate) fn errs(mistake: Mistake) -> bool {
        MISTAKE.get() == Some(mistake)
    }
}

#[cfg(debug_assertions)]
pub(crate) use armed::{errs, refuses, secrets, wall_clock};
#[cfg(debug_assertions)]
pub use armed::{make, refuse, relent, set_wall_clock, share, to_be_refused};

/// Whether a simulation refuses memory there.
#[cfg(not(debug_assertions))]
pub(crate) const fn refuses(_refusal: Refusal) -> bool {
    false
}

/// What a simulation lets stores know.
#[cfg(not(debug_assertions))]
pub(crate) const fn secrets() -> Option<[u64; 2]> {
    None
}

/// The time of day that a simulation wants the system to show.
#[cfg(not(debug_assertions))]
pub(crate) const fn wall_clock() -> Option<std::time::Duration> {
    None
}

/// Whether a simulation wants that mistake to be made.
#[cfg(not(debug_assertions))]
pub(crate) const fn errs(_mistake: Mistake) -> bool {
    false
}
