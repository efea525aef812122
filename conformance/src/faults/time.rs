//! Clients that stop, and servers that were told not to wait for them.

use std::time::Duration;

use spec::req;

use super::innocent::excused;
use super::slow::HALF_A_HELLO;
use super::stage::{now, until};
use super::{Fault, Stage, Trouble, hold};

/// The idle timeout, and what a server may be late: some look once in a few seconds.
const IDLE: Duration = Duration::from_secs(2);
const LATE_MAX: Duration = Duration::from_secs(5);

/// Who has not even agreed on TLS may be given ten seconds, and two to be late.
const HELLO_MAX: Duration = Duration::from_secs(12);

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "idle",
        rule: req!("limits.time.idle"),
        does: "Two clients are served; then one sends nothing, the other asks on.",
        options: "-o idle_timeout=2",
        play: idle,
    },
    Fault {
        name: "half-a-line",
        rule: req!("limits.time.half-sent"),
        does: "A client stops in the middle of a line.",
        options: "-o idle_timeout=2",
        play: |stage| stops(stage, b"get so-far-and-no"),
    },
    Fault {
        name: "half-a-hello",
        rule: req!("limits.time.half-sent"),
        does: "A client stops in the middle of a TLS handshake.",
        options: "-o idle_timeout=2",
        play: half_a_hello,
    },
    Fault {
        name: "half-a-block",
        rule: req!("limits.time.half-sent"),
        does: "A client stops in the middle of a block.",
        options: "-o idle_timeout=2",
        play: |stage| stops(stage, b"set k 0 0 1000\r\nso far and no"),
    },
    Fault {
        name: "half-a-swallow",
        rule: req!("limits.time.half-sent"),
        does: "A client stops in the middle of a block that is too large.",
        options: "-o idle_timeout=2",
        play: |stage| stops(stage, b"set k 0 0 100000000\r\nso far and no"),
    },
    Fault {
        name: "half-a-reply",
        rule: req!("limits.time.half-sent"),
        does: "A client asks for 100 MB and stops reading.",
        options: "-o idle_timeout=2",
        play: half_a_reply,
    },
];

fn idle(stage: &mut Stage) -> Result<(), Trouble> {
    let (mut idle, mut busy) = (stage.connect()?, stage.connect()?);
    idle.fence()?;
    let began = now();
    let (mut trouble, mut asked) = (Ok(()), began);
    let closed = until(IDLE + LATE_MAX, || {
        let silent = now().saturating_duration_since(asked);
        asked = now();
        trouble = excused(busy.fence(), silent);
        trouble.is_err() || idle.is_closed_within(Duration::from_millis(100))
    });
    let waited = now().saturating_duration_since(began);
    trouble?;
    // Over a UNIX socket it may stay.
    let expected = "a close after 2 s without a request";
    hold(closed || stage.is_local(), expected, "none in 7 s")?;
    hold(
        waited >= IDLE / 2,
        "no close before the timeout",
        format!("a close after {} ms", waited.as_millis()),
    )
}

fn stops(stage: &mut Stage, bytes: &[u8]) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.fence()?;
    client.send(bytes)?;
    let closed = client.is_closed_within(IDLE + LATE_MAX);
    hold(closed, "a close when nothing comes for 2 s", "none in 7 s")
}

fn half_a_hello(stage: &mut Stage) -> Result<(), Trouble> {
    let mut client = stage.connect_bare()?;
    client.send(HALF_A_HELLO)?;
    let closed = client.is_closed_within(HELLO_MAX);
    hold(closed, "a close when no more of it comes", "none in 12 s")
}

/// Whoever reads would free what is stuck, so that only the server's descriptors tell of a close.
fn half_a_reply(stage: &mut Stage) -> Result<(), Trouble> {
    let before = stage.footprint()?.descriptors;
    let mut client = stage.connect()?;
    client.set("k", 500_000)?;
    client.send("get k\r\n".repeat(200).as_bytes())?;
    client.line()?;
    let left = stage.descriptors_down_to(before, IDLE + LATE_MAX)?;
    hold(
        left <= before,
        "a close when nothing is read for 2 s",
        "none in 7 s",
    )
}
