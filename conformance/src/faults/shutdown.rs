//! A server that is told to end.

use spec::req;

use super::stage::until;
use super::{Fault, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "shutdown",
        rule: req!("administration.shutdown.ends"),
        does: "A client says `shutdown`.",
        options: "-A",
        play: |stage| shut_down(stage, b"shutdown\r\n"),
    },
    Fault {
        name: "graceful-shutdown",
        rule: req!("administration.shutdown.ends"),
        does: "A client says `shutdown graceful`.",
        options: "-A",
        play: |stage| shut_down(stage, b"shutdown graceful\r\n"),
    },
];

fn shut_down(stage: &mut Stage, request: &[u8]) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.fence()?;
    stage.dismiss();
    client.send(request)?;
    let said = client.rest();
    let ended = until(REPLY_MAX, || stage.ended().is_some());
    let how = stage.ended();
    stage.end();
    hold(said.is_empty(), "no reply", said)?;
    hold(ended, "the server ends", "it lives")?;
    let well = how.is_some_and(|status| status.success());
    hold(well, "the server ends without an error", "it failed")
}
