//! Records what real clients say to a real server, and judges it meanwhile.
//!
//! - [`proxy`] stands between them and carries bytes; it never changes or delays one on purpose.
//!   [`peer`] is the same without sockets.
//! - [`Recorder`] is told of every byte, in the order of observation: a client's before the server
//!   has them, a server's before the client has them.
//! - `requests.rs` and `frames.rs` cut bytes into requests, `notation.rs` writes them down,
//!   `redact.rs` takes the secrets out, `judge/` judges.
//!
//! A recording is an exchange like any other: `touchstone replay` plays it.

mod file;
pub mod frames;
mod judge;
mod notation;
pub mod peer;
pub mod proxy;
mod redact;
pub mod requests;
mod tally;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use model::{Model, Options, Time};
use spec::Dialect;
use spec::exchange::{Header, Protocol};

pub use file::SessionFile;
use frames::Frames;
pub use judge::Judge;
pub use notation::Notation;
pub use redact::Redactor;
use requests::Requests;
pub use tally::{Finding, Tally};

/// How a recording is made.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The habits that the server is held to.
    pub dialect: Dialect,
    /// The server began empty, and has room for all.
    pub fresh: bool,
    /// Keys and values are hashed.
    pub redact: bool,
}

/// Takes down a session.
#[derive(Debug)]
pub struct Recorder {
    empty: Model,
    judge: Judge,
    notation: Notation,
    file: SessionFile,
    clients: BTreeMap<u8, Client>,
    /// The protocols of the clients so far, in their order.
    protocols: Vec<Protocol>,
    began: Option<Time>,
    passed: u64,
    fence: bool,
    problem: Option<io::Error>,
}

#[derive(Debug)]
struct Client {
    requests: Requests,
    /// The same of what it says in binary.
    frames: Frames,
    protocol: Option<Protocol>,
    /// When the request began that is not yet whole.
    began: Option<Time>,
    ended: bool,
}

