//! A server that we started, and that most examples share, each with keys of its own.
//!
//! Starting a real server takes longer than most examples do. Whatever could be played on
//! somebody's cache can be played here among others. Here nothing is ever found to be wrong: what
//! does not go as written is doubtful, and is tried again on a server of its own (`check.rs`). A
//! server that no longer answers, or that was doubted without reason, is replaced, a few times.

use std::sync::{Arc, Mutex};

use spec::exchange::{Exchange, Fence, Received};
use spec::{Dialect, Kind};

use super::foreign::Foreign;
use super::guard::Permits;
use super::process::Process;
use super::shape::Shape;
use super::socket::Socket;
use super::{Outcome, Target, played};

/// The server that is shared now, and how to start another.
#[derive(Debug)]
pub struct Commons {
    command: String,
    dialect: Dialect,
    seed: u64,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: Option<Arc<Process>>,
    /// How many more may be started.
    starts: u32,
}

/// How an example went among others.
#[derive(Debug)]
pub enum Among<'a> {
    /// As written.
    Passed,
    /// Not as written, which may be its fault, the server's, or its neighbours'.
    Doubtful(Doubt<'a>),
    /// It needs a server for itself.
    Unfit,
}

/// A doubt about the server that was shared.
#[derive(Debug)]
pub struct Doubt<'a> {
    commons: &'a Commons,
    server: Arc<Process>,
}

/// So many servers at most are shared one after the other.
const STARTS_MAX: u32 = 4;

impl Commons {
    /// One for this target, where it is a command that starts servers.
    #[must_use]
    pub fn of(target: &Target, dialect: &Dialect, seed: u64) -> Option<Commons> {
        let Target::Spawn(command) = target else {
            return None;
        };
        Some(Commons {
            command: command.clone(),
            dialect: dialect.clone(),
            seed,
            shared: Mutex::new(Shared {
                server: None,
                starts: STARTS_MAX,
            }),
        })
    }

    /// Plays it among others, if it can be.
    #[must_use]
    pub fn try_on(&self, exchange: &Exchange, shape: Shape, fence: Fence) -> Among<'_> {
        // Somebody has to be alone to show a deviation: it may spoil the server.
        if exchange.header.exclusive || exchange.requirement.kind == Kind::Deviation {
            return Among::Unfit;
        }
        let Some(server) = self.server() else {
            return Among::Unfit;
        };
        let foreign = Foreign {
            address: server.address().clone(),
            permits: Permits::default(),
            seed: self.seed,
            dialect: Box::new(self.dialect.clone()),
        };
        let Ok(rehearsed) = foreign.rehearse(exchange) else {
            return Among::Unfit;
        };
        let mut clients = rehearsed.newcomers(&foreign.address);
        let outcome = played(rehearsed.exchange(), &mut clients, shape, fence);
        if matches!(outcome, Outcome::Passed) {
            return Among::Passed;
        }
        let doubt = Doubt {
            commons: self,
            server,
        };
        if !serves(&doubt.server) {
            doubt.confirm();
            return Among::Unfit;
        }
        Among::Doubtful(doubt)
    }

    /// The server that is shared, started where there is none.
    fn server(&self) -> Option<Arc<Process>> {
        let mut shared = self.shared.lock().expect("nobody panics");
        if shared.server.is_none() && shared.starts > 0 {
            shared.starts -= 1;
            let started = Process::start(&self.command, "").ok();
            shared.server = started.map(|mut process| {
                // Whoever plays connects for itself.
                process.disconnect();
                Arc::new(process)
            });
        }
        shared.server.clone()
    }
}

impl Doubt<'_> {
    /// It was the server, or the neighbours: nobody shares this server any more.
    pub fn confirm(&self) {
        let mut shared = self.commons.shared.lock().expect("nobody panics");
        if let Some(server) = &shared.server
            && Arc::ptr_eq(server, &self.server)
        {
            shared.server = None;
        }
    }
}

/// Whether it answers somebody new.
fn serves(server: &Process) -> bool {
    let heard = Socket::ask_anything(server.address());
    matches!(heard, Ok(Received::Bytes(_)))
}
