//! A running server, and the innocent client that asks on whatever is done to it.
//!
//! It is the only place that knows how a client comes to the server: a fault says what is done, and
//! never over what. A server that is not ours is never put on this stage.

use std::process::{ChildStderr, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use spec::exchange::{Fence, Header, Peer};

use super::client::Client;
use super::footprint::{Footprint, MEBIBYTE, hold_listener, megabytes};
use super::innocent::{Innocent, Manners, served};
use super::waits::Waits;
use super::{REPLY_MAX, Trouble, hold};
use crate::target::address::Address;
use crate::target::process::Process;

/// How long an innocent client may wait for its reply.
pub const INNOCENT_MAX: Duration = Duration::from_secs(1);

/// What a server may keep when all who strained it are gone: its items, which are 64 MiB by
/// default, and half as much again for how they lie and for whom it may serve next.
const KEPT_MAX_BYTES: u64 = 96 * MEBIBYTE;

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
    header: Header,
    process: Process,
    fence: Fence,
    innocent: Option<Innocent>,
    waits: Waits,
    /// What it takes with its innocent client, or why that is not seen: another process serves.
    baseline: Result<Footprint, Trouble>,
    /// Whether the server was ended on purpose.
    is_over: bool,
}

impl Stage {
    /// Starts a server as this header wants it, and an innocent client.
    ///
    /// # Errors
    /// When it does not start, or does not answer.
    pub fn set(command: &str, header: &Header, fence: Fence) -> Result<Stage, String> {
        let mut stage = Stage {
            command: command.to_owned(),
            header: header.clone(),
            process: Process::start_for(command, header)?,
            fence,
            innocent: None,
            waits: Waits::default(),
            baseline: Err(Trouble::Unseen("nobody has looked yet".to_owned())),
            is_over: false,
        };
        stage.open()?;
        Ok(stage)
    }

    /// Lets the innocent client in, before all others.
    fn open(&mut self) -> Result<(), String> {
        let manners = Manners::of(&self.header.options, &self.header.users, self.fence);
        // Who started it is counted among the clients before it goes: afterwards could be any time.
        self.process.send(1, self.fence.request());
        let _ = self.process.receive(1, false);
        self.process.disconnect();
        let id = self.process.id();
        // This may take seconds where the system has many sockets: nobody is kept waiting with it.
        let serves_itself = hold_listener(id, self.process.address());
        let client = self.connect();
        let greeted = client.and_then(|mut client| manners.greet(&mut client).map(|()| client));
        let client = greeted.map_err(|trouble| format!("no service to begin with: {trouble:?}"))?;
        self.baseline = serves_itself.and_then(|()| Footprint::of(id));
        self.innocent = Some(Innocent::start(client, manners));
        Ok(())
    }

    /// One more client.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub fn connect(&self) -> Result<Client, Trouble> {
        self.connect_to(self.process.address())
    }

    /// One more client, which begins no TLS where others would.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub fn connect_bare(&self) -> Result<Client, Trouble> {
        match self.process.address() {
            Address::Tls(place, _) => self.connect_to(&Address::Tcp(place.clone())),
            other => self.connect_to(other),
        }
    }

    /// Goes on only where the server knows this request.
    ///
    /// # Errors
    /// When it does not, or does not answer.
    pub fn needs(&self, request: &[u8]) -> Result<(), Trouble> {
        let mut client = self.connect()?;
        client.send(request)?;
        let said = client.line()?;
        if said == "ERROR" {
            let request = request.trim_ascii().escape_ascii();
            let lack = format!("`{request}` was answered `ERROR`");
            return Err(Trouble::Lacking(lack));
        }
        Ok(())
    }

    /// Whether the server is reached by a file of this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.process.address(), Address::Unix(_))
    }

    fn connect_to(&self, address: &Address) -> Result<Client, Trouble> {
        let wire = address.connect();
        let wire = wire.map_err(|error| Trouble::Broken {
            expected: "one more connection".to_owned(),
            received: error.to_string(),
        })?;
        Ok(Client::over(wire, self.fence))
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
        self.baseline.clone()?;
        Footprint::of(self.process.id())
    }

    /// What it took when only its innocent client was there.
    ///
    /// # Errors
    /// When the system does not tell, or another process serves.
    pub fn baseline(&self) -> Result<Footprint, Trouble> {
        self.baseline.clone()
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
        let started = Process::start_with_log(&self.command, &self.header.options);
        let (process, log) = started.map_err(Trouble::Died)?;
        self.process = process;
        self.is_over = false;
        self.open().map_err(Trouble::Died)?;
        Ok(log)
    }

    /// Lets the innocent client go: what becomes of the server is no more its concern.
    pub fn dismiss(&mut self) {
        // What it has to say is of no more interest.
        let _ = self.release();
    }

    fn release(&mut self) -> Result<(), Trouble> {
        let Some(innocent) = self.innocent.take() else {
            return Ok(());
        };
        let (answered, waits) = innocent.stop();
        self.waits.join(&waits);
        served(answered)
    }

    /// The server, for an exchange to be played with it.
    pub fn peer(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops the process for so long.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn stop_for(&self, time: Duration) -> Result<(), Trouble> {
        let unseen = |error: nix::Error| Trouble::Unseen(error.to_string());
        let id = i32::try_from(self.process.id()).map(Pid::from_raw);
        let id = id.map_err(|error| Trouble::Unseen(error.to_string()))?;
        kill(id, Signal::SIGSTOP).map_err(unseen)?;
        pause(time);
        kill(id, Signal::SIGCONT).map_err(unseen)
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

    /// Ends the play: the server must have lived through it, the innocent client been served, and
    /// what others took been given back.
    pub fn strike(mut self) -> (Result<(), Trouble>, Waits) {
        self.process.disconnect();
        let released = match self.is_over {
            true => Ok(()),
            false => self.hold_released(),
        };
        let served = self.release();
        let ended = match self.process.died() {
            Some(how) if !self.is_over => Err(Trouble::Died(how)),
            _ => served.and(released),
        };
        (ended, self.waits)
    }

    /// Descriptors and memory are what they were before anybody else came.
    fn hold_released(&self) -> Result<(), Trouble> {
        let Ok(before) = &self.baseline else {
            // Whoever needs to see it has said that it is not seen.
            return Ok(());
        };
        let Ok(left) = self.descriptors_down_to(before.descriptors, REPLY_MAX) else {
            return Ok(());
        };
        hold(
            left <= before.descriptors,
            &format!("{} descriptors, as before", before.descriptors),
            left,
        )?;
        let now = self.footprint()?.resident_bytes;
        hold(
            now <= before.resident_bytes + KEPT_MAX_BYTES,
            &format!("at most {} kept", megabytes(KEPT_MAX_BYTES)),
            megabytes(now.saturating_sub(before.resident_bytes)),
        )
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
pub(super) fn pause(time: Duration) {
    thread::sleep(time);
}
