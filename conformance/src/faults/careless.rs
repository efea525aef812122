//! Servers that are careless in one way each, so that every fault can be known to find something.
//!
//! Each is the model behind a socket, with a thread for each client; what it answers is right. It
//! never is careless in two ways, and without a carelessness it passes every fault. The servers
//! whose answers are wrong are in `liars/`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, SystemTime};

use model::{Model, Options, Ruling, Session, Time};
use spec::Dialect;

/// A server that is careless in one way.
#[derive(Clone, Copy, Debug)]
pub struct Careless {
    /// What to call it: `touchstone serve --careless NAME`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// The faults that must find it.
    pub caught_by: &'static [&'static str],
    /// What it is careless about; nothing where it is not.
    care: Option<Care>,
}

/// What a server may be careless about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Addresses,
    Batches,
    Closing,
    Counting,
    Files,
    Idleness,
    Lengths,
    Limit,
    Lines,
    Log,
    Misses,
    Others,
    Paths,
    Prefixes,
    Queue,
    Readers,
    Shutdown,
    Swallowed,
    Torn,
}

const fn careless(
    name: &'static str,
    care: Care,
    caught_by: &'static [&'static str],
    does: &'static str,
) -> Careless {
    Careless {
        name,
        does,
        caught_by,
        care: Some(care),
    }
}

/// All of them, the careful one first.
pub static CARELESS: [Careless; 20] = [
    Careless {
        name: "careful",
        does: "It is careless about nothing.",
        caught_by: &[],
        care: None,
    },
    careless(
        "miscounts",
        Care::Counting,
        &["counted-clients"],
        "It forgets to count who comes.",
    ),
    careless(
        "hoards-prefixes",
        Care::Prefixes,
        &["many-prefixes"],
        "It counts any number of prefixes.",
    ),
    careless(
        "hoards-lines",
        Care::Lines,
        &["endless-line"],
        "It keeps a line until that ends.",
    ),
    careless(
        "believes-lengths",
        Care::Lengths,
        &["announced-blocks"],
        "It makes room for whatever length is announced.",
    ),
    careless(
        "keeps-swallowed",
        Care::Swallowed,
        &["long-swallow"],
        "It keeps what it reads until the client leaves.",
    ),
    careless(
        "starves-others",
        Care::Others,
        &["held-uploads"],
        "It stores nothing small once somebody stores large items.",
    ),
    careless(
        "pays-for-misses",
        Care::Misses,
        &["many-misses"],
        "It prepares a reply to each key before it looks for it.",
    ),
    careless(
        "queues-replies",
        Care::Queue,
        &["unread-values", "unread-hits"],
        "It queues replies without end.",
    ),
    careless(
        "tears",
        Care::Torn,
        &["items-in-use", "slow-reader"],
        "It shows values with their first half from elsewhere.",
    ),
    careless(
        "waits-for-readers",
        Care::Readers,
        &["deaf-client", "unread-dumps"],
        "It lets all clients wait while one does not read.",
    ),
    careless(
        "finishes-batches",
        Care::Batches,
        &["greedy-reader"],
        "It lets all clients wait while one has more to ask, a millisecond for each request.",
    ),
    careless(
        "never-closes",
        Care::Idleness,
        &[
            "idle",
            "half-a-line",
            "half-a-block",
            "half-a-swallow",
            "half-a-reply",
        ],
        "It has no idle timeout.",
    ),
    careless(
        "counts-files",
        Care::Files,
        &["as-many-as-allowed"],
        "It counts its own files as clients.",
    ),
    careless(
        "takes-all",
        Care::Limit,
        &["more-than-allowed"],
        "It has no connection limit.",
    ),
    careless(
        "leaks",
        Care::Closing,
        &["vanishing-clients", "vanishing-operators"],
        "It forgets to close the connection of a client that left.",
    ),
    careless(
        "shows-addresses",
        Care::Addresses,
        &["addresses"],
        "Its settings show where they stand in memory.",
    ),
    careless(
        "shows-paths",
        Care::Paths,
        &["addresses"],
        "Its settings show where it is installed.",
    ),
    careless(
        "stays",
        Care::Shutdown,
        &["shutdown", "graceful-shutdown"],
        "It closes the connection on `shutdown`, and serves on.",
    ),
    careless(
        "logs-raw",
        Care::Log,
        &["escaped-log", "unread-log"],
        "It logs what it is sent, before it answers.",
    ),
];

