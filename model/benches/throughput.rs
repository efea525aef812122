//! How fast the model rules. Nothing is measured yet.

fn main() {}
