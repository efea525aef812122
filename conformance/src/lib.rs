//! The verdict: puts any memcached implementation on trial.
//!
//! - [`cases`]: every exchange there is to play.
//! - [`check`]: plays exchanges against a target; [`verdict`] says what came of it, [`report`]
//!   shows it.
//! - [`list`]: the law as a list, and as a table of what each chapter holds.
//! - [`target`]: what can be tried: the model, a server in this process, any command line.
//!
//! It never shares a parser or a constant with the server it judges.

#![forbid(unsafe_code)]

pub mod cases;
pub mod check;
pub mod list;
pub mod report;
pub mod target;
pub mod verdict;
