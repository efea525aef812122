//! What has expired makes place for others without anybody asking for it.

use std::thread;
use std::time::{Duration, Instant};

use crate::common::Server;

const VALUE_LEN: usize = 1000;

/// So many fill more than half of eight megabytes: two times as many do not fit.
const COUNT: usize = 5000;

/// A quarter of a second lies between two slices where little is dead; nobody waits for it here.
const WAIT_MAX: Duration = Duration::from_secs(10);

fn fill(server: &Server, name: &str, seconds: u32) {
    let value = "v".repeat(VALUE_LEN);
    let sets = (0..COUNT)
        .map(|key| format!("set {name}{key} 0 {seconds} {VALUE_LEN} noreply ⏎ {value} ⏎ "));
    let said = server.play(sets.collect::<String>().trim_end_matches(" ⏎ "));
    assert!(!said.contains("\n< "), "nothing is refused");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a deadline is measured")]
fn the_memory_of_expired_items_serves_others_within_seconds_and_nobody_asks_for_them() {
    let server = Server::start("-m 8 -o debugtime");
    let store = &server.shared.store;
    let empty = store.tally().used_bytes;
    fill(&server, "old", 10);
    let full = store.tally();
    assert_eq!((full.items, full.evictions), (COUNT as u64, 0), "{full:?}");
    server.play("debugtime 10");
    let until = Instant::now() + WAIT_MAX;
    while store.tally().items > 0 {
        assert!(Instant::now() < until, "{:?}", store.tally());
        thread::yield_now();
    }
    let freed = store.tally();
    assert!(freed.used_bytes - empty < full.used_bytes / 20, "{freed:?}");
    assert_eq!(freed.expired_unfetched, COUNT as u64, "{freed:?}");
    fill(&server, "new", 0);
    let again = store.tally();
    assert_eq!(
        (again.items, again.evictions),
        (COUNT as u64, 0),
        "{again:?}"
    );
    let stats = server.play("stats");
    let line = format!("STAT crawler_reclaimed {COUNT}\n");
    assert!(stats.contains(&line), "{stats}");
}
