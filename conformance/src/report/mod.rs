//! How a report is shown: to a person ([`text()`]), and to programs.
//!
//! Nothing here judges, and nothing that a server sent is shown as it came.

mod colour;
mod failure;
mod github;
mod json;
mod junit;
mod kept;
mod markdown;
mod plain;
pub mod read;
pub mod site;
mod text;

pub use colour::coloured;
pub use failure::describe;
pub use github::github;
pub use json::json;
pub use junit::junit;
pub use kept::{Kept, kept, script};
pub use markdown::markdown;
pub use plain::shell;
pub use text::{PAGE_COLUMNS, PAGE_LINES, text};
