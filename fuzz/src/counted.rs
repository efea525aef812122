//! What model and server must have counted alike, whatever was sent: the statistics that follow
//! from the requests alone.
//!
//! It never asks for a figure that a server may have of its own, as how much it has read of a
//! request that is not complete. Where one hangs on what was sent, [`Known`] knows whether it means
//! the same.

use std::collections::BTreeMap;

use model::{Code, Reply, Ruling};
use server::Settings;
use spec::Requirement;

/// Of `stats`, `stats settings`, `stats slabs`: the same after any history.
const ALIKE: [&str; 46] = [
    "max_connections",
    "cmd_get",
    "cmd_set",
    "cmd_flush",
    "cmd_touch",
    "cmd_meta",
    "get_hits",
    "get_misses",
    "get_expired",
    "delete_misses",
    "delete_hits",
    "incr_misses",
    "incr_hits",
    "decr_misses",
    "decr_hits",
    "cas_misses",
    "cas_hits",
    "cas_badval",
    "touch_hits",
    "touch_misses",
    "store_too_large",
    "store_no_memory",
    "auth_cmds",
    "auth_errors",
    "limit_maxbytes",
    "threads",
    "total_items",
    "maxbytes",
    "maxconns",
    "verbosity",
    "evictions",
    "shutdown_command",
    "num_threads",
    "stat_key_prefix",
    "detail_enabled",
    "cas_enabled",
    "item_size_max",
    "flush_enabled",
    "dump_enabled",
    "1:get_hits",
    "1:cmd_set",
    "1:delete_hits",
    "1:incr_hits",
    "1:decr_hits",
    "1:cas_hits",
    "1:touch_hits",
];

/// The same until a flush took items at once: memcached 1.6.45 lets go of those of that second
/// then, and finds those before flushed one by one.
const ALIKE_UNTIL_FLUSHED: [&str; 3] = ["get_flushed", "curr_items", "items:1:number"];

/// The sum of these is the same; which of them a hit is counted for is each server's own.
const HITS: &str = "items:1:hits_to_";

/// Somebody who asks what was counted.
pub(crate) struct Asker {
    /// By which it gets in.
    pub(crate) greeting: Vec<u8>,
    /// Sent one after the other: what is read at once, is counted at once.
    pub(crate) questions: Vec<Vec<u8>>,
}

impl Asker {
    pub(crate) fn of(settings: &Settings) -> Asker {
        let lists = ["", "settings", "items", "slabs"];
        if settings.has_sasl_login {
            let questions = lists.map(|list| frame(STAT, list.as_bytes(), b""));
            return Asker {
                greeting: frame(SASL_AUTH, b"PLAIN", b"\0bob\0secret"),
                questions: questions.into(),
            };
        }
        let login = b"set login 0 0 10\r\nbob secret\r\n".as_slice();
        let lists = lists.map(|list| format!("stats {list}\r\n").into_bytes());
        Asker {
            greeting: if settings.has_text_login {
                login
            } else {
                b"mn\r\n"
            }
            .to_vec(),
            questions: [&lists[..], &[b"stats detail dump\r\n".to_vec()]].concat(),
        }
    }
}

const HEADER_BYTES: usize = 24;
const SASL_AUTH: u8 = 0x21;
const STAT: u8 = 0x10;

fn frame(opcode: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
    let key_length = u8::try_from(key.len()).unwrap_or(0);
    let length = u8::try_from(key.len() + value.len()).unwrap_or(0);
    let head = [0x80, opcode, 0, key_length, 0, 0, 0, 0, 0, 0, 0, length];
    [&head[..], &[0; 12], key, value].concat()
}

/// What is known of how a trial went.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known {
    /// A flush took items at once.
    is_flushed: bool,
    /// A reply had figures of the server's own, of whatever length.
    pub(crate) has_figures: bool,
}

impl Known {
    pub(crate) fn and_of(self, other: Known) -> Known {
        Known {
            is_flushed: self.is_flushed || other.is_flushed,
            has_figures: self.has_figures || other.has_figures,
        }
    }

    pub(crate) fn note(&mut self, ruling: &Ruling) {
        self.note_rules(&ruling.because);
        self.has_figures |= match &ruling.reply {
            Reply::Stats(_) | Reply::Dump(_) | Reply::Version(_) | Reply::Meta(Code::Me, _) => true,
            // Whether what was said before counts as written hangs on when it was sent.
            Reply::Reset => true,
            Reply::Packets(packets) => packets.iter().any(crate::trial::is_own),
            _ => false,
        };
    }

    pub(crate) fn note_rules(&mut self, because: &[&Requirement]) {
        let takes = ["flush.now", "flush.lasts", "binary.administration.flush"];
        self.is_flushed |= because.iter().any(|rule| takes.contains(&rule.name));
    }

    /// What both must have counted alike, of all the statistics that were told.
    pub(crate) fn counted(self, said: &[u8]) -> BTreeMap<String, String> {
        let told = if said.first() == Some(&0x81) {
            of_frames(said)
        } else {
            of_lines(said)
        };
        let hits = told.iter().filter(|(name, _)| name.starts_with(HITS));
        let hits: u64 = hits
            .filter_map(|(_, value)| value.parse::<u64>().ok())
            .sum();
        let is_alike = |name: &str| {
            ALIKE.contains(&name)
                || name.starts_with("PREFIX ")
                || !self.is_flushed && ALIKE_UNTIL_FLUSHED.contains(&name)
                || !self.has_figures && name == "bytes_written"
        };
        let mut alike = told;
        // A class that nobody has used yet is not listed by everybody.
        alike.retain(|name, value| is_alike(name) && !(name.starts_with("1:") && value == "0"));
        if !self.is_flushed && alike.contains_key("items:1:number") {
            alike.insert(HITS.to_owned(), hits.to_string());
        }
        alike
    }
}

/// `STAT <name> <value>` and `PREFIX <name> <values>`.
fn of_lines(said: &[u8]) -> BTreeMap<String, String> {
    let said = String::from_utf8_lossy(said);
    let told = said.lines().filter_map(|line| {
        let (kind, rest) = line.split_once(' ')?;
        let (name, value) = rest.split_once(' ')?;
        let name = if kind == "STAT" {
            name.to_owned()
        } else {
            format!("{kind} {name}")
        };
        Some((name, value.to_owned()))
    });
    told.collect()
}

fn of_frames(mut said: &[u8]) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    while let Some((frame, rest)) = crate::trial::next_frame(said) {
        said = rest;
        let key_length = frame.get(3).map_or(0, |&length| usize::from(length));
        let body = frame.get(HEADER_BYTES..).unwrap_or_default();
        let Some((key, value)) = body.split_at_checked(key_length) else {
            continue;
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        told.insert(text(key), text(value));
    }
    told
}
