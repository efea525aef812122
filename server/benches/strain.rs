//! What clients that ask much and take little cost: the peak of memory, and whom they keep waiting.
//!
//! `cargo bench -p server --bench strain`. Each strain is put on a daemon of its own, full at
//! `-m 64`, and [`RUNS`] times; a memcached named by `MEMCACHED` takes the same beside it. The peak
//! is the kernel's (`VmHWM`). Who waits is another client that gets an item every few milliseconds.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench reads the clock and waits for its peer; a panic is how it says no"
)]

mod common;

use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use common::{connect, free_port};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

const RUNS: usize = 5;
const MEGABYTES: u64 = 64;
const HELD: Duration = Duration::from_secs(1);

/// A strain: its name, and how many connections it makes, which it hands back to be held.
type Strain = (&'static str, fn(u16) -> Vec<TcpStream>);

const STRAINS: [Strain; 4] = [
    ("a client that never reads", never_reads),
    ("10,000 idle connections", idle),
    ("a 600 KB get of misses", misses),
    ("200 half-sent blocks of 900 KB", half_sent),
];

fn main() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let subjects = [
        Some(env!("CARGO_BIN_EXE_touchstoned").to_owned()),
        env::var("MEMCACHED").ok(),
    ];
    for program in subjects.into_iter().flatten() {
        println!("{program} -m {MEGABYTES}, full; n = {RUNS}");
        for (name, strain) in STRAINS {
            let mut runs: Vec<Run> = (0..RUNS).map(|_| Run::of(&program, strain)).collect();
            runs.sort_by_key(|run| run.peak);
            let bound = MEGABYTES * 1024 * 11 / 10 + 24 * 1024 + 32 * runs[0].connections;
            let mut waits: Vec<Duration> = runs.iter().map(|run| run.wait).collect();
            waits.sort();
            let (least, most) = (runs[0].peak, runs[RUNS - 1].peak);
            let held = if most <= bound { "held" } else { "NOT HELD" };
            println!(
                "  {name:<32} peak {least:>6} to {most:>6} KiB (bound {bound}: {held}), others \
                 waited {:?} to {:?}",
                waits[0],
                waits[RUNS - 1],
            );
        }
    }
}

/// What one run came to.
struct Run {
    /// The most memory that was resident, in KiB.
    peak: u64,
    connections: u64,
    /// The longest that another client waited for an item.
    wait: Duration,
}

impl Run {
    fn of(program: &str, strain: fn(u16) -> Vec<TcpStream>) -> Run {
        let daemon = Daemon::start(program);
        daemon.fill();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let other = scope.spawn(|| daemon.serves_another_until(&over));
            let held = strain(daemon.port);
            thread::sleep(HELD);
            over.store(true, Ordering::Relaxed);
            Run {
                peak: daemon.peak(),
                connections: held.len() as u64 + 1,
                wait: other.join().unwrap(),
            }
        })
    }
}

struct Daemon {
    process: Child,
    port: u16,
}

impl Daemon {
    fn start(program: &str) -> Daemon {
        let port = free_port();
        let options = format!("-u root -l 127.0.0.1 -p {port} -m {MEGABYTES} -c 12000");
        let process = Command::new(program)
            .args(options.split(' '))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(connect(port));
        Daemon { process, port }
    }

    /// Stores more than there is room for, and one large item behind it.
    fn fill(&self) {
        let stream = connect(self.port);
        let mut requests = BufWriter::new(stream.try_clone().unwrap());
        for number in 0..80_000 {
            write!(requests, "set {number} 0 0 1000 noreply\r\n{:1000}\r\n", "").unwrap();
        }
        let large = " ".repeat(900_000);
        write!(requests, "set large 0 0 900000\r\n{large}\r\n").unwrap();
        requests.flush().unwrap();
        assert_eq!(line(&mut BufReader::new(stream)), "STORED\r\n");
    }

    /// The longest that a client waited who gets an item now and then.
    fn serves_another_until(&self, over: &AtomicBool) -> Duration {
        let mut stream = connect(self.port);
        let mut replies = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(b"set own 0 0 1\r\na\r\n").unwrap();
        assert_eq!(line(&mut replies), "STORED\r\n");
        let mut longest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let began = Instant::now();
            stream.write_all(b"mg own\r\n").unwrap();
            // Found or evicted meanwhile: either is an answer.
            let reply = line(&mut replies);
            assert!(reply == "HD\r\n" || reply == "EN\r\n", "{reply}");
            longest = longest.max(began.elapsed());
            thread::sleep(Duration::from_millis(2));
        }
        longest
    }

    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|peak| peak.trim().strip_suffix(" kB"))
            .unwrap()
            .parse()
            .unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(replies: &mut impl BufRead) -> String {
    let mut line = String::new();
    replies.read_line(&mut line).unwrap();
    line
}

/// Asks for a large item a thousand times, as long as anybody takes the requests.
fn never_reads(port: u16) -> Vec<TcpStream> {
    let mut stream = connect(port);
    stream.set_write_timeout(Some(HELD)).unwrap();
    for _ in 0..1000 {
        match stream.write_all(b"get large\r\n") {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            sent => sent.unwrap(),
        }
    }
    vec![stream]
}

fn idle(port: u16) -> Vec<TcpStream> {
    (0..10_000).map(|_| connect(port)).collect()
}

fn misses(port: u16) -> Vec<TcpStream> {
    let mut stream = connect(port);
    let request = format!("get{}\r\n", " a:miss".repeat(600_000 / 7));
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(line(&mut BufReader::new(&stream)), "END\r\n");
    vec![stream]
}

fn half_sent(port: u16) -> Vec<TcpStream> {
    let half = [b'a'; 450_000];
    let begun = (0..200).map(|number| {
        let mut stream = connect(port);
        // A server may refuse what it has no room for, and close.
        let _ = stream.write_all(format!("set half:{number} 0 0 900000\r\n").as_bytes());
        stream
            .set_write_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let _ = stream.write_all(&half);
        stream
    });
    begun.collect()
}
