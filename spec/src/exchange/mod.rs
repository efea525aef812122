//! Examples of the law as data: what a client sends, and what it must receive.
//!
//! The grammar is in `README.md` beside this crate, and nowhere else. [`examples`] reads the
//! exchanges of the prose, [`cases`] those of a case file; [`replay()`] plays one against a
//! [`Peer`].
//! Nothing here opens a socket: a target is a `Peer`, and lives with whoever judges.

mod binary;
mod datagram;
mod parse;
mod replay;
mod shown;
mod template;
mod written;

pub use binary::Frame;
pub use datagram::Datagram;
pub use parse::{ParseError, cases, examples};
pub use replay::{Direction, Event, Failure, Fence, Peer, Received, replay};
pub use shown::frames;
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
    /// What it shows hangs on how its bytes are cut into writes: nobody may cut or join them.
    pub exact_writes: bool,
    /// Whom the server must know, each as `name:password`.
    pub users: Vec<String>,
    /// What the first client speaks, the second and so on; the last stands for all after it.
    pub protocols: Vec<Protocol>,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Lines and data blocks.
    #[default]
    Text,
    /// Frames.
    Binary,
    /// Either, over UDP.
    Udp,
}

/// What an exchange needs that says nothing: any server, one client that speaks text.
impl Default for Header {
    fn default() -> Header {
        Header {
            options: String::new(),
            dialects: Vec::new(),
            exclusive: false,
            fence: true,
            exact_writes: false,
            users: Vec::new(),
            protocols: Vec::new(),
        }
    }
}

impl Header {
    /// Whether the exchange holds for this dialect.
    #[must_use]
    pub fn holds_for(&self, dialect: &str) -> bool {
        self.dialects.is_empty() || self.dialects.iter().any(|named| named == dialect)
    }

    /// What this client speaks; text, unless the header says otherwise.
    #[must_use]
    pub fn protocol(&self, client: u8) -> Protocol {
        let nth = usize::from(client.saturating_sub(1));
        let named = self.protocols.get(nth).or(self.protocols.last());
        named.copied().unwrap_or_default()
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
    /// The client sends this in one write.
    Send(Message),
    /// The next bytes the client receives are these.
    Expect(Message),
    /// This line or frame is among those that the next [`Action::ExpectLater`] skips, in any order.
    ExpectAmong(Message),
    /// A later line or frame the client receives is this one; those before it are skipped.
    ExpectLater(Message),
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

/// What is sent or expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Bytes, or lines.
    Text(Template),
    /// Binary frames, one behind the other; one, where it is expected.
    Frames(Vec<Frame>),
    /// A datagram.
    Datagram(Datagram),
}

impl Message {
    /// The bytes to send.
    ///
    /// # Errors
    /// When a hole has nothing to be filled with.
    pub fn render(&self, bindings: &Bindings, now: u64) -> Result<Vec<u8>, String> {
        match self {
            Message::Text(template) => template.render(bindings, now),
            Message::Datagram(datagram) => datagram.render(bindings, now),
            Message::Frames(frames) => {
                let mut bytes = Vec::new();
                for frame in frames {
                    bytes.extend(frame.render(bindings, now)?);
                }
                Ok(bytes)
            }
        }
    }

    /// Compares with what was received, from its first byte.
    pub fn compare(&self, received: &[u8], bindings: &mut Bindings, now: u64) -> Match {
        match self {
            Message::Text(template) => template.compare(received, bindings, now),
            Message::Datagram(datagram) => datagram.compare(received, bindings, now),
            Message::Frames(frames) => match frames.as_slice() {
                [frame] => frame.compare(received, bindings, now),
                _ => Match::No(0),
            },
        }
    }

    /// Where the line or frame ends that stands first in what was received, if it is all there.
    fn end_of_first(&self, received: &[u8]) -> Option<usize> {
        match self {
            Message::Text(_) => {
                let line = received.split_inclusive(|byte| *byte == b'\n').next();
                line.filter(|line| line.ends_with(b"\n")).map(<[u8]>::len)
            }
            Message::Frames(_) => binary::next(received),
            Message::Datagram(_) => datagram::next(received),
        }
    }
}

impl core::fmt::Display for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Message::Text(template) => template.fmt(f),
            Message::Datagram(datagram) => datagram.fmt(f),
            Message::Frames(frames) => frames.iter().try_for_each(|frame| frame.fmt(f)),
        }
    }
}
