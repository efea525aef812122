//! How the server was started, as far as a client can tell.
//!
//! Options that only move memory or threads about are accepted and change nothing here.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use spec::exchange::Header;

/// The start options that change an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Items have uniques; `-C` takes them away.
    pub cas: bool,
    /// The largest item, `-I`.
    pub item_size_max_bytes: u64,
    /// The memory for items, `-m`.
    pub memory_limit_bytes: u64,
    /// A full memory refuses instead of evicting, `-M`.
    pub refuse_when_full: bool,
    /// `flush_all` is allowed; `-F` forbids it.
    pub flush: bool,
    /// Dumps are allowed; `-X` forbids them.
    pub dumps: bool,
    /// Watching is allowed; `-W` forbids it.
    pub watch: bool,
    /// `shutdown` is allowed, `-A`.
    pub shutdown: bool,
    /// Statistics by key prefix are on from the start, `-D`.
    pub detail: bool,
    /// What ends a key's prefix, `-D`.
    pub prefix_delimiter: u8,
    /// Items are counted by their size, `-o track_sizes`.
    pub track_sizes: bool,
    /// How many threads serve clients, `-t`.
    pub threads: u64,
    /// How many clients may be connected, `-c`.
    pub connections_max: u64,
    /// What clients speak, `-B`.
    pub protocol: Protocol,
    /// Clients must authenticate by SASL, `-S`.
    pub sasl: bool,
    /// Clients must log in by text, `-Y`.
    pub login: bool,
    /// Who may, each as `name:password`.
    pub users: Vec<String>,
}

/// What clients speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// What a connection's first byte says.
    #[default]
    Auto,
    /// Text.
    Text,
    /// Binary.
    Binary,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cas: true,
            item_size_max_bytes: 1 << 20,
            memory_limit_bytes: 64 << 20,
            refuse_when_full: false,
            flush: true,
            dumps: true,
            watch: true,
            shutdown: false,
            detail: false,
            prefix_delimiter: b':',
            track_sizes: false,
            threads: 4,
            connections_max: 1024,
            protocol: Protocol::Auto,
            sasl: false,
            login: false,
            users: Vec::new(),
        }
    }
}

impl Options {
    /// The options that an exchange needs, and the users.
    ///
    /// # Errors
    /// When an option is unknown here or its value is no number.
    pub fn of(header: &Header) -> Result<Options, String> {
        let users = header.users.clone();
        Options::parse(&header.options).map(|options| Options { users, ..options })
    }

    /// Reads command-line options, as an exchange's header gives them.
    ///
    /// # Errors
    /// When an option is unknown here or its value is no number.
    pub fn parse(arguments: &str) -> Result<Options, String> {
        let mut options = Options::default();
        let mut words = arguments.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "-C" => options.cas = false,
                "-M" => options.refuse_when_full = true,
                "-F" => options.flush = false,
                "-X" => options.dumps = false,
                "-W" => options.watch = false,
                "-A" => options.shutdown = true,
                "-D" => {
                    options.detail = true;
                    options.prefix_delimiter = words
                        .next()
                        .and_then(|word| word.bytes().next())
                        .ok_or("-D needs a character")?;
                }
                "-t" => options.threads = size(word, words.next(), 1)?,
                "-c" => options.connections_max = size(word, words.next(), 1)?,
                "-U" => {
                    words.next().ok_or("-U needs a port")?;
                }
                "-S" => options.sasl = true,
                "-Y" => {
                    options.login = true;
                    words.next().ok_or("-Y needs a file")?;
                }
                "-B" => options.protocol = protocol(words.next().unwrap_or_default())?,
                "-o" => options.extend(words.next().unwrap_or_default())?,
                "-m" => options.memory_limit_bytes = size(word, words.next(), 1 << 20)?,
                "-I" => options.item_size_max_bytes = size(word, words.next(), 1)?,
                _ => return Err(format!("the model does not know the option `{word}`")),
            }
        }
        Ok(options)
    }

    /// Reads what stands behind `-o`: words between commas.
    fn extend(&mut self, words: &str) -> Result<(), String> {
        for word in words.split(',') {
            match word {
                "track_sizes" => self.track_sizes = true,
                // Here nothing is ever done in the background.
                "no_lru_maintainer" | "no_lru_crawler" => {}
                _ => return Err(format!("the model does not know the option `-o {word}`")),
            }
        }
        Ok(())
    }
}

fn protocol(word: &str) -> Result<Protocol, String> {
    match word {
        "auto" => Ok(Protocol::Auto),
        "ascii" => Ok(Protocol::Text),
        "binary" => Ok(Protocol::Binary),
        _ => Err(format!("`-B {word}` is no protocol")),
    }
}

/// A size such as `2m`, in bytes; a bare number counts in `unit`.
fn size(option: &str, value: Option<&str>, unit: u64) -> Result<u64, String> {
    let value = value.unwrap_or_default();
    let (digits, unit) = match value.as_bytes().last() {
        Some(b'k' | b'K') => (value.trim_end_matches(['k', 'K']), 1 << 10),
        Some(b'm' | b'M') => (value.trim_end_matches(['m', 'M']), 1 << 20),
        _ => (value, unit),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("`{option} {value}` is no size"))
}
