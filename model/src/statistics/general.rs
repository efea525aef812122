//! The general list: `stats` alone.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use spec::req;

use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::{Model, Time};

/// The list, in memcached's order.
pub(super) fn list(model: &Model, now: Time) -> Ruling {
    let process = ["pid", "uptime"].map(|name| row(name, 0));
    let time = [
        row("time", now.0),
        ("version".into(), "1.6.45".into()),
        row("pointer_size", 64),
    ];
    let connections = [
        "rusage_user",
        "rusage_system",
        "max_connections",
        "curr_connections",
        "total_connections",
        "rejected_connections",
    ];
    let mut list: Vec<(String, String)> = process.into();
    list.extend(time);
    list.extend(connections.map(|name| row(name, 0)));
    list.extend(moved(model).map(|(name, value)| row(name, value)));
    let after = [
        "store_no_memory",
        "auth_cmds",
        "auth_errors",
        "bytes_read",
        "bytes_written",
    ];
    list.extend(after.map(|name| row(name, 0)));
    list.push(row("limit_maxbytes", model.options.memory_limit_bytes));
    list.push(row("accepting_conns", 1));
    list.extend(["listen_disabled_num", "threads", "conn_yields"].map(|name| row(name, 0)));
    list.extend(
        [
            "lru_crawler_starts",
            "unexpected_napi_ids",
            "round_robin_fallback",
        ]
        .map(|name| row(name, 0)),
    );
    list.push(row("bytes", 0));
    list.push(row("curr_items", model.items.len() as u64));
    list.push(row("total_items", model.counters.total_items));
    let memory = [
        "evictions",
        "reclaimed",
        "crawler_reclaimed",
        "crawler_items_checked",
        "moves_to_cold",
        "moves_to_warm",
        "moves_within_lru",
        "direct_reclaims",
    ];
    list.extend(memory.map(|name| row(name, 0)));
    Reply::Stats(list).because(req!("statistics.general"))
}

fn moved(model: &Model) -> [(&'static str, u64); 21] {
    let counters = &model.counters;
    [
        ("cmd_get", counters.cmd_get),
        ("cmd_set", counters.cmd_set),
        ("cmd_flush", counters.cmd_flush),
        ("cmd_touch", counters.cmd_touch),
        ("cmd_meta", counters.cmd_meta),
        ("get_hits", counters.get_hits),
        ("get_misses", counters.get_misses),
        ("get_expired", counters.get_expired),
        ("get_flushed", counters.get_flushed),
        ("delete_misses", counters.delete_misses),
        ("delete_hits", counters.delete_hits),
        ("incr_misses", counters.incr_misses),
        ("incr_hits", counters.incr_hits),
        ("decr_misses", counters.decr_misses),
        ("decr_hits", counters.decr_hits),
        ("cas_misses", counters.cas_misses),
        ("cas_hits", counters.cas_hits),
        ("cas_badval", counters.cas_badval),
        ("touch_hits", counters.touch_hits),
        ("touch_misses", counters.touch_misses),
        ("store_too_large", counters.store_too_large),
    ]
}

fn row(name: &str, value: u64) -> (String, String) {
    (name.into(), value.to_string())
}
