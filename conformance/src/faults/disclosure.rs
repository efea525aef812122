//! What a server tells of itself, and what it writes down of its clients.

use std::io::Read;
use std::process::ChildStderr;
use std::thread;
use std::time::Duration;

use spec::req;

use super::footprint::Maps;
use super::{Client, Fault, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "addresses",
        rule: req!("limits.disclosure.addresses"),
        does: "A client asks for every statistic and for much that is none.",
        options: "",
        play: addresses,
    },
    Fault {
        name: "escaped-log",
        rule: req!("limits.disclosure.log"),
        does: "Clients send control bytes and long lines to a server that logs all it can.",
        options: "-vv",
        play: escaped_log,
    },
    Fault {
        name: "unread-log",
        rule: req!("limits.disclosure.log"),
        does: "A server that logs all it can is sent 20,000 requests, and nobody reads its log.",
        options: "-vv",
        play: unread_log,
    },
];

/// What may be asked of a server about itself.
const QUESTIONS: [&str; 24] = [
    "stats",
    "stats settings",
    "stats items",
    "stats slabs",
    "stats sizes",
    "stats conns",
    "stats detail on",
    "stats detail dump",
    "stats maps",
    "stats malloc",
    "stats extstore",
    "stats proxy",
    "stats cachedump 1 0",
    "stats nothing",
    "lru_crawler metadump all",
    "lru_crawler mgdump all",
    "me k",
    "mg k s v t f c k",
    "me no-such-key",
    "version",
    "verbosity 1",
    "slabs reassign 1 2",
    "lru tune 1 2",
    "nonsense",
];

fn addresses(stage: &mut Stage) -> Result<(), Trouble> {
    let maps = Maps::of(stage.process())?;
    let mut client = stage.connect()?;
    client.set("k", 1000)?;
    for question in QUESTIONS {
        // A dump may end the connection, or reply with nothing that one could wait for.
        let mut client = stage.connect()?;
        client.send(format!("{question}\r\nget k\r\n").as_bytes())?;
        client.half_close();
        let text = client.rest();
        if let Some(told) = maps.told_by(&text) {
            hold(
                false,
                "neither an address nor a path",
                format!("`{told}` to `{question}`"),
            )?;
        }
    }
    client.fence()
}

/// The longest line of a log: what a client sent is cut before it.
const LOG_LINE_MAX: usize = 1024;

fn escaped_log(stage: &mut Stage) -> Result<(), Trouble> {
    let log = stage.restart_with_log()?;
    let reader = thread::spawn(move || read_all(log));
    let mut client = stage.connect()?;
    for line in [
        "get \x1b[2Jk\x07\x01".to_owned(),
        "\x1b]0;title\x07 \x02".to_owned(),
        format!("delete {}", "\x7f\x1b".repeat(125)),
        format!("get {}", "long ".repeat(10_000)),
    ] {
        client.ask(&line)?;
        client.fence()?;
    }
    drop(client);
    // The key of a frame may be anything; whoever speaks no binary hears a line that is none.
    let mut binary = stage.connect()?;
    let delete = [
        &[0x80, 4, 0, 250][..],
        &[0; 7],
        &[250],
        &[0; 12],
        &[0x1b; 250],
    ];
    binary.send(&delete.concat())?;
    binary.half_close();
    let _ = binary.rest();
    stage.end();
    let log = reader.join().expect("a reader does not panic");
    let raw = log
        .iter()
        .find(|byte| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t'));
    hold(
        raw.is_none(),
        "a log in which control bytes are escaped",
        format!("a byte {raw:?} as it was sent"),
    )?;
    let longest = log.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    hold(
        longest.unwrap_or_default() <= LOG_LINE_MAX,
        &format!("no line of the log longer than {LOG_LINE_MAX} bytes"),
        format!("one of {longest:?}"),
    )
}

fn unread_log(stage: &mut Stage) -> Result<(), Trouble> {
    let log = stage.restart_with_log()?;
    let mut clients = stage.connect_all(8)?;
    let requests = "get a-key-that-is-worth-a-line\r\n".repeat(2_500);
    for client in &mut clients {
        client.wait_for(Duration::from_secs(2));
        client.push(requests.as_bytes());
    }
    for client in &mut clients {
        in_step(client)?;
    }
    drop(log);
    Ok(())
}

fn in_step(client: &mut Client) -> Result<(), Trouble> {
    for _ in 0..2_500 {
        let reply = client.line()?;
        hold(reply == "END", "`END` to each of 2,500 requests", reply)?;
    }
    client.fence()
}

fn read_all(mut log: ChildStderr) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before the pipe broke is what there is.
    let _ = log.read_to_end(&mut bytes);
    bytes
}
