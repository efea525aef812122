//! How a client says who it is, in either protocol.
//!
//! It never knows who there is: it finds a name and a password, or what is wrong with the attempt.

use super::number::unsigned32;
use super::reply::Error;
use super::request::{Recovery, Refusal};
use super::token::Tokens;
use crate::limits::TOKEN_LEN_MAX;

/// The one mechanism of SASL that there is.
pub const MECHANISM: &[u8] = b"PLAIN";

/// A name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Who somebody says to be.
    pub name: &'a [u8],
    /// How that is to be shown.
    pub password: &'a [u8],
}

/// Reads the line of a stranger: `set key flags exptime length`, of which only the length matters.
///
/// # Errors
///
/// The reply to any other line.
pub fn line(line: &[u8]) -> Result<usize, Refusal> {
    let refusal = |error, recovery| Refusal {
        error,
        quiet: false,
        recovery,
    };
    let mut words = Tokens::of(line);
    let is_set = line.starts_with(b"set ") && words.next().is_some();
    let length = words.nth(3).and_then(unsigned32).filter(|_| is_set);
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(refusal(Error::Unauthenticated, Recovery::Line))?;
    if length > TOKEN_LEN_MAX {
        return Err(refusal(Error::TokenTooLong, Recovery::Block(length)));
    }
    Ok(length)
}

/// Reads the data block of a text attempt: `user password` and a line end.
///
/// # Errors
///
/// The reply, where it is not of this form.
pub fn block(block: &[u8]) -> Result<Claim<'_>, Error> {
    let token = block.strip_suffix(b"\r\n");
    let token = token.ok_or(Error::BadTokenEnd)?;
    let mut parts = token.splitn(2, |byte| *byte == b' ');
    match (parts.next(), parts.next()) {
        (Some(name), Some(password)) => Ok(Claim { name, password }),
        _ => Err(Error::BadTokenFormat),
    }
}

/// Reads a token of PLAIN: `[as whom] NUL user NUL password`. None where it is not of this form,
/// or somebody wants to act as another.
#[must_use]
pub fn plain(token: &[u8]) -> Option<Claim<'_>> {
    let mut parts = token.split(|byte| *byte == 0);
    let (as_whom, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && (as_whom.is_empty() || as_whom == name);
    is_whole.then_some(Claim { name, password })
}
