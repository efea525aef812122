//! The verdict: puts any memcached implementation on trial.
//!
//! - [`adversarial`]: a server that is lawful and unkind, for authors of clients.
//! - [`baseline`]: the failures that a user has accepted.
//! - [`cases`]: every exchange there is to play.
//! - [`check`]: plays exchanges against a target; [`verdict`] says what came of it, [`report`]
//!   shows it.
//! - [`ranking`]: which failure to read first; [`minimal`] makes it short.
//! - [`faults`]: what is done to a running process, where no exchange can show a rule.
//! - [`interrupt`]: what happens when somebody loses patience.
//! - [`liars`]: servers that are known to be wrong; [`selftest`]: whether the suite sees it.
//! - [`record`]: takes down what real clients say, and judges it; [`mod@refine`]: what a server may
//!   say instead of what the model rules.
//! - [`explore`]: histories that nobody wrote, made and enumerated.
//! - [`replay`]: a file of exchanges again; [`compare`]: two reports side by side.
//! - [`linear`]: whether what many clients were told at once can have happened.
//! - [`list`] and [`explain`]: the law as a list, as a table, and rule by rule.
//! - [`serve`]: the model or a liar on a port.
//! - [`soak`]: all of it at once, and for long.
//! - [`storm`]: makes such histories, with many clients on real connections.
//! - [`suite`]: all of that in a third party's `cargo test`: [`spawn`] and [`at`].
//! - [`target`]: what can be tried: the model, a server in this process, any command line, and
//!   whatever listens somewhere; [`capability`]: what it has, and
//!   [`elect`] which alternatives it chose; [`terms`] and [`schedule`]: which
//!   cases are played, and when; [`progress`] shows how far it is.
//!
//! It never shares a parser or a constant with the server it judges.

#![forbid(unsafe_code)]

pub mod adversarial;
mod base64;
pub mod baseline;
pub mod capability;
pub mod cases;
pub mod check;
pub mod compare;
mod dice;
pub mod elect;
pub mod explain;
pub mod explore;
pub mod faults;
pub mod interrupt;
pub mod liars;
pub mod linear;
pub mod list;
pub mod minimal;
pub mod progress;
pub mod ranking;
pub mod record;
pub mod refine;
pub mod replay;
pub mod report;
pub mod schedule;
pub mod selftest;
pub mod serve;
pub mod soak;
pub mod storm;
pub mod suite;
pub mod target;
pub mod terms;
pub mod verdict;

pub use suite::{Suite, Verdict, at, spawn};
