//! The model, a liar or an adversary on a TCP port, for authors who want to try their client or
//! their tests.
//!
//! One thread for each connection, one server for all. It never lets anybody in from another
//! machine, and is no server for real work: that is `touchstoned`.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, SystemTime};

use model::{Model, Options, Time};
use spec::Dialect;
use spec::exchange::{Peer, Received};

use crate::adversarial::Adversary;
use crate::liars::{Lie, Server};

/// How often a connection on which nothing happens is looked after.
const TICK: Duration = Duration::from_millis(250);

/// A port of this machine, behind which a server waits.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    shared: Arc<Mutex<Shared>>,
}

/// Something that can be put on a port.
trait Served: Peer + Send + fmt::Debug {
    /// This client is gone, and its number may be given to another.
    fn disconnect(&mut self, client: u8);
    /// How long to wait before this client is sent its next piece.
    fn pause(&mut self, client: u8) -> Duration;
}

#[derive(Debug)]
struct Shared {
    server: Box<dyn Served>,
    clients: BTreeSet<u8>,
}

impl Service {
    /// Takes the port, 0 for any that is free, for the law's model or one with a lie.
    ///
    /// # Errors
    /// When the port cannot be had; the text says what to do.
    pub fn bind(port: u16, lie: Option<Lie>, dialect: Dialect) -> Result<Service, String> {
        let model = Model::new(Options::default(), dialect);
        Service::of(port, Box::new(Server::new(lie, model, now())))
    }

    /// Takes the port for a server that is lawful, and unkind as this seed says.
    ///
    /// # Errors
    /// When the port cannot be had; the text says what to do.
    pub fn adversarial(port: u16, seed: u64) -> Result<Service, String> {
        Service::of(port, Box::new(Adversary::new(seed, true, now())))
    }

    fn of(port: u16, server: Box<dyn Served>) -> Result<Service, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            if error.kind() == ErrorKind::AddrInUse {
                format!("port {port} is taken; choose another with --port, or any with --port 0")
            } else {
                format!("cannot listen on port {port}: {error}")
            }
        })?;
        let clients = BTreeSet::new();
        let shared = Arc::new(Mutex::new(Shared { server, clients }));
        Ok(Service { listener, shared })
    }

    /// The port.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves whoever connects, for ever.
    ///
    /// # Errors
    /// When no more connections can be accepted.
    pub fn run(&self) -> io::Result<()> {
        for stream in self.listener.incoming() {
            let mut stream = stream?;
            let shared = Arc::clone(&self.shared);
            let client = lock(&shared).connect();
            match client {
                Some(client) => {
                    thread::spawn(move || {
                        // A client that is gone is no error of ours.
                        let _ = attend(&shared, client, &mut stream);
                        let _ = stream.shutdown(Shutdown::Both);
                        lock(&shared).disconnect(client);
                    });
                }
                None => {
                    let _ = stream.write_all(b"ERROR Too many open connections\r\n");
                }
            }
        }
        Ok(())
    }
}

/// Carries bytes between a connection and the server until one of them has enough.
fn attend(shared: &Mutex<Shared>, client: u8, stream: &mut TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let sent = match stream.read(&mut buffer) {
            Ok(0) => None,
            Ok(length) => buffer.get(..length),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Some([].as_slice())
            }
            Err(error) => return Err(error),
        };
        let (pieces, closed) = lock(shared).exchange(client, sent);
        let last = pieces.len().saturating_sub(1);
        for (index, (piece, pause)) in pieces.into_iter().enumerate() {
            stream.write_all(&piece)?;
            if index < last {
                wait(pause);
            }
        }
        if closed {
            return Ok(());
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client is to see that its reply came in pieces"
)]
fn wait(pause: Duration) {
    if !pause.is_zero() {
        thread::sleep(pause);
    }
}

impl Served for Server {
    fn disconnect(&mut self, client: u8) {
        Server::disconnect(self, client);
    }

    fn pause(&mut self, _client: u8) -> Duration {
        Duration::ZERO
    }
}

impl Served for Adversary {
    fn disconnect(&mut self, client: u8) {
        Adversary::disconnect(self, client);
    }

    fn pause(&mut self, client: u8) -> Duration {
        Adversary::pause(self, client)
    }
}

/// Pieces of a reply, each with how long to wait after it.
type Pieces = Vec<(Vec<u8>, Duration)>;

impl Shared {
    /// A number that no client has.
    fn connect(&mut self) -> Option<u8> {
        let client = (1..=u8::MAX).find(|number| !self.clients.contains(number))?;
        self.clients.insert(client);
        Some(client)
    }

    fn disconnect(&mut self, client: u8) {
        self.server.disconnect(client);
        self.clients.remove(&client);
    }

    /// What the client gets for these bytes, or for sending no more; and whether that is the end.
    fn exchange(&mut self, client: u8, sent: Option<&[u8]>) -> (Pieces, bool) {
        let passed = now().0.saturating_sub(self.server.now());
        self.server.pass(passed);
        match sent {
            Some([]) => {}
            Some(bytes) => self.server.send(client, bytes),
            None => self.server.half_close(client),
        }
        let mut pieces = Vec::new();
        loop {
            match self.server.receive(client, true) {
                Received::Bytes(bytes) => pieces.push((bytes, self.server.pause(client))),
                Received::Nothing => return (pieces, false),
                Received::Closed => return (pieces, true),
            }
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("no server panics")
}

#[expect(clippy::disallowed_methods, reason = "a socket lives in real time")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
