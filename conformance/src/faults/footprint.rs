//! What a process takes of its machine.
//!
//! It reads what the system tells of any process, and never asks the process itself: a server's
//! own counters are among what is judged. Where the system tells nothing, nothing is claimed.

use std::fs;
use std::time::Duration;

use super::{Trouble, hold};
use crate::target::address::Address;

/// One mebibyte.
pub const MEBIBYTE: u64 = 1 << 20;

/// What a process takes at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Memory that it uses, in bytes.
    pub resident_bytes: u64,
    /// The most memory that it ever used, in bytes.
    pub peak_bytes: u64,
    /// Memory that it may use: its address space, in bytes.
    pub reserved_bytes: u64,
    /// Open files and sockets.
    pub descriptors: usize,
    /// Threads.
    pub threads: u64,
}

impl Footprint {
    /// What the process with this number takes.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn of(process: u32) -> Result<Footprint, Trouble> {
        let status = read(&format!("/proc/{process}/status"))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            kibibytes.map(|kibibytes: u64| kibibytes * 1024)
        };
        let threads = status
            .lines()
            .find_map(|line| line.strip_prefix("Threads:"));
        let unseen = || Trouble::Unseen(format!("/proc/{process}/status does not tell its memory"));
        Ok(Footprint {
            resident_bytes: bytes("VmRSS:").ok_or_else(unseen)?,
            peak_bytes: bytes("VmHWM:").ok_or_else(unseen)?,
            reserved_bytes: bytes("VmSize:").ok_or_else(unseen)?,
            descriptors: descriptors(process)?.len(),
            threads: { threads.and_then(|threads| threads.trim().parse().ok()) }
                .ok_or_else(unseen)?,
        })
    }

    /// The peak may not be more than this above what was used when `self` was taken.
    ///
    /// # Errors
    /// When it is.
    pub fn hold_growth(&self, later: &Footprint, limit_bytes: u64) -> Result<(), Trouble> {
        let grown = later.peak_bytes.saturating_sub(self.peak_bytes);
        hold(
            grown <= limit_bytes,
            &format!("at most {} of memory", megabytes(limit_bytes)),
            format!("it took {}", megabytes(grown)),
        )
    }
}

/// How long the processors have worked for a process until now.
///
/// # Errors
/// When the system does not tell.
pub(super) fn worked(process: u32) -> Result<Duration, Trouble> {
    /// Linux tells every program of hundredths of a second, whatever its own clock is.
    const TICK: Duration = Duration::from_millis(10);
    let text = read(&format!("/proc/{process}/stat"))?;
    // The name of the program, which may hold anything, ends at the last parenthesis.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}

/// Where a process has its memory, and which files are mapped there.
#[derive(Debug)]
pub(super) struct Maps {
    ranges: Vec<(u64, u64)>,
    paths: Vec<String>,
}

/// Smaller numbers are too often something else.
const ADDRESS_MIN: u64 = 1 << 32;

impl Maps {
    /// The maps of the process with this number.
    ///
    /// # Errors
    /// When the system does not tell.
    pub(super) fn of(process: u32) -> Result<Maps, Trouble> {
        let text = read(&format!("/proc/{process}/maps"))?;
        let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
        let range = |line: &str| {
            let (first, end) = line.split_whitespace().next()?.split_once('-')?;
            Some((hexadecimal(first)?, hexadecimal(end)?))
        };
        let path = |line: &str| line.split_whitespace().nth(5).map(str::to_owned);
        let paths = text.lines().filter_map(path);
        Ok(Maps {
            ranges: text.lines().filter_map(range).collect(),
            paths: paths.filter(|path| path.starts_with('/')).collect(),
        })
    }

    /// What a text tells of them: a number that is an address, or a path.
    #[must_use]
    pub(super) fn told_by(&self, text: &str) -> Option<String> {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let address = words.find(|word| {
            let digits = word.strip_prefix("0x").unwrap_or(word);
            let numbers = [u64::from_str_radix(digits, 16), digits.parse()];
            numbers.into_iter().flatten().any(|number| {
                let within = |(first, end): &(u64, u64)| (first..end).contains(&&number);
                number >= ADDRESS_MIN && self.ranges.iter().any(within)
            })
        });
        let path = || self.paths.iter().find(|path| text.contains(*path));
        address.map(str::to_owned).or_else(|| path().cloned())
    }
}

/// A number of bytes as one says it.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MEBIBYTE as f64)
}

/// Whether this process is the one that listens there: a command may have started another.
///
/// # Errors
/// When it is not, or the system does not tell.
pub(super) fn hold_listener(process: u32, address: &Address) -> Result<(), Trouble> {
    let listening = match address {
        Address::Tcp(place) | Address::Tls(place, _) => listening_at(place)?,
        Address::Unix(path) => listening_as(&path.to_string_lossy())?,
    };
    let own = descriptors(process)?;
    if listening.iter().any(|socket| own.contains(socket)) {
        return Ok(());
    }
    Err(Trouble::Unseen(
        "the process that was started is not the one that listens".to_owned(),
    ))
}

/// The sockets that listen at a port.
fn listening_at(place: &str) -> Result<Vec<String>, Trouble> {
    let port = place
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let port: u16 = port.unwrap_or_default();
    let port = format!(":{port:04X}");
    let table = read("/proc/net/tcp")?;
    let sockets = table.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_listener = words.get(1)?.ends_with(&port) && words.get(3) == Some(&"0A");
        is_listener.then(|| words.get(9).map(|inode| format!("socket:[{inode}]")))?
    });
    Ok(sockets.collect())
}

/// The sockets that have a file.
fn listening_as(path: &str) -> Result<Vec<String>, Trouble> {
    let table = read("/proc/net/unix")?;
    let sockets = table.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.get(7) == Some(&path))
            .then(|| words.get(6).map(|inode| format!("socket:[{inode}]")))?
    });
    Ok(sockets.collect())
}

/// What its descriptors stand for.
fn descriptors(process: u32) -> Result<Vec<String>, Trouble> {
    let unseen = |error| Trouble::Unseen(format!("/proc/{process}/fd: {error}"));
    let entries = fs::read_dir(format!("/proc/{process}/fd")).map_err(unseen)?;
    let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Ok(links
        .map(|link| link.to_string_lossy().into_owned())
        .collect())
}

fn read(path: &str) -> Result<String, Trouble> {
    fs::read_to_string(path).map_err(|error| Trouble::Unseen(format!("{path}: {error}")))
}
