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
    /// The server was started with `-F`.
    FlushNotAllowed,
    /// The server was started without `-A`.
    ShutdownNotEnabled,
    /// Neither `shutdown` nor `shutdown graceful`.
    InvalidShutdownMode,
    /// A memory limit below what the server needs.
    MemoryLimitTooSmall,
    /// A memory limit in bytes where megabytes were asked for.
    MemoryLimitNotMegabytes,
    /// More connections than the server was told to take.
    TooManyConnections,
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
            Self::FlushNotAllowed => "CLIENT_ERROR flush_all not allowed",
            Self::ShutdownNotEnabled => "SERVER_ERROR: shutdown not enabled",
            Self::InvalidShutdownMode => "CLIENT_ERROR invalid shutdown mode",
            Self::MemoryLimitTooSmall => "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m",
            Self::MemoryLimitNotMegabytes => {
                "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"
            }
            Self::TooManyConnections => "ERROR Too many open connections",
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
    /// An error.
    Error(Error),
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