impl Recorder {
    /// Begins a recording to this file.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, plan: &Plan) -> io::Result<Recorder> {
        let options = Options::default();
        let item_max_bytes = options.item_size_max_bytes;
        let empty = Model::new(options, plan.dialect.clone());
        Ok(Recorder {
            judge: Judge::new(empty.clone(), item_max_bytes, plan.fresh),
            notation: Notation::new(plan.redact.then(Redactor::default)),
            empty,
            file: SessionFile::create(path)?,
            clients: BTreeMap::new(),
            protocols: Vec::new(),
            began: None,
            passed: 0,
            fence: true,
            problem: None,
        })
    }

    /// A new client; none when this session has had as many as a session can.
    pub fn connect(&mut self) -> Option<u8> {
        let Ok(client) = u8::try_from(self.protocols.len().saturating_add(1)) else {
            self.judge.forget_all();
            return None;
        };
        self.protocols.push(Protocol::Text);
        let requests = Requests::new(self.empty.clone());
        let fresh = Client {
            requests,
            frames: Frames::default(),
            protocol: None,
            began: None,
            ended: false,
        };
        self.clients.insert(client, fresh);
        Some(client)
    }

    /// A client sent these bytes, which the server has not seen yet. The findings are new.
    pub fn sent(&mut self, client: u8, bytes: &[u8], now: Time) -> Vec<Finding> {
        self.pass(now);
        let Some(speaker) = self.clients.get_mut(&client) else {
            return Vec::new();
        };
        let protocol = *speaker.protocol.get_or_insert(match bytes.first() {
            Some(0x80) => Protocol::Binary,
            _ => Protocol::Text,
        });
        if let Some(known) = self.protocols.get_mut(usize::from(client) - 1) {
            *known = protocol;
        }
        let is_binary = protocol == Protocol::Binary;
        let requests = match is_binary {
            true => speaker.frames.push(bytes),
            false => speaker.requests.push(bytes),
        };
        let mut began = speaker.began.take();
        if !speaker.is_idle() {
            let held = began.filter(|_| requests.is_empty());
            speaker.began = held.or(Some(now));
        }
        let lost = speaker.frames.is_lost();
        if is_binary {
            self.notation.frames(client, ">>", bytes);
        }
        let mut findings = Vec::new();
        for mut request in requests {
            // What a watcher is told comes of itself: no fence can tell where it ends.
            self.fence &= request.command() != b"watch";
            request.began = began.take().filter(|began| *began < now);
            if !is_binary {
                self.notation.request(client, &request, now.0);
            }
            findings.extend(self.judge.sent(client, request, now));
        }
        if lost {
            self.judge
                .lose(client, "a frame larger than any item may be");
        }
        self.write();
        findings
    }

    /// A client was sent these bytes, which it has not seen yet. The findings are new.
    pub fn received(&mut self, client: u8, bytes: &[u8], now: Time) -> Vec<Finding> {
        self.pass(now);
        let Some(speaker) = self.clients.get(&client) else {
            return Vec::new();
        };
        if speaker.protocol == Some(Protocol::Binary) {
            self.notation.frames(client, "<<", bytes);
        } else {
            self.notation
                .beginning(client, &speaker.requests.unfinished());
            self.notation.reply(client, bytes);
        }
        let findings = self.judge.received(client, bytes, now);
        self.write();
        findings
    }

    /// A client will send nothing more.
    pub fn ended(&mut self, client: u8, now: Time) {
        self.pass(now);
        self.judge.ended(client);
        if let Some(speaker) = self.clients.get_mut(&client) {
            self.notation
                .beginning(client, &speaker.requests.unfinished());
            speaker.ended = true;
            self.notation.end(client, "half-close");
        }
        self.write();
    }

    /// The server closed a client's connection. The findings are new.
    pub fn closed(&mut self, client: u8, now: Time) -> Vec<Finding> {
        self.pass(now);
        if let Some(gone) = self.clients.remove(&client) {
            if gone.ended {
                self.notation.rest(client);
            } else {
                self.notation.beginning(client, &gone.requests.unfinished());
                self.notation.end(client, "closed");
            }
        }
        self.write();
        self.judge.closed(client)
    }

    /// Judges what is still under way, as if nothing more came. The findings are new.
    pub fn conclude(&mut self) -> Vec<Finding> {
        self.judge.conclude()
    }

    /// Ends the recording: the file is whole, and has its name.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn finish(mut self) -> io::Result<Tally> {
        self.conclude();
        for (client, speaker) in &self.clients {
            let unfinished = speaker.requests.unfinished();
            self.fence &= speaker.is_idle();
            self.notation.beginning(*client, &unfinished);
            self.notation.rest(*client);
        }
        self.write();
        match self.problem {
            Some(problem) => Err(problem),
            None => {
                self.file.finish(&opening(&self.protocols, self.fence))?;
                Ok(self.judge.tally)
            }
        }
    }

    /// What the judge found so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.judge.tally
    }

    /// Writes down that time passed, in whole seconds since the beginning.
    fn pass(&mut self, now: Time) {
        let began = self.began.get_or_insert(now);
        let passed = now.0.saturating_sub(began.0);
        if passed > self.passed {
            for (client, speaker) in &self.clients {
                self.notation
                    .beginning(*client, &speaker.requests.unfinished());
            }
            self.notation.pass(passed - self.passed);
            self.passed = passed;
        }
    }

    fn write(&mut self) {
        let steps = self.notation.take();
        if let Err(problem) = self.file.write(&steps) {
            self.problem.get_or_insert(problem);
        }
    }
}

impl Client {
    /// Whether it is not in the middle of a request.
    fn is_idle(&self) -> bool {
        self.requests.unfinished().is_empty() && self.frames.unfinished().is_empty()
    }
}

/// The line that opens the exchange.
fn opening(protocols: &[Protocol], fence: bool) -> String {
    let binary = protocols.contains(&Protocol::Binary);
    let header = Header {
        protocols: protocols.iter().copied().filter(|_| binary).collect(),
        fence,
        ..Header::default()
    };
    format!("r[framing.pipeline]{header}\n")
}
