//! `stats` alone: the counters, and what the process says of itself.
//!
//! The names stand in memcached's order. A counter cites its rules once it has moved.

use spec::req;

use super::{Row, list};
use crate::administration::VERSION;
use crate::memory::size_of_item;
use crate::ruling::Ruling;
use crate::{Counters, Model, Time};

/// `stats`
pub(super) fn general(model: &Model, now: Time) -> Ruling {
    let rows = process(model, now)
        .into_iter()
        .chain(requests(&model.counters))
        .chain(retrievals(&model.counters))
        .chain(changes(&model.counters))
        .chain(conditions(&model.counters))
        .chain(traffic(model))
        .chain(stored(model))
        .chain(moves());
    let mut ruling = list(rows, req!("statistics.general.lines"));
    ruling.because.extend([
        req!("statistics.general.names"),
        req!("statistics.general.order"),
        req!("statistics.refused"),
    ]);
    ruling
}

/// What only a process has; of it the model knows the time and the version.
fn process(model: &Model, now: Time) -> [Row; 12] {
    [
        Row::own("pid", 1),
        Row::own("uptime", 0),
        Row::ruled("time", now.0, &[req!("statistics.process.numbers")]),
        Row::ruled("version", VERSION, &[req!("statistics.process.version")]),
        Row::own("pointer_size", 64),
        Row::ruled(
            "rusage_user",
            "0.000000",
            &[req!("statistics.process.usage")],
        ),
        Row::own("rusage_system", "0.000000"),
        Row::ruled(
            "max_connections",
            model.options.connections_max,
            &[req!("statistics.process.connections")],
        ),
        Row::own("curr_connections", 1),
        Row::own("total_connections", 1),
        Row::own("rejected_connections", 0),
        Row::own("connection_structures", 1),
    ]
}

/// How many requests there were of each kind.
fn requests(counters: &Counters) -> [Row; 5] {
    [
        Row::counted(
            "cmd_get",
            counters.cmd_get,
            &[
                req!("statistics.get.keys"),
                req!("statistics.get.bad-key"),
                req!("statistics.get.meta"),
            ],
        ),
        Row::counted(
            "cmd_set",
            counters.cmd_set,
            &[
                req!("statistics.set.requests"),
                req!("statistics.set.meta"),
                req!("statistics.noreply"),
            ],
        ),
        Row::counted(
            "cmd_flush",
            counters.cmd_flush,
            &[
                req!("statistics.flush.requests"),
                req!("statistics.flush.refused"),
            ],
        ),
        Row::counted(
            "cmd_touch",
            counters.cmd_touch,
            &[
                req!("statistics.touch.requests"),
                req!("statistics.touch.gat"),
                req!("statistics.touch.meta"),
            ],
        ),
        Row::counted(
            "cmd_meta",
            counters.cmd_meta,
            &[req!("statistics.debug.requests")],
        ),
    ]
}

/// What became of retrievals.
fn retrievals(counters: &Counters) -> [Row; 4] {
    [
        Row::counted(
            "get_hits",
            counters.get_hits,
            &[req!("statistics.get.hits"), req!("statistics.get.vivify")],
        ),
        Row::counted(
            "get_misses",
            counters.get_misses,
            &[req!("statistics.get.misses")],
        ),
        Row::counted(
            "get_expired",
            counters.get_expired,
            &[req!("statistics.get.expired")],
        ),
        Row::counted(
            "get_flushed",
            counters.get_flushed,
            &[req!("statistics.get.flushed")],
        ),
    ]
}

/// What became of deletions and arithmetic.
fn changes(counters: &Counters) -> [Row; 6] {
    [
        Row::counted(
            "delete_misses",
            counters.delete_misses,
            &[
                req!("statistics.delete.misses"),
                req!("statistics.delete.meta-exists"),
            ],
        ),
        Row::counted(
            "delete_hits",
            counters.delete_hits,
            &[
                req!("statistics.delete.hits"),
                req!("statistics.delete.meta-stale"),
                req!("statistics.delete.meta-emptied"),
            ],
        ),
        Row::counted(
            "incr_misses",
            counters.incr_misses,
            &[req!("statistics.incr.misses")],
        ),
        Row::counted(
            "incr_hits",
            counters.incr_hits,
            &[
                req!("statistics.incr.hits"),
                req!("statistics.incr.refused"),
                req!("statistics.incr.meta"),
                req!("statistics.incr.meta-exists"),
                req!("statistics.incr.meta-created"),
            ],
        ),
        Row::counted(
            "decr_misses",
            counters.decr_misses,
            &[req!("statistics.decr.misses")],
        ),
        Row::counted(
            "decr_hits",
            counters.decr_hits,
            &[req!("statistics.decr.hits")],
        ),
    ]
}

