//! The law of memcached: prose chapters a person reads, as data a program can cite.
//!
//! - [`CHAPTERS`]: the prose of this folder, read at compile time, one const table per file.
//! - [`req!`]: cites a rule by its permanent name; a name the law does not have does not compile.
//! - [`exchange`]: the notation of the examples, its parser and its matcher.
//! - [`Dialect`]: which alternatives an implementation elects, and where it is known to deviate.
//!
//! It never speaks to a socket, reads a clock or depends on another crate. Begin with `README.md`
//! beside this crate, then read the chapters; the machinery is the smaller part.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod chapters;
mod dialect;
pub mod exchange;
mod requirement;
mod scan;

pub use chapters::{CHAPTERS, Chapter, REQUIREMENTS, find, named};
pub use dialect::{Dialect, DialectError, Standing};
pub use requirement::{Class, Kind, Level, Requirement, Witness};

/// Cites a rule, an alternative or a deviation of the law: `req!("storage.cas.exists")`.
///
/// The name is looked up while the citing crate compiles, in the chapter its first word names.
#[macro_export]
macro_rules! req {
    ($name:literal) => {
        const { $crate::named($name) }
    };
}
