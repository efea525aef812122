//! What is done to a running server, where no exchange can show a rule: its memory, its
//! descriptors, the time it takes, and many clients at once.
//!
//! A fault is data: the rule it shows, and a plain function that does it. While it is done an
//! innocent client asks on, and must be answered; the server must live on. No fault sends more
//! than 300 MB or takes longer than 30 seconds, and all stay on this machine.
//!
//! Start at [`Fault`]; a fault's tools are in `stage.rs`, the faults in the files of their
//! subjects. `careless.rs` has a server for each fault to find something in.

mod blocks;
pub mod careless;
mod client;
mod connections;
mod disclosure;
mod footprint;
mod lines;
mod references;
mod replies;
mod shutdown;
mod stage;
mod statistics;
mod time;

use std::thread;
use std::time::Duration;

use spec::Requirement;
use spec::exchange::{Failure, Fence};

use crate::target::place::is_tcp;
use crate::target::process::Process;
use crate::target::{Outcome, Target};
pub use client::{Client, REPLY_MAX};
pub use footprint::{Footprint, MEBIBYTE};
pub use stage::{INNOCENT_MAX, Stage};

/// Something that is done to a running server.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What to call it; no other fault is called so.
    pub name: &'static str,
    /// The rule that it shows.
    pub rule: &'static Requirement,
    /// What is done, in one sentence.
    pub does: &'static str,
    /// What the server must have been started with.
    pub options: &'static str,
    /// Does it, and says where the server broke the rule.
    pub play: fn(&mut Stage) -> Result<(), Trouble>,
}

/// Why a fault did not end as the rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server broke the rule.
    Broken {
        /// What the rule demands.
        expected: String,
        /// What the server did.
        received: String,
    },
    /// An innocent client waited too long; how long it was.
    Late(String),
    /// The server ended.
    Died(String),
    /// It cannot be seen here whether it did.
    Unseen(String),
}

/// The faults, by subject.
const SUBJECTS: [&[Fault]; 9] = [
    statistics::FAULTS,
    lines::FAULTS,
    blocks::FAULTS,
    replies::FAULTS,
    references::FAULTS,
    time::FAULTS,
    connections::FAULTS,
    disclosure::FAULTS,
    shutdown::FAULTS,
];

/// Every fault.
#[must_use]
pub fn all() -> Vec<&'static Fault> {
    SUBJECTS.into_iter().flatten().collect()
}

/// Whether it lets time pass, and its server rest.
#[must_use]
pub fn is_patient(fault: &Fault) -> bool {
    let mut patient = time::FAULTS.iter();
    patient.any(|patient| patient.name == fault.name)
}

/// The fault of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Fault> {
    all().into_iter().find(|fault| fault.name == name)
}

/// How often a server is tried whose innocent client waited too long, with a pause between: a
/// machine under load lets anybody wait, but not time after time.
const LATE_TRIES: usize = 5;
const LATE_PAUSE: Duration = Duration::from_secs(1);

/// Tries a fault on a server of its own.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a machine that is busy is given time"
)]
pub fn try_on(target: &Target, fault: &'static Fault, fence: Fence) -> Outcome {
    let Target::Spawn(command) = target else {
        return Outcome::Unsupported("only a process of its own shows this (--spawn)".to_owned());
    };
    if !is_tcp(command) {
        return Outcome::Unsupported("it is shown over TCP (--spawn '… {port} …')".to_owned());
    }
    let mut ended = play(command, fault, fence);
    for _ in 1..LATE_TRIES {
        if matches!(ended, Err(Trouble::Late(_))) {
            thread::sleep(LATE_PAUSE);
            ended = play(command, fault, fence);
        }
    }
    let (expected, received) = match ended {
        Ok(()) => return Outcome::Passed,
        Err(Trouble::Died(_)) if refuses(command, fault) => {
            let options = fault.options;
            return Outcome::Lacking(format!("it starts, but not with `{options}`"));
        }
        Err(Trouble::Died(how)) => return Outcome::Crashed(how),
        Err(Trouble::Unseen(reason)) => return Outcome::Unsupported(reason),
        Err(Trouble::Broken { expected, received }) => (expected, received),
        Err(Trouble::Late(waited)) => (
            "another client is answered within a second".to_owned(),
            waited,
        ),
    };
    Outcome::Failed(Box::new(Failure {
        line: fault.rule.line,
        expected,
        received: received.into_bytes(),
        agreed: None,
        events: Vec::new(),
    }))
}

/// Whether it starts as it is given, and not with the options that the fault needs: once may go
/// wrong for no fault of its own.
fn refuses(command: &str, fault: &Fault) -> bool {
    let starts = |options| (0..2).any(|_| Process::start(command, options).is_ok());
    !fault.options.is_empty() && !starts(fault.options) && starts("")
}

/// Plays it once. That a server ended says more than what came of the fault.
fn play(command: &str, fault: &Fault, fence: Fence) -> Result<(), Trouble> {
    let mut stage = Stage::set(command, fault.options, fence).map_err(Trouble::Died)?;
    let played = (fault.play)(&mut stage);
    match stage.strike() {
        Err(Trouble::Died(how)) => Err(Trouble::Died(how)),
        lived => played.and(lived),
    }
}

/// Unless this holds, the rule is broken.
///
/// # Errors
/// When it does not hold.
pub fn hold(holds: bool, expected: &str, received: impl ToString) -> Result<(), Trouble> {
    if holds {
        return Ok(());
    }
    Err(Trouble::Broken {
        expected: expected.to_owned(),
        received: received.to_string(),
    })
}
