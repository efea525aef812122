//! `stats` and its sub-commands, and the counters whose every move is ruled. Law:
//! `spec/statistics.md`.
//!
//! The commands move the counters where they decide; nothing here decides anything for them. What
//! only a process has (a process id, processor time, sockets) the model makes up.
//! One file for each list: `general.rs` first.

mod classes;
mod general;
mod prefixes;
mod settings;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use spec::{Requirement, req};

use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::{Model, Time};

pub(crate) use prefixes::Prefixes;

/// What `stats` counts since the start, or since `stats reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is the statistic of that name")]
pub struct Counters {
    pub cmd_get: u64,
    pub cmd_set: u64,
    pub cmd_flush: u64,
    pub cmd_touch: u64,
    pub cmd_meta: u64,
    pub get_hits: u64,
    pub get_misses: u64,
    pub get_expired: u64,
    pub get_flushed: u64,
    pub delete_hits: u64,
    pub delete_misses: u64,
    pub incr_hits: u64,
    pub incr_misses: u64,
    pub decr_hits: u64,
    pub decr_misses: u64,
    pub cas_hits: u64,
    pub cas_misses: u64,
    pub cas_badval: u64,
    pub touch_hits: u64,
    pub touch_misses: u64,
    pub store_too_large: u64,
    pub auth_cmds: u64,
    pub auth_errors: u64,
    pub total_items: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
}

/// Moves a counter by one.
pub(crate) fn count(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

/// Moves a counter by so many.
pub(crate) fn count_by(counter: &mut u64, by: usize) {
    *counter = counter.wrapping_add(by as u64);
}

/// One line of a list, and the rules that force it.
struct Row {
    name: String,
    value: String,
    because: &'static [&'static Requirement],
}

impl Row {
    /// A line whose value these rules force.
    fn ruled(
        name: impl Into<String>,
        value: impl ToString,
        because: &'static [&'static Requirement],
    ) -> Row {
        Row {
            name: name.into(),
            value: value.to_string(),
            because,
        }
    }

    /// A counter: its rules are cited once it has moved.
    fn counted(name: &str, value: u64, because: &'static [&'static Requirement]) -> Row {
        Row::ruled(name, value, if value == 0 { &[] } else { because })
    }

    /// A line that must be there, whatever its value.
    fn own(name: impl Into<String>, value: impl ToString) -> Row {
        Row::ruled(name, value, &[])
    }
}

/// Rules a list, by this rule and those of its rows.
fn list(rows: impl IntoIterator<Item = Row>, because: &'static Requirement) -> Ruling {
    let mut reasons: Vec<&'static Requirement> = Vec::new();
    let mut lines = Vec::new();
    for row in rows {
        reasons.extend(row.because);
        lines.push((row.name, row.value));
    }
    let mut ruling = Reply::Stats(lines).because(because);
    ruling.because.extend(reasons);
    ruling
}

/// The sub-commands that may be abbreviated where that is the habit, the first match winning.
const ABBREVIATED: [&[u8]; 6] = [
    b"reset",
    b"detail",
    b"settings",
    b"cachedump",
    b"conns",
    b"extstore",
];

/// `stats [<sub-command> [<argument>]*]`; it knows no noreply.
pub(crate) fn stats(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let Some(word) = line.argument(1) else {
        return general::general(model, now);
    };
    match whole(model, word, &ABBREVIATED) {
        b"reset" => reset(model),
        b"detail" => prefixes::detail(model, line),
        b"settings" => settings::settings(model),
        b"cachedump" => classes::cachedump(model, line),
        b"conns" => connections(),
        b"extstore" => list([], req!("statistics.extstore.off")),
        b"items" => classes::items(model),
        b"slabs" => classes::slabs(model),
        b"sizes" => classes::sizes(model),
        word => unknown(model, word),
    }
}

/// The list of this name that the binary protocol has as well; no name is that of `stats` alone.
pub(crate) fn named(model: &Model, name: &[u8], now: Time) -> Option<Ruling> {
    match name {
        b"" => Some(general::general(model, now)),
        b"settings" => Some(settings::settings(model)),
        b"items" => Some(classes::items(model)),
        b"slabs" => Some(classes::slabs(model)),
        b"sizes" => Some(classes::sizes(model)),
        _ => None,
    }
}

/// The word that is meant, by the dialect's habit.
fn whole<'a>(model: &Model, word: &'a [u8], words: &[&'a [u8]]) -> &'a [u8] {
    let abbreviated = req!("statistics.sub-command.whole.abbreviated");
    let meant = words.iter().find(|whole| whole.starts_with(word));
    match meant {
        Some(meant) if model.dialect.has(abbreviated) => meant,
        _ => word,
    }
}

/// A sub-command that there is not.
fn unknown(model: &Model, word: &[u8]) -> Ruling {
    if word == b"sizes_enable" && model.dialect.has(req!("statistics.sizes.start.switched")) {
        return Reply::Verbatim(b"STAT sizes_status enabled\r\n".to_vec())
            .because(req!("statistics.sizes.start.switched"));
    }
    Reply::Error
        .because(req!("statistics.sub-command.unknown"))
        .also(req!("statistics.sub-command.whole"))
        .also(req!("statistics.sub-command.noreply"))
        .also(req!("statistics.sizes.start"))
}

/// `stats reset`: counters begin again, and what is a state stays.
pub(crate) fn reset(model: &mut Model) -> Ruling {
    model.counters = Counters::default();
    model.prefixes.clear();
    Reply::Reset
        .because(req!("statistics.reset.counters"))
        .also(req!("statistics.reset.states"))
        .also(req!("statistics.sub-command.arguments"))
        .also(req!("statistics.sub-command.whole.abbreviated"))
}

/// `stats conns`: the model has no sockets, so it lists the client that asks.
fn connections() -> Ruling {
    let rows = [
        ("addr", "tcp:127.0.0.1:49152"),
        ("listen_addr", "tcp:127.0.0.1:11211"),
        ("state", "conn_parse_cmd"),
        ("secs_since_last_cmd", "0"),
    ];
    let rows = rows.map(|(name, value)| Row::own(format!("1:{name}"), value));
    list(rows, req!("statistics.conns.own"))
}
