//! Servers that are known to be wrong, so that the suite can be known to see it.
//!
//! Each liar is the model with one lie, or has no content at all; its lie is a few lines beside its
//! sentence, in the file of what it corrupts. A suite that lets one of them pass is vacuous there.
//! No liar is wrong in two ways, and none opens a socket: `serve.rs` does that for authors who want
//! to see their own tests fail.
//!
//! Start at [`Lie`], the ways to be wrong, then read any file of liars.

mod arithmetic;
mod content_free;
mod frames;
mod framing;
mod line;
mod peer;
mod replies;
mod requests;
mod state;
mod time;

use model::Ruling;
use spec::Requirement;

pub use line::Line;
pub use peer::Server;

/// A server that is known to be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Liar {
    /// What to call it: `touchstone check --liar NAME`.
    pub name: &'static str,
    /// What it does wrong, in one sentence.
    pub does: &'static str,
    /// The rule one would expect to catch it.
    pub caught_by: &'static Requirement,
    /// How it lies.
    pub lie: Lie,
}

/// A way to be wrong.
#[derive(Clone, Copy, Debug)]
pub enum Lie {
    /// It knows nothing: every write is answered with these bytes, or the connection closed.
    Answers(fn(&[u8]) -> Option<Vec<u8>>),
    /// It mishears: the command line is changed before it is obeyed.
    Hears(fn(&mut Line)),
    /// It misspeaks: the ruling is changed before it is said.
    Says(fn(&Line, &mut Ruling)),
    /// It mixes up the replies to one write.
    Sends(fn(&mut Vec<Vec<u8>>)),
    /// After an error it throws away another number of bytes.
    Swallows(fn(u64) -> u64),
    /// It says the right thing and does another: these commands instead of the request.
    Does(fn(&Done) -> Option<Vec<u8>>),
    /// It answers these lines from the state before the latest change.
    Lags(fn(&Line) -> bool),
    /// At the end of a write it forgets the request that is not yet whole.
    Forgets,
    /// Before a data block is whole it says nothing, of earlier requests either.
    HoldsBack,
    /// Every client has items of its own.
    Isolates,
}

/// A request that was ruled.
#[derive(Debug)]
pub struct Done<'a> {
    /// Its line.
    pub line: &'a Line,
    /// Its bytes: the line, and the data block where there was one.
    pub request: &'a [u8],
    /// The ruling.
    pub ruling: &'a Ruling,
    /// The keys that were stored before it, the oldest first.
    pub keys: &'a [Vec<u8>],
}

/// All liars, by what they corrupt.
pub const LIARS: [&[Liar]; 8] = [
    content_free::LIARS,
    framing::LIARS,
    requests::LIARS,
    replies::LIARS,
    state::LIARS,
    time::LIARS,
    arithmetic::LIARS,
    frames::LIARS,
];

/// Every liar.
pub fn liars() -> impl Iterator<Item = &'static Liar> {
    LIARS.into_iter().flatten()
}

/// The liar of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Liar> {
    liars().find(|liar| liar.name == name)
}

impl Liar {
    /// Whether it answers without having understood a word.
    #[must_use]
    pub fn is_content_free(&self) -> bool {
        matches!(self.lie, Lie::Answers(_))
    }
}
