//! What a client asks for, borrowed from the line it came in.
//!
//! A request here is well formed; whether it succeeds is for `command` to find out.

use super::reply::Error;
use super::token::Tokens;

/// A request, and whether its reply is to be kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// What is asked for.
    pub request: Request<'a>,
    /// Whether it ended in `noreply`.
    pub quiet: bool,
}

/// A request that is not carried out: its reply, and how the stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reply.
    pub error: Error,
    /// Whether it is kept back.
    pub quiet: bool,
    /// Where the next request begins.
    pub recovery: Recovery,
}

/// Where the next request begins after one that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Behind the line.
    Line,
    /// Behind the data block of this length and its end.
    Block(usize),
    /// Nowhere: the connection is closed, and nothing is said.
    Close,
}

/// A well-formed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
    Store(Storage<'a>),
    /// `get`, `gets`, `gat`, `gats`.
    Retrieve(Retrieval<'a>),
    /// `incr`, `decr`.
    Arithmetic(Arithmetic<'a>),
    /// `delete`, of this key.
    Delete(&'a [u8]),
    /// `touch`, of this key, to this exptime.
    Touch(&'a [u8], i32),
    /// `flush_all`, with its delay; none where that could not be read.
    FlushAll(Option<i32>),
    /// `version`.
    Version,
    /// `verbosity`, to this level.
    Verbosity(u32),
    /// `stats`, of these words.
    Statistics(Tokens<'a>),
    /// `cache_memlimit`, in megabytes.
    MemoryLimit(u32),
    /// `slabs`, with these words.
    Slabs(Tokens<'a>),
    /// `lru`, with these words.
    Lru(Tokens<'a>),
    /// `lru_crawler`, with these words.
    Crawler(Tokens<'a>),
    /// `watch`, of these things.
    Watch(Tokens<'a>),
    /// `refresh_certs`.
    RefreshCertificates,
    /// `debugtime`, with these words.
    Clock(Tokens<'a>),
    /// `shutdown`, with its mode.
    Shutdown(Tokens<'a>),
    /// `quit`.
    Quit,
}

/// How a data block is to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Whether or not there is an item.
    Set,
    /// Only where there is none.
    Add,
    /// Only where there is one.
    Replace,
    /// Behind the value there is.
    Append,
    /// Before the value there is.
    Prepend,
    /// Only where the item still has this unique.
    Cas(u64),
}

impl Verb {
    /// The command.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Prepend => "prepend",
            Self::Cas(_) => "cas",
        }
    }
}

/// A storage line; its data block follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage<'a> {
    /// How to store.
    pub verb: Verb,
    /// The key.
    pub key: &'a [u8],
    /// The client's flags.
    pub flags: u32,
    /// The exptime, as sent.
    pub exptime: i64,
    /// The length of the data block, without its end.
    pub length: usize,
    /// The unique that the item must have for `add`, `append` and `prepend`; 0 for any.
    pub unique: u64,
    /// Whether it was sent as `set`: where there is no room for what it brings, what it was to
    /// replace must not be taken for that.
    pub is_set: bool,
}

/// A retrieval line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retrieval<'a> {
    /// The keys: at least one.
    pub keys: Tokens<'a>,
    /// Whether the uniques are shown.
    pub with_uniques: bool,
    /// The exptime the items are given.
    pub exptime: Option<i64>,
    /// Whether one of the keys is too long: then the others are looked up, but not shown.
    pub is_spoiled: bool,
}

/// Which way a number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Up, around 2^64.
    Increment,
    /// Down, to 0.
    Decrement,
}

/// An `incr` or `decr` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic<'a> {
    /// Which way.
    pub direction: Direction,
    /// The key.
    pub key: &'a [u8],
    /// How far.
    pub delta: u64,
}
