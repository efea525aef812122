//! Our server in this process: its connections without sockets, its clock ours.
//!
//! It cannot show what only a process has: sockets, UDP, TLS, signals, limits. This is the one file
//! of the suite that knows the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use server::{Connection, Settings, Shared, Time, Users};
use spec::exchange::{Peer, Received};

use super::START;

/// A server and the clients connected to it.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    now: u64,
    clients: BTreeMap<u8, Connection>,
    /// Those whose connection is closed.
    gone: BTreeSet<u8>,
}

impl Embedded {
    /// Starts a server with these command-line options.
    ///
    /// # Errors
    /// When the server refuses the options; it says why.
    pub fn start(options: &str) -> Result<Embedded, String> {
        Embedded::start_knowing(options, &[])
    }

    /// Starts a server to which these users are known, each `name:password`.
    ///
    /// # Errors
    /// When the server refuses the options or the users; it says why.
    pub fn start_knowing(options: &str, users: &[String]) -> Result<Embedded, String> {
        let settings = Settings::parse(options.split_whitespace().map(str::to_owned))?;
        let now = START.0;
        let shared = Arc::new(Shared::new(settings, Time::from_seconds(now)));
        shared.set_users(Users::parse(users.join("\n").as_bytes())?);
        Ok(Embedded {
            shared,
            now,
            clients: BTreeMap::new(),
            gone: BTreeSet::new(),
        })
    }

    fn client(&mut self, client: u8) -> &mut Connection {
        let shared = &self.shared;
        self.clients
            .entry(client)
            .or_insert_with(|| Connection::new(Arc::clone(shared)))
    }
}

impl Peer for Embedded {
    fn now(&mut self) -> u64 {
        self.now
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        let now = Time::from_seconds(self.now);
        if !self.gone.contains(&client) {
            self.client(client).receive(bytes, now);
        }
    }

    fn receive(&mut self, client: u8, _hurry: bool) -> Received {
        if self.gone.contains(&client) {
            return Received::Closed;
        }
        let connection = self.client(client);
        let bytes = connection.transmit();
        if !bytes.is_empty() {
            Received::Bytes(bytes.to_vec())
        } else if connection.is_closed() {
            self.clients.remove(&client);
            self.gone.insert(client);
            Received::Closed
        } else {
            Received::Nothing
        }
    }

    fn half_close(&mut self, client: u8) {
        if !self.gone.contains(&client) {
            self.client(client).finish();
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            for connection in self.clients.values_mut() {
                connection.tick(Time::from_seconds(self.now));
            }
            let closed = |_: &u8, connection: &mut Connection| connection.is_closed();
            let gone = self.clients.extract_if(.., closed);
            self.gone.extend(gone.map(|(client, _)| client));
        }
    }
}
