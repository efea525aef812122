//! What a server answers.
//!
//! One request has one reply; the dispatcher makes it, and nobody else.

/// Everything that is wrong with a request, or with the server, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No such command.
    Unknown,
    /// A line that is not of its command's shape.
    BadLine,
    /// A data block that does not end where it should.
    BadDataChunk,
    /// An item that would be larger than one may be.
    TooLarge,
    /// No memory, and nothing may be evicted.
    OutOfMemory,
    /// An exptime that is no number.
    InvalidExptime,
    /// A delta that is no number.
    InvalidDelta,
    /// A value that is no number.
    NonNumeric,
    /// A meta flag that there is not.
    InvalidFlag,
    /// A meta flag sent twice.
    DuplicateFlag,
    /// A fault in the flags of `ma`, which names none.
    BadArithmeticFlags,
    /// More meta flags than a line may have.
    TooManyFlags,
    /// A number of a meta flag that is none.
    BadToken,
    /// A delta of a meta flag that is no number.
    InvalidMetaDelta,
    /// An initial value that is no number.
    InvalidInitial,
    /// A mode that `ms` does not have.
    InvalidSetMode,
    /// A mode that `ma` does not have.
    InvalidArithmeticMode,
    /// An opaque longer than one may be.
    OpaqueTooLong,
    /// A key that is not base64 where it should be.
    BadBase64,
    /// The server was started with `-F`.
    FlushNotAllowed,
    /// The server was started with `-X`: no keys of a class.
    CachedumpNotAllowed,
    /// The server was started with `-X`: no prefixes.
    DetailNotAllowed,
    /// Not a word that `stats detail` has.
    DetailUsage,
    /// A line that lacks words.
    BadShortLine,
    /// A class that no server has.
    IllegalSlab,
    /// The server was started with `-X`: no list of items.
    MetadumpNotAllowed,
    /// The server was started with `-X`: no list of keys.
    KeyDumpNotAllowed,
    /// A slab class that no server has.
    NoSuchClass,
    /// A slab class to move from or to that no server has.
    BadMove,
    /// Twice the same slab class.
    SameClass,
    /// A slab class without anything to give.
    NothingToMove,
    /// A window beyond those that memcached takes.
    AutomoveWindow,
    /// Two shares that leave too little for the rest.
    SharesTooLarge,
    /// A factor of 0 or less.
    FactorsTooSmall,
    /// What is to be started runs.
    CrawlerRuns,
    /// What is to be done has been switched off.
    CrawlerDisabled,
    /// A walk that there is not.
    CrawlUnknown,
    /// A pause longer than a second.
    PauseTooLong,
    /// The server was started with `-W`.
    WatchNotAllowed,
    /// More watchers than there are seats.
    TooManyWatchers,
    /// The server was started without `-A`.
    ShutdownNotEnabled,
    /// Neither `shutdown` nor `shutdown graceful`.
    InvalidShutdownMode,
    /// A memory limit below what the server needs.
    MemoryLimitTooSmall,
    /// A memory limit in bytes where megabytes were asked for.
    MemoryLimitNotMegabytes,
    /// Certificates that cannot be read.
    BadCertificates,
    /// More connections than the server was told to take.
    TooManyConnections,
    /// A request of a client that has not logged in.
    Unauthenticated,
    /// Not the password of this user, or no such user.
    AuthenticationFailure,
    /// A longer name and password than there can be.
    TokenTooLong,
    /// No line end behind a name and a password.
    BadTokenEnd,
    /// No space between a name and a password.
    BadTokenFormat,
}

