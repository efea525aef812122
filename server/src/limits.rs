//! What one client may take of the server: every limit that no option sets.
//!
//! | what | limit | beyond it |
//! |---|---|---|
//! | a line | 2 KiB, one of keys 1 MiB | the connection is closed |
//! | keys in a request | as many as fit into the line; a miss takes no memory | |
//! | a block | the largest item (`-I`) | refused, and swallowed 64 KiB at a time |
//! | unfinished blocks of all clients | an eighth of `-m` | refused, and swallowed |
//! | replies that wait to be sent | 128 KiB and one value | no further request is begun |
//! | a line under way | 30 s and 1 s for each KiB of it | the connection is closed |
//! | a block under way | 10 s and 1 s for each KiB of it | the connection is closed |
//! | a stranger's line, and its token | 2 KiB, 16 KiB | closed, refused |
//! | a TLS handshake | 10 s | the connection is closed |
//! | time to log in | 30 s | the connection is closed |
//! | attempts to log in that fail | 10 of a connection | the connection is closed |
//! | slow hashes under way | 2, the others wait | |
//! | users, and rounds of a hash | 1,024, 100,000 | the file is refused |
//! | replies of which nothing is read | 60 s, or `idle_timeout` | the connection is closed |
//! | all replies that nobody reads | an eighth of `-m`, 16 MiB at least | the oldest goes [^1] |
//! | a response over UDP | 1,400 bytes a datagram, 1,024 datagrams | nothing more is sent |
//! | watchers | 20 | told so |
//! | lines that wait for a watcher | `watcher_logbuf_size` | skipped, and counted to him |
//! | who asks for metrics | 16 at once, 8 KiB and 5 s each | turned away, told, closed |
//! | clients at once | `-c`, whatever files the server has open | told so, and closed |
//!
//! [^1]: who has read nothing for longest, after 1 s of it; at twice as much at once.
//!
//! It never holds what a user can set: that is in `settings`.

use std::time::Duration;

/// The longest line that asks for no keys, without its end, in bytes.
pub const LINE_LEN_MAX: usize = 2048;

/// The longest line that asks for keys, without its end, in bytes.
pub const KEYS_LINE_LEN_MAX: usize = 1024 * 1024;

/// How much is read at once. All connections of a worker read into one buffer.
pub const READ_BYTES: usize = 64 * 1024;

/// While more than this waits to be sent, no further request is begun.
pub const OUTPUT_HIGH_BYTES: usize = 128 * 1024;

/// So much of a dump is written down before others are served: each of its lines costs more than a
/// reply does, and there may be many dumps at once.
pub const DUMPED_BYTES: usize = 16 * 1024;

/// Unfinished blocks longer than this share a bounded part of the memory.
pub const SMALL_BLOCK_BYTES: usize = 16 * 1024;

/// A block is not given more room than this before its bytes arrive. It takes no memory until then.
pub const BLOCK_FIRST_BYTES: usize = 128 * 1024;

/// How much is read at once behind a large block: another one likely comes, of which the rest is
/// then read where it is to lie.
pub const BEHIND_BLOCK_BYTES: usize = 4 * 1024;

/// How long a line may take from its first byte on, however short it is.
pub const LINE_TIME: Duration = Duration::from_secs(30);

/// How long a block may take from its line on, however short it is.
pub const BLOCK_TIME: Duration = Duration::from_secs(10);

/// How many bytes of a line or a block earn a second more.
pub const BYTES_PER_SECOND: u64 = 1024;

/// How long a client may read nothing of what it is sent.
pub const UNREAD_TIME: Duration = Duration::from_secs(60);

/// How many bytes may wait to be read by all clients, however little memory there is.
pub const UNREAD_BYTES_MIN: usize = 16 * 1024 * 1024;

/// What waits to be read by one client and is not counted.
pub const UNREAD_SMALL_BYTES: usize = 32 * 1024;

/// For how long nobody is hurried to read, unless there is far too much that waits.
pub const UNREAD_PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether somebody is to be hurried.
pub const UNREAD_CHECK: Duration = Duration::from_millis(100);

/// The longest name and password that a client may send to log in, in bytes.
pub const TOKEN_LEN_MAX: usize = 16 * 1024;

/// How much is read at once of a client that has not logged in, in bytes.
pub const STRANGER_READ_BYTES: usize = 4 * 1024;

/// How long a TLS handshake may take.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long a client may take to log in.
pub const LOGIN_TIME: Duration = Duration::from_secs(30);

/// How many attempts to log in may fail on one connection.
pub const FAILURES_MAX: u32 = 10;

/// How many users a server knows at most.
pub const USERS_MAX: usize = 1024;

/// How many rounds of hashing a password may ask for.
pub const HASH_ROUNDS_MAX: usize = 100_000;

/// The longest password that is hashed, in bytes: what hashing costs grows with its square.
pub const HASHED_PASSWORD_LEN_MAX: usize = 256;

/// How many passwords are hashed at once.
pub const HASHES_MAX: usize = 2;

/// The longest datagram that is sent, in bytes.
pub const DATAGRAM_LEN_MAX: usize = 1400;

/// How many datagrams answer one at most: its sender may be another than it says.
pub const REPLY_DATAGRAMS_MAX: usize = 1024;

/// How many connections may watch at once.
pub const WATCHERS_MAX: usize = 20;

/// How long a watcher may wait for a line.
pub const WATCH_PAUSE: Duration = Duration::from_millis(50);

/// How many may ask for metrics at once.
pub const METRICS_CLIENTS_MAX: usize = 16;

/// The longest head of a request for metrics, in bytes.
pub const METRICS_HEAD_LEN_MAX: usize = 8 * 1024;

/// How long such a request may take, until its reply is read.
pub const METRICS_TIME: Duration = Duration::from_secs(5);

/// How long clients may take to read what they are owed when the server ends.
pub const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long a client may go on sending after it has been told that the connection is closed.
pub const PARTING: Duration = Duration::from_secs(1);

/// The same when the server ends: a client that sends nothing holds nobody up for longer.
pub const HASTY_PARTING: Duration = Duration::from_millis(50);
