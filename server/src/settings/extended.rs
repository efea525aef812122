//! The table of extended options: the words of `-o`.
//!
//! Each row says what the word does here: its effect, the one line that says why it has none, or
//! the reason for which it is refused. The values of words without an effect are checked all the
//! same: a bad one was a mistake wherever it was written.

use super::options::number;
use super::{Problem, Settings, tls};

/// A word of `-o`.
pub(super) struct Word {
    pub(super) name: &'static str,
    /// What its value must be; empty when it takes none.
    pub(super) range: &'static str,
    pub(super) about: &'static str,
    effect: Effect,
}

/// What a word does when it is given.
enum Effect {
    /// It sets something, by its value; none when that is out of range.
    Set(fn(&mut Settings, &str) -> Option<()>),
    /// Its value is checked, and a warning says that nothing follows from it.
    Nothing(fn(&str) -> bool),
    /// The server does not start.
    Refused,
}

pub(super) const fn set(
    name: &'static str,
    range: &'static str,
    about: &'static str,
    set: fn(&mut Settings, &str) -> Option<()>,
) -> Word {
    Word {
        name,
        range,
        about,
        effect: Effect::Set(set),
    }
}

pub(super) const fn nothing(
    name: &'static str,
    range: &'static str,
    about: &'static str,
    is_good: fn(&str) -> bool,
) -> Word {
    Word {
        name,
        range,
        about,
        effect: Effect::Nothing(is_good),
    }
}

const fn refused(name: &'static str, about: &'static str) -> Word {
    Word {
        name,
        range: "",
        about,
        effect: Effect::Refused,
    }
}

const NO_SLABS: &str = "there are no slabs here";
const NO_SEGMENTS: &str = "there is one queue of items here, and it divides itself";
const NO_CHUNKS: &str = "items are stored whole here";
const NO_EXTSTORE: &str = "there is no storage but memory here";
const NO_PROXY: &str = "this is no proxy";
const NO_HASH: &str = "the table of items grows by itself here, and its hash is keyed";
const ALWAYS_FAST: &str = "a client too many is always told so at once";
const NO_SECCOMP: &str = "system calls are not filtered here; use the service manager's filter";
const BOUNDED: &str = "the buffers of connections are always bounded here";

