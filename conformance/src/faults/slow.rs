//! Clients that send by and by, stop half-way, or are done before they are answered.
//!
//! Each is many clients at once, and none of them breaks a rule: a server that gives each its turn
//! does not notice them.

use std::time::Duration;

use spec::req;

use super::stage::{now, until};
use super::{Fault, INNOCENT_MAX, MEBIBYTE, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "slow-lines",
        rule: req!("limits.reply.fair"),
        does: "100 clients send a line byte by byte for three seconds, and then its end.",
        options: "",
        play: |stage| by_and_by(stage, b"get ", b"\r\n", "END"),
    },
    Fault {
        name: "slow-values",
        rule: req!("limits.reply.fair"),
        does: "100 clients send a block byte by byte for three seconds, and then its end.",
        options: "",
        play: |stage| by_and_by(stage, b"set k 0 0 100\r\n", b"\r\n", "STORED"),
    },
    Fault {
        name: "half-closed-clients",
        rule: req!("framing.half-close"),
        does: "20 clients ask for 10 MB each, close their half, and read after two seconds.",
        options: "",
        play: half_closed_clients,
    },
    Fault {
        name: "stalled-handshakes",
        rule: req!("limits.reply.fair"),
        does: "100 clients send the beginning of a TLS handshake and no more; others come.",
        options: "",
        play: stalled_handshakes,
    },
    Fault {
        name: "strangers",
        rule: req!("limits.reply.fair"),
        does: "50 clients that have not logged in guess, and send long lines, and read nothing.",
        options: "-Y {users}",
        play: strangers,
    },
    Fault {
        name: "unread-watches",
        rule: req!("limits.dumps.unread"),
        does: "Eight clients watch and do not read, while others ask 20,000 times.",
        options: "",
        play: unread_watches,
    },
    Fault {
        name: "stopped",
        rule: req!("limits.reply.fair"),
        does: "The process is stopped for three seconds in the middle of its work, and goes on.",
        options: "",
        play: stopped,
    },
];

/// How long they take, and how often in it they send a byte.
const SLOW: Duration = Duration::from_secs(3);
const BYTES: usize = 100;

fn by_and_by(stage: &mut Stage, begin: &[u8], end: &[u8], reply: &str) -> Result<(), Trouble> {
    let mut clients = stage.connect_all(100)?;
    for client in &mut clients {
        client.send(begin)?;
    }
    let began = now();
    for number in 1..=BYTES {
        for client in &mut clients {
            client.send(b"k")?;
        }
        let due = SLOW * u32::try_from(number).unwrap_or(u32::MAX) / 100;
        until(due.saturating_sub(now() - began), || false);
    }
    for client in &mut clients {
        client.send(end)?;
        let said = client.line()?;
        hold(said == reply, reply, said)?;
        client.fence()?;
    }
    Ok(())
}

fn half_closed_clients(stage: &mut Stage) -> Result<(), Trouble> {
    const TIMES: usize = 20;
    stage.connect()?.set("k", 500_000)?;
    let mut clients = stage.connect_all(20)?;
    for client in &mut clients {
        client.send("get k\r\n".repeat(TIMES).as_bytes())?;
        client.half_close();
    }
    until(Duration::from_secs(2), || false);
    for client in &mut clients {
        for _ in 0..TIMES {
            let lines = client.lines_until("END")?;
            hold(
                lines == 2,
                "a value for each request",
                format!("{lines} lines"),
            )?;
        }
        let closed = client.is_closed_within(REPLY_MAX);
        hold(closed, "a close behind the last reply", "none")?;
    }
    Ok(())
}

/// The head of a record and the head of a greeting of 508 bytes, of which no more comes.
pub(super) const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

fn stalled_handshakes(stage: &mut Stage) -> Result<(), Trouble> {
    let stalled: Result<Vec<_>, Trouble> = (0..100)
        .map(|_| {
            let mut client = stage.connect_bare()?;
            client.send(HALF_A_HELLO)?;
            Ok(client)
        })
        .collect();
    let stalled = stalled?;
    for _ in 0..8 {
        let began = now();
        let mut client = stage.connect()?;
        client.fence()?;
        let took = now() - began;
        hold(
            took <= INNOCENT_MAX,
            "a new client is served within a second",
            format!("it took {} ms", took.as_millis()),
        )?;
    }
    until(Duration::from_secs(1), || false);
    drop(stalled);
    Ok(())
}

/// What those may make a server hold who have not said who they are.
const STRANGERS_LIMIT_BYTES: u64 = 32 * MEBIBYTE;

fn strangers(stage: &mut Stage) -> Result<(), Trouble> {
    const UNKNOWN: &str = "CLIENT_ERROR unauthenticated";
    let before = stage.footprint()?;
    let began = now();
    while now() - began < Duration::from_secs(2) {
        let mut clients = stage.connect_all(50)?;
        for (number, client) in clients.iter_mut().enumerate() {
            client.wait_for(Duration::from_millis(20));
            match number % 5 {
                0 => client.push("set k 0 0 9\r\nalice bad\r\n".repeat(1_000).as_bytes()),
                1 => client.push(&vec![b'x'; 1 << 20]),
                2 => client.push(b"set k 0 0 2147483640\r\nalice "),
                3 => client.push("get k k k\r\n".repeat(10_000).as_bytes()),
                _ => client.push(b"set k 0 0 12\r\nalice se"),
            };
        }
        let mut late = stage.connect()?;
        late.expect("get k", UNKNOWN)?;
    }
    before.hold_growth(&stage.settled_footprint()?, STRANGERS_LIMIT_BYTES)
}

/// What a server may keep for watchers that do not read, by any bound that one would document.
const WATCHES_LIMIT_BYTES: u64 = 32 * MEBIBYTE;

fn unread_watches(stage: &mut Stage) -> Result<(), Trouble> {
    const WATCH: &[u8] = b"watch fetchers mutations\r\n";
    stage.needs(WATCH)?;
    let mut watchers = stage.connect_all(8)?;
    for watcher in &mut watchers {
        watcher.send(WATCH)?;
        watcher.hear(b"OK\r\n")?;
    }
    let mut other = stage.connect()?;
    let before = stage.footprint()?;
    let key = "k".repeat(200);
    for _ in 0..20 {
        other.send(format!("get {key}\r\n").repeat(1_000).as_bytes())?;
        for _ in 0..1_000 {
            let said = other.line()?;
            hold(said == "END", "END", said)?;
        }
    }
    before.hold_growth(&stage.settled_footprint()?, WATCHES_LIMIT_BYTES)?;
    drop(watchers);
    other.fence()
}

fn stopped(stage: &mut Stage) -> Result<(), Trouble> {
    let mut clients = stage.connect_all(8)?;
    for client in &mut clients {
        client.fence()?;
        client.send(b"set k 0 0 10\r\nhalf ")?;
    }
    // Nobody can be served meanwhile.
    stage.dismiss();
    stage.stop_for(Duration::from_secs(3))?;
    for client in &mut clients {
        client.wait_for(INNOCENT_MAX);
        client.expect("value", "STORED")?;
        client.fence()?;
    }
    stage.connect()?.fence()
}
