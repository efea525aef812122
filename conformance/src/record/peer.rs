//! Any peer behind a recorder, so that what is played to it is taken down and judged.
//!
//! It is the proxy without sockets: it never changes a byte on its way. The proxy is `proxy.rs`.

use model::Time;
use spec::exchange::{Peer, Received};

use super::Recorder;

/// A peer behind a recorder.
#[derive(Debug)]
pub struct Recorded<P> {
    peer: P,
    recorder: Recorder,
    /// Which client of the exchange is which of the recording.
    numbers: Vec<(u8, u8)>,
}

impl<P: Peer> Recorded<P> {
    /// Puts a recorder before this peer.
    #[must_use]
    pub fn new(peer: P, recorder: Recorder) -> Recorded<P> {
        Recorded {
            peer,
            recorder,
            numbers: Vec::new(),
        }
    }

    /// The recorder, when all has been said.
    #[must_use]
    pub fn into_recorder(self) -> Recorder {
        self.recorder
    }

    fn number(&mut self, client: u8) -> u8 {
        if let Some((_, number)) = self.numbers.iter().find(|(known, _)| *known == client) {
            return *number;
        }
        let number = self.recorder.connect().unwrap_or_default();
        self.numbers.push((client, number));
        number
    }
}

impl<P: Peer> Peer for Recorded<P> {
    fn now(&mut self) -> u64 {
        self.peer.now()
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        let (number, now) = (self.number(client), Time(self.peer.now()));
        self.recorder.sent(number, bytes, now);
        self.peer.send(client, bytes);
    }

    fn receive(&mut self, client: u8, hurry: bool) -> Received {
        let (number, now) = (self.number(client), Time(self.peer.now()));
        let received = self.peer.receive(client, hurry);
        match &received {
            Received::Bytes(bytes) => {
                self.recorder.received(number, bytes, now);
            }
            Received::Closed => {
                self.recorder.closed(number, now);
            }
            Received::Nothing => {}
        }
        received
    }

    fn half_close(&mut self, client: u8) {
        let (number, now) = (self.number(client), Time(self.peer.now()));
        self.recorder.ended(number, now);
        self.peer.half_close(client);
    }

    fn pass(&mut self, seconds: u64) {
        self.peer.pass(seconds);
    }
}
