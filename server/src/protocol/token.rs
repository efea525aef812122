//! The words of a line.
//!
//! Only the space separates them: a tab is a byte like any other.

use nom::bytes::complete::{take_till1, take_while};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// The next word.
pub(super) fn token(line: &[u8]) -> IResult<&[u8], &[u8]> {
    preceded(
        take_while(|byte| byte == b' '),
        take_till1(|byte| byte == b' '),
    )
    .parse(line)
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

    /// What has not been read yet.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (rest, word) = token(self.rest).ok()?;
        self.rest = rest;
        Some(word)
    }
}
