//! What a command costs in instructions, and a batch in system calls. Neither depends on how busy
//! the machine is, so more than a bound is a failure.
//!
//! `cargo bench -p server --bench gates`; it wants valgrind. The daemon runs under it twice for
//! each workload, once for longer; what the longer run took more is divided by what it did more,
//! so that beginning and ending count for nothing. Every reply is compared, byte by byte.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench waits for its peer; a panic is how it says no"
)]

mod common;

use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode, Stdio};

use common::{connect, free_port};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How many batches the shorter and the longer run have.
const BATCHES: [usize; 2] = [200, 1200];

const KEYS: usize = 1000;

/// What one connection asks, again and again.
struct Workload {
    name: &'static str,
    /// How many commands go out at once.
    depth: usize,
    /// The most instructions that one of them may take.
    most: u64,
    /// A batch and its replies, from the number of its first command on.
    batch: fn(usize, usize) -> (String, String),
}

const WORKLOADS: [Workload; 6] = [
    Workload {
        name: "get, 64 at once",
        depth: 64,
        most: 1035,
        batch: |first, depth| {
            each(first, depth, |key| {
                let value = value();
                (
                    format!("get {key}\r\n"),
                    format!("VALUE {key} 0 100\r\n{value}\r\nEND\r\n"),
                )
            })
        },
    },
    Workload {
        name: "get of 100 keys",
        depth: 100,
        most: 1085,
        batch: |first, depth| {
            let (keys, values) = each(first, depth, |key| {
                let value = value();
                (
                    format!(" {key}"),
                    format!("VALUE {key} 0 100\r\n{value}\r\n"),
                )
            });
            (format!("get{keys}\r\n"), format!("{values}END\r\n"))
        },
    },
    Workload {
        name: "mg v, 64 at once",
        depth: 64,
        most: 2320,
        batch: |first, depth| {
            each(first, depth, |key| {
                (
                    format!("mg {key} v\r\n"),
                    format!("VA 100\r\n{}\r\n", value()),
                )
            })
        },
    },
    Workload {
        name: "set, 16 at once",
        depth: 16,
        most: 1760,
        batch: |first, depth| {
            each(first, depth, |key| {
                (
                    format!("set {key} 0 0 100\r\n{}\r\n", value()),
                    "STORED\r\n".to_owned(),
                )
            })
        },
    },
    Workload {
        name: "quiet ms, 64 at once",
        depth: 64,
        most: 2475,
        batch: |first, depth| {
            let (stores, _) = each(first, depth - 1, |key| {
                (format!("ms {key} 100 q\r\n{}\r\n", value()), String::new())
            });
            (stores + "mn\r\n", "MN\r\n".to_owned())
        },
    },
    Workload {
        name: "delete of nothing, 64 at once",
        depth: 64,
        most: 1380,
        batch: |first, depth| {
            each(first, depth, |key| {
                (format!("delete no{key}\r\n"), "NOT_FOUND\r\n".to_owned())
            })
        },
    },
];

/// What reads from sockets, and what writes to them: one of each is what a batch of 64 may take.
const CALLS: [[&str; 3]; 2] = [
    [" sys_recvfrom", " sys_recvmsg", " sys_read"],
    [" sys_sendto", " sys_sendmsg", " sys_write"],
];

/// Begin and end may come in pieces.
const CALLS_MOST: f64 = 1.05;

fn main() -> ExitCode {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("there is no valgrind here (apt-get install valgrind)");
        return ExitCode::FAILURE;
    }
    let mut within = true;
    println!("{:<30} {:>12} {:>6}", "", "instructions", "most");
    for workload in &WORKLOADS {
        let [short, long] = BATCHES.map(|batches| instructions(workload, batches));
        let commands = (BATCHES[1] - BATCHES[0]) * workload.depth;
        let each = (long - short) / u64::try_from(commands).unwrap();
        within &= each <= workload.most;
        let verdict = if each <= workload.most {
            ""
        } else {
            " TOO MANY"
        };
        let (name, most) = (workload.name, workload.most);
        println!("{name:<30} {each:>12} {most:>6}{verdict}");
    }
    let [batch, ..] = &WORKLOADS;
    let [short, long] = BATCHES.map(|batches| system_calls(batch, batches));
    for (at, what) in ["reads", "writes"].into_iter().enumerate() {
        let batches = BATCHES[1] - BATCHES[0];
        let each = f64::from(long[at] - short[at]) / f64::from(u32::try_from(batches).unwrap());
        within &= each <= CALLS_MOST;
        let verdict = if each <= CALLS_MOST { "" } else { " TOO MANY" };
        println!("{what:<30} {each:>12.3} {CALLS_MOST:>6}{verdict}");
    }
    if within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The instructions of a whole run.
fn instructions(workload: &Workload, batches: usize) -> u64 {
    let told = run(
        &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
        workload,
        batches,
    );
    let count = told.split("Collected : ").nth(1).unwrap();
    count.split_whitespace().next().unwrap().parse().unwrap()
}

/// The reads and writes of a whole run.
fn system_calls(workload: &Workload, batches: usize) -> [u32; 2] {
    let told = run(&["--tool=none", "--trace-syscalls=yes"], workload, batches);
    CALLS.map(|names| {
        let begun = told
            .lines()
            .filter(|line| names.iter().any(|name| line.contains(name)));
        u32::try_from(begun.count()).unwrap()
    })
}

/// Has a daemon of one thread do the work under valgrind. What valgrind has to tell is handed back.
fn run(tool: &[&str], workload: &Workload, batches: usize) -> String {
    let port = free_port();
    // More than a pipe holds.
    let told = env::temp_dir().join(format!("gates-{port}"));
    let mut daemon = Command::new("valgrind")
        .args(tool)
        .arg(env!("CARGO_BIN_EXE_touchstoned"))
        .args([
            "-u",
            "root",
            "-t",
            "1",
            "-l",
            "127.0.0.1",
            "-p",
            &port.to_string(),
        ])
        .stdout(Stdio::null())
        .stderr(File::create(&told).unwrap())
        .spawn()
        .unwrap();
    let mut stream = connect(port);
    let (stores, replies) = each(0, KEYS, |key| {
        (
            format!("set {key} 0 0 100\r\n{}\r\n", value()),
            "STORED\r\n".to_owned(),
        )
    });
    ask(&mut stream, &stores, &replies);
    for batch in 0..batches {
        let (requests, replies) = (workload.batch)(batch * workload.depth, workload.depth);
        ask(&mut stream, &requests, &replies);
    }
    drop(stream);
    let process = Pid::from_raw(i32::try_from(daemon.id()).unwrap());
    kill(process, Signal::SIGTERM).unwrap();
    daemon.wait().unwrap();
    let text = fs::read(&told).unwrap();
    fs::remove_file(&told).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

fn ask(stream: &mut TcpStream, requests: &str, replies: &str) {
    stream.write_all(requests.as_bytes()).unwrap();
    let mut told = vec![0; replies.len()];
    stream.read_exact(&mut told).unwrap();
    assert!(told == replies.as_bytes(), "a wrong reply");
}

/// Requests and replies, for so many keys one after another.
fn each(first: usize, count: usize, ask: impl Fn(&str) -> (String, String)) -> (String, String) {
    let key = |number: usize| format!("key:{:016}", number * 7 % KEYS);
    (first..first + count)
        .map(|number| ask(&key(number)))
        .unzip()
}

fn value() -> String {
    "x".repeat(100)
}