impl Error {
    /// Its line, without the end.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::Unknown => "ERROR",
            Self::BadLine => "CLIENT_ERROR bad command line format",
            Self::BadDataChunk => "CLIENT_ERROR bad data chunk",
            Self::TooLarge => "SERVER_ERROR object too large for cache",
            Self::OutOfMemory => "SERVER_ERROR out of memory storing object",
            Self::InvalidExptime => "CLIENT_ERROR invalid exptime argument",
            Self::InvalidDelta => "CLIENT_ERROR invalid numeric delta argument",
            Self::NonNumeric => "CLIENT_ERROR cannot increment or decrement non-numeric value",
            Self::InvalidFlag => "CLIENT_ERROR invalid flag",
            Self::DuplicateFlag => "CLIENT_ERROR duplicate flag",
            Self::BadArithmeticFlags => "CLIENT_ERROR invalid or duplicate flag",
            Self::TooManyFlags => "CLIENT_ERROR options flags are too long",
            Self::BadToken => "CLIENT_ERROR bad token in command line format",
            Self::InvalidMetaDelta => "CLIENT_ERROR invalid numeric delta value",
            Self::InvalidInitial => "CLIENT_ERROR invalid numeric initial value",
            Self::InvalidSetMode => "CLIENT_ERROR invalid mode for ms M token",
            Self::InvalidArithmeticMode => "CLIENT_ERROR invalid mode for ma M token",
            Self::OpaqueTooLong => "CLIENT_ERROR opaque token too long",
            Self::BadBase64 => "CLIENT_ERROR error decoding key",
            Self::FlushNotAllowed => "CLIENT_ERROR flush_all not allowed",
            Self::CachedumpNotAllowed => "CLIENT_ERROR stats cachedump not allowed",
            Self::DetailNotAllowed => "CLIENT_ERROR stats detail not allowed",
            Self::DetailUsage => "CLIENT_ERROR usage: stats detail on|off|dump",
            Self::BadShortLine => "CLIENT_ERROR bad command line",
            Self::IllegalSlab => "CLIENT_ERROR Illegal slab id",
            Self::MetadumpNotAllowed => "ERROR metadump not allowed",
            Self::KeyDumpNotAllowed => "ERROR key dump not allowed",
            Self::NoSuchClass => "BADCLASS invalid class id",
            Self::BadMove => "BADCLASS invalid src or dst class id",
            Self::SameClass => "SAME src and dst class are identical",
            Self::NothingToMove => "NOSPARE source class has no spare pages",
            Self::AutomoveWindow => "CLIENT_ERROR automove window too low or too high",
            Self::SharesTooLarge => "ERROR hot and warm pcts must not exceed 80",
            Self::FactorsTooSmall => "ERROR hot/warm age factors must be greater than 0",
            Self::CrawlerRuns => "ERROR failed to start lru crawler thread",
            Self::CrawlerDisabled => "CLIENT_ERROR lru crawler disabled",
            Self::CrawlUnknown => "ERROR an unknown error happened",
            Self::PauseTooLong => "CLIENT_ERROR sleep must be one second or less",
            Self::WatchNotAllowed => "CLIENT_ERROR watch commands not allowed",
            Self::TooManyWatchers => "WATCHER_TOO_MANY log watcher limit reached",
            Self::ShutdownNotEnabled => "SERVER_ERROR: shutdown not enabled",
            Self::InvalidShutdownMode => "CLIENT_ERROR invalid shutdown mode",
            Self::MemoryLimitTooSmall => "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m",
            Self::MemoryLimitNotMegabytes => {
                "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"
            }
            Self::BadCertificates => "SERVER_ERROR cannot read the certificates",
            Self::TooManyConnections => "ERROR Too many open connections",
            Self::Unauthenticated => "CLIENT_ERROR unauthenticated",
            Self::AuthenticationFailure => "CLIENT_ERROR authentication failure",
            Self::TokenTooLong => "CLIENT_ERROR auth token too long",
            Self::BadTokenEnd => "CLIENT_ERROR bad command line termination",
            Self::BadTokenFormat => "CLIENT_ERROR bad authentication token format",
        }
    }
}

/// The reply to a classic request, save for the values of a retrieval, which are sent one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `STORED`.
    Stored,
    /// `NOT_STORED`.
    NotStored,
    /// `EXISTS`.
    Exists,
    /// `NOT_FOUND`.
    NotFound,
    /// `DELETED`.
    Deleted,
    /// `TOUCHED`.
    Touched,
    /// `OK`.
    Ok,
    /// `RESET`.
    Reset,
    /// `VERSION` and its number.
    Version,
    /// A number.
    Number(u64),
    /// Names and values, then `END`.
    Statistics(Vec<(String, String)>),
    /// Whole lines, then `END`.
    Lines(Vec<u8>),
    /// An error.
    Error(Error),
}

/// The first word of a reply to a meta command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// `HD`: done, and there is no value.
    #[default]
    Done,
    /// `VA`: done, and the value follows.
    Value,
    /// `EN`: `mg` found no item.
    Miss,
    /// `NF`: another command found none.
    NotFound,
    /// `NS`: not stored.
    NotStored,
    /// `EX`: the item has another unique.
    Exists,
}

/// The reply to a meta command: what the flags of the request may ask to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaReply {
    /// The first word.
    pub status: Status,
    /// The number that is the value, where one is sent.
    pub number: Option<u64>,
    /// The unique (`c`).
    pub unique: Option<u64>,
    /// The client's flags (`f`).
    pub flags: Option<u32>,
    /// The length of the value (`s`).
    pub size: Option<usize>,
    /// The seconds until it expires (`t`); the inner none means never.
    pub seconds_left: Option<Option<u64>>,
    /// Whether it had been fetched before (`h`).
    pub was_fetched: Option<bool>,
    /// The seconds since it was last wanted (`l`).
    pub idle_seconds: Option<u64>,
    /// Whether the key is shown in base64 (`k`).
    pub key_is_encoded: bool,
    /// Another client is recaching the item (`Z`).
    pub is_taken: bool,
    /// The item is stale (`X`).
    pub is_stale: bool,
    /// This client is to recache the item (`W`).
    pub has_won: bool,
}

/// What `me` tells of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anatomy {
    /// The seconds until it expires; none means never.
    pub seconds_left: Option<u64>,
    /// The seconds since it was last wanted.
    pub idle_seconds: u64,
    /// Its unique.
    pub unique: u64,
    /// Whether it was fetched since it was stored.
    pub is_fetched: bool,
    /// Whether its key was sent in base64.
    pub key_is_encoded: bool,
    /// What it costs of the memory limit.
    pub size: usize,
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
