//! Servers that are started for one claim about where they can be reached, and spoken to there.
//!
//! Each claim is tried on every server that there is here; where one is known to deviate, it must.
//! It never judges: the tests say what may be.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use conformance::target::address::{Address, Wire};
use conformance::target::place::claim_port;
use rustls::ClientConfig;
use spec::{Dialect, Requirement};

/// How long a server may take to do anything.
const DONE_MAX: Duration = Duration::from_secs(10);

/// How long a server is looked at that should go on.
const LOOKED_AT: Duration = Duration::from_secs(1);

/// A program, and its habits.
pub(crate) struct Subject {
    pub(crate) program: PathBuf,
    pub(crate) dialect: Dialect,
}

impl Subject {
    pub(crate) fn has(&self, deviation: &Requirement) -> bool {
        self.dialect.has(deviation)
    }
}

/// Tries this on all servers that there are; the rules are what it shows.
pub(crate) fn all(rules: &[&Requirement], play: impl Fn(&Subject)) {
    all_with("", rules, play);
}

/// Tries this on all servers whose `-h` names this option.
#[expect(
    clippy::disallowed_methods,
    reason = "only a test of the suite asks for CI"
)]
pub(crate) fn all_with(option: &str, rules: &[&Requirement], play: impl Fn(&Subject)) {
    let own = Path::new(env!("CARGO_BIN_EXE_touchstone")).with_file_name("touchstoned");
    let programs = [
        own,
        PathBuf::from("memcached"),
        PathBuf::from("memcached-1.6.45"),
    ];
    let mut tried = 0;
    for program in programs {
        match dialect_of(&program).filter(|_| knows(&program, option)) {
            Some(dialect) => {
                println!("{}", program.display());
                play(&Subject { program, dialect });
                tried += 1;
            }
            None => {
                let program = program.display();
                let names: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
                let names = names.join(", ");
                // Not by a macro: what that prints is kept from whoever runs the tests.
                let mut aloud = std::io::stderr();
                let _ = writeln!(aloud, "SKIPPED {names}: no {program} {option} here");
            }
        }
    }
    let required = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(tried > 0 || !required, "no server, and CI requires one");
}

fn knows(program: &Path, option: &str) -> bool {
    let output = Command::new(program).arg("-h").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(option))
}

fn dialect_of(program: &Path) -> Option<Dialect> {
    let output = Command::new(program).arg("-V").output().ok()?;
    if program.ends_with("touchstoned") {
        return Some(Dialect::default());
    }
    let version = String::from_utf8_lossy(&output.stdout);
    Dialect::shipped(&version.trim().replace(' ', "-"))
}

/// A folder of one's own, for socket files and certificates.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("touchstone-doors-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder is made");
        Folder(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that was started.
pub(crate) struct Daemon {
    process: Child,
    pub(crate) port: u16,
    _claim: Option<UdpSocket>,
}

impl Daemon {
    /// Starts it; `{port}` in its options is a free one.
    pub(crate) fn start(subject: &Subject, options: &str) -> Daemon {
        let (port, claim) = claim_port().expect("there is a free port");
        let mut daemon = Daemon::start_on(subject, options, port);
        daemon._claim = Some(claim);
        daemon
    }

    /// Starts it on a port that somebody may have.
    pub(crate) fn start_on(subject: &Subject, options: &str, port: u16) -> Daemon {
        let options = options.replace("{port}", &port.to_string());
        let process = Command::new(&subject.program)
            .args(["-u", "root"])
            .args(options.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        Daemon {
            process,
            port,
            _claim: None,
        }
    }

    /// Waits until it listens there, unless it ends.
    pub(crate) fn up_at(mut self, place: &Place) -> Daemon {
        let up = until(|| self.reaches(place) || self.status().is_some());
        assert!(up, "it does not listen at {place:?}");
        assert!(self.status().is_none(), "it ended: {:?}", self.status());
        self
    }

    /// With what it ended, where it does.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        until(|| self.status().is_some());
        self.status()
    }

    /// Whether it refuses to serve: it ends, and not with success. Who is expected to is given the
    /// time for it.
    pub(crate) fn refuses(&mut self, is_expected: bool) -> bool {
        let patience = if is_expected { DONE_MAX } else { LOOKED_AT };
        let deadline = now() + patience;
        while self.status().is_none() && now() < deadline {
            pause();
        }
        self.status().is_some_and(|status| !status.success())
    }

    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("it is our child")
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &line]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{line}");
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Whether somebody listens there.
    pub(crate) fn reaches(&self, place: &Place) -> bool {
        self.connect(place).is_some()
    }

    /// A connection, where somebody listens.
    pub(crate) fn connect(&self, place: &Place) -> Option<Box<dyn Wire>> {
        self.dial(place).ok()
    }

    fn dial(&self, place: &Place) -> io::Result<Box<dyn Wire>> {
        let address = match place {
            Place::Host(host) => Address::Tcp(format!("{host}:{}", self.port)),
            Place::File(path) => Address::Unix(path.clone()),
            Place::Tls(host, config) => {
                Address::Tls(format!("{host}:{}", self.port), Arc::clone(config))
            }
        };
        let mut wire = address.connect()?;
        wire.patience(DONE_MAX, DONE_MAX);
        Ok(wire)
    }

    /// All that is answered there to somebody who sends no more than this; nothing where nobody
    /// listens, or lets them in.
    pub(crate) fn ask(&self, place: &Place, request: &[u8]) -> Option<String> {
        let mut wire = self.connect(place)?;
        Some(said(wire.as_mut(), request))
    }

    /// The same, where somebody must listen.
    pub(crate) fn hear(&mut self, place: &Place, request: &[u8]) -> String {
        match self.dial(place) {
            Ok(mut wire) => said(wire.as_mut(), request),
            Err(error) => {
                let status = self.status();
                panic!("{place:?} cannot be reached: {error}; the server's status: {status:?}")
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where a server may be reached.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// This host, on the server's port.
    Host(&'static str),
    /// This file.
    File(PathBuf),
    /// This host over TLS, as such a client.
    Tls(&'static str, Arc<ClientConfig>),
}

/// All that is answered to this and the end of what the client sends.
pub(crate) fn said(wire: &mut dyn Wire, request: &[u8]) -> String {
    let sent = wire.write_all(request).and_then(|()| wire.flush());
    let mut bytes = Vec::new();
    if sent.is_ok() {
        wire.finish();
        // What came before a reset is what there is.
        let _ = wire.read_to_end(&mut bytes);
    }
    bytes.escape_ascii().to_string()
}

/// Whether this comes true in time.
pub(crate) fn until(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = now() + DONE_MAX;
    while !condition() {
        if now() >= deadline {
            return false;
        }
        pause();
    }
    true
}

/// Whether this stays true for as long as a server may take to notice something.
pub(crate) fn stays(condition: impl Fn() -> bool) -> bool {
    let deadline = now() + Duration::from_secs(2);
    while now() < deadline {
        if !condition() {
            return false;
        }
        pause();
    }
    true
}

#[expect(clippy::disallowed_methods, reason = "a process lives in real time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a process lives in real time")]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}