/// The one of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Careless> {
    CARELESS.iter().find(|careless| careless.name == name)
}

/// What its clients share.
struct House {
    care: Option<Care>,
    model: Mutex<Model>,
    turn: Mutex<()>,
    has_large: AtomicBool,
    clients: AtomicUsize,
    total: AtomicUsize,
    clients_max: usize,
    idle: Option<Duration>,
    is_verbose: bool,
}

/// A block as long as this is large.
const LARGE_BYTES: usize = 100_000;

/// What a reply is prepared with, for one key.
const PREPARED_BYTES: usize = 1200;

/// How many files a server might have open.
const FILES: usize = 28;

impl Careless {
    /// Serves on this port of this machine for ever, started with memcached's options.
    ///
    /// # Errors
    /// When the port cannot be had, or no more connections can be accepted.
    pub fn serve(&self, port: u16, options: &[String]) -> io::Result<()> {
        let house = Arc::new(House::new(self.care, options));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        for stream in listener.incoming() {
            let mut stream = stream?;
            if house.clients.load(Ordering::SeqCst) >= house.clients_max {
                // Whoever is refused may have left already.
                let _ = stream.write_all(b"ERROR Too many open connections\r\n");
                continue;
            }
            house.clients.fetch_add(1, Ordering::SeqCst);
            if !house.is(Care::Counting) {
                house.total.fetch_add(1, Ordering::SeqCst);
            }
            let house = Arc::clone(&house);
            thread::Builder::new().stack_size(1 << 18).spawn(move || {
                // A client that is gone is no error.
                let _ = house.attend(&mut stream);
                if house.is(Care::Closing) {
                    std::mem::forget(stream);
                }
                house.clients.fetch_sub(1, Ordering::SeqCst);
            })?;
        }
        Ok(())
    }
}

impl House {
    fn new(care: Option<Care>, options: &[String]) -> House {
        let after = |option: &str| {
            let at = options.iter().position(|word| word == option)?;
            let value = options.get(at + 1)?;
            let (_, number) = value.rsplit_once('=').unwrap_or(("", value));
            number.parse::<usize>().ok()
        };
        let is = |other| care == Some(other);
        let limit = after("-c").filter(|_| !is(Care::Limit));
        let files = if is(Care::Files) { FILES } else { 0 };
        let idle = after("-o").filter(|_| !is(Care::Idleness));
        let habits = if is(Care::Prefixes) {
            let hoards = "deviate limits.prefixes.bounded.forever";
            Dialect::parse("hoards", hoards).expect("the law has it")
        } else {
            Dialect::default()
        };
        House {
            care,
            model: Mutex::new(Model::new(Options::default(), habits)),
            turn: Mutex::new(()),
            has_large: AtomicBool::new(false),
            clients: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
            clients_max: limit.unwrap_or(1024).saturating_sub(files),
            idle: idle.map(|seconds| Duration::from_secs(seconds as u64)),
            is_verbose: options.iter().any(|word| word == "-vv"),
        }
    }

    fn is(&self, care: Care) -> bool {
        self.care == Some(care)
    }

