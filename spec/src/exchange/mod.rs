//! Examples of the law as data: what a client sends, and what it must receive.
//!
//! The grammar is in `README.md` beside this crate, and nowhere else. [`examples`] reads the
//! exchanges of the prose, [`cases`] those of a case file; [`replay()`] plays one against a
//! [`Peer`].
//! Nothing here opens a socket: a target is a `Peer`, and lives with whoever judges.

mod parse;
mod replay;
mod template;

pub use parse::{ParseError, cases, examples};
pub use replay::{Direction, Event, Failure, Fence, Peer, Received, replay};
pub use template::{Bindings, Match, Template};

use alloc::string::String;
use alloc::vec::Vec;

use crate::requirement::Requirement;

/// One example: the rule it shows, and the steps that show it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The rule, alternative or deviation that this example shows.
    pub requirement: &'static Requirement,
    /// The file it stands in: `spec/storage.md`.
    pub file: String,
    /// The line of its first step.
    pub line: u32,
    /// What it needs of the server and of whoever replays it.
    pub header: Header,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// What an exchange needs: the words after its opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Command-line options the server must have been started with.
    pub options: String,
    /// The dialects it holds for; none means all.
    pub dialects: Vec<String>,
    /// It changes or reads what all clients share, so nothing else may run beside it.
    pub exclusive: bool,
    /// It ends between two requests, so that a fence can prove silence.
    pub fence: bool,
}

impl Header {
    /// Whether the exchange holds for this dialect.
    #[must_use]
    pub fn holds_for(&self, dialect: &str) -> bool {
        self.dialects.is_empty() || self.dialects.iter().any(|named| named == dialect)
    }
}

/// One step of an exchange, with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the file.
    pub line: u32,
    /// Which client acts; the first is 1.
    pub client: u8,
    /// The step as it is written.
    pub text: String,
    /// What happens.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client sends these bytes in one write.
    Send(Template),
    /// The next bytes the client receives are these.
    Expect(Template),
    /// A later line the client receives is this one; the lines before it are skipped.
    ExpectLater(Template),
    /// The client receives nothing.
    Silent,
    /// The server closes the connection, having sent nothing more.
    Closed,
    /// The client will send nothing more, but still reads.
    HalfClose,
    /// Time passes for everybody.
    Pass {
        /// How much, in seconds.
        seconds: u64,
    },
}
