//! The meta commands, one file each.
//!
//! They never look at `q`: whether a reply is sent is for the encoder to decide.

mod arithmetic;
mod debug;
mod delete;
mod get;
mod set;

pub use arithmetic::step;
pub use debug::debug;
pub use delete::delete;
pub use get::get;
pub use set::{abandon, admit, set};

use crate::protocol::meta::Meta;
use crate::protocol::{MetaReply, Status};

/// A reply that has a status, and the key as it was sent.
fn reply(meta: &Meta<'_>, status: Status) -> MetaReply {
    MetaReply {
        status,
        key_is_encoded: meta.is_encoded(),
        ..MetaReply::default()
    }
}
