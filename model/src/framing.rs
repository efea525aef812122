//! Lines and tokens. Law: `spec/framing.md`.
//!
//! A line is cut at the first LF and split at spaces; nothing here knows a command.

use alloc::vec;
use alloc::vec::Vec;

use spec::{Requirement, req};

/// A command line, without its end.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The tokens, the command first; empty for an empty line.
    tokens: Vec<Vec<u8>>,
    /// How it was framed, where a rule speaks of that.
    pub(crate) because: Vec<&'static Requirement>,
}

impl Line {
    /// Cuts the first line off the input; with it comes how many bytes it took.
    pub(crate) fn cut(input: &[u8]) -> Option<(Line, usize)> {
        let end = input.iter().position(|byte| *byte == b'\n')?;
        let content = input.get(..end)?;
        let (content, because) = match content.strip_suffix(b"\r") {
            Some(content) => (content, vec![]),
            None => (content, vec![req!("framing.line.bare-lf")]),
        };
        let tokens = content
            .split(|byte| *byte == b' ')
            .filter(|token| !token.is_empty());
        let tokens = tokens.map(<[u8]>::to_vec).collect();
        Some((Line { tokens, because }, end.saturating_add(1)))
    }

    /// The command word; empty on an empty line.
    pub(crate) fn command(&self) -> &[u8] {
        self.argument(0).unwrap_or_default()
    }

    /// The n-th token; the command is token 0.
    pub(crate) fn argument(&self, n: usize) -> Option<&[u8]> {
        self.tokens.get(n).map(Vec::as_slice)
    }

    /// The tokens from the n-th on.
    pub(crate) fn arguments_from(&self, n: usize) -> &[Vec<u8>] {
        self.tokens.get(n..).unwrap_or_default()
    }

    /// Whether the line asks for silence: its last token says so.
    pub(crate) fn noreply(&self) -> bool {
        self.tokens.last().is_some_and(|last| last == b"noreply")
    }
}
