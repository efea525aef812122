//! The simple store that ours began as: a map in each of 64 shards behind a lock, an allocation for
//! each key and each value. It stands here for its figures, and evicts nothing.

#![allow(dead_code, reason = "each bench asks for a part of it")]

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 64;

/// What is kept of an item beside its key.
struct Item {
    value: Arc<[u8]>,
    _flags: u32,
    _expires: u64,
    unique: u64,
    accessed: u64,
    is_fetched: bool,
}

/// Maps behind locks.
pub(crate) struct Simple {
    shards: Vec<Mutex<HashMap<Box<[u8]>, Item>>>,
    hasher: RandomState,
}

impl Simple {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, key: &[u8]) -> &Mutex<HashMap<Box<[u8]>, Item>> {
        let part = self.hasher.hash_one(key) % SHARDS as u64;
        let part = usize::try_from(part)
            .ok()
            .and_then(|at| self.shards.get(at));
        part.expect("a remainder is below its divisor")
    }

    pub(crate) fn put(&self, key: &[u8], value: &[u8], now: u64) {
        let mut shard = self
            .shard(key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let unique = shard.get(key).map_or(1, |item| item.unique + 1);
        let item = Item {
            value: value.into(),
            _flags: 0,
            _expires: u64::MAX,
            unique,
            accessed: now,
            is_fetched: false,
        };
        if let Some(place) = shard.get_mut(key) {
            *place = item;
        } else {
            shard.insert(key.into(), item);
        }
    }

    pub(crate) fn serve<R>(
        &self,
        key: &[u8],
        now: u64,
        show: impl FnOnce(&[u8]) -> R,
    ) -> Option<R> {
        let mut shard = self
            .shard(key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let item = shard.get_mut(key)?;
        item.is_fetched = true;
        item.accessed = now;
        Some(show(&item.value))
    }
}
