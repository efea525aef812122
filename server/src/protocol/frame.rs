//! Where a command line ends.
//!
//! It never looks into a line, save to see whether it asks for keys: those may be many.

use super::scan;
use crate::limits::{KEYS_LINE_LEN_MAX, LINE_LEN_MAX};

/// What stands at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole line without its end, and how many bytes it takes with it.
    Line(&'a [u8], usize),
    /// The beginning of a line.
    Incomplete,
    /// More than a line may be.
    TooLong,
}

/// Cuts a line. The first `scanned` bytes are known to hold no line end.
///
/// A line that is too long is so whether or not its end has arrived.
#[must_use]
#[inline]
pub fn cut(input: &[u8], scanned: usize) -> Frame<'_> {
    let fresh = input.get(scanned..).unwrap_or_default();
    let end = scan::position(fresh, b'\n').map(|at| at.saturating_add(scanned));
    let len = end.unwrap_or(input.len());
    if len > LINE_LEN_MAX && len > ceiling(input) {
        return Frame::TooLong;
    }
    let Some(end) = end else {
        return Frame::Incomplete;
    };
    let line = input.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Frame::Line(line, end.saturating_add(1))
}

fn ceiling(input: &[u8]) -> usize {
    let asks_for_keys = [&b"get "[..], b"gets ", b"gat ", b"gats "]
        .iter()
        .any(|command| input.starts_with(command));
    if asks_for_keys {
        KEYS_LINE_LEN_MAX
    } else {
        LINE_LEN_MAX
    }
}
