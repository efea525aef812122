//! Lines and tokens. Law: `spec/framing.md`.
//!
//! A line is cut at the first LF and split at spaces; nothing here knows a command. The line also
//! remembers which rules its reading rested on, so that whatever ruling it ends in can cite them.

use alloc::vec::Vec;
use core::cell::Cell;

use spec::{Dialect, Requirement, req};

/// A command line, without its end.
#[derive(Default)]
pub(crate) struct Line<'a> {
    /// The tokens, the command first; none on an empty line.
    tokens: Vec<&'a [u8]>,
    /// The rules its reading rested on so far.
    because: Cell<Vec<&'static Requirement>>,
}

impl Line<'_> {
    /// Cuts the first line off the input; with it comes how many bytes it took.
    pub(crate) fn cut(input: &[u8]) -> Option<(Line<'_>, usize)> {
        let end = input.iter().position(|byte| *byte == b'\n')?;
        let content = input.get(..end)?;
        let stripped = content.strip_suffix(b"\r");
        let tokens = stripped.unwrap_or(content).split(|byte| *byte == b' ');
        let line = Line {
            tokens: tokens.filter(|token| !token.is_empty()).collect(),
            because: Cell::default(),
        };
        line.note_if(stripped.is_none(), req!("framing.line.bare-lf"));
        Some((line, end.saturating_add(1)))
    }

    /// The command word; empty on an empty line.
    pub(crate) fn command(&self) -> &[u8] {
        self.argument(0).unwrap_or_default()
    }

    /// The n-th token; the command is token 0.
    pub(crate) fn argument(&self, n: usize) -> Option<&[u8]> {
        self.tokens.get(n).copied()
    }

    /// The tokens from the n-th on.
    pub(crate) fn arguments_from(&self, n: usize) -> &[&[u8]] {
        self.tokens.get(n..).unwrap_or_default()
    }

    /// Whether the line asks for silence: its last token says so.
    pub(crate) fn noreply(&self) -> bool {
        self.tokens.last().is_some_and(|last| *last == b"noreply")
    }

    /// Remembers a rule that the reading of this line rested on: its ruling will cite it.
    pub(crate) fn note(&self, rule: &'static Requirement) {
        let mut because = self.because.take();
        because.push(rule);
        self.because.set(because);
    }

    /// Remembers the rule where it was decisive.
    pub(crate) fn note_if(&self, decisive: bool, rule: &'static Requirement) {
        if decisive {
            self.note(rule);
        }
    }

    /// Nothing, by this rule.
    pub(crate) fn refusing<T>(&self, rule: &'static Requirement) -> Option<T> {
        self.note(rule);
        None
    }

    /// What a deviation reads, where there is something and the dialect has it.
    pub(crate) fn deviating<T>(
        &self,
        dialect: &Dialect,
        deviation: &'static Requirement,
        read: Option<T>,
    ) -> Option<T> {
        let read = read.filter(|_| dialect.has(deviation));
        self.note_if(read.is_some(), deviation);
        read
    }

    /// The rules noted so far, for the ruling.
    pub(crate) fn because(&self) -> Vec<&'static Requirement> {
        self.because.take()
    }
}
