//! More clients than there is room for: a flood of them, and no descriptors to accept them with.

use std::process::Command;
use std::thread;
use std::time::Duration;

use spec::req;

use super::footprint::worked;
use super::stage::{now, until};
use super::{Fault, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "connection-flood",
        rule: req!("limits.connections.refused"),
        does: "For three seconds four threads connect and leave again, 30 at once, where 60 may.",
        options: "-c 60",
        play: connection_flood,
    },
    Fault {
        name: "no-descriptors",
        rule: req!("limits.connections.refused"),
        does: "The process may open eight files more, and 60 clients connect; then they leave.",
        options: "",
        play: no_descriptors,
    },
    Fault {
        name: "brief-clients",
        rule: req!("limits.connections.released"),
        does: "3,000 clients connect and leave without a word, and nobody reads the log.",
        options: "",
        play: brief_clients,
    },
];

fn connection_flood(stage: &mut Stage) -> Result<(), Trouble> {
    let began = now();
    let is_over = || now() - began >= Duration::from_secs(3);
    let flood = |stage: &Stage| {
        while !is_over() {
            // Who is refused is what this is about; who is not even heard waits for long.
            let comers = (0..30).map_while(|_| stage.connect_bare().ok().filter(|_| !is_over()));
            drop(comers.collect::<Vec<_>>());
        }
    };
    let shared = &*stage;
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| flood(shared)))));
    hold_open(stage)
}

/// A new client is served again.
fn hold_open(stage: &Stage) -> Result<(), Trouble> {
    let serves = || {
        let client = stage.connect();
        client.and_then(|mut client| client.fence()).is_ok()
    };
    let again = until(REPLY_MAX, serves);
    hold(
        again,
        "a new client is served when others have left",
        "none is",
    )
}

/// How much a server may work in a second in which there is nothing to do but wait for a file. Some
/// 20 ms are usual; who tries all the time gets more than this on a busy machine, too.
const WORK_MAX: Duration = Duration::from_millis(200);

fn no_descriptors(stage: &mut Stage) -> Result<(), Trouble> {
    let files = stage.footprint()?.descriptors + 8;
    let (process, limit) = (stage.process().to_string(), format!("--nofile={files}:"));
    let set = Command::new("prlimit")
        .args(["--pid", &process, &limit])
        .status();
    let is_set = set.is_ok_and(|status| status.success());
    if !is_set {
        let lack = "`prlimit` (util-linux) is not here, or may not limit the process";
        return Err(Trouble::Unseen(lack.to_owned()));
    }
    // Who waits in vain to be accepted is enough: the others would each wait as long.
    let clients: Vec<_> = (0..60).map_while(|_| stage.connect_bare().ok()).collect();
    // Who could not be accepted at first may be later.
    until(Duration::from_millis(500), || false);
    let before = worked(stage.process())?;
    until(Duration::from_secs(1), || false);
    let work = worked(stage.process())?.saturating_sub(before);
    hold(
        work <= WORK_MAX,
        "no more than a fifth of a second of work in a second of waiting",
        format!("{} ms", work.as_millis()),
    )?;
    drop(clients);
    hold_open(stage)
}

fn brief_clients(stage: &mut Stage) -> Result<(), Trouble> {
    let log = stage.restart_with_log()?;
    let before = stage.footprint()?.descriptors;
    for hundred in 0..30 {
        for _ in 0..100 {
            drop(stage.connect_bare()?);
        }
        if hundred % 10 == 9 {
            stage.connect()?.fence()?;
        }
    }
    let left = stage.descriptors_down_to(before, REPLY_MAX)?;
    drop(log);
    hold(
        left <= before,
        &format!("{before} descriptors, as before"),
        left,
    )
}