/// The words about other things than TLS.
const WORDS: &[Word] = &[
    set(
        "idle_timeout",
        "a number of seconds, 0 to 31536000",
        "close clients that ask nothing for so long (0: never)",
        |settings, text| {
            let seconds = number(text, 0, 31_536_000)?;
            settings.idle_timeout_seconds = (seconds > 0).then_some(seconds);
            Some(())
        },
    ),
    set(
        "track_sizes",
        "",
        "let `stats sizes` list sizes",
        |settings, _| {
            settings.tracks_sizes = true;
            Some(())
        },
    ),
    set(
        "lru_crawler",
        "",
        "clear expired items away without being asked for them (the default)",
        |settings, _| {
            settings.sweeps = true;
            Some(())
        },
    ),
    set(
        "no_lru_crawler",
        "",
        "keep expired items until somebody asks for them, or memory is short",
        |settings, _| {
            settings.sweeps = false;
            Some(())
        },
    ),
    set(
        "watcher_logbuf_size",
        "a number of kilobytes, 1 to 65536",
        "how much may wait for one who watches (256)",
        |settings, text| {
            let kilobytes: usize = number(text, 1, 65536)?;
            settings.watcher_buffer_bytes = kilobytes.saturating_mul(1024);
            Some(())
        },
    ),
    set(
        "debugtime",
        "",
        "for tests only: let the command `debugtime` stop the clock and set it forward",
        |settings, _| {
            settings.turns_clock = true;
            Some(())
        },
    ),
    nothing("maxconns_fast", "", ALWAYS_FAST, none),
    nothing("no_maxconns_fast", "", ALWAYS_FAST, none),
    nothing("hashpower", "a number, 12 to 32", NO_HASH, |text| {
        within(text, 12, 32)
    }),
    nothing("no_hashexpand", "", NO_HASH, none),
    nothing(
        "hash_algorithm",
        "jenkins, murmur3 or xxh3",
        NO_HASH,
        |text| ["jenkins", "murmur3", "xxh3"].contains(&text),
    ),
    nothing(
        "tail_repair_time",
        "a number of seconds, from 10",
        "no item is ever stuck here",
        |text| within(text, 10, u32::MAX),
    ),
    nothing("slab_reassign", "", NO_SLABS, none),
    nothing("no_slab_reassign", "", NO_SLABS, none),
    nothing("slab_automove", "nothing, or 0 to 2", NO_SLABS, |text| {
        text.is_empty() || within(text, 0, 2)
    }),
    nothing("no_slab_automove", "", NO_SLABS, none),
    nothing(
        "slab_automove_ratio",
        "a fraction between 0 and 1",
        NO_SLABS,
        is_fraction,
    ),
    nothing(
        "slab_automove_window",
        "a number, 3 to 1799",
        NO_SLABS,
        |text| within(text, 3, 1799),
    ),
    nothing(
        "slab_sizes",
        "sizes with dashes between them",
        NO_SLABS,
        |text| !text.is_empty() && text.split('-').all(|size| within(size, 1, u32::MAX)),
    ),
    nothing(
        "slab_chunk_max",
        "a number of kilobytes, 0 to 1048576",
        NO_CHUNKS,
        |text| within(text, 0, 1_048_576),
    ),
    nothing("no_chunked_items", "", NO_CHUNKS, none),
    nothing(
        "lru_crawler_sleep",
        "a number of microseconds, 0 to 1000000",
        "expired items are cleared away in small slices",
        |text| within(text, 0, 1_000_000),
    ),
    nothing(
        "lru_crawler_tocrawl",
        "a number",
        "expired items are cleared away in small slices",
        |text| within(text, 0, u32::MAX),
    ),
    nothing("lru_maintainer", "", NO_SEGMENTS, none),
    nothing("no_lru_maintainer", "", NO_SEGMENTS, none),
    nothing("hot_lru_pct", "a number, 1 to 79", NO_SEGMENTS, |text| {
        within(text, 1, 79)
    }),
    nothing("warm_lru_pct", "a number, 1 to 79", NO_SEGMENTS, |text| {
        within(text, 1, 79)
    }),
    nothing("hot_max_factor", "a factor above 0", NO_SEGMENTS, is_factor),
    nothing(
        "warm_max_factor",
        "a factor above 0",
        NO_SEGMENTS,
        is_factor,
    ),
    nothing(
        "temporary_ttl",
        "a number of seconds",
        NO_SEGMENTS,
        |text| within(text, 0, u32::MAX),
    ),
    nothing(
        "worker_logbuf_size",
        "a number of kilobytes",
        "lines for watchers wait in the watchers' own buffers here",
        |text| within(text, 1, 65536),
    ),
    nothing(
        "read_buf_mem_limit",
        "a number of megabytes",
        BOUNDED,
        |text| within(text, 0, u32::MAX),
    ),
    nothing(
        "resp_obj_mem_limit",
        "a number of megabytes",
        BOUNDED,
        |_| true,
    ),
    nothing("inline_ascii_resp", "", "memcached ignores it too", none),
    nothing("no_inline_ascii_resp", "", "memcached ignores it too", none),
    nothing("modern", "", "memcached ignores it too", none),
    nothing(
        "no_modern",
        "",
        "the defaults of 1.4 shape slabs, which are not here",
        none,
    ),
    nothing("drop_privileges", "", NO_SECCOMP, none),
    nothing("no_drop_privileges", "", NO_SECCOMP, none),
    nothing("relaxed_privileges", "", NO_SECCOMP, none),
    refused("sock_cookie_id", "sockets are not marked here"),
    refused("ext_path", NO_EXTSTORE),
    refused("ext_page_size", NO_EXTSTORE),
    refused("ext_wbuf_size", NO_EXTSTORE),
    refused("ext_threads", NO_EXTSTORE),
    refused("ext_io_depth", NO_EXTSTORE),
    refused("ext_item_size", NO_EXTSTORE),
    refused("ext_item_age", NO_EXTSTORE),
    refused("ext_low_ttl", NO_EXTSTORE),
    refused("ext_drop_unread", NO_EXTSTORE),
    refused("ext_recache_rate", NO_EXTSTORE),
    refused("ext_compact_under", NO_EXTSTORE),
    refused("ext_drop_under", NO_EXTSTORE),
    refused("ext_max_frag", NO_EXTSTORE),
    refused("ext_max_sleep", NO_EXTSTORE),
    refused("slab_automove_freeratio", NO_EXTSTORE),
    refused("proxy_config", NO_PROXY),
    refused("proxy_arg", NO_PROXY),
    refused("proxy_uring", NO_PROXY),
    refused("proxy_memprofile", NO_PROXY),
];

