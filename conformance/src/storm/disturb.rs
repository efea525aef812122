//! What moves items while a storm goes over them: dumps of all keys, and pages that change their
//! class.
//!
//! It only asks for them; whether a server does, and what it answers, is not judged here.

use std::io::{self, BufRead, BufReader, Write};
use std::time::Duration;

use crate::target::address::Wire;

const REPLY_MAX: Duration = Duration::from_secs(5);

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
    let mut turn = 0_u64;
    while !is_over() {
        turn += 1;
        let told = match moves && !turn.is_multiple_of(8) {
            true => moved(&mut wire).map(|moved| done.moves += u64::from(moved)),
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
        if !line.starts_with("key=") {
            return Ok(line.starts_with("END"));
        }
    }
}

/// Takes a page from the class with the most and gives it to the one with the fewest: whoever gives
/// to any class soon has one page in each, and nothing that could move.
fn moved(wire: &mut BufReader<Box<dyn Wire>>) -> io::Result<bool> {
    let classes = classes(wire)?;
    let most = classes.iter().max_by_key(|(_, pages)| *pages);
    let fewest = classes.iter().min_by_key(|(_, pages)| *pages);
    let (Some((from, _)), Some((to, _))) = (most, fewest) else {
        return Ok(false);
    };
    let request = format!("slabs reassign {from} {to}\r\n");
    wire.get_mut().write_all(request.as_bytes())?;
    Ok(line(wire)?.starts_with("OK"))
}

/// The classes that have pages, and how many.
fn classes(wire: &mut BufReader<Box<dyn Wire>>) -> io::Result<Vec<(u64, u64)>> {
    wire.get_mut().write_all(b"stats slabs\r\n")?;
    let mut classes = Vec::new();
    loop {
        let line = line(wire)?;
        let Some(told) = line.strip_prefix("STAT ") else {
            return Ok(classes);
        };
        let parsed = told.trim_end().split_once(":total_pages ");
        if let Some((Ok(class), Ok(pages @ 1..))) =
            parsed.map(|(class, pages)| (class.parse(), pages.parse()))
        {
            classes.push((class, pages));
        }
    }
}

fn line(wire: &mut BufReader<Box<dyn Wire>>) -> io::Result<String> {
    let mut line = Vec::new();
    match wire.read_until(b'\n', &mut line)? {
        0 => Err(io::Error::other("the connection ended")),
        _ => Ok(String::from_utf8_lossy(&line).into_owned()),
    }
}
