//! The ways in which a client of a storm can ask: classic text, meta, binary.
//!
//! All ask the same of the same keys, so that what one stored another reads. Each says how a
//! request is written and what its answer means, in the words of `linear/history.rs`; none judges
//! it.

mod binary;
mod meta;
mod text;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use crate::linear::history::{Reply, Request, Values};
use crate::target::address::Wire;

/// How long a server may take to say whether it speaks so.
const PROBE_MAX: Duration = Duration::from_secs(5);

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// The classic commands.
    Text,
    /// The meta commands; what has none of them is asked as text.
    Meta,
    /// Frames.
    Binary,
}

/// A request, and the name of its key.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) request: Request,
}

/// What all the requests of one write share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Nothing is to be answered, but for the fence behind it.
    pub(super) quiet: bool,
    /// What is stored or touched expires then.
    pub(super) exptime: u32,
}

/// Which of them the server behind these connections understands.
///
/// # Errors
/// When it cannot be connected to.
pub fn spoken(connect: impl Fn() -> io::Result<Box<dyn Wire>>) -> io::Result<Vec<Speech>> {
    let mut spoken = vec![Speech::Text];
    for (speech, probe, answer) in [
        (Speech::Meta, Speech::Meta.fence(), b"MN"),
        // With a line end behind it, for a server that reads lines.
        (
            Speech::Binary,
            [binary::noop(), b"\r\n".to_vec()].concat(),
            &[0x81, 0x0a],
        ),
    ] {
        let mut wire = connect()?;
        wire.patience(PROBE_MAX, PROBE_MAX);
        let mut begun = [0; 2];
        // A server that ends the connection does not speak so.
        let asked = wire.write_all(&probe).and_then(|()| wire.flush());
        let read = asked.and_then(|()| wire.read_exact(&mut begun));
        if read.is_ok() && begun == *answer {
            spoken.push(speech);
        }
    }
    Ok(spoken)
}

impl Speech {
    /// The bytes of these requests, several only of `get`, and a fence behind those that are quiet.
    pub(super) fn write(self, asked: &[Asked], manner: Manner, values: &Values) -> Vec<u8> {
        let mut bytes = match self.for_all(asked) {
            Speech::Text => text::write(asked, manner, values),
            Speech::Meta => meta::write(asked, manner, values),
            Speech::Binary => binary::write(asked, manner, values),
        };
        if manner.quiet {
            bytes.extend(self.fence());
        }
        bytes
    }

    /// What they were answered, one for each.
    pub(super) fn read(
        self,
        hearing: &mut Hearing<'_>,
        asked: &[Asked],
        manner: Manner,
    ) -> io::Result<Vec<Reply>> {
        if manner.quiet {
            // What was sent without a reply is done when something behind it is answered.
            while !self.passes_fence(hearing)? {}
            return Ok(vec![Reply::Untold; asked.len()]);
        }
        match self.for_all(asked) {
            Speech::Text => text::read(hearing, asked),
            Speech::Meta => meta::read(hearing, asked),
            Speech::Binary => binary::read(hearing, asked),
        }
    }

    /// How these are asked: there is no meta command that flushes.
    fn for_all(self, asked: &[Asked]) -> Speech {
        let flushes = asked.iter().any(|asked| asked.request == Request::Flush);
        match self {
            Speech::Meta if flushes => Speech::Text,
            speech => speech,
        }
    }

    /// What is answered, whatever there is.
    fn fence(self) -> Vec<u8> {
        match self {
            Speech::Text => b"version\r\n".to_vec(),
            Speech::Meta => b"mn\r\n".to_vec(),
            Speech::Binary => binary::noop(),
        }
    }

    /// Whether the next that is heard is the answer to the fence.
    fn passes_fence(self, hearing: &mut Hearing<'_>) -> io::Result<bool> {
        Ok(match self {
            Speech::Text => hearing.line()?.starts_with("VERSION"),
            Speech::Meta => hearing.line()? == "MN",
            Speech::Binary => binary::is_noop(hearing)?,
        })
    }
}

/// What a client hears from, and where it keeps the values that it hears.
pub(super) struct Hearing<'a> {
    pub(super) wire: &'a mut BufReader<Box<dyn Wire>>,
    pub(super) values: &'a mut Values,
}

impl Hearing<'_> {
    fn line(&mut self) -> io::Result<String> {
        line(self.wire)
    }

    fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.wire.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// A data block of that length, and its end.
    fn block(&mut self, line: &str, length: &str) -> io::Result<Vec<u8>> {
        let length: usize = length.parse().map_err(|_| strange(line))?;
        let mut data = self.bytes(length + 2)?;
        if !data.ends_with(b"\r\n") {
            return Err(strange(&format!("{line} and a block of another length")));
        }
        data.truncate(length);
        Ok(data)
    }
}

/// One line, without its end.
pub(super) fn line(wire: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    wire.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::Error::other("the connection ended")),
    }
}

fn strange(line: &str) -> io::Error {
    io::Error::other(format!("a reply that nobody expects: `{line}`"))
}
