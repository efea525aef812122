//! The policy of eviction by itself, item by item: S3-FIFO as the store means it, without
//! segments, shards or copies. What the store misses beyond this is what those cost.
//!
//! It never stores a value, and knows nothing of the store.

use std::collections::{HashMap, VecDeque};

/// What an item takes beyond its key and value.
const OVERHEAD: usize = 28;

/// The small log has one of so many items.
const SMALL: usize = 20;

/// Uses are counted up to here.
const USES_MAX: u8 = 3;

/// Keys of items of one length.
pub(super) struct Simulated {
    capacity: usize,
    small: VecDeque<usize>,
    main: VecDeque<usize>,
    uses: HashMap<usize, u8>,
    /// What left the small log unused, and in which order.
    gone: HashMap<usize, usize>,
    ghost: VecDeque<(usize, usize)>,
    next: usize,
}

impl Simulated {
    /// Room for items of so many bytes, in so much memory.
    pub(super) fn new(memory_bytes: usize, item_len: usize) -> Self {
        Self {
            capacity: memory_bytes / (item_len + OVERHEAD),
            small: VecDeque::new(),
            main: VecDeque::new(),
            uses: HashMap::new(),
            gone: HashMap::new(),
            ghost: VecDeque::new(),
            next: 0,
        }
    }

    /// Whether it is there; then it is used.
    pub(super) fn has(&mut self, key: usize) -> bool {
        let uses = self.uses.get_mut(&key);
        uses.map(|uses| *uses = USES_MAX.min(*uses + 1)).is_some()
    }

    /// Stores it. What is there stays where it is.
    pub(super) fn put(&mut self, key: usize) {
        if self.uses.contains_key(&key) {
            return;
        }
        while self.uses.len() >= self.capacity {
            self.evict();
        }
        let log = match self.gone.remove(&key) {
            Some(_) => &mut self.main,
            None => &mut self.small,
        };
        log.push_back(key);
        self.uses.insert(key, 0);
    }

    /// Moves the oldest of a log on, or gives it up.
    fn evict(&mut self) {
        let is_small = self.small.len() > self.capacity / SMALL || self.main.is_empty();
        let log = if is_small {
            &mut self.small
        } else {
            &mut self.main
        };
        let Some(key) = log.pop_front() else { return };
        let uses = self.uses.get(&key).copied().unwrap_or(0);
        if uses > 0 {
            self.main.push_back(key);
            self.uses.insert(key, if is_small { 0 } else { uses - 1 });
            return;
        }
        self.uses.remove(&key);
        if is_small {
            self.remember(key);
        }
    }

    fn remember(&mut self, key: usize) {
        self.next += 1;
        self.gone.insert(key, self.next);
        self.ghost.push_back((key, self.next));
        while self.ghost.len() > self.capacity {
            if let Some((key, order)) = self.ghost.pop_front()
                && self.gone.get(&key) == Some(&order)
            {
                self.gone.remove(&key);
            }
        }
    }
}