    /// Answers line by line, so that no more than one reply waits.
    fn attend(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(self.idle)?;
        stream.set_write_timeout(self.idle)?;
        let queue = if self.is(Care::Queue) {
            Some(queue(stream.try_clone()?))
        } else {
            None
        };
        let mut session = Session::new();
        let (mut buffer, mut kept) = (vec![0; 1 << 16], Vec::new());
        loop {
            let length = stream.read(&mut buffer)?;
            let read = buffer.get(..length).unwrap_or_default();
            if read.is_empty() {
                return Ok(());
            }
            let _turn = self.is(Care::Batches).then(|| self.turn.lock());
            for piece in read.split_inclusive(|byte| *byte == b'\n') {
                if self.is(Care::Batches) {
                    pause();
                }
                if self.is(Care::Log) && self.is_verbose {
                    io::stderr().write_all(piece)?;
                }
                if self.is(Care::Swallowed) || self.is(Care::Lines) {
                    kept.extend_from_slice(piece);
                }
                if self.is(Care::Lines) && !piece.ends_with(b"\n") {
                    continue;
                }
                let heard = if self.is(Care::Lines) {
                    std::mem::take(&mut kept)
                } else {
                    piece.to_vec()
                };
                let mut model = self.lock();
                let (reply, closes) = self.answer(&mut model, &mut session, &heard, &mut kept);
                match &queue {
                    // The writer ends when the client does.
                    Some(queue) => drop(queue.send(reply)),
                    None if self.is(Care::Readers) => stream.write_all(&reply)?,
                    None => {
                        drop(model);
                        stream.write_all(&reply)?;
                    }
                }
                if closes {
                    return Ok(());
                }
            }
        }
    }

    /// The reply to a line or a part of a block, and whether it is the last.
    fn answer(
        &self,
        model: &mut Model,
        session: &mut Session,
        piece: &[u8],
        kept: &mut Vec<u8>,
    ) -> (Vec<u8>, bool) {
        let text = String::from_utf8_lossy(piece);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["shutdown"] | ["shutdown", "graceful"] if !self.is(Care::Shutdown) => {
                std::process::exit(0);
            }
            ["shutdown", ..] => return (Vec::new(), true),
            ["stats"] => return (self.statistics(), false),
            ["stats", "settings"] if self.is(Care::Addresses) => {
                return (format!("STAT at {self:p}\r\nEND\r\n").into_bytes(), false);
            }
            ["stats", "settings"] if self.is(Care::Paths) => {
                let path = std::env::current_exe().unwrap_or_default();
                let line = format!("STAT path {}\r\nEND\r\n", path.display());
                return (line.into_bytes(), false);
            }
            ["mg", ..] if self.is(Care::Torn) => {
                let torn = "?".repeat(100) + &"x".repeat(100);
                return (format!("VA 200\r\n{torn}\r\n").into_bytes(), false);
            }
            ["set", _, _, _, length] if self.is(Care::Others) => {
                if length.parse().unwrap_or(0) >= LARGE_BYTES {
                    self.has_large.store(true, Ordering::SeqCst);
                } else if self.has_large.load(Ordering::SeqCst) {
                    return (b"SERVER_ERROR busy\r\n".to_vec(), false);
                }
            }
            ["set", _, _, _, length] if self.is(Care::Lengths) => {
                // What there is no room for is not made.
                let _ = kept.try_reserve_exact(length.parse().unwrap_or(0));
            }
            _ => {}
        }
        let prepared = if self.is(Care::Misses) {
            words.len()
        } else {
            0
        };
        let prepared: Vec<Vec<u8>> = (0..prepared).map(|_| vec![1; PREPARED_BYTES]).collect();
        let rulings = session.receive(model, piece, now());
        drop(prepared);
        let replies: Vec<&[u8]> = rulings.iter().map(Ruling::bytes).collect();
        (replies.concat(), rulings.iter().any(Ruling::closes))
    }

    fn statistics(&self) -> Vec<u8> {
        let clients = self.clients.load(Ordering::SeqCst);
        let total = self.total.load(Ordering::SeqCst);
        let lines =
            format!("STAT curr_connections {clients}\r\nSTAT total_connections {total}\r\nEND\r\n");
        lines.into_bytes()
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("the model does not panic")
    }
}

/// A queue without end, and a writer at its other end.
fn queue(mut stream: TcpStream) -> Sender<Vec<u8>> {
    let (queue, replies) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        while let Ok(reply) = replies.recv() {
            if stream
                .write_all(&reply)
                .is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
            {
                break;
            }
        }
    });
    queue
}

#[expect(clippy::disallowed_methods, reason = "it wastes real time")]
fn pause() {
    thread::sleep(Duration::from_millis(1));
}

#[expect(clippy::disallowed_methods, reason = "a socket lives in real time")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
