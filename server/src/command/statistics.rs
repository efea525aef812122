//! `stats`.

use std::process;

use super::Context;
use crate::counters::Counter;
use crate::protocol::{Error, Reply, Tokens, VERSION};

/// Answers with what was counted, or begins to count anew.
pub(super) fn stats(context: &Context<'_>, mut words: Tokens<'_>) -> Reply {
    match words.next() {
        None => Reply::Statistics(general(context)),
        Some(b"reset") => {
            context.shared.ledger.reset();
            context.shared.store.reset_tally();
            Reply::Reset
        }
        Some(_) => Error::Unknown.into(),
    }
}

fn general(context: &Context<'_>) -> Vec<(String, String)> {
    let shared = context.shared;
    let tally = shared.store.tally();
    let uptime = shared.started.until(context.now).as_secs();
    let mut lines = Lines::default();
    lines.add("pid", process::id());
    lines.add("uptime", uptime);
    lines.add("time", context.now.seconds());
    lines.add("version", VERSION);
    lines.add("touchstone_version", env!("CARGO_PKG_VERSION"));
    lines.add("pointer_size", usize::BITS);
    lines.add("max_connections", shared.settings.connections_max);
    lines.add("curr_connections", shared.connections());
    for &counter in Counter::ALL {
        lines.add(counter.name(), shared.ledger.total(counter));
    }
    lines.add("limit_maxbytes", tally.limit_bytes);
    lines.add("accepting_conns", 1);
    lines.add("threads", shared.settings.threads);
    lines.add("bytes", tally.bytes);
    lines.add("curr_items", tally.items);
    lines.add("total_items", tally.items_ever);
    lines.add("evictions", tally.evictions);
    lines.add("evicted_unfetched", tally.evicted_unfetched);
    lines.add("expired_unfetched", tally.expired_unfetched);
    lines.add("reclaimed", tally.reclaimed);
    lines.0
}

/// Lines being gathered.
#[derive(Default)]
struct Lines(Vec<(String, String)>);

impl Lines {
    fn add(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }
}
