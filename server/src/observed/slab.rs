//! What is counted of the one class of slabs, under memcached_exporter's names.
//!
//! It never counts anything: each figure is one that `stats items` and `stats slabs` say too, or a
//! difference of them that the exporter makes.

use super::text::Text;
use crate::class::{self, CLASS};
use crate::shared::Shared;
use crate::store::Tally;
use crate::time::Time;

/// What we have, the exporter's name behind `memcached_slab_`, its kind, and what it is.
///
/// Left out are `hot_age_seconds` and `warm_age_seconds`: there are no such queues to be old in.
const FIGURES: [(&str, &str, &str, &str); 25] = [
    ("number", "current_items", "gauge", "Items stored."),
    ("number_hot", "hot_items", "gauge", "None: one queue."),
    ("number_warm", "warm_items", "gauge", "None: one queue."),
    ("number_cold", "cold_items", "gauge", "Items stored."),
    (
        "age",
        "items_age_seconds",
        "gauge",
        "For how long the next to go was not wanted.",
    ),
    (
        "mem_requested",
        "mem_requested_bytes",
        "gauge",
        "What items take.",
    ),
    (
        "evicted",
        "items_evicted_total",
        "counter",
        "Live items given up.",
    ),
    (
        "evicted_nonzero",
        "items_evicted_nonzero_total",
        "counter",
        "Those with an expiry.",
    ),
    (
        "evicted_time",
        "items_evicted_time_seconds",
        "gauge",
        "How long the last was not wanted.",
    ),
    (
        "evicted_unfetched",
        "items_evicted_unfetched_total",
        "counter",
        "Those never fetched.",
    ),
    (
        "expired_unfetched",
        "items_expired_unfetched_total",
        "counter",
        "Expired, never fetched.",
    ),
    (
        "outofmemory",
        "items_outofmemory_total",
        "counter",
        "Refused for want of memory.",
    ),
    (
        "reclaimed",
        "items_reclaimed_total",
        "counter",
        "Dead items replaced by others.",
    ),
    (
        "crawler_reclaimed",
        "items_crawler_reclaimed_total",
        "counter",
        "Cleared away unasked.",
    ),
    (
        "tailrepairs",
        "items_tailrepairs_total",
        "counter",
        "It never happens here.",
    ),
    (
        "moves_to_cold",
        "items_moves_to_cold",
        "counter",
        "It never happens here.",
    ),
    (
        "moves_to_warm",
        "items_moves_to_warm",
        "counter",
        "It never happens here.",
    ),
    (
        "moves_within_lru",
        "items_moves_within_lru",
        "counter",
        "It never happens here.",
    ),
    (
        "chunk_size",
        "chunk_size_bytes",
        "gauge",
        "Memory is given out by the byte.",
    ),
    (
        "chunks_per_page",
        "chunks_per_page",
        "gauge",
        "Bytes of a page.",
    ),
    (
        "total_pages",
        "current_pages",
        "gauge",
        "Pages that the items would fill.",
    ),
    (
        "total_chunks",
        "current_chunks",
        "gauge",
        "Bytes of those pages.",
    ),
    (
        "used_chunks",
        "chunks_used",
        "gauge",
        "Bytes that items take.",
    ),
    (
        "free_chunks",
        "chunks_free",
        "gauge",
        "Bytes of those pages that none takes.",
    ),
    (
        "free_chunks_end",
        "chunks_free_end",
        "gauge",
        "There is no such end.",
    ),
];

/// Hits by queue: what we have, and the queue. There is one.
const HITS: [(&str, &str); 4] = [
    ("hits_to_hot", "hot"),
    ("hits_to_warm", "warm"),
    ("hits_to_cold", "cold"),
    ("hits_to_temp", "temporary"),
];

/// What we have of requests, the command, and what became of them.
const REQUESTS: [(&str, &str, &str); 7] = [
    ("get_hits", "get", "hit"),
    ("delete_hits", "delete", "hit"),
    ("incr_hits", "incr", "hit"),
    ("decr_hits", "decr", "hit"),
    ("cas_hits", "cas", "hit"),
    ("cas_badval", "cas", "badval"),
    ("touch_hits", "touch", "hit"),
];

/// All that is said of the class.
pub(super) fn class(text: &mut Text, shared: &Shared, tally: &Tally, now: Time) {
    let items = class::items(shared, tally, now);
    let chunks = class::chunks(tally);
    let requests = class::requests(shared);
    let all = items.iter().chain(&chunks).chain(&requests);
    let figure = |name: &str| {
        let mut all = all.clone();
        all.find_map(|&(each, value)| (each == name).then_some(value))
    };
    let slab = format!("slab=\"{CLASS}\"");
    for (ours, name, kind, help) in FIGURES {
        if let Some(value) = figure(ours) {
            let name = format!("memcached_slab_{name}");
            text.labelled(kind, (&name, &format!("{{{slab}}}")), help, value);
        }
    }
    let name = "memcached_slab_lru_hits_total";
    text.head(name, "counter", "Hits, by queue; there is one.");
    for (ours, queue) in HITS {
        if let Some(value) = figure(ours) {
            text.sample(name, &format!("{{{slab},lru=\"{queue}\"}}"), value);
        }
    }
    let name = "memcached_slab_commands_total";
    text.head(name, "counter", "Requests, by what became of them.");
    let mut sample = |command: &str, status: &str, value: u64| {
        let labels = format!("{{{slab},command=\"{command}\",status=\"{status}\"}}");
        text.sample(name, &labels, value);
    };
    for (ours, command, status) in REQUESTS {
        if let Some(value) = figure(ours) {
            sample(command, status, value);
        }
    }
    // A cas counts as a set too; the exporter takes those that found an item away.
    let [set, hits, badval] = ["cmd_set", "cas_hits", "cas_badval"].map(figure);
    let compared = hits.unwrap_or(0).saturating_add(badval.unwrap_or(0));
    sample("set", "hit", set.unwrap_or(0).saturating_sub(compared));
}
