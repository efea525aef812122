//! A server of its own for each history, whatever the target is.
//!
//! Somebody's cache is the exception: there a history has only keys of its own, every write is
//! looked at before it is sent, and the keys are deleted when it is over. What is sent is made
//! elsewhere.

use model::{Host, Model, Options};
use spec::Dialect;
use spec::exchange::{Peer, Received};

use super::make::Bounds;
use crate::capability::Capabilities;
use crate::dice::mixed;
use crate::liars;
use crate::target::embedded::Embedded;
use crate::target::foreign::Foreign;
use crate::target::guard::{Permits, SENT_MAX_BYTES, admits};
use crate::target::process::Process;
use crate::target::socket::Socket;
use crate::target::{START, Target};

/// A server to play on.
pub struct Server {
    peer: Box<dyn Peer>,
    real: bool,
    guard: Option<Guard>,
    /// What every key begins with.
    pub prefix: Vec<u8>,
    /// So much of that makes the keys ours.
    own_bytes: usize,
}

/// What may be sent to somebody's cache.
struct Guard {
    permits: Permits,
    sent_bytes: usize,
}

/// The client that cleans up; no history has so many.
const CLEANER: u8 = 255;

impl Server {
    /// Starts one of this kind, for the history of this number.
    ///
    /// # Errors
    /// When it cannot be started or reached.
    pub fn start(target: &Target, number: u64) -> Result<Server, String> {
        let model = |dialect: &Dialect| Model::new(Options::default(), dialect.clone());
        let lying = |lie| Box::new(liars::Server::new(lie, model(&Dialect::default()), START));
        let (mut guard, mut prefix) = (None, Vec::new());
        let peer: Box<dyn Peer> = match target {
            Target::Embedded => Box::new(Embedded::start("")?),
            Target::Model(dialect) => Box::new(Host::new(model(dialect), START)),
            Target::Liar(liar) => lying(Some(liar.lie)),
            Target::Honest => lying(None),
            Target::Spawn(command) => Box::new(Process::start(command, "")?),
            Target::Foreign(Foreign {
                address,
                permits,
                seed,
                ..
            }) => {
                target.answers()?;
                prefix = format!("ts{:016x}-", mixed(mixed(*seed) ^ number)).into_bytes();
                guard = Some(Guard {
                    permits: *permits,
                    sent_bytes: 0,
                });
                Box::new(Socket::new(address.clone()))
            }
        };
        Ok(Server {
            real: target.is_real(),
            ..Server::of(peer, prefix, guard)
        })
    }

    /// One that is in this process already.
    #[must_use]
    pub fn here(peer: Box<dyn Peer>) -> Server {
        Server::of(peer, Vec::new(), None)
    }

    /// The same, and it is left what is left to a server whose clock nobody here winds.
    #[must_use]
    pub fn with_a_clock_of_its_own(self) -> Server {
        Server { real: true, ..self }
    }

    fn of(peer: Box<dyn Peer>, prefix: Vec<u8>, guard: Option<Guard>) -> Server {
        Server {
            peer,
            real: false,
            guard,
            own_bytes: prefix.len(),
            prefix,
        }
    }

    /// What a history for such a target may hold.
    #[must_use]
    pub fn bounds(target: &Target) -> Bounds {
        let (own, flushes) = match target {
            Target::Foreign(foreign) => (false, foreign.permits.flush),
            _ => (true, true),
        };
        let has = Capabilities::of(target, &[]);
        Bounds {
            ours: !target.is_real(),
            paced: own,
            shared: flushes,
            strange: own,
            meta: has.has("meta"),
            binary: has.has("binary"),
        }
    }

    /// Its clock ticks by itself.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.real
    }

    /// Gives whoever comes next keys of his own.
    pub fn rename(&mut self, number: u64) {
        self.prefix.truncate(self.own_bytes);
        self.prefix.extend(format!("{number:x}-").bytes());
    }

    /// Who answers.
    pub fn peer(&mut self) -> &mut dyn Peer {
        self.peer.as_mut()
    }

    /// Whether this may be sent there.
    pub fn admits(&mut self, bytes: &[u8]) -> bool {
        let Some(guard) = &mut self.guard else {
            return true;
        };
        let sent_bytes = guard.sent_bytes.saturating_add(bytes.len());
        let admitted =
            sent_bytes <= SENT_MAX_BYTES && admits(bytes, &self.prefix, guard.permits).is_ok();
        if admitted {
            guard.sent_bytes = sent_bytes;
        }
        admitted
    }

    /// Deletes these keys, where it is somebody's.
    pub fn clean(&mut self, keys: &[Vec<u8>]) {
        if self.guard.is_none() || keys.is_empty() {
            return;
        }
        let requests: Vec<Vec<u8>> = keys
            .iter()
            .map(|key| [b"delete ", key.as_slice(), b"\r\n"].concat())
            .collect();
        self.peer.send(CLEANER, &requests.concat());
        let mut replies = 0;
        while replies < requests.len() {
            match self.peer.receive(CLEANER, false) {
                Received::Bytes(bytes) => {
                    replies += bytes.iter().filter(|byte| **byte == b'\n').count();
                }
                Received::Nothing | Received::Closed => return,
            }
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a server with keys that begin {:?}", self.prefix)
    }
}
