//! A real memcached and real clients, for the rules that no exchange can show.
//!
//! It never judges: a client says what it was answered, and the test says whether that may be.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use conformance::target::Target;
use conformance::target::process::Process;
use spec::{Dialect, Requirement};

const COMMAND: &str = "memcached -u root -l 127.0.0.1 -p {port}";

/// Starts the memcached in PATH to try these rules on it; nothing where there is none, and then
/// this says so.
pub(crate) fn memcached(rules: &[&Requirement], options: &str) -> Option<Process> {
    if version().is_none() {
        for rule in rules {
            skipped(&rule.to_string(), ABSENT);
        }
        return None;
    }
    let started = Process::start(COMMAND, options);
    Some(started.unwrap_or_else(|problem| panic!("{problem}")))
}

/// The memcached in PATH, and what it is held to; nothing where there is none that is known, and
/// then this says so.
pub(crate) fn memcached_and_dialect() -> Option<(Target, Dialect)> {
    let Some(version) = version() else {
        skipped("the memcached in PATH", ABSENT);
        return None;
    };
    let Some(dialect) = Dialect::shipped(&version) else {
        skipped(
            "the memcached in PATH",
            &format!("no dialect is written for {version}"),
        );
        return None;
    };
    Some((Target::Spawn(COMMAND.to_owned()), dialect))
}

const ABSENT: &str = "there is no memcached in PATH (apt-get install memcached)";

/// What the memcached in PATH calls itself. Its absence is an error in CI.
#[expect(
    clippy::disallowed_methods,
    reason = "only a test of the suite asks for CI"
)]
fn version() -> Option<String> {
    match Command::new("memcached").arg("-V").output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            Some(said.trim().replace(' ', "-"))
        }
        Err(_) => {
            let required = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!required, "no memcached in PATH, and CI requires one");
            None
        }
    }
}

/// Not by a macro: what that prints is kept from whoever runs the tests.
fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {why}");
}

/// One client with a connection of its own.
pub(crate) struct Client(BufReader<TcpStream>);

/// What a client found under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) flags: u32,
    pub(crate) unique: u64,
    pub(crate) data: Vec<u8>,
}

impl Client {
    pub(crate) fn of(server: &Process) -> Client {
        Client(BufReader::new(server.connect().expect("it accepts")))
    }

    /// Sends a line and reads the one line of its reply.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(line.as_bytes());
        self.line()
    }

    /// Sends a storage command with its data block and reads its reply.
    pub(crate) fn store(&mut self, line: &str, data: &[u8]) -> String {
        self.send(&[format!("{line} {}\r\n", data.len()).as_bytes(), data].concat());
        self.line()
    }

    /// `set` without flags or exptime, which must succeed.
    pub(crate) fn set(&mut self, key: &str, data: &[u8]) {
        assert_eq!(self.store(&format!("set {key} 0 0"), data), "STORED");
    }

    /// `gets` of some keys: what was found, in the order of the reply.
    pub(crate) fn gets(&mut self, keys: &str) -> Vec<Found> {
        self.send(format!("gets {keys}").as_bytes());
        let mut found = Vec::new();
        loop {
            let line = self.line();
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["END"] => return found,
                ["VALUE", key, flags, length, unique] => {
                    let number = |word: &str| word.parse::<u64>().expect("a number");
                    let mut data = vec![0; usize::try_from(number(length)).unwrap() + 2];
                    self.0.read_exact(&mut data).expect("the data block");
                    assert!(data.ends_with(b"\r\n"), "the block of {key} ends its line");
                    data.truncate(data.len() - 2);
                    found.push(Found {
                        key: (*key).to_owned(),
                        flags: u32::try_from(number(flags)).unwrap(),
                        unique: number(unique),
                        data,
                    });
                }
                _ => panic!("`{line}` in the reply to `gets {keys}`"),
            }
        }
    }

    /// What is under one key.
    pub(crate) fn get(&mut self, key: &str) -> Option<Found> {
        self.gets(key).pop()
    }

    fn send(&mut self, request: &[u8]) {
        let request = [request, b"\r\n"].concat();
        self.0.get_mut().write_all(&request).expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it replies");
        line.trim_end_matches("\r\n").to_owned()
    }
}