/// What became of conditions and touches, and what was refused.
fn conditions(counters: &Counters) -> [Row; 7] {
    [
        Row::counted(
            "cas_misses",
            counters.cas_misses,
            &[req!("statistics.cas.misses")],
        ),
        Row::counted(
            "cas_hits",
            counters.cas_hits,
            &[
                req!("statistics.cas.hits"),
                req!("statistics.cas.meta"),
                req!("statistics.cas.meta-stale"),
                req!("statistics.cas.meta-joined"),
            ],
        ),
        Row::counted(
            "cas_badval",
            counters.cas_badval,
            &[req!("statistics.cas.badval")],
        ),
        Row::counted(
            "touch_hits",
            counters.touch_hits,
            &[req!("statistics.touch.hits")],
        ),
        Row::counted(
            "touch_misses",
            counters.touch_misses,
            &[
                req!("statistics.touch.misses"),
                req!("statistics.touch.meta-miss"),
            ],
        ),
        Row::counted(
            "store_too_large",
            counters.store_too_large,
            &[req!("statistics.set.too-large")],
        ),
        Row::own("store_no_memory", 0),
    ]
}

/// What went over the wire.
fn traffic(model: &Model) -> [Row; 13] {
    [
        Row::counted(
            "auth_cmds",
            model.counters.auth_cmds,
            &[req!("binary.sasl.counted")],
        ),
        Row::own("auth_errors", model.counters.auth_errors),
        Row::counted(
            "bytes_read",
            model.counters.bytes_read,
            &[req!("statistics.traffic.read")],
        ),
        Row::counted(
            "bytes_written",
            model.counters.bytes_written,
            &[req!("statistics.traffic.written")],
        ),
        Row::ruled(
            "limit_maxbytes",
            model.options.memory_limit_bytes,
            &[req!("statistics.memory.limit")],
        ),
        Row::own("accepting_conns", 1),
        Row::own("listen_disabled_num", 0),
        Row::own("time_in_listen_disabled_us", 0),
        Row::ruled(
            "threads",
            model.options.threads,
            &[req!("statistics.process.threads")],
        ),
        Row::own("conn_yields", 0),
        Row::own("lru_crawler_starts", 0),
        Row::own("unexpected_napi_ids", 0),
        Row::own("round_robin_fallback", 0),
    ]
}

/// What is stored.
fn stored(model: &Model) -> [Row; 3] {
    [
        Row::ruled("bytes", model.bytes(), &[req!("statistics.memory.bytes")]),
        Row::ruled(
            "curr_items",
            model.items.len(),
            &[
                req!("statistics.memory.items"),
                req!("statistics.memory.expired"),
                req!("statistics.memory.too-large"),
            ],
        ),
        Row::counted(
            "total_items",
            model.counters.total_items,
            &[
                req!("statistics.memory.total"),
                req!("statistics.memory.grown"),
            ],
        ),
    ]
}

/// What became of items in the background; the model evicts nothing and moves nothing.
fn moves() -> [Row; 12] {
    let names = [
        "expired_unfetched",
        "evicted_unfetched",
        "evicted_active",
        "evictions",
        "reclaimed",
        "crawler_reclaimed",
        "crawler_items_checked",
        "lrutail_reflocked",
        "moves_to_cold",
        "moves_to_warm",
        "moves_within_lru",
        "direct_reclaims",
    ];
    names.map(|name| Row::own(name, 0))
}

impl Model {
    /// The room that all items take.
    pub(super) fn bytes(&self) -> u64 {
        let sizes = self.items.keys().filter_map(|key| self.size_of(key));
        sizes.fold(0, u64::saturating_add)
    }

    /// The room that this item takes.
    pub(super) fn size_of(&self, key: &[u8]) -> Option<u64> {
        let item = self.items.get(key)?;
        let (key, value) = (key.len() as u64, item.value.len() as u64);
        Some(size_of_item(key, value, item.flags != 0, self.options.cas))
    }
}
