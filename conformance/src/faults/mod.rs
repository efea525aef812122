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
mod crowds;
mod disclosure;
mod footprint;
mod fullness;
mod innocent;
mod lines;
pub mod matrix;
mod references;
mod replies;
mod shutdown;
mod slow;
mod stage;
mod statistics;
pub mod table;
mod time;
mod waits;

use std::thread;
use std::time::Duration;

use spec::Requirement;
use spec::exchange::{Exchange, Failure, Fence, Header, Protocol};

use crate::target::place::is_tcp;
use crate::target::process::Process;
use crate::target::shape::Shape;
use crate::target::{Outcome, Target, played};
pub use client::{Client, REPLY_MAX};
pub use footprint::{Footprint, MEBIBYTE};
pub use stage::{INNOCENT_MAX, Stage};
pub use waits::{Spread, TARGET, Waits};

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
    /// The server does not know what it would be asked.
    Lacking(String),
}

/// The faults, by subject.
const SUBJECTS: [&[Fault]; 12] = [
    statistics::FAULTS,
    lines::FAULTS,
    blocks::FAULTS,
    replies::FAULTS,
    references::FAULTS,
    fullness::FAULTS,
    time::FAULTS,
    connections::FAULTS,
    crowds::FAULTS,
    slow::FAULTS,
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

/// Whom a server knows that is told to let nobody in without a login.
const USER: &str = "alice:secret";

/// What came of a fault, and how long the innocent client waited meanwhile.
#[derive(Debug)]
pub struct Tried {
    /// What came of it.
    pub outcome: Outcome,
    /// The waits of the last try.
    pub waits: Waits,
}

impl Tried {
    fn without(outcome: Outcome) -> Tried {
        let waits = Waits::default();
        Tried { outcome, waits }
    }
}

/// Tries a fault on a server of its own.
#[must_use]
pub fn try_on(target: &Target, fault: &'static Fault, fence: Fence) -> Outcome {
    tried(target, fault, fence).outcome
}

/// Tries a fault on a server of its own, and measures the waits.
#[must_use]
pub fn tried(target: &Target, fault: &'static Fault, fence: Fence) -> Tried {
    let mut header = Header {
        options: fault.options.to_owned(),
        ..Header::default()
    };
    if fault.options.contains("{users}") {
        header.users.push(USER.to_owned());
    }
    on_stage(target, &header, fence, fault.rule.line, fault.play)
}

/// Plays an exchange on a server of its own beside an innocent client, and looks what it leaves.
#[must_use]
pub fn beside(target: &Target, exchange: &Exchange, fence: Fence) -> Tried {
    let header = &exchange.header;
    if header.protocols.contains(&Protocol::Udp)
        && !matches!(target, Target::Spawn(command) if is_tcp(command))
    {
        let lack = "there are no datagrams here (--spawn '… {port} …')";
        return Tried::without(Outcome::Unsupported(lack.to_owned()));
    }
    let failure = std::cell::RefCell::new(None);
    let play = |stage: &mut Stage| match played(exchange, stage.peer(), Shape::Written, fence) {
        Outcome::Failed(failed) => {
            let trouble = Trouble::Broken {
                expected: failed.expected.clone(),
                received: failed.received.escape_ascii().to_string(),
            };
            failure.replace(Some(failed));
            Err(trouble)
        }
        _ => Ok(()),
    };
    let tried = on_stage(target, header, fence, exchange.line, play);
    match (tried.outcome, failure.into_inner()) {
        // What the exchange itself says of its failure says more.
        (Outcome::Failed(_), Some(failed)) => Tried {
            outcome: Outcome::Failed(failed),
            waits: tried.waits,
        },
        (outcome, _) => Tried {
            outcome,
            waits: tried.waits,
        },
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a machine that is busy is given time"
)]
fn on_stage(
    target: &Target,
    header: &Header,
    fence: Fence,
    line: u32,
    act: impl Fn(&mut Stage) -> Result<(), Trouble>,
) -> Tried {
    let Target::Spawn(command) = target else {
        let lack = "only a process of its own shows this (--spawn)";
        return Tried::without(Outcome::Unsupported(lack.to_owned()));
    };
    let (mut ended, mut waits) = play(command, header, fence, &act);
    for _ in 1..LATE_TRIES {
        if matches!(ended, Err(Trouble::Late(_))) {
            thread::sleep(LATE_PAUSE);
            (ended, waits) = play(command, header, fence, &act);
        }
    }
    let failed = |expected: String, received: String| {
        Outcome::Failed(Box::new(Failure {
            line,
            expected,
            received: received.into_bytes(),
            agreed: None,
            closed: false,
            events: Vec::new(),
        }))
    };
    let outcome = match ended {
        Ok(()) => Outcome::Passed,
        Err(Trouble::Died(_)) if refuses(command, header) => Outcome::refused(&header.options),
        Err(Trouble::Died(how)) => Outcome::Crashed(how),
        Err(Trouble::Unseen(reason)) => Outcome::Unsupported(reason),
        Err(Trouble::Lacking(reason)) => Outcome::Lacking(reason),
        Err(Trouble::Broken { expected, received }) => failed(expected, received),
        Err(Trouble::Late(waited)) => failed(
            "another client is answered within a second".to_owned(),
            waited,
        ),
    };
    Tried { outcome, waits }
}

/// Whether it starts as it is given, and not with what is needed here: once may go wrong for no
/// fault of its own.
fn refuses(command: &str, header: &Header) -> bool {
    let starts = |header: &Header| (0..2).any(|_| Process::start_for(command, header).is_ok());
    !header.options.is_empty() && !starts(header) && starts(&Header::default())
}

/// Plays it once. That a server ended says more than what came of the fault.
fn play(
    command: &str,
    header: &Header,
    fence: Fence,
    act: impl Fn(&mut Stage) -> Result<(), Trouble>,
) -> (Result<(), Trouble>, Waits) {
    let mut stage = match Stage::set(command, header, fence) {
        Ok(stage) => stage,
        Err(problem) => return (Err(Trouble::Died(problem)), Waits::default()),
    };
    let acted = act(&mut stage);
    let (ended, waits) = stage.strike();
    match ended {
        Err(Trouble::Died(how)) => (Err(Trouble::Died(how)), waits),
        lived => (acted.and(lived), waits),
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
