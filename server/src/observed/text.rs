//! All figures, in Prometheus' text format.
//!
//! The names that begin with `memcached_` are those of memcached_exporter, so that dashboards made
//! for that keep working; what it has not begins with `touchstone_`. It never counts anything.

use std::fmt::{Display, Write};

use super::latency::{BOUNDS, Command};
use super::slab;
use super::windows::WINDOWS;
use crate::counters::Counter;
use crate::protocol::VERSION;
use crate::shared::Shared;
use crate::store::Tally;
use crate::time::Time;

/// What a process takes, as only the edge of the program knows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// The processor time spent for us and on our behalf, in seconds.
    pub processor_seconds: (f64, f64),
    /// The memory that is ours and in place, in bytes.
    pub resident_bytes: u64,
}

/// Text in the making.
pub(super) struct Text(String);

impl Text {
    pub(super) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// All of a figure of which there is one, with its labels.
    pub(super) fn labelled(
        &mut self,
        kind: &str,
        of: (&str, &str),
        help: &str,
        value: impl Display,
    ) {
        let (name, labels) = of;
        self.head(name, kind, help);
        self.sample(name, labels, value);
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.labelled("counter", (name, ""), help, value);
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.labelled("gauge", (name, ""), help, value);
    }
}

/// All figures as they stand.
#[must_use]
pub fn exposition(shared: &Shared, process: Process, now: Time) -> String {
    let mut text = Text(String::with_capacity(16 * 1024));
    let tally = shared.store.tally();
    server(&mut text, shared, process, now);
    connections(&mut text, shared);
    commands(&mut text, shared);
    items(&mut text, shared, &tally);
    never(&mut text);
    crawler(&mut text, shared);
    slab::class(&mut text, shared, &tally, now);
    memory(&mut text, shared, &tally, process);
    ratios(&mut text, shared);
    latencies(&mut text, shared);
    text.0
}

fn server(text: &mut Text, shared: &Shared, process: Process, now: Time) {
    text.gauge("memcached_up", "Whether the server answers.", 1);
    let uptime = shared.started.until(now).as_secs();
    text.counter(
        "memcached_uptime_seconds",
        "Seconds since the start.",
        uptime,
    );
    text.gauge(
        "memcached_time_seconds",
        "The server's time.",
        now.seconds(),
    );
    for (name, version, help) in [
        (
            "memcached_version",
            VERSION,
            "The version of memcached that this is like.",
        ),
        (
            "touchstone_version",
            env!("CARGO_PKG_VERSION"),
            "The version of this server.",
        ),
    ] {
        let labels = format!("{{version=\"{version}\"}}");
        text.labelled("gauge", (name, &labels), help, 1);
    }
    let (user, system) = process.processor_seconds;
    let name = "memcached_process_user_cpu_seconds_total";
    text.counter(name, "Processor time of the process.", user);
    let name = "memcached_process_system_cpu_seconds_total";
    text.counter(name, "Processor time of the system for it.", system);
    let name = "touchstone_panics_total";
    let panics = shared.ledger.total(Counter::Panics);
    text.counter(
        name,
        "Connections that ended by a fault of the server.",
        panics,
    );
}

fn connections(text: &mut Text, shared: &Shared) {
    let total = |counter| shared.ledger.total(counter);
    let name = "memcached_current_connections";
    text.gauge(name, "Clients that are connected.", shared.roster.count());
    let limit = shared.settings.connections_max;
    text.gauge("memcached_max_connections", "How many there may be.", limit);
    let accepting = u8::from(!shared.is_stopping());
    let name = "memcached_accepting_connections";
    text.gauge(name, "Whether more are taken.", accepting);
    for (counter, name, help) in [
        (
            Counter::TotalConnections,
            "memcached_connections_total",
            "Clients that ever connected.",
        ),
        (
            Counter::RejectedConnections,
            "memcached_connections_rejected_total",
            "Clients that were refused because there were too many.",
        ),
        (
            Counter::IdleKicks,
            "touchstone_connections_idle_closed_total",
            "Clients that were waited for in vain.",
        ),
        (
            Counter::BytesRead,
            "memcached_read_bytes_total",
            "Bytes received.",
        ),
        (
            Counter::BytesWritten,
            "memcached_written_bytes_total",
            "Bytes sent.",
        ),
        (
            Counter::AuthErrors,
            "touchstone_login_failures_total",
            "Attempts to log in that failed.",
        ),
    ] {
        text.counter(name, help, total(counter));
    }
}

fn commands(text: &mut Text, shared: &Shared) {
    let total = |counter| shared.ledger.total(counter);
    let name = "memcached_commands_total";
    text.head(name, "counter", "Requests, by what became of them.");
    let compared = [Counter::CasHits, Counter::CasMisses, Counter::CasBadval];
    let compared = compared.map(total).into_iter().sum();
    let stored = total(Counter::CmdSet).saturating_sub(compared);
    for (command, status, count) in [
        ("get", "hit", total(Counter::GetHits)),
        ("get", "miss", total(Counter::GetMisses)),
        ("set", "hit", stored),
        ("delete", "hit", total(Counter::DeleteHits)),
        ("delete", "miss", total(Counter::DeleteMisses)),
        ("incr", "hit", total(Counter::IncrHits)),
        ("incr", "miss", total(Counter::IncrMisses)),
        ("decr", "hit", total(Counter::DecrHits)),
        ("decr", "miss", total(Counter::DecrMisses)),
        ("cas", "hit", total(Counter::CasHits)),
        ("cas", "miss", total(Counter::CasMisses)),
        ("cas", "badval", total(Counter::CasBadval)),
        ("touch", "hit", total(Counter::TouchHits)),
        ("touch", "miss", total(Counter::TouchMisses)),
        ("flush", "hit", total(Counter::CmdFlush)),
    ] {
        let labels = format!("{{command=\"{command}\",status=\"{status}\"}}");
        text.sample(name, &labels, count);
    }
}

