//! How a report is shown.

mod text;

pub use text::text;
