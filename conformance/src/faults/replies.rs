//! Replies that nobody reads, and requests for more of them than is fair.

use std::thread;
use std::time::Duration;

use spec::req;

use super::stage::until;
use super::{Fault, INNOCENT_MAX, MEBIBYTE, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "many-misses",
        rule: req!("limits.reply.amplification"),
        does: "A client asks for 35,000 missing keys in one line, three times.",
        options: "",
        play: many_misses,
    },
    Fault {
        name: "unread-values",
        rule: req!("limits.reply.unread"),
        does: "A client asks 400 times for a value of 500 KB and reads nothing until later.",
        options: "",
        play: unread_values,
    },
    Fault {
        name: "unread-hits",
        rule: req!("limits.reply.unread"),
        does: "A client asks in 20 lines for 460,000 small items and reads nothing until later.",
        options: "",
        play: unread_hits,
    },
    Fault {
        name: "greedy-reader",
        rule: req!("limits.reply.fair"),
        does: "A client asks for 400 MB of large and small values at once and reads them all.",
        options: "",
        play: greedy_reader,
    },
    Fault {
        name: "deaf-client",
        rule: req!("limits.reply.fair"),
        does: "A client asks 20,000 times for a value of 500 KB and never reads.",
        options: "",
        play: deaf_client,
    },
];

/// What requests and replies of one client may take, by any bound that one would document.
const QUEUE_LIMIT_BYTES: u64 = 16 * MEBIBYTE;

/// How many keys fit into a line that every server must read.
const KEYS: usize = 34_900;

/// How long a server may let a client wait before that gives up writing.
const STALLED: Duration = Duration::from_millis(500);

fn many_misses(stage: &mut Stage) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.fence()?;
    let before = stage.footprint()?;
    // Nobody stores under this key.
    let line = format!("get{}", " -".repeat(KEYS));
    for _ in 0..3 {
        client.expect(&line, "END")?;
    }
    client.fence()?;
    before.hold_growth(&stage.footprint()?, 4 * MEBIBYTE)
}

fn unread_values(stage: &mut Stage) -> Result<(), Trouble> {
    stage.connect()?.set("k", 500_000)?;
    unread(stage, "get k", 400, 1)
}

fn unread_hits(stage: &mut Stage) -> Result<(), Trouble> {
    // Many keys, for a server may count how often one item is on its way, and only so far.
    let keys: Vec<String> = ('a'..='z')
        .flat_map(|first| ('a'..='z').map(move |second| format!("{first}{second}")))
        .collect();
    let mut client = stage.connect()?;
    for key in &keys {
        client.set(key, 60)?;
    }
    let line = keys.iter().cycle().take(23_000);
    let line = line.fold("get".to_owned(), |line, key| line + " " + key);
    unread(stage, &line, 20, 23_000)
}

/// Sends the line so often without reading; then reads, and every hit must be there.
fn unread(stage: &mut Stage, line: &str, times: usize, hits: usize) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.fence()?;
    let before = stage.footprint()?;
    let requests = format!("{line}\r\n").repeat(times);
    client.wait_for(STALLED);
    let sent = client.push(requests.as_bytes());
    before.hold_growth(&stage.settled_footprint()?, QUEUE_LIMIT_BYTES)?;
    client.wait_for(REPLY_MAX);
    let mut writer = client.another()?;
    let rest = requests.as_bytes().get(sent..).unwrap_or_default();
    thread::scope(|scope| {
        let writing = scope.spawn(move || writer.send(rest));
        for _ in 0..times {
            let lines = client.lines_until("END")?;
            hold(
                lines == 2 * hits,
                &format!("{hits} values for each line"),
                format!("{lines} lines of reply"),
            )?;
        }
        writing.join().expect("no client panics")
    })?;
    client.fence()?;
    before.hold_growth(&stage.footprint()?, QUEUE_LIMIT_BYTES)
}

fn greedy_reader(stage: &mut Stage) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.set("large", 500_000)?;
    client.set("k", 5_000)?;
    let requests = [
        "get large\r\n".repeat(400),
        format!("get{}\r\n", " k".repeat(3_000)).repeat(12),
        "get k\r\n".repeat(5_000),
    ];
    let mut writer = client.another()?;
    thread::scope(|scope| {
        let writing = scope.spawn(move || writer.send(requests.concat().as_bytes()));
        for _ in 0..400 + 12 + 5_000 {
            client.lines_until("END")?;
        }
        writing.join().expect("no client panics")
    })?;
    client.fence()
}

fn deaf_client(stage: &mut Stage) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.set("k", 500_000)?;
    client.wait_for(STALLED);
    client.push("get k\r\n".repeat(20_000).as_bytes());
    let mut other = stage.connect()?;
    other.wait_for(2 * INNOCENT_MAX);
    let mut answered = Ok(());
    until(2 * INNOCENT_MAX, || {
        answered = other.fence();
        answered.is_err()
    });
    answered
}
