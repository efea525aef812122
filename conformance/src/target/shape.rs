//! How a client's bytes are cut into writes. What is sent stays the same; so must every reply.

use std::collections::BTreeMap;

use spec::exchange::{Fence, Peer, Received};

/// How an exchange's bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// One write for each step that sends.
    #[default]
    Written,
    /// One write for each byte.
    Split,
    /// One write for all steps up to the next that reads.
    Coalesced,
}

/// More bytes than these in one send are a data block; what follows them is written at once.
const SPLIT_MAX: usize = 4096;

/// A peer whose clients write in this shape.
pub struct Shaped<'a> {
    peer: &'a mut dyn Peer,
    shape: Shape,
    fence: Fence,
    held: BTreeMap<u8, Vec<u8>>,
}

impl<'a> Shaped<'a> {
    /// The same peer, written to so, and silenced by this fence.
    pub fn new(peer: &'a mut dyn Peer, shape: Shape, fence: Fence) -> Shaped<'a> {
        Shaped {
            peer,
            shape,
            fence,
            held: BTreeMap::new(),
        }
    }

    /// Writes what was held back, every client's, since one client may wait for another's deed.
    fn flush(&mut self) {
        for (client, bytes) in std::mem::take(&mut self.held) {
            self.peer.send(client, &bytes);
        }
    }
}

impl Peer for Shaped<'_> {
    fn now(&mut self) -> u64 {
        self.peer.now()
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        match self.shape {
            Shape::Written => self.peer.send(client, bytes),
            Shape::Split => {
                let (split, rest) = bytes.split_at_checked(SPLIT_MAX).unwrap_or((bytes, &[]));
                split
                    .chunks(1)
                    .for_each(|byte| self.peer.send(client, byte));
                if !rest.is_empty() {
                    self.peer.send(client, rest);
                }
            }
            Shape::Coalesced => {
                // The order of two clients' requests is part of the exchange.
                if !self.held.contains_key(&client) {
                    self.flush();
                }
                self.held
                    .entry(client)
                    .or_default()
                    .extend_from_slice(bytes);
            }
        }
    }

    fn receive(&mut self, client: u8, hurry: bool) -> Received {
        self.flush();
        self.peer.receive(client, hurry)
    }

    fn datagram(&mut self, client: u8, bytes: &[u8]) {
        self.flush();
        self.peer.datagram(client, bytes);
    }

    fn half_close(&mut self, client: u8) {
        self.flush();
        self.peer.half_close(client);
    }

    fn pass(&mut self, seconds: u64) {
        self.flush();
        self.peer.pass(seconds);
    }

    fn fence(&self) -> Fence {
        self.fence
    }
}
