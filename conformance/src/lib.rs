//! The verdict: puts any memcached implementation on trial.
//!
//! - [`baseline`]: the failures that a user has accepted.
//! - [`cases`]: every exchange there is to play.
//! - [`check`]: plays exchanges against a target; [`verdict`] says what came of it, [`report`]
//!   shows it.
//! - [`list`] and [`explain`]: the law as a list, as a table, and rule by rule.
//! - [`target`]: what can be tried: the model, a server in this process, any command line.
//!
//! It never shares a parser or a constant with the server it judges.

#![forbid(unsafe_code)]

pub mod baseline;
pub mod cases;

pub mod check;
pub mod explain;
pub mod list;
pub mod report;
pub mod target;
pub mod verdict;
