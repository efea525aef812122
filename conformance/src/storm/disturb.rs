//! What moves items while a storm goes over them: dumps of all keys, and pages that change their
//! class.
//!
//! It only asks for them; whether a server does, and what it answers, is not judged here.

use std::io::{self, BufRead, BufReader, Write};
use std::time::Duration;

use crate::target::address::Wire;

const REPLY_MAX: Duration = Duration::from_secs(5);
/// No server has more classes.
const CLASSES: u64 = 63;

/// How much was done while a storm lasted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disturbed {
    /// Dumps that came to their end.
    pub dumps: u64,
    /// Pages that were to move, and did or will.
    pub moves: u64,
}

/// Dumps, and moves pages where it may, until the moment has come or the connection ends.
pub(super) fn disturb(wire: Box<dyn Wire>, moves: bool, is_over: &dyn Fn() -> bool) -> Disturbed {
    let mut done = Disturbed::default();
    let mut wire = BufReader::new(wire);
    wire.get_mut().patience(REPLY_MAX, REPLY_MAX);
    let mut class = 0;
    while !is_over() {
        class = class % CLASSES + 1;
        let told = match moves && !class.is_multiple_of(8) {
            true => moved(&mut wire, class).map(|moved| done.moves += u64::from(moved)),
            false => dumped(&mut wire).map(|dumped| done.dumps += u64::from(dumped)),
        };
        if told.is_err() {
            break;
        }
    }
    done
}

fn dumped(wire: &mut BufReader<Box<dyn Wire>>) -> io::Result<bool> {
    wire.get_mut().write_all(b"lru_crawler metadump all\r\n")?;
    loop {
        let line = line(wire)?;
        if !line.starts_with(b"key=") {
            return Ok(line.starts_with(b"END"));
        }
    }
}

fn moved(wire: &mut BufReader<Box<dyn Wire>>, class: u64) -> io::Result<bool> {
    let request = format!("slabs reassign -1 {class}\r\n");
    wire.get_mut().write_all(request.as_bytes())?;
    Ok(line(wire)?.starts_with(b"OK"))
}

fn line(wire: &mut BufReader<Box<dyn Wire>>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    match wire.read_until(b'\n', &mut line)? {
        0 => Err(io::Error::other("the connection ended")),
        _ => Ok(line),
    }
}
