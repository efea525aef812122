//! The adversary: what each fuzz target does, as plain functions over bytes.
//!
//! A function here panics when a promise is broken and returns otherwise. The targets in `targets/`
//! hand it to the fuzzer; `tests/` replays the seeds on stable; [`seeds`] draws them from the law.
//!
//! - [`text`], [`meta`], [`binary`]: one request, answered alike by model and server.
//! - [`session`]: clients that send anything in any pieces while time passes, likewise.
//! - [`datagram`]: the same over UDP; [`sasl`], [`login`]: by somebody who is not known yet.
//! - `simulation`: many clients, broken streams, refused memory and jumping clocks, by a seed;
//!   only where the points are built in at which it interferes.
//! - [`history`]: what is done to the store, and to a plain map.
//! - [`notation`], [`options`], [`config`], [`users`]: what people write, read without a panic.

#![forbid(unsafe_code)]

mod command_line;
mod counted;
mod history;
mod law;
mod request;
pub mod seeds;
mod session;
#[cfg(debug_assertions)]
pub mod simulation;
mod trial;

pub use command_line::{config, options, users};
pub use history::history;
pub use law::notation;
pub use request::{binary, datagram, login, meta, sasl, text};
pub use session::session;
