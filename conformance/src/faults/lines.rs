//! Lines that do not end.

use spec::req;

use super::{Fault, MEBIBYTE, Stage, Trouble};

/// What a server may hold of a line, by any ceiling that one would document.
const LINE_LIMIT_BYTES: u64 = 16 * MEBIBYTE;

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "endless-line",
    rule: req!("limits.line.endless"),
    does: "A client sends 64 MB of a `get` line that never ends.",
    options: "",
    play: endless_line,
}];

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
