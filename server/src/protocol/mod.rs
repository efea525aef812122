//! What bytes mean: lines into requests, replies into bytes.
//!
//! It never touches the store, and never allocates to parse but for a key in base64. A bad request
//! is not an `Err` that somebody may drop: it is a [`Refusal`], which holds its reply and how the
//! stream stays in step.
//! Lines are cut in `frame.rs`; classic commands are read in `classic.rs`, meta ones in `meta.rs`;
//! replies are written by `encode.rs` into an [`Output`]. Who a client says to be is read in
//! `login.rs`. Binary frames are all of `binary/`.

pub(crate) mod base64;
pub mod binary;
pub mod classic;
pub mod encode;
mod escape;
pub mod frame;
pub mod login;
pub mod meta;
pub(crate) mod number;
mod output;
mod reply;
mod request;
mod scan;
mod token;

pub use escape::escape;
pub use output::Output;
pub use reply::{Anatomy, Error, MetaReply, Reply, Status};
pub use request::{
    Arithmetic, Direction, Parsed, Recovery, Refusal, Request, Retrieval, Storage, Verb,
};
pub use token::Tokens;

/// The longest key, in bytes.
pub const KEY_LEN_MAX: usize = 250;

/// What `version` answers: clients and tools choose by it what they may use.
pub const VERSION: &str = "1.6.45";
