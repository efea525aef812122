//! How loose the relation between a ruling and an observation is, of 100,000 replies spoiled by
//! each operator: whatever is accepted must be left to a server by the law.
//!
//! It is the test of the same name at length, and fails as that does. It measures no time.

#[path = "../tests/refine.rs"]
mod refine;

fn main() {
    refine::measure(100_000);
}
