//! The words of a line.
//!
//! Only the space separates them: a tab is a byte like any other.

use super::scan;

/// The next word, and what stands behind it.
#[inline]
fn cut(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = line.iter().position(|&byte| byte != b' ')?;
    let (_, line) = line.split_at_checked(start)?;
    let len = match line {
        // Many numbers and flags are as short as that.
        [_] | [_, b' ', ..] => 1,
        _ => scan::position(line, b' ').unwrap_or(line.len()),
    };
    line.split_at_checked(len)
}

/// The words of a line, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    /// The words of this part of a line.
    pub(crate) const fn of(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Whether there are no more words.
    pub(crate) fn is_empty(self) -> bool {
        self.rest.iter().all(|byte| *byte == b' ')
    }

    /// What has not been read yet.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (word, rest) = cut(self.rest)?;
        self.rest = rest;
        Some(word)
    }
}
