//! What is printed, to whoever still listens.
//!
//! It never panics where nobody does: `touchstone list | head` closes the pipe after ten lines, and
//! what was begun is brought to its end in silence. What is printed is said where it is found.

use std::fmt::{Arguments, Display};
use std::io::{ErrorKind, Result, Write, stderr, stdout};

/// Prints a line to standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::say::line(format_args!($($words)*)) };
}

/// Prints a line to standard output.
pub(crate) fn line(words: Arguments<'_>) {
    heard(writeln!(stdout(), "{words}"));
}

/// Prints a text that ends its lines itself.
pub(crate) fn text(text: impl Display) {
    let mut out = stdout();
    heard(write!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints a problem to standard error, in one line.
pub(crate) fn problem(problem: impl Display) {
    aside(format_args!("touchstone: {problem}"));
}

/// Prints to standard error what is found meanwhile.
pub(crate) fn aside(words: impl Display) {
    let _ = writeln!(stderr(), "{words}");
}

/// A closed pipe is somebody who has read enough; a full disk is not.
fn heard(result: Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        problem(format_args!("standard output: {error}"));
    }
}
