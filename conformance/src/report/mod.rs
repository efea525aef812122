//! How a report is shown.

mod github;
mod json;
mod junit;
mod markdown;
mod text;

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use text::{describe, text};
