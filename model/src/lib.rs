//! The ruling: a whole memcached without sockets, threads or a clock.
//!
//! Bytes and the time go in, [`Ruling`]s come out, and each says which rules of the law force it.
//! It is written to be read beside the law: one file per chapter of `spec/`, one function per
//! command, and the plainest parsing that does what the rule says.
//!
//! - [`Session`] holds one client's place in the protocol: `session.receive(&mut model, bytes,
//!   now)`.
//! - [`Model`] holds what all clients share: the items, the uniques, the counters.
//! - [`Datagrams`] is the end of UDP, where each datagram is a connection of its own.
//! - [`Reply`] is what a server may say; [`Ruling`] is a reply and its reasons.
//! - [`Options`] is how the server was started; `spec::Dialect` whose habits it follows.
//!
//! It never allocates by a client's claim, loops without a bound, panics, or asks anybody the time.
//! Start at `session.rs`, then `storage.rs`.

#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::arithmetic_side_effects)]

extern crate alloc;

mod administration;
mod arithmetic;
mod authentication;
mod binary;
mod deletion;
mod dispatch;
mod expiration;
mod flush;
mod framing;
mod freedom;
mod host;
mod keys;
mod limits;
mod memory;
mod meta;
mod numbers;
mod options;
mod reply;
mod retrieval;
mod ruling;
mod session;
mod state;
mod statistics;
mod storage;
mod touch;
mod udp;
mod unsent;

pub use expiration::Time;
pub use host::Host;
pub use memory::size_of_item;
pub use options::{Options, Protocol};
pub use reply::{Code, Packet, Reply, Value};
pub use ruling::{Recovery, Ruling};
pub use session::Session;
pub use state::{Item, Model};
pub use statistics::Counters;
pub use udp::{Answer, Datagrams};
