//! Lines, tokens and the wish for silence. Law: `spec/framing.md`.
//!
//! A line is split at spaces; nothing here knows a command. The line also remembers which rules its
//! reading rested on, so that whatever ruling it ends in can cite them. It is cut in `session.rs`.

use alloc::vec::Vec;
use core::cell::Cell;

use spec::{Dialect, Requirement, req};

/// A command line, without its end.
pub(crate) struct Line<'a> {
    /// The tokens, the command first; none on an empty line.
    tokens: Vec<&'a [u8]>,
    /// How many bytes it has with its end.
    pub(crate) length_bytes: usize,
    /// Other requests came before it in the same write.
    pub(crate) pipelined: bool,
    /// It asks for silence.
    noreply: Cell<bool>,
    /// The rules its reading rested on so far.
    because: Cell<Vec<&'static Requirement>>,
}

/// How many tokens of a line memcached 1.6.45 looks at in search of `noreply`.
const TOKENS_SEARCHED: usize = 23;

impl<'a> Line<'a> {
    /// Reads what stands before an LF.
    pub(crate) fn read(content: &'a [u8], dialect: &Dialect) -> Line<'a> {
        let mut line = Line {
            tokens: Vec::new(),
            length_bytes: content.len().saturating_add(1),
            pipelined: false,
            noreply: Cell::default(),
            because: Cell::default(),
        };
        let text = line.without_end(content, dialect);
        let tokens = text.split(|byte| *byte == b' ');
        line.tokens = tokens.filter(|token| !token.is_empty()).collect();
        line.note_if(has_idle_spaces(text), req!("framing.spaces"));
        if text.starts_with(b" ") {
            line.lead_with_space(dialect);
        }
        line.noreply
            .set(line.tokens.last().is_some_and(|last| *last == b"noreply"));
        line
    }

    /// Takes the CR off, and, where the dialect does, what a NUL hides.
    fn without_end(&self, content: &'a [u8], dialect: &Dialect) -> &'a [u8] {
        let stripped = content.strip_suffix(b"\r");
        self.note_if(stripped.is_none(), req!("framing.line.bare-lf"));
        let text = stripped.unwrap_or(content);
        self.note_if(text.contains(&b'\r'), req!("framing.line.cr"));
        let is_odd = |byte: &u8| !matches!(byte, b' '..=b'~');
        self.note_if(text.iter().any(is_odd), req!("framing.bytes"));
        let Some(nul) = text.iter().position(|byte| *byte == 0) else {
            return text;
        };
        if dialect.has(req!("framing.nul.ends")) {
            self.note(req!("framing.nul.ends"));
            text.get(..nul).unwrap_or_default()
        } else {
            self.note(req!("framing.nul"));
            text
        }
    }

    /// A space before the command: skipped, or the end of a command word that is empty.
    fn lead_with_space(&mut self, dialect: &Dialect) {
        self.note(req!("framing.leading-space"));
        if dialect.has(req!("framing.leading-space.skipped")) {
            self.note(req!("framing.leading-space.skipped"));
        } else {
            self.note(req!("framing.leading-space.unknown"));
            self.tokens.insert(0, b"");
        }
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
        self.noreply.get()
    }

    /// Settles whether the line asks for silence, now that it is known how many tokens its command
    /// needs: where one of these is due, `noreply` is that one.
    pub(crate) fn settle_noreply(&self, needed: usize, dialect: &Dialect) {
        let (count, asked) = (self.tokens.len(), self.noreply());
        let unseen = req!("framing.noreply.far.unseen");
        if !asked {
            self.explain_no_silence(needed);
        } else if count > TOKENS_SEARCHED && dialect.has(unseen) {
            self.note(unseen);
            self.noreply.set(false);
        } else if count > needed {
            self.note(req!("framing.noreply"));
            self.note_if(count > TOKENS_SEARCHED, req!("framing.noreply.far"));
        } else if count == needed && self.command() == b"verbosity" {
            self.note(req!("administration.verbosity.missing-noreply"));
        } else if count == needed && self.takes_argument_for_noreply(dialect) {
            self.note(req!("framing.noreply.argument"));
        } else {
            self.note(req!("framing.noreply.argument"));
            self.noreply.set(false);
        }
    }

    /// Whether the dialect takes the last argument for `noreply` as well.
    fn takes_argument_for_noreply(&self, dialect: &Dialect) -> bool {
        let deviation = match self.command() {
            b"delete" => req!("framing.noreply.argument.key"),
            _ => req!("framing.noreply.argument.both"),
        };
        self.deviating(dialect, deviation, Some(())).is_some()
    }

    /// What stands behind the arguments looks like `noreply`, but does not ask for silence.
    fn explain_no_silence(&self, needed: usize) {
        let behind = self.arguments_from(needed);
        let earlier = behind.contains(&b"noreply".as_slice());
        self.note_if(earlier, req!("framing.noreply.last"));
        let last = behind.last().copied().unwrap_or_default();
        let similar = last.eq_ignore_ascii_case(b"noreply");
        self.note_if(similar, req!("framing.noreply.exact"));
    }

    /// Whether an unknown command is silent all the same, because the dialect has seen `noreply`.
    pub(crate) fn silences_unknown(&self, dialect: &Dialect) -> bool {
        let silent = req!("framing.noreply.unknown.silent");
        self.note_if(self.noreply(), req!("framing.noreply.unknown"));
        let seen = self.noreply() && self.tokens.len() <= TOKENS_SEARCHED;
        self.deviating(dialect, silent, seen.then_some(()))
            .is_some()
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

/// Whether there are spaces that separate nothing: a second one, or one at the end.
fn has_idle_spaces(text: &[u8]) -> bool {
    text.ends_with(b" ") || text.windows(2).any(|pair| pair == b"  ")
}
