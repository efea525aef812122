//! `stats settings`: how the server was started, and what has been turned since.
//!
//! The model has the names that tools read and the values that a client can turn; what only moves
//! memory or threads about has memcached's own default.

use spec::req;

use super::{Row, list};
use crate::Model;
use crate::ruling::Ruling;

/// `stats settings`
pub(super) fn settings(model: &Model) -> Ruling {
    let rows = limits(model).into_iter().chain(habits(model));
    list(
        rows.chain(background(model)),
        req!("statistics.settings.names"),
    )
}

fn limits(model: &Model) -> [Row; 7] {
    let options = &model.options;
    [
        Row::ruled(
            "maxbytes",
            options.memory_limit_bytes,
            &[req!("statistics.settings.maxbytes")],
        ),
        Row::ruled(
            "maxconns",
            options.connections_max,
            &[req!("statistics.settings.maxconns")],
        ),
        Row::own("tcpport", 11211),
        Row::own("udpport", 0),
        Row::ruled(
            "verbosity",
            model.verbosity,
            &[
                req!("statistics.settings.verbosity"),
                req!("administration.verbosity.clamped"),
            ],
        ),
        Row::own("oldest", 0),
        Row::ruled(
            "evictions",
            on(!options.refuse_when_full),
            &[req!("statistics.settings.evictions")],
        ),
    ]
}

fn habits(model: &Model) -> [Row; 6] {
    let options = &model.options;
    let delimiter = char::from(options.prefix_delimiter);
    [
        Row::ruled(
            "shutdown_command",
            yes(options.shutdown),
            &[req!("statistics.settings.shutdown")],
        ),
        Row::ruled(
            "num_threads",
            options.threads,
            &[req!("statistics.settings.threads")],
        ),
        Row::ruled(
            "stat_key_prefix",
            delimiter,
            &[req!("statistics.settings.prefix")],
        ),
        Row::ruled(
            "detail_enabled",
            yes(model.prefixes.are_counted()),
            &[req!("statistics.settings.detail")],
        ),
        Row::ruled(
            "cas_enabled",
            yes(options.cas),
            &[req!("statistics.settings.cas")],
        ),
        Row::ruled(
            "item_size_max",
            options.item_size_max_bytes,
            &[req!("statistics.settings.item-size")],
        ),
    ]
}

fn background(model: &Model) -> [Row; 10] {
    let options = &model.options;
    [
        Row::own("lru_crawler", "no"),
        Row::own("lru_crawler_sleep", 100),
        Row::own("lru_crawler_tocrawl", 0),
        Row::ruled(
            "flush_enabled",
            yes(options.flush),
            &[req!("statistics.settings.flush")],
        ),
        Row::ruled(
            "dump_enabled",
            yes(options.dumps),
            &[req!("statistics.settings.dump")],
        ),
        Row::own("lru_maintainer_thread", "no"),
        Row::own("hot_lru_pct", 20),
        Row::own("warm_lru_pct", 40),
        Row::own("hot_max_factor", "0.20"),
        Row::own("warm_max_factor", "2.00"),
    ]
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn on(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}
