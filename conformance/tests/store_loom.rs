//! The shipped files of our server's store under loom, as far as half a minute goes: every pair of
//! the operations that clients use most, in every interleaving, and every mistake made on purpose.
//!
//! How they are tried is in `server/tests/loom`, whose own run tries all pairs, some on two shards
//! and some three at once: `cargo test -p server --test loom`.

// A copy of the store stands here with a part of its callers.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../server/tests/loom/plain.rs"]
mod plain;
#[path = "../../server/tests/loom/scene.rs"]
mod scene;
#[path = "../../server/src/store/mod.rs"]
mod store;
#[path = "../../server/tests/loom/sync.rs"]
mod sync;
#[path = "../../server/src/time.rs"]
mod time;
#[path = "../../server/tests/loom/trial.rs"]
mod trial;

use plain::Act;

/// What clients do most, and what makes room for it.
const COMMON: [Act; 8] = [
    Act::Get,
    Act::Set,
    Act::Append,
    Act::CompareAndSwap,
    Act::Increment,
    Act::Delete,
    Act::Flush,
    Act::Compact,
];

#[test]
fn common_pairs_on_one_key_come_to_what_one_after_the_other_would() {
    trial::every_pair(&COMMON, [0, 0], 1);
}

#[test]
fn common_pairs_on_two_keys_come_to_what_one_after_the_other_would() {
    trial::every_pair(&COMMON, [0, 1], 1);
}

#[test]
fn compaction_copies_what_is_live_and_loses_nothing() {
    trial::compaction();
}

#[test]
fn every_mistake_on_purpose_is_found() {
    trial::every_mistake();
}
