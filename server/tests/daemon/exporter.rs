//! The names that memcached_exporter gives to figures, and whether each says what `stats` does.

use crate::common;
use crate::metrics::Server;

/// The names of memcached_exporter behind `memcached_`, and where it reads them: a sub-command of
/// `stats`, and a name there.
const EXPORTED: [(&str, &str, &str); 45] = [
    ("lru_crawler_sleep", "settings", "lru_crawler_sleep"),
    ("lru_crawler_to_crawl", "settings", "lru_crawler_tocrawl"),
    (
        "lru_crawler_maintainer_thread",
        "settings",
        "lru_maintainer_thread",
    ),
    ("lru_crawler_hot_percent", "settings", "hot_lru_pct"),
    ("lru_crawler_warm_percent", "settings", "warm_lru_pct"),
    ("lru_crawler_hot_max_factor", "settings", "hot_max_factor"),
    ("lru_crawler_warm_max_factor", "settings", "warm_max_factor"),
    ("lru_crawler_enabled", "settings", "lru_crawler"),
    ("max_connections", "settings", "maxconns"),
    ("malloced_bytes", "slabs", "total_malloced"),
    ("slab_current_items{}", "items", "number"),
    ("slab_hot_items{}", "items", "number_hot"),
    ("slab_warm_items{}", "items", "number_warm"),
    ("slab_cold_items{}", "items", "number_cold"),
    ("slab_items_age_seconds{}", "items", "age"),
    (
        "slab_items_crawler_reclaimed_total{}",
        "items",
        "crawler_reclaimed",
    ),
    ("slab_items_evicted_total{}", "items", "evicted"),
    (
        "slab_items_evicted_nonzero_total{}",
        "items",
        "evicted_nonzero",
    ),
    ("slab_items_evicted_time_seconds{}", "items", "evicted_time"),
    (
        "slab_items_evicted_unfetched_total{}",
        "items",
        "evicted_unfetched",
    ),
    (
        "slab_items_expired_unfetched_total{}",
        "items",
        "expired_unfetched",
    ),
    ("slab_items_outofmemory_total{}", "items", "outofmemory"),
    ("slab_items_reclaimed_total{}", "items", "reclaimed"),
    ("slab_items_tailrepairs_total{}", "items", "tailrepairs"),
    ("slab_items_moves_to_cold{}", "items", "moves_to_cold"),
    ("slab_items_moves_to_warm{}", "items", "moves_to_warm"),
    ("slab_items_moves_within_lru{}", "items", "moves_within_lru"),
    ("slab_lru_hits_total{,lru=\"hot\"}", "items", "hits_to_hot"),
    (
        "slab_lru_hits_total{,lru=\"warm\"}",
        "items",
        "hits_to_warm",
    ),
    (
        "slab_lru_hits_total{,lru=\"cold\"}",
        "items",
        "hits_to_cold",
    ),
    (
        "slab_lru_hits_total{,lru=\"temporary\"}",
        "items",
        "hits_to_temp",
    ),
    ("slab_mem_requested_bytes{}", "items", "mem_requested"),
    ("slab_chunk_size_bytes{}", "slabs", "chunk_size"),
    ("slab_chunks_per_page{}", "slabs", "chunks_per_page"),
    ("slab_current_pages{}", "slabs", "total_pages"),
    ("slab_current_chunks{}", "slabs", "total_chunks"),
    ("slab_chunks_used{}", "slabs", "used_chunks"),
    ("slab_chunks_free{}", "slabs", "free_chunks"),
    ("slab_chunks_free_end{}", "slabs", "free_chunks_end"),
    (
        "slab_commands_total{,command=\"get\",status=\"hit\"}",
        "slabs",
        "get_hits",
    ),
    (
        "slab_commands_total{,command=\"delete\",status=\"hit\"}",
        "slabs",
        "delete_hits",
    ),
    (
        "slab_commands_total{,command=\"incr\",status=\"hit\"}",
        "slabs",
        "incr_hits",
    ),
    (
        "slab_commands_total{,command=\"cas\",status=\"hit\"}",
        "slabs",
        "cas_hits",
    ),
    (
        "slab_commands_total{,command=\"cas\",status=\"badval\"}",
        "slabs",
        "cas_badval",
    ),
    (
        "slab_commands_total{,command=\"touch\",status=\"hit\"}",
        "slabs",
        "touch_hits",
    ),
];

/// A server at a time that stands unless it is set forward.
fn start_standing(options: &str) -> Server {
    let options = format!("--metrics 0 -o debugtime {options}");
    let server = common::Server::start(&options);
    Server { server }
}

#[test]
fn figures_of_a_class_are_those_that_the_exporter_reads_elsewhere() {
    let server = start_standing("-t 1 -m 16");
    let value = "x".repeat(10_000);
    // A second passes before each: whatever goes was not wanted for that long at least.
    let set = |n: &u32| {
        let set = format!("set a{n} 0 9000 10000\r\n{value}\r\n");
        let said = server.ask(&format!("debugtime 1\r\n{set}stats items\r\n"));
        !said.contains("STAT items:1:evicted 0\r\n")
    };
    let last = (0..3000).find(set).expect("some go");
    let some = "set n 0 0 1\r\n5\r\nget n n\r\nincr n 1\r\ndecr n 1\r\ntouch n 0\r\n\
                cas n 0 0 1 1\r\nx\r\nset d 0 0 1\r\nd\r\ndelete d\r\n\
                set short 0 1 1\r\ns\r\n";
    server.ask(some);
    let said = server.fetch("/metrics");
    for (name, command, theirs) in EXPORTED {
        let name = match name.split_once('{') {
            Some((name, labels)) => format!("memcached_{name}{{slab=\"1\"{labels} "),
            None => format!("memcached_{name} "),
        };
        let exported = said.lines().find_map(|line| line.strip_prefix(&name));
        let stats = server.ask(&format!("stats {command}\r\n"));
        let prefix = match command {
            "items" => "items:1:",
            "slabs" if theirs != "total_malloced" => "1:",
            _ => "",
        };
        let line = format!("STAT {prefix}{theirs} ");
        let stat = stats.lines().find_map(|each| each.strip_prefix(&line));
        let number = |text: &str| match text {
            "yes" => Ok(1.0),
            "no" => Ok(0.0),
            _ => text.parse::<f64>(),
        };
        let (exported, stat) = (exported.expect(&name), stat.expect(&line));
        assert_eq!(number(exported), number(stat), "{name}");
    }
    // Sets are those without cas that found an item.
    let sets =
        server.figure("memcached_slab_commands_total{slab=\"1\",command=\"set\",status=\"hit\"}");
    assert_eq!(sets, Some(f64::from(last + 1 + 3)));
    // What was given up had an expiry, and had not been wanted for a while.
    let evicted = |name: &str| server.figure(&format!("memcached_slab_items_{name}{{slab=\"1\"}}"));
    assert!(evicted("evicted_total") > Some(0.0));
    assert_eq!(evicted("evicted_nonzero_total"), evicted("evicted_total"));
    assert!(evicted("evicted_time_seconds") > Some(0.0));
}
