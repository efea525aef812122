//! `stats` and its sub-commands.
//!
//! It never moves a counter. A sub-command is taken by its whole word.

mod classes;
mod detail;
mod general;
mod settings;

use super::Context;
use crate::observed::value_len;
use crate::protocol::{Error, Reply, Tokens, escape};

/// Answers `stats`.
pub(super) fn stats(context: &Context<'_>, mut words: Tokens<'_>) -> Reply {
    let listed = match words.next() {
        None => general::general(context),
        Some(b"settings") => settings::settings(context),
        Some(b"items") => classes::items(context),
        Some(b"slabs") => classes::slabs(context),
        Some(b"sizes") => classes::sizes(context),
        Some(b"conns") => connections(context),
        Some(b"hotkeys") if context.shared.settings.metrics.is_some() => hot_keys(context),
        Some(b"bigkeys") if context.shared.settings.metrics.is_some() => big_keys(context),
        Some(b"extstore") => Lines::default(),
        Some(b"detail") => return detail::detail(context, words.next()),
        Some(b"cachedump") => return classes::cachedump(context, words),
        Some(b"reset") => return reset(context),
        Some(_) => return Error::Unknown.into(),
    };
    Reply::Statistics(listed.0)
}

/// The keys seen most, of those that were looked at, and how often each was seen.
fn hot_keys(context: &Context<'_>) -> Lines {
    let mut lines = Lines::default();
    for (key, count) in context.shared.observed.hot.most() {
        lines.add(&escape(&key), count);
    }
    lines
}

/// The keys with the largest values, of those that were looked at, and how long those are now.
fn big_keys(context: &Context<'_>) -> Lines {
    let mut lines = Lines::default();
    let measure = |key: &[u8]| value_len(&context.shared.store, key, context.now);
    for (key, len) in context.shared.observed.big.largest(measure) {
        lines.add(&escape(&key), len);
    }
    lines
}

fn reset(context: &Context<'_>) -> Reply {
    context.shared.observed.reset();
    context.shared.ledger.reset();
    context.shared.store.reset_tally();
    context.shared.evicted.reset();
    context.shared.watchers.reset();
    context.shared.prefixes.reset();
    Reply::Reset
}

fn connections(context: &Context<'_>) -> Lines {
    let mut lines = Lines::default();
    for record in context.shared.roster.all() {
        let number = record.number;
        // Only the connection that asks is known to be at a command; the others wait for one.
        let state = if context.connection == Some(number) {
            "conn_parse_cmd"
        } else {
            "conn_read"
        };
        lines.add(&format!("{number}:addr"), &record.addresses.client);
        lines.add(&format!("{number}:listen_addr"), &record.addresses.listener);
        lines.add(&format!("{number}:state"), state);
        lines.add(
            &format!("{number}:secs_since_last_cmd"),
            record.idle_seconds(context.now),
        );
    }
    lines
}

/// Names and values being gathered.
#[derive(Default)]
struct Lines(Vec<(String, String)>);

impl Lines {
    fn add(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn add_switch(&mut self, name: &str, is_on: bool) {
        self.add(name, if is_on { "yes" } else { "no" });
    }
}
