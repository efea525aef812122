//! The server that all careless ones are: the model behind a socket, a thread for each client.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

use model::{Model, Options, Ruling, Session, Time};
use spec::Dialect;
use spec::exchange::Header;

use super::Care;

/// What its clients share.
pub(super) struct House {
    care: Option<Care>,
    model: Mutex<Model>,
    turn: Mutex<()>,
    has_large: AtomicBool,
    clients: AtomicUsize,
    total: AtomicUsize,
    clients_max: usize,
    /// Those who watch.
    watchers: Mutex<Vec<TcpStream>>,
    /// What is kept of those who were here.
    kept: Mutex<Vec<Vec<u8>>>,
    requests: AtomicUsize,
    sets: AtomicUsize,
    has_refused: AtomicBool,
    /// Whose dump is being sent has it.
    dumping: Mutex<()>,
    was_stopped: AtomicBool,
    idle: Option<Duration>,
    is_verbose: bool,
}

/// A block as long as this is large.
const LARGE_BYTES: usize = 100_000;

/// What a reply is prepared with, for one key.
const PREPARED_BYTES: usize = 1200;

/// How many files a server might have open.
const FILES: usize = 28;

/// What is kept of each client by who keeps it.
const KEPT_BYTES: usize = 200_000;

/// A line for a watcher, or for a log that is told too much.
const TOLD_BYTES: usize = 1_000;

/// So many requests that came together are answered where they share slots.
const SLOTS: usize = 100;

/// So many items are more than it was made for, and so many more than it has room for.
const GROWN: usize = 100_000;
const FILLED: usize = 20_000;

/// Of so many requests one is refused in a mood.
const MOOD: usize = 2_000;

/// How often the clock is looked at by who trusts it, and what it takes for an eternity.
const TICK: Duration = Duration::from_millis(100);
const ETERNITY: Duration = Duration::from_secs(1);

/// How long who has no file left waits for one.
const NO_FILE_PAUSE: Duration = Duration::from_millis(20);

/// What asks for a dump, and what is said while somebody else has one: each is made as a whole.
const DUMP: &[u8] = b"lru_crawler metadump";
const BUSY: &[u8] = b"BUSY currently processing crawler request\r\n";

impl House {
    pub(super) fn new(care: Option<Care>, options: &[String]) -> io::Result<Arc<House>> {
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
        let knows = match after_word(options, "-Y").filter(|_| !is(Care::Strangers)) {
            Some(file) => known(&fs::read_to_string(file)?),
            None => Options::default(),
        };
        Ok(Arc::new(House {
            care,
            model: Mutex::new(Model::new(knows, habits)),
            turn: Mutex::new(()),
            has_large: AtomicBool::new(false),
            clients: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
            clients_max: limit.unwrap_or(1024).saturating_sub(files),
            idle: idle.map(|seconds| Duration::from_secs(seconds as u64)),
            is_verbose: options.iter().any(|word| word == "-vv"),
            watchers: Mutex::default(),
            kept: Mutex::default(),
            requests: AtomicUsize::new(0),
            sets: AtomicUsize::new(0),
            has_refused: AtomicBool::new(false),
            dumping: Mutex::default(),
            was_stopped: AtomicBool::new(false),
        }))
    }

