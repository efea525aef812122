//! A server started for the trial, spoken to where it was told to listen, and stopped when it ends.

use std::io;
use std::net::TcpStream;
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use spec::exchange::{Header, Peer, Received};

use super::address::Address;
use super::group::Group;
use super::place::{Place, words};
use super::socket::Socket;
use super::users::Users;

const START_MAX: Duration = Duration::from_secs(10);
const STARTS_MAX: u32 = 3;
const POLL: Duration = Duration::from_millis(5);

/// A running server and the clients connected to it.
#[derive(Debug)]
pub struct Process {
    group: Group,
    place: Place,
    clients: Socket,
    _users: Option<Users>,
}

impl Process {
    /// Starts the command with these options behind it, and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be started, or does not accept in time.
    pub fn start(command: &str, options: &str) -> Result<Process, String> {
        Process::start_knowing(command, options, &[])
    }

    /// Starts the command as an exchange with this header needs it.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_for(command: &str, header: &Header) -> Result<Process, String> {
        Process::start_knowing(command, &header.options, &header.users)
    }

    fn start_knowing(command: &str, options: &str, users: &[String]) -> Result<Process, String> {
        let start = || Process::start_once(command, options, users, Stdio::null());
        let mut started = start();
        // Somebody else may have taken the port that was free a moment ago.
        for _ in 1..STARTS_MAX {
            started = started.or_else(|_| start());
        }
        started
    }

    /// Starts it so, and hands over its log, which it may wait for somebody to read.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_with_log(command: &str, options: &str) -> Result<(Process, ChildStderr), String> {
        let mut process = Process::start_once(command, options, &[], Stdio::piped())?;
        let log = process.group.leader.stderr.take();
        Ok((process, log.ok_or("the command has no log")?))
    }

    fn start_once(
        command: &str,
        options: &str,
        users: &[String],
        log: Stdio,
    ) -> Result<Process, String> {
        let place = Place::claim(command)?;
        let mut line = place.fill(&format!("{command} {options}"));
        let users = match users {
            [] => None,
            users => Some(Users::write(users).map_err(|error| format!("no users: {error}"))?),
        };
        if let Some(users) = &users {
            line = line.replace("{users}", &users.file().to_string_lossy());
        }
        let mut words = words(&line).into_iter();
        let program = words.next().ok_or("the command to spawn is empty")?;
        let mut command = Command::new(program);
        if let Some(users) = &users {
            users.tell(&mut command);
        }
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let group = Group::start(&mut command)
            .map_err(|error| format!("cannot start `{line}`: {error}"))?;
        let mut process = Process {
            group,
            clients: Socket::new(place.address.clone()),
            place,
            _users: users,
        };
        process.wait_until_up(&line)?;
        Ok(process)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a real process is waited for in real time"
    )]
    fn wait_until_up(&mut self, line: &str) -> Result<(), String> {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            if let Ok(wire) = self.place.address.connect() {
                self.clients.keep(1, wire);
                return Ok(());
            }
            if let Ok(Some(status)) = self.group.leader.try_wait() {
                return Err(format!("`{line}` ended at once: {status}"));
            }
            thread::sleep(POLL);
        }
        Err(format!(
            "`{line}` does not accept connections at {}",
            self.place.address
        ))
    }
}

impl Process {
    /// One more connection over TCP, for a client of one's own.
    ///
    /// # Errors
    /// When the server does not accept it, or listens elsewhere.
    pub fn connect(&self) -> io::Result<TcpStream> {
        let Address::Tcp(place) = &self.place.address else {
            return Err(io::Error::other("the server does not listen on a TCP port"));
        };
        let stream = TcpStream::connect(place)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.place.address
    }

    /// Ends it, and whatever it started.
    pub fn end(&mut self) {
        self.group.end();
    }

    /// Ends every connection of its own.
    pub fn disconnect(&mut self) {
        self.clients.disconnect();
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.group.leader.id()
    }

    /// With what status it ended, where it did.
    #[must_use]
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.group.leader.try_wait().ok()?
    }

    /// How it ended, where it did: a server that a client can end is no server.
    #[must_use]
    pub fn died(&mut self) -> Option<String> {
        let status = self.status()?;
        Some(format!("the server ended while it was tried: {status}"))
    }
}

impl Peer for Process {
    fn now(&mut self) -> u64 {
        self.clients.now()
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        self.clients.send(client, bytes);
    }

    fn receive(&mut self, client: u8, hurry: bool) -> Received {
        self.clients.receive(client, hurry)
    }

    fn datagram(&mut self, client: u8, bytes: &[u8]) {
        self.clients.datagram(client, bytes);
    }

    fn half_close(&mut self, client: u8) {
        self.clients.half_close(client);
    }

    fn pass(&mut self, seconds: u64) {
        self.clients.pass(seconds);
    }
}