fn items(text: &mut Text, shared: &Shared, tally: &Tally) {
    let total = |counter| shared.ledger.total(counter);
    let name = "memcached_current_items";
    text.gauge(name, "Items that are stored.", tally.items);
    let name = "memcached_current_bytes";
    text.gauge(name, "What they take, in bytes.", tally.bytes);
    let name = "memcached_limit_bytes";
    text.gauge(name, "What they may take, in bytes.", tally.limit_bytes);
    let name = "memcached_malloced_bytes";
    text.gauge(name, "Memory that is taken for items.", tally.used_bytes);
    let name = "memcached_items_total";
    text.counter(name, "Items that were ever stored.", tally.items_ever);
    let name = "memcached_items_evicted_total";
    text.counter(name, "Live items given up for others.", tally.evictions);
    let name = "memcached_items_reclaimed_total";
    text.counter(name, "Dead items replaced by others.", tally.reclaimed);
    let name = "memcached_item_too_large_total";
    let count = total(Counter::StoreTooLarge);
    text.counter(name, "Items refused as too large.", count);
    let name = "memcached_item_no_memory_total";
    let count = total(Counter::StoreNoMemory);
    text.counter(name, "Items refused for want of memory.", count);
}

/// What dashboards read, and never happens here.
fn never(text: &mut Text) {
    for name in [
        "memcached_connections_yielded_total",
        "memcached_connections_listener_disabled_total",
        "memcached_direct_reclaims_total",
        "memcached_lru_crawler_starts_total",
        "memcached_lru_crawler_items_checked_total",
        "memcached_lru_crawler_moves_to_cold_total",
        "memcached_lru_crawler_moves_to_warm_total",
        "memcached_lru_crawler_moves_within_lru_total",
    ] {
        text.counter(name, "It never happens here.", 0);
    }
}

fn crawler(text: &mut Text, shared: &Shared) {
    let name = "memcached_lru_crawler_enabled";
    let help = "Whether dead items are cleared away unasked.";
    text.gauge(name, help, u8::from(shared.is_sweeping()));
    let count = shared.ledger.total(Counter::CrawlerReclaimed);
    let name = "memcached_lru_crawler_reclaimed_total";
    text.counter(name, "Dead items that were cleared away unasked.", count);
    for name in [
        "memcached_lru_crawler_sleep",
        "memcached_lru_crawler_to_crawl",
        "memcached_lru_crawler_maintainer_thread",
        "memcached_lru_crawler_hot_percent",
        "memcached_lru_crawler_warm_percent",
        "memcached_lru_crawler_hot_max_factor",
        "memcached_lru_crawler_warm_max_factor",
    ] {
        text.gauge(name, "There is no such thing here to set.", 0);
    }
}

fn memory(text: &mut Text, shared: &Shared, tally: &Tally, process: Process) {
    let name = "touchstone_memory_bytes";
    text.head(name, "gauge", "Memory, by what it is for.");
    let beside = tally.used_bytes.saturating_sub(tally.bytes);
    let purposes: [(&str, &dyn Display); 5] = [
        ("items", &tally.bytes),
        ("tables_and_room", &beside),
        ("unfinished_blocks", &shared.held_bytes()),
        ("unread_replies", &shared.unread.total()),
        ("resident", &process.resident_bytes),
    ];
    for (purpose, count) in purposes {
        text.sample(name, &format!("{{purpose=\"{purpose}\"}}"), count);
    }
}

fn ratios(text: &mut Text, shared: &Shared) {
    let name = "touchstone_hit_ratio";
    let help = "The share of keys found of those asked for, in the last minute, five, and hour.";
    text.head(name, "gauge", help);
    let counts = hits_and_misses(shared);
    for (window, steps) in WINDOWS {
        let ratio = shared.observed.windows.ratio(steps, counts);
        let labels = format!("{{window=\"{window}\"}}");
        match ratio {
            Some(ratio) => text.sample(name, &labels, ratio),
            None => text.sample(name, &labels, "NaN"),
        }
    }
}

/// What the windows are made of.
pub(crate) fn hits_and_misses(shared: &Shared) -> (u64, u64) {
    let total = |counter| shared.ledger.total(counter);
    (total(Counter::GetHits), total(Counter::GetMisses))
}

fn latencies(text: &mut Text, shared: &Shared) {
    let name = "touchstone_command_duration_seconds";
    let help = "From the read that brought a command until its reply was written; of one wake in \
                64, by the command that came first.";
    text.head(name, "histogram", help);
    #[expect(clippy::cast_precision_loss, reason = "a time needs no more digits")]
    let seconds = |count: u64, of_a_second: f64| count as f64 / of_a_second;
    for &command in Command::ALL {
        let reading = shared.observed.latencies.read(command);
        if reading.count == 0 {
            continue;
        }
        let word = command.word();
        for (bound, within) in BOUNDS.into_iter().zip(reading.within) {
            let bound = seconds(bound, 1e6);
            let labels = format!("{{command=\"{word}\",le=\"{bound}\"}}");
            text.sample(&format!("{name}_bucket"), &labels, within);
        }
        let labels = format!("{{command=\"{word}\",le=\"+Inf\"}}");
        text.sample(&format!("{name}_bucket"), &labels, reading.count);
        let labels = format!("{{command=\"{word}\"}}");
        let sum = seconds(reading.nanoseconds, 1e9);
        text.sample(&format!("{name}_sum"), &labels, sum);
        text.sample(&format!("{name}_count"), &labels, reading.count);
    }
}