    /// Takes whoever comes, for ever.
    pub(super) fn serve(self: Arc<House>, listener: &TcpListener) {
        if self.is(Care::Clock) {
            let house = Arc::clone(&self);
            thread::spawn(move || house.watch_the_clock());
        }
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else {
                // There may be a file again when somebody has left.
                if !self.is(Care::Spinning) {
                    sleep(NO_FILE_PAUSE);
                }
                continue;
            };
            if self.is(Care::Comers) {
                // Who reads no log has none.
                let _ = io::stderr().write_all(&[b'.'; TOLD_BYTES]);
            }
            let is_locked = self.is(Care::Lockout) && self.has_refused.load(Ordering::SeqCst);
            if is_locked || self.clients.load(Ordering::SeqCst) >= self.clients_max {
                self.has_refused.store(true, Ordering::SeqCst);
                // Whoever is refused may have left already.
                let _ = stream.write_all(b"ERROR Too many open connections\r\n");
                continue;
            }
            self.clients.fetch_add(1, Ordering::SeqCst);
            if !self.is(Care::Counting) {
                self.total.fetch_add(1, Ordering::SeqCst);
            }
            let house = Arc::clone(&self);
            let spawned = thread::Builder::new().stack_size(1 << 18);
            let spawned = spawned.spawn(move || {
                // A client that is gone is no error.
                let _ = house.attend(&mut stream);
                house.part(stream);
            });
            if spawned.is_err() {
                self.clients.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// What is done when a client has left.
    fn part(&self, stream: TcpStream) {
        if self.is(Care::Closing) {
            std::mem::forget(stream);
        }
        if self.is(Care::Keeping) {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(vec![1; KEPT_BYTES]);
        }
        self.clients.fetch_sub(1, Ordering::SeqCst);
    }

    /// Notices when it was not let run.
    fn watch_the_clock(&self) {
        loop {
            let before = moment();
            sleep(TICK);
            if before.elapsed() > ETERNITY {
                self.was_stopped.store(true, Ordering::SeqCst);
            }
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
        let mut turn = None;
        loop {
            let length = stream.read(&mut buffer)?;
            let read = buffer.get(..length).unwrap_or_default();
            if read.is_empty() || self.was_stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            if turn.is_none() && (self.is(Care::Batches) || self.is(Care::Turns)) {
                turn = Some(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
            }
            for (number, piece) in read.split_inclusive(|byte| *byte == b'\n').enumerate() {
                if self.is(Care::Hangups) && has_finished(stream)? {
                    return Ok(());
                }
                let Some(heard) = self.heard(piece, &mut kept)? else {
                    continue;
                };
                let mut model = self.lock();
                let dumping = heard.starts_with(DUMP).then(|| self.dumping.try_lock());
                let (reply, closes) = match &dumping {
                    Some(Err(_)) => (BUSY.to_vec(), false),
                    _ => self.answer(&mut model, &mut session, &heard, &mut kept),
                };
                if self.is(Care::Watchers) && heard.starts_with(b"watch") {
                    self.watchers().push(stream.try_clone()?);
                }
                if self.is(Care::Slots) && number >= SLOTS {
                    continue;
                }
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
            if self.is(Care::Batches) || read.ends_with(b"\n") {
                turn = None;
            }
        }
    }

    /// What is made of a piece that came; nothing where more is waited for.
    fn heard(&self, piece: &[u8], kept: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        if self.is(Care::Batches) {
            sleep(Duration::from_millis(1));
        }
        if self.is(Care::Log) && self.is_verbose {
            io::stderr().write_all(piece)?;
        }
        if self.is(Care::Watchers) {
            for watcher in self.watchers().iter_mut() {
                // Who is gone is told nothing.
                let _ = watcher.write_all(&[b'.'; TOLD_BYTES]);
            }
        }
        if self.is(Care::Swallowed) || self.is(Care::Lines) {
            kept.extend_from_slice(piece);
        }
        Ok(match self.is(Care::Lines) {
            true if !piece.ends_with(b"\n") => None,
            true => Some(std::mem::take(kept)),
            false => Some(piece.to_vec()),
        })
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
        if let Some(reply) = self.instead(model, session, &words, kept) {
            return reply;
        }
        let prepared = if self.is(Care::Misses) {
            words.len()
        } else {
            0
        };
        let prepared: Vec<Vec<u8>> = (0..prepared).map(|_| vec![1; PREPARED_BYTES]).collect();
        let elsewhere = self.elsewhere(&words);
        let heard = elsewhere.as_deref().map_or(piece, str::as_bytes);
        let rulings = session.receive(model, heard, now());
        drop(prepared);
        let replies: Vec<&[u8]> = rulings.iter().map(Ruling::bytes).collect();
        let closes = rulings.iter().any(Ruling::closes);
        let reply = replies.concat();
        let count = self.requests.fetch_add(1, Ordering::SeqCst);
        if self.is(Care::Moods) && count % MOOD == MOOD - 1 && !reply.is_empty() {
            return (b"SERVER_ERROR out of sorts\r\n".to_vec(), closes);
        }
        match self.is(Care::Echo) && reply.starts_with(b"ERROR") {
            true => (piece.to_vec(), closes),
            false => (reply, closes),
        }
    }

    /// What is answered instead of what the model would, or done before.
    fn instead(
        &self,
        model: &mut Model,
        session: &mut Session,
        words: &[&str],
        kept: &mut Vec<u8>,
    ) -> Option<(Vec<u8>, bool)> {
        match words {
            ["shutdown"] | ["shutdown", "graceful"] if !self.is(Care::Shutdown) => {
                std::process::exit(0);
            }
            ["shutdown", ..] => return Some((Vec::new(), true)),
            ["stats"] => return Some((self.statistics(), false)),
            ["stats", "settings"] if self.is(Care::Addresses) => {
                return Some((format!("STAT at {self:p}\r\nEND\r\n").into_bytes(), false));
            }
            ["stats", "settings"] if self.is(Care::Paths) => {
                let path = std::env::current_exe().unwrap_or_default();
                let line = format!("STAT path {}\r\nEND\r\n", path.display());
                return Some((line.into_bytes(), false));
            }
            ["get", "k"] if self.is(Care::Torn) => {
                let torn = "?".repeat(100) + &"x".repeat(100);
                let reply = format!("VALUE k 0 200\r\n{torn}\r\nEND\r\n");
                return Some((reply.into_bytes(), false));
            }
            ["set", _, _, _, length] if self.is(Care::Others) => {
                if length.parse().unwrap_or(0) >= LARGE_BYTES {
                    self.has_large.store(true, Ordering::SeqCst);
                } else if self.has_large.load(Ordering::SeqCst) {
                    return Some((b"SERVER_ERROR busy\r\n".to_vec(), false));
                }
            }
            ["set", _, _, _, length] if self.is(Care::Lengths) => {
                // What there is no room for is not made.
                let _ = kept.try_reserve_exact(length.parse().unwrap_or(0));
            }
            ["set", ..] if self.is(Care::Growth) && self.sets.load(Ordering::SeqCst) == GROWN => {
                session.receive(model, b"flush_all\r\n", now());
            }
            _ => {}
        }
        None
    }

    /// Where a line that stores is put instead, by who forgets to.
    fn elsewhere(&self, words: &[&str]) -> Option<String> {
        let ["set", _, rest @ ..] = words else {
            return None;
        };
        let sets = self.sets.fetch_add(1, Ordering::SeqCst);
        let forgets = self.is(Care::Rounds) && sets > FILLED && sets.is_multiple_of(7);
        forgets.then(|| format!("set elsewhere {}\r\n", rest.join(" ")))
    }

    fn statistics(&self) -> Vec<u8> {
        let clients = self.clients.load(Ordering::SeqCst);
        let total = self.total.load(Ordering::SeqCst);
        let lines =
            format!("STAT curr_connections {clients}\r\nSTAT total_connections {total}\r\nEND\r\n");
        lines.into_bytes()
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("the model does not panic")
    }
}

/// The word behind an option.
fn after_word<'a>(options: &'a [String], option: &str) -> Option<&'a String> {
    let at = options.iter().position(|word| word == option)?;
    options.get(at + 1)
}

/// A model's options with the users of such a file.
fn known(users: &str) -> Options {
    let header = Header {
        options: "-Y {users}".to_owned(),
        users: users.lines().map(str::to_owned).collect(),
        ..Header::default()
    };
    Options::of(&header).expect("the model knows these options")
}

/// Whether the client has sent its last byte, and all of it was read.
fn has_finished(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let next = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(matches!(next, Ok(0)))
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
fn sleep(time: Duration) {
    thread::sleep(time);
}

#[expect(clippy::disallowed_methods, reason = "it trusts in real time")]
fn moment() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a socket lives in real time")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