/// All words, those about TLS among them.
pub(super) fn words() -> impl Iterator<Item = &'static Word> {
    WORDS.iter().chain(tls::WORDS)
}

/// The word of this name.
pub(super) fn named(shown: &str, name: &str) -> Result<&'static Word, Problem> {
    words().find(|word| word.name == name).ok_or_else(|| {
        let working = words().filter(|word| matches!(word.effect, Effect::Set(_)));
        let working: Vec<&str> = working.map(|word| word.name).collect();
        let problem = format!(
            "{shown}: there is no extended option `{name}`; there are {}, and those without an \
             effect here, which -h lists",
            working.join(", ")
        );
        Problem::plain(problem)
    })
}

impl Word {
    /// Takes it with this value; empty for none.
    pub(super) fn take(
        &self,
        settings: &mut Settings,
        shown: &str,
        value: &str,
    ) -> Result<(), Problem> {
        let Self { name, about, .. } = self;
        if self.range.is_empty() && !value.is_empty() && !matches!(self.effect, Effect::Refused) {
            let problem = format!("{shown} {name}: takes no value, but was given `{value}`");
            return Err(Problem::plain(problem));
        }
        let is_good = match self.effect {
            Effect::Refused => {
                return Err(Problem::plain(format!("{shown} {name}: refused: {about}")));
            }
            Effect::Set(set) => set(settings, value).is_some(),
            Effect::Nothing(is_good) => {
                let warning = format!("{shown} {name}: has no effect: {about}");
                settings.warnings.push(warning);
                is_good(value)
            }
        };
        if is_good {
            return Ok(());
        }
        let range = self.range;
        Err(Problem::plain(if value.is_empty() {
            format!("{shown} {name}: needs {range}")
        } else {
            format!("{shown} {name}: `{value}` is not {range}")
        }))
    }

    /// What `-h` says of it.
    pub(super) fn help(&self) -> String {
        let Self {
            name, range, about, ..
        } = self;
        let value = if range.is_empty() {
            String::new()
        } else {
            format!("=<{range}>")
        };
        let effect = match self.effect {
            Effect::Set(_) => "",
            Effect::Nothing(_) => "no effect: ",
            Effect::Refused => "refused: ",
        };
        format!("        {name}{value}\n            {effect}{about}\n")
    }
}

fn none(value: &str) -> bool {
    value.is_empty()
}

fn within(text: &str, min: u32, max: u32) -> bool {
    number(text, min, max).is_some()
}

fn is_factor(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|factor| factor > 0.0)
}

fn is_fraction(text: &str) -> bool {
    text.parse::<f64>()
        .is_ok_and(|ratio| ratio > 0.0 && ratio < 1.0)
}
