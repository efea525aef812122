//! `stats` alone, in memcached's order.
//!
//! What memcached counts of its slabs is left out, but for the names without which
//! exporters take a server to be down: those are 0 because it never happened.

use super::super::Context;
use super::Lines;
use crate::counters::Counter;
use crate::process;
use crate::protocol::VERSION;

/// What is counted of requests, in memcached's order.
const REQUESTS: &[Counter] = &[
    Counter::CmdGet,
    Counter::CmdSet,
    Counter::CmdFlush,
    Counter::CmdTouch,
    Counter::CmdMeta,
    Counter::GetHits,
    Counter::GetMisses,
    Counter::GetExpired,
    Counter::GetFlushed,
    Counter::DeleteMisses,
    Counter::DeleteHits,
    Counter::IncrMisses,
    Counter::IncrHits,
    Counter::DecrMisses,
    Counter::DecrHits,
    Counter::CasMisses,
    Counter::CasHits,
    Counter::CasBadval,
    Counter::TouchHits,
    Counter::TouchMisses,
    Counter::StoreTooLarge,
    Counter::StoreNoMemory,
    Counter::AuthCmds,
    Counter::AuthErrors,
];

/// What never happens here.
const NEVER_BEFORE_WATCHERS: &[&str] = &["conn_yields", "lru_crawler_starts"];

/// What never happens here either.
const NEVER_BEFORE_ITEMS: &[&str] = &["unexpected_napi_ids", "round_robin_fallback"];

/// What never happens to items here.
const NEVER_TO_ITEMS: &[&str] = &[
    "crawler_items_checked",
    "lrutail_reflocked",
    "moves_to_cold",
    "moves_to_warm",
    "moves_within_lru",
    "direct_reclaims",
];

pub(super) fn general(context: &Context<'_>) -> Lines {
    let mut lines = Lines::default();
    process_lines(context, &mut lines);
    let shared = context.shared;
    for &counter in REQUESTS {
        lines.add(counter.name(), shared.ledger.total(counter));
    }
    if shared.settings.idle_timeout_seconds.is_some() {
        add_counter(context, Counter::IdleKicks, &mut lines);
    }
    add_counter(context, Counter::BytesRead, &mut lines);
    add_counter(context, Counter::BytesWritten, &mut lines);
    let tally = shared.store.tally();
    lines.add("limit_maxbytes", tally.limit_bytes);
    lines.add("accepting_conns", 1);
    lines.add("listen_disabled_num", 0);
    lines.add("time_in_listen_disabled_us", 0);
    lines.add("threads", shared.settings.threads);
    lines.add("lru_crawler_running", 0);
    for name in NEVER_BEFORE_WATCHERS {
        lines.add(name, 0);
    }
    let (sent, skipped) = shared.watchers.lines();
    lines.add("log_watcher_skipped", skipped);
    lines.add("log_watcher_sent", sent);
    lines.add("log_watchers", shared.watchers.count());
    if shared.settings.tls.is_on {
        add_counter(context, Counter::SslHandshakeErrors, &mut lines);
        let age = shared.certificates_age(context.now);
        lines.add("time_since_server_cert_refresh", age);
    }
    for name in NEVER_BEFORE_ITEMS {
        lines.add(name, 0);
    }
    lines.add("bytes", tally.bytes);
    lines.add("curr_items", tally.items);
    lines.add("total_items", tally.items_ever);
    lines.add("expired_unfetched", tally.expired_unfetched);
    lines.add("evicted_unfetched", tally.evicted_unfetched);
    lines.add(
        "evicted_active",
        tally.evictions.saturating_sub(tally.evicted_unfetched),
    );
    lines.add("evictions", tally.evictions);
    lines.add("reclaimed", tally.reclaimed);
    add_counter(context, Counter::CrawlerReclaimed, &mut lines);
    for name in NEVER_TO_ITEMS {
        lines.add(name, 0);
    }
    add_counter(context, Counter::Panics, &mut lines);
    lines.add("store_mended", tally.mended);
    lines
}

fn process_lines(context: &Context<'_>, lines: &mut Lines) {
    let shared = context.shared;
    lines.add("pid", std::process::id());
    lines.add("uptime", shared.started.until(context.now).as_secs());
    lines.add("time", context.now.seconds());
    lines.add("version", VERSION);
    lines.add("touchstone_version", env!("CARGO_PKG_VERSION"));
    lines.add("pointer_size", usize::BITS);
    let times = process::processor_times();
    for (name, time) in ["rusage_user", "rusage_system"].into_iter().zip(times) {
        let (seconds, rest) = (time.as_secs(), time.subsec_micros());
        lines.add(name, format_args!("{seconds}.{rest:06}"));
    }
    lines.add("max_connections", shared.settings.connections_max);
    lines.add("curr_connections", shared.roster.count());
    add_counter(context, Counter::TotalConnections, lines);
    add_counter(context, Counter::RejectedConnections, lines);
    lines.add("connection_structures", shared.roster.count());
}

fn add_counter(context: &Context<'_>, counter: Counter, lines: &mut Lines) {
    lines.add(counter.name(), context.shared.ledger.total(counter));
}
