//! Data blocks that are announced, thrown away or held back.

use std::time::Duration;

use spec::req;

use super::footprint::megabytes;
use super::stage::until;
use super::{Fault, MEBIBYTE, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "announced-blocks",
        rule: req!("limits.block.announced"),
        does: "Eight clients announce a block of 1 GiB each and send one byte of it.",
        options: "",
        play: announced_blocks,
    },
    Fault {
        name: "long-swallow",
        rule: req!("limits.block.swallowed"),
        does: "A client sends a block of 256 MiB, far too large to be stored.",
        options: "",
        play: long_swallow,
    },
    Fault {
        name: "held-uploads",
        rule: req!("limits.block.uploads"),
        does: "200 clients hold back the last 100 KB of a block of 900 KB each; others store on.",
        options: "-m 64",
        play: held_uploads,
    },
];

/// What one read from a socket may take, with room for what the memory allocator does.
const READ_LIMIT_BYTES: u64 = 4 * MEBIBYTE;

fn announced_blocks(stage: &mut Stage) -> Result<(), Trouble> {
    let announced_bytes = 1024 * MEBIBYTE;
    let mut clients = stage.connect_all(8)?;
    for client in &mut clients {
        client.fence()?;
    }
    let before = stage.footprint()?;
    for client in &mut clients {
        client.send(format!("set k 0 0 {announced_bytes}\r\nx").as_bytes())?;
    }
    let now = stage.settled_footprint()?;
    before.hold_growth(&now, READ_LIMIT_BYTES)?;
    let reserved = now.reserved_bytes.saturating_sub(before.reserved_bytes);
    hold(
        reserved < announced_bytes,
        "less address space than was announced",
        format!("{} more", megabytes(reserved)),
    )
}

fn long_swallow(stage: &mut Stage) -> Result<(), Trouble> {
    let piece = vec![b'x'; 1 << 20];
    let mut client = stage.connect()?;
    client.fence()?;
    let before = stage.footprint()?;
    client.send(b"set k 0 0 268435456\r\n")?;
    for _ in 0..256 {
        client.send(&piece)?;
    }
    client.send(b"\r\n")?;
    let reply = client.line()?;
    hold(
        reply.starts_with("SERVER_ERROR "),
        "one line `SERVER_ERROR …`",
        reply,
    )?;
    client.fence()?;
    before.hold_growth(&stage.footprint()?, READ_LIMIT_BYTES)
}

fn held_uploads(stage: &mut Stage) -> Result<(), Trouble> {
    let mut uploads = stage.connect_all(200)?;
    let block = vec![b'x'; 800_000];
    for (number, client) in uploads.iter_mut().enumerate() {
        client.wait_for(Duration::from_millis(50));
        client.send(format!("set upload{number} 0 0 900000\r\n").as_bytes())?;
        // A server that has no room may stop reading.
        client.push(&block);
    }
    let mut other = stage.connect()?;
    for number in 0..100 {
        other.set(&format!("small{number}"), 100)?;
    }
    for number in 0..100 {
        other.expect(
            &format!("get small{number}"),
            &format!("VALUE small{number} 0 100"),
        )?;
        other.lines_until("END")?;
    }
    drop(uploads);
    let recovers = until(REPLY_MAX, || other.set("large", 900_000).is_ok());
    hold(
        recovers,
        "room for a large item again when the uploads are gone",
        "none",
    )
}
