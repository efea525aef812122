//! The counters that a client can read.
//!
//! Each worker moves its own and reads nobody else's; a sum is made when somebody asks. Resetting
//! never writes to them: it notes where they stood.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter { $($(#[$doc])* $name,)* }

        impl Counter {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name it is shown under.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

counters! {
    /// Keys looked up by retrievals.
    CmdGet = "cmd_get",
    /// Storage requests whose data block was let in.
    CmdSet = "cmd_set",
    /// Flushes, the refused ones included.
    CmdFlush = "cmd_flush",
    /// Keys touched, or meant to be.
    CmdTouch = "cmd_touch",
    /// Meta debug requests.
    CmdMeta = "cmd_meta",
    /// Keys found by retrievals.
    GetHits = "get_hits",
    /// Keys not found by retrievals.
    GetMisses = "get_misses",
    /// Items found expired by a lookup.
    GetExpired = "get_expired",
    /// Items found flushed by a lookup.
    GetFlushed = "get_flushed",
    /// Deletions of a key without an item.
    DeleteMisses = "delete_misses",
    /// Deletions.
    DeleteHits = "delete_hits",
    /// Increments of a key without an item.
    IncrMisses = "incr_misses",
    /// Increments.
    IncrHits = "incr_hits",
    /// Decrements of a key without an item.
    DecrMisses = "decr_misses",
    /// Decrements.
    DecrHits = "decr_hits",
    /// Compare-and-swaps of a key without an item.
    CasMisses = "cas_misses",
    /// Compare-and-swaps that stored.
    CasHits = "cas_hits",
    /// Compare-and-swaps with another unique than the item's.
    CasBadval = "cas_badval",
    /// Touches that found their item.
    TouchHits = "touch_hits",
    /// Touches that did not.
    TouchMisses = "touch_misses",
    /// Items refused because they would be too large.
    StoreTooLarge = "store_too_large",
    /// Items refused for want of memory.
    StoreNoMemory = "store_no_memory",
    /// Dead items cleared away before anybody asked for them.
    CrawlerReclaimed = "crawler_reclaimed",
    /// Attempts to authenticate.
    AuthCmds = "auth_cmds",
    /// Attempts that failed.
    AuthErrors = "auth_errors",
    /// Connections ever taken.
    TotalConnections = "total_connections",
    /// Connections refused because there were too many.
    RejectedConnections = "rejected_connections",
    /// Connections closed because they did nothing.
    IdleKicks = "idle_kicks",
    /// Clients of TLS with whom we had no way of it in common.
    SslHandshakeErrors = "ssl_handshake_errors",
    /// Connections that ended because the server was at fault.
    Panics = "panics",
    /// Bytes received.
    BytesRead = "bytes_read",
    /// Bytes sent.
    BytesWritten = "bytes_written",
}

const COUNT: usize = Counter::ALL.len();

/// The counters of one worker; apart from the others' in memory.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    values: [AtomicU64; COUNT],
}

impl Counters {
    /// Counts one more.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Counts so many more.
    pub fn add(&self, counter: Counter, more: u64) {
        if let Some(value) = self.values.get(counter as usize) {
            value.fetch_add(more, Ordering::Relaxed);
        }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            values: [const { AtomicU64::new(0) }; COUNT],
        }
    }
}

/// The counters of all workers.
#[derive(Debug)]
pub struct Ledger {
    workers: Box<[Counters]>,
    baseline: Mutex<[u64; COUNT]>,
}

impl Ledger {
    /// Counters for so many workers.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self {
            workers: (0..workers.max(1)).map(|_| Counters::default()).collect(),
            baseline: Mutex::new([0; COUNT]),
        }
    }

    /// The counters of one worker.
    #[must_use]
    #[expect(clippy::expect_used, reason = "`new` makes one at least")]
    pub fn worker(&self, worker: usize) -> &Counters {
        self.workers
            .get(worker)
            .or(self.workers.first())
            .expect("there is one at least")
    }

    /// The sum over all workers since the last reset.
    #[must_use]
    pub fn total(&self, counter: Counter) -> u64 {
        let baseline = self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        let before = baseline.get(counter as usize).copied().unwrap_or(0);
        self.sum(counter).saturating_sub(before)
    }

    /// Lets all counters begin at 0 again.
    pub fn reset(&self) {
        let mut baseline = self.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        for (before, &counter) in baseline.iter_mut().zip(Counter::ALL) {
            *before = self.sum(counter);
        }
    }

    fn sum(&self, counter: Counter) -> u64 {
        self.workers
            .iter()
            .filter_map(|worker| worker.values.get(counter as usize))
            .fold(0, |sum, value| {
                sum.wrapping_add(value.load(Ordering::Relaxed))
            })
    }
}
