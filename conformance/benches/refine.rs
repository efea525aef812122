//! How loose the relation between a ruling and an observation is, of 100,000 replies about one key
//! spoiled by each operator, and 10,000 in histories: whatever is accepted must be left to a server
//! by the law.
//!
//! It is the test of the same name at length, and fails as that does. It measures no time.

#[path = "../tests/refine.rs"]
mod refine;

fn main() {
    refine::measure_one_key(100_000);
    refine::measure_histories(10_000);
}
