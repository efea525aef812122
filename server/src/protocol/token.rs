//! The words of a line.
//!
//! Only the space separates them: a tab is a byte like any other.

use nom::bytes::complete::take_while;
use nom::combinator::verify;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::scan;

/// The next word.
#[inline]
fn token(line: &[u8]) -> IResult<&[u8], &[u8]> {
    let word = verify(till_space, |word: &[u8]| !word.is_empty());
    preceded(take_while(|byte| byte == b' '), word).parse(line)
}

/// What stands before the next space.
#[inline]
fn till_space(line: &[u8]) -> IResult<&[u8], &[u8]> {
    let len = match line {
        // Many numbers and flags are as short as that.
        [_] | [_, b' ', ..] => 1,
        _ => scan::position(line, b' ').unwrap_or(line.len()),
    };
    let (word, rest) = line.split_at(len);
    Ok((rest, word))
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
        let (rest, word) = token(self.rest).ok()?;
        self.rest = rest;
        Some(word)
    }
}
