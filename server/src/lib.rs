//! The subject: a memcached server.
//!
//! - [`store`]: the items. Knows no protocol, no connection, no clock.
//! - [`command`]: what each request does to the store; one file for each chapter of the law.
//! - [`protocol`]: bytes into requests, replies into bytes.
//! - [`session`]: one client's connection without a socket: bytes in, bytes out, now an argument.
//! - [`net`]: sockets, threads, signals, and the only clock.
//!
//! [`limits`] says what a client may take of all this.
//! Beside them `users` knows who may log in; `heap` has all threads share one; `counters`,
//! `prefixes` and `roster` keep what `stats` tells, and `process` what the system says of ours;
//! `watchers` keeps what watchers are told, and `log` what the operator is; `unread` says which
//! client has kept its replies waiting for too long, `turning` turns the clock of a test,
//! `class` has what is said of slabs, and `simulated` is what simulations do to a server.
//! Each knows only those above it in this list; nothing here knows the law or the model.

#![deny(unsafe_code)]
#![warn(
    clippy::expect_used,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]

mod class;
pub mod command;
pub mod counters;
pub mod heap;
pub mod limits;
pub mod log;
pub mod net;
pub mod observed;
pub mod prefixes;
mod process;
pub mod protocol;
pub mod roster;
pub mod session;
pub mod settings;
pub mod shared;
pub mod simulated;
#[expect(clippy::expect_used, reason = "a shard that a mask names is there")]
pub mod store;
mod sync;
pub mod time;
pub mod turning;
pub mod unread;
pub mod users;
pub mod watchers;

pub use session::Connection;
pub use settings::Settings;
pub use shared::Shared;
pub use time::Time;
pub use users::Users;
