//! The clients of one exchange, each with a connection of its own to a real server.
//!
//! Time is real here, and a reply is waited for; silence is waited for only where no fence can
//! prove it. It never decides what may be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use spec::exchange::{Fence, Peer, Received};

use super::address::{Address, Datagrams, Wire};
use crate::interrupt;

/// How long an expected reply may take; only a failure waits so long.
pub const REPLY_MAX: Duration = Duration::from_secs(5);
/// How long silence is listened to where no fence can prove it.
const SILENCE: Duration = Duration::from_millis(200);
/// How long whoever lets time pass may take to hear of an interrupt.
const HEEDED_WITHIN: Duration = Duration::from_millis(100);

/// The clients of one exchange.
pub struct Socket {
    address: Address,
    clients: BTreeMap<u8, Box<dyn Wire>>,
    /// Those of the clients that speak over UDP.
    datagrams: BTreeSet<u8>,
    miss: Option<Vec<u8>>,
    unreachable: Option<String>,
}

impl Socket {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(address: Address) -> Socket {
        Socket {
            address,
            clients: BTreeMap::new(),
            datagrams: BTreeSet::new(),
            miss: None,
            unreachable: None,
        }
    }

    /// The same, but the fence that is a `get` asks for this key.
    #[must_use]
    pub fn missing(mut self, key: &str) -> Socket {
        self.miss = Some(format!("get {key}\r\n").into_bytes());
        self
    }

    /// Takes a connection that is there already.
    pub fn keep(&mut self, client: u8, wire: Box<dyn Wire>) {
        self.clients.insert(client, wire);
    }

    /// Ends every connection.
    pub fn disconnect(&mut self) {
        self.clients.clear();
    }

    /// Why somebody could not connect, where that happened: nothing was tried then.
    #[must_use]
    pub fn unreachable(&self) -> Option<&str> {
        self.unreachable.as_deref()
    }

    /// Asks what every memcached can tell, and hears what comes of it: one that hangs says nothing,
    /// and takes connections all the same.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn ask_anything(address: &Address) -> Result<Received, String> {
        let wire = address
            .connect()
            .map_err(|error| format!("{address} cannot be reached: {error}"))?;
        let mut somebody = Socket::new(address.clone());
        somebody.keep(1, wire);
        somebody.send(1, b"version\r\n");
        Ok(somebody.receive(1, false))
    }

    fn client(&mut self, client: u8) -> Option<&mut Box<dyn Wire>> {
        // Whose datagrams nobody takes says nothing over a connection instead.
        if !self.clients.contains_key(&client) && !self.datagrams.contains(&client) {
            match self.address.connect() {
                Ok(wire) => self.keep(client, wire),
                Err(error) => self.unreachable = Some(format!("{}: {error}", self.address)),
            }
        }
        self.clients.get_mut(&client)
    }
}

impl Peer for Socket {
    #[expect(
        clippy::disallowed_methods,
        reason = "a real server lives in real time"
    )]
    fn now(&mut self) -> u64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |now| now.as_secs())
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        let miss = self.miss.clone();
        let bytes = match &miss {
            Some(miss) if bytes == Fence::Miss.request() => miss,
            _ => bytes,
        };
        if let Some(wire) = self.client(client) {
            // A server that closed is found out by the read that follows.
            wire.patience(REPLY_MAX, REPLY_MAX);
            let _ = wire.write_all(bytes).and_then(|()| wire.flush());
        }
    }

    fn receive(&mut self, client: u8, hurry: bool) -> Received {
        let Some(wire) = self.client(client) else {
            return Received::Closed;
        };
        wire.patience(if hurry { SILENCE } else { REPLY_MAX }, REPLY_MAX);
        let mut buffer = vec![0; 1 << 16];
        match wire.read(&mut buffer) {
            Ok(0) => Received::Closed,
            Ok(length) => {
                buffer.truncate(length);
                Received::Bytes(buffer)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Received::Nothing
            }
            Err(_) => Received::Closed,
        }
    }

    fn datagram(&mut self, client: u8, bytes: &[u8]) {
        if self.datagrams.insert(client) {
            match Datagrams::to(&self.address) {
                Ok(wire) => self.keep(client, Box::new(wire)),
                Err(error) => {
                    self.clients.remove(&client);
                    self.unreachable = Some(format!("{}: {error}", self.address));
                }
            }
        }
        self.send(client, bytes);
    }

    fn half_close(&mut self, client: u8) {
        if let Some(wire) = self.client(client) {
            wire.finish();
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a real server lives in real time"
    )]
    fn pass(&mut self, seconds: u64) {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let left = || deadline.saturating_duration_since(Instant::now());
        while !left().is_zero() && !interrupt::was_heard() {
            thread::sleep(left().min(HEEDED_WITHIN));
        }
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clients: Vec<&u8> = self.clients.keys().collect();
        write!(f, "clients {clients:?} of {}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::target::place::claim_port;

    #[test]
    fn a_datagram_that_nobody_takes_is_not_sent_over_a_connection() {
        let (port, _claim) = claim_port().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let address = Address::Tcp(format!("127.0.0.1:{port}"));
        let mut clients = Socket::new(address.clone());
        clients.keep(1, address.connect().unwrap());
        clients.datagram(1, b"version");
        assert_eq!(clients.receive(1, true), Received::Closed);
        assert!(clients.unreachable().is_some());
        let (mut served, _) = listener.accept().unwrap();
        assert_eq!(served.read(&mut [0; 8]).unwrap(), 0);
    }
}
