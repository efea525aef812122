//! Lines that do not end, lines by the thousand, and lines of other protocols.

use std::thread;

use spec::req;

use super::{Fault, MEBIBYTE, Stage, Trouble, hold};

/// What a server may hold of a line, by any ceiling that one would document.
const LINE_LIMIT_BYTES: u64 = 16 * MEBIBYTE;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "endless-line",
        rule: req!("limits.line.endless"),
        does: "A client sends 64 MB of a `get` line that never ends.",
        options: "",
        play: endless_line,
    },
    Fault {
        name: "many-lines",
        rule: req!("framing.pipeline"),
        does: "A client sends 1,000 empty lines, 1,000 of no command and 10,000 good ones at once.",
        options: "",
        play: many_lines,
    },
    Fault {
        name: "other-protocols",
        rule: req!("framing.unknown"),
        does: "Clients speak HTTP, SSH, RESP, SMTP and TLS to a server that speaks none of it.",
        options: "",
        play: other_protocols,
    },
];

fn endless_line(stage: &mut Stage) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    client.fence()?;
    let before = stage.footprint()?;
    client.send(b"get")?;
    let piece = b" k".repeat(1 << 16);
    for _ in 0..512 {
        if client.push(&piece) < piece.len() {
            break;
        }
    }
    before.hold_growth(&stage.settled_footprint()?, LINE_LIMIT_BYTES)
}

fn many_lines(stage: &mut Stage) -> Result<(), Trouble> {
    let mut client = stage.connect()?;
    let parts = [
        ("\r\n", 1_000),
        ("nonsense\r\n", 1_000),
        ("get no-such-key\r\n", 10_000),
    ];
    for (line, times) in parts {
        let mut writer = client.another()?;
        thread::scope(|scope| {
            let writing = scope.spawn(move || writer.send(line.repeat(times).as_bytes()));
            for _ in 0..times {
                let said = client.line()?;
                let is_due = match line {
                    "get no-such-key\r\n" => said == "END",
                    _ => is_error(&said),
                };
                hold(is_due, "one reply to each line", said)?;
            }
            writing.join().expect("no client panics")
        })?;
        client.fence()?;
    }
    Ok(())
}

/// What others say first, each without a line that memcached knows.
const TONGUES: [&[u8]; 6] = [
    b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /set HTTP/1.1\r\nContent-Length: 24\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"EHLO localhost\r\n",
    super::slow::HALF_A_HELLO,
];

fn other_protocols(stage: &mut Stage) -> Result<(), Trouble> {
    for tongue in TONGUES {
        let mut client = stage.connect()?;
        client.send(tongue)?;
        client.half_close();
        let said = client.rest();
        let mut lines = said.split("\\r\\n").filter(|line| !line.is_empty());
        let other = lines.find(|line| !is_error(line));
        hold(
            other.is_none(),
            "error lines, a close, or both",
            said.clone(),
        )?;
    }
    Ok(())
}

fn is_error(line: &str) -> bool {
    line.starts_with("ERROR") || line.starts_with("CLIENT_ERROR ")
}
