//! A running server, and the innocent client that asks on whatever is done to it.
//!
//! It is the only place that knows how a client comes to the server: a fault says what is done, and
//! never over what. A server that is not ours is never put on this stage.

use std::process::{ChildStderr, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use spec::exchange::{Fence, Peer};

use super::Trouble;
use super::client::Client;
use super::footprint::{Footprint, hold_listener};
use crate::target::process::Process;

/// How long an innocent client may wait for its reply.
pub const INNOCENT_MAX: Duration = Duration::from_secs(1);

/// How often it asks.
const INNOCENT_PAUSE: Duration = Duration::from_millis(10);

/// How often its memory must be as large as before until it counts as settled.
const SETTLED_LOOKS: usize = 15;

/// How long a server may go on growing before it is judged by that.
const SETTLED_MAX: Duration = Duration::from_secs(3);

/// How often a condition is looked at that is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A running server with its innocent client.
#[derive(Debug)]
pub struct Stage {
    command: String,
    options: String,
    process: Process,
    fence: Fence,
    innocent: Option<Innocent>,
    /// Whether it is this process that serves, and not one that it started.
    serves_itself: Result<(), Trouble>,
    /// Whether the server was ended on purpose.
    is_over: bool,
}

#[derive(Debug)]
struct Innocent {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Trouble>>,
}

impl Stage {
    /// Starts a server with these options, and an innocent client.
    ///
    /// # Errors
    /// When it does not start, or does not answer.
    pub fn set(command: &str, options: &str, fence: Fence) -> Result<Stage, String> {
        let mut stage = Stage {
            command: command.to_owned(),
            options: options.to_owned(),
            process: Process::start(command, options)?,
            fence,
            innocent: None,
            serves_itself: Ok(()),
            is_over: false,
        };
        stage.open()?;
        Ok(stage)
    }

    /// Lets the innocent client in, before all others.
    fn open(&mut self) -> Result<(), String> {
        // Who started it is counted among the clients before it goes: afterwards could be any time.
        self.process.send(1, self.fence.request());
        let _ = self.process.receive(1, false);
        self.process.disconnect();
        let client = self.connect();
        let answered = client.and_then(|mut client| client.fence().map(|()| client));
        let client =
            answered.map_err(|trouble| format!("no service to begin with: {trouble:?}"))?;
        if let Ok(address) = client.stream().peer_addr() {
            self.serves_itself = hold_listener(self.process.id(), address);
        }
        self.innocent = Some(Innocent::start(client));
        Ok(())
    }

    /// One more client.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub fn connect(&self) -> Result<Client, Trouble> {
        let stream = self.process.connect();
        let stream = stream.map_err(|error| Trouble::Broken {
            expected: "one more connection".to_owned(),
            received: error.to_string(),
        })?;
        Client::over(stream, self.fence)
    }

    /// So many more clients.
    ///
    /// # Errors
    /// When the server does not accept one of them.
    pub fn connect_all(&self, count: usize) -> Result<Vec<Client>, Trouble> {
        (0..count).map(|_| self.connect()).collect()
    }

    /// What the server takes of the machine now.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn footprint(&self) -> Result<Footprint, Trouble> {
        self.serves_itself.clone()?;
        Footprint::of(self.process.id())
    }

    /// What the server takes when it has done what there was to do: when that grows no more.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn settled_footprint(&self) -> Result<Footprint, Trouble> {
        let mut last = self.footprint()?;
        let mut looks = 0;
        until(SETTLED_MAX, || {
            let now = self.footprint().unwrap_or(last);
            looks = if now.peak_bytes > last.peak_bytes {
                0
            } else {
                looks + 1
            };
            last = now;
            looks >= SETTLED_LOOKS
        });
        self.footprint()
    }

    /// Waits until the server has no more than so many descriptors; how many it has then.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn descriptors_down_to(&self, count: usize, limit: Duration) -> Result<usize, Trouble> {
        let mut last = self.footprint()?.descriptors;
        until(limit, || {
            last = self.footprint().map_or(last, |print| print.descriptors);
            last <= count
        });
        Ok(last)
    }

    /// The number of the process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Ends the server and starts another, whose log is for the caller to read.
    ///
    /// # Errors
    /// When it does not start, or does not answer.
    pub fn restart_with_log(&mut self) -> Result<ChildStderr, Trouble> {
        self.end();
        let started = Process::start_with_log(&self.command, &self.options);
        let (process, log) = started.map_err(Trouble::Died)?;
        self.process = process;
        self.is_over = false;
        self.open().map_err(Trouble::Died)?;
        Ok(log)
    }

    /// Lets the innocent client go: what becomes of the server is no more its concern.
    pub fn dismiss(&mut self) {
        if let Some(innocent) = self.innocent.take() {
            // What it has to say is of no more interest.
            let _ = innocent.stop();
        }
    }

    /// How the server ended, where it did.
    #[must_use]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.status()
    }

    /// Ends the server.
    pub fn end(&mut self) {
        self.dismiss();
        self.process.end();
        self.is_over = true;
    }

    /// Ends the play: the server must have lived through it, and the innocent client been served.
    ///
    /// # Errors
    /// When either is not so.
    pub fn strike(mut self) -> Result<(), Trouble> {
        let innocent = self.innocent.take();
        let served = innocent.map_or(Ok(()), Innocent::stop);
        match self.process.died() {
            Some(how) if !self.is_over => Err(Trouble::Died(how)),
            _ => served,
        }
    }
}

impl Innocent {
    fn start(mut client: Client) -> Innocent {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let ask_on = move || {
            while !told.load(Ordering::Relaxed) {
                let asked = now();
                client.fence()?;
                let waited = now().saturating_duration_since(asked);
                if waited > INNOCENT_MAX {
                    let waited = waited.as_millis();
                    return Err(Trouble::Late(format!("it waited {waited} ms")));
                }
                pause(INNOCENT_PAUSE);
            }
            Ok(())
        };
        Innocent {
            is_over,
            thread: thread::spawn(ask_on),
        }
    }

    fn stop(self) -> Result<(), Trouble> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the innocent does not panic")
    }
}

/// Whether a condition comes true in this time.
pub(super) fn until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = now() + limit;
    loop {
        if condition() {
            return true;
        }
        if now() >= deadline {
            return false;
        }
        pause(LOOK);
    }
}

#[expect(clippy::disallowed_methods, reason = "a process lives in real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a process lives in real time")]
fn pause(time: Duration) {
    thread::sleep(time);
}
