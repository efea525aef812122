//! The shipped files of the store under loom: every interleaving of two or three operations comes
//! to what one after the other would have, in one order or another.
//!
//! `cargo test -p server --test loom`. The files are the server's own; only `sync.rs` is another.
//! What the operations should do is in `plain.rs`, which knows nothing of the store; what they find
//! is in `scene.rs`, and how they are tried in `trial.rs`.

// A copy of the store stands here with a part of its callers.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod plain;
mod scene;
#[path = "../../src/store/mod.rs"]
mod store;
mod sync;
#[path = "../../src/time.rs"]
mod time;
mod trial;

use plain::{ACTS, Act};
use trial::{compaction, every_mistake, every_pair, every_triple};

/// Those of which any three are tried.
const SOME: [Act; 5] = [
    Act::Get,
    Act::Append,
    Act::Delete,
    Act::Increment,
    Act::Flush,
];

#[test]
fn every_pair_on_one_key_comes_to_what_one_after_the_other_would() {
    every_pair(&ACTS, [0, 0], 1);
}

#[test]
fn every_pair_on_two_keys_of_a_shard_comes_to_what_one_after_the_other_would() {
    every_pair(&ACTS, [0, 1], 1);
}

#[test]
fn every_pair_on_two_shards_comes_to_what_one_after_the_other_would() {
    every_pair(&ACTS, [0, 1], 2);
}

/// What two shards share is a budget, a count of uniques and the flushes; these move them all.
#[test]
fn pairs_that_share_the_budget_of_two_shards_come_to_what_one_after_the_other_would() {
    let acts = [Act::Set, Act::Delete, Act::FlushWhenDue, Act::Compact];
    every_pair(&acts, [0, 1], 2);
}

#[test]
fn some_three_at_once_come_to_what_one_after_the_other_would() {
    every_triple(&SOME);
}

#[test]
fn three_at_once_come_to_what_one_after_the_other_would() {
    every_triple(&[&SOME[..], &[Act::Compact, Act::Grow]].concat());
}

#[test]
fn compaction_copies_what_is_live_and_loses_nothing() {
    compaction();
}

#[test]
fn every_mistake_on_purpose_is_found() {
    every_mistake();
}
