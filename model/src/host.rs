//! A model and its clients, as something an exchange can be replayed against.
//!
//! It carries bytes and time to the sessions, and remembers which rules their rulings cited. It
//! decides one thing only: there is one model for all clients, so each sees what the others were
//! told is done.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use spec::exchange::{Peer, Received};
use spec::{Requirement, req};

use crate::{Datagrams, Model, Session, Time};

/// A model with as many clients as speak to it.
#[derive(Clone, Debug)]
pub struct Host {
    model: Model,
    now: Time,
    clients: BTreeMap<u8, Client>,
    udp: Datagrams,
    /// Whose request was served last.
    served: Option<u8>,
    cited: Vec<&'static Requirement>,
}

#[derive(Clone, Debug, Default)]
struct Client {
    session: Session,
    output: Vec<u8>,
    datagrams: VecDeque<Vec<u8>>,
}

impl Host {
    /// A host for this model, at this time.
    #[must_use]
    pub fn new(model: Model, now: Time) -> Host {
        Host {
            model,
            now,
            clients: BTreeMap::new(),
            udp: Datagrams::default(),
            served: None,
            cited: Vec::new(),
        }
    }

    /// The rules cited so far, each as often as it was.
    #[must_use]
    pub fn cited(&self) -> &[&'static Requirement] {
        &self.cited
    }

    /// Lets every client have what no request of its own caused.
    fn tick(&mut self) {
        for client in self.clients.values_mut() {
            for ruling in client.session.tick(&mut self.model, self.now) {
                client.output.extend(ruling.bytes());
                self.cited.extend(ruling.because);
            }
        }
    }

    /// The model in its present state.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }
}

impl Peer for Host {
    fn now(&mut self) -> u64 {
        self.now.0
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        if self
            .served
            .replace(client)
            .is_some_and(|last| last != client)
        {
            self.cited.push(req!("concurrency.visible"));
        }
        if !self.clients.contains_key(&client) {
            self.model.connected(self.now);
        }
        let client = self.clients.entry(client).or_default();
        let was_closed = client.session.is_closed();
        for ruling in client.session.receive(&mut self.model, bytes, self.now) {
            client.output.extend(ruling.bytes());
            self.cited.extend(ruling.because);
        }
        if client.session.is_closed() && !was_closed {
            self.model.disconnected(self.now);
        }
        self.tick();
    }

    fn datagram(&mut self, client: u8, bytes: &[u8]) {
        let last = self.served.replace(client);
        if last.is_some_and(|last| last != client) {
            self.cited.push(req!("udp.request.items"));
        }
        let answer = self.udp.receive(&mut self.model, bytes, self.now);
        let client = self.clients.entry(client).or_default();
        client.datagrams.extend(answer.datagrams);
        self.cited.extend(answer.because);
    }

    fn receive(&mut self, client: u8, _hurry: bool) -> Received {
        let client = self.clients.entry(client).or_default();
        if let Some(datagram) = client.datagrams.pop_front() {
            return Received::Bytes(datagram);
        }
        if !client.output.is_empty() {
            Received::Bytes(core::mem::take(&mut client.output))
        } else if client.session.is_closed() {
            Received::Closed
        } else {
            Received::Nothing
        }
    }

    fn half_close(&mut self, client: u8) {
        let session = &mut self.clients.entry(client).or_default().session;
        let ruling = session.end(&mut self.model);
        self.cited.extend(ruling.because);
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now.0 = self.now.0.saturating_add(1);
            self.tick();
        }
    }
}
