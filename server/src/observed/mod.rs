//! What is measured for whoever watches the server (`--metrics`): how long commands take, which
//! keys are asked for most, and how the hits went lately.
//!
//! It never costs a request anything where nobody asked for it, and elsewhere only one wake of many
//! is looked at: see [`SAMPLE`]. It never reads a clock. `text.rs` writes it all down for
//! Prometheus; `net::metrics` serves that.

mod hot;
mod latency;
mod text;
mod windows;

pub use hot::Hot;
pub use latency::{Command, Latencies};
pub(crate) use text::hits_and_misses;
pub use text::{Process, exposition};
pub use windows::{STEP, Windows};

use crate::protocol::binary::{self, Frame, MAGIC};

/// One wake of so many is looked at. A worker wakes for what one client has sent meanwhile.
pub const SAMPLE: u32 = 64;

/// What has been measured.
#[derive(Debug, Default)]
pub struct Observed {
    /// How long commands take.
    pub latencies: Latencies,
    /// Which keys are asked for most.
    pub hot: Hot,
    /// How the hits went lately.
    pub windows: Windows,
}

/// The command that these bytes begin with, and its first key where it has one.
#[must_use]
pub fn first(bytes: &[u8]) -> (Command, Option<&[u8]>) {
    if bytes.first() == Some(&MAGIC) {
        return match binary::cut(bytes) {
            Frame::Head(head, _) => (Command::of_opcode(head.header.opcode), head.key()),
            Frame::Incomplete | Frame::Broken(_) => (Command::Other, None),
        };
    }
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let mut words = line.unwrap_or_default().split(|&byte| byte == b' ');
    let command = Command::of_word(words.next().unwrap_or_default());
    let key = words.find(|word| !word.is_empty());
    let has_key = command != Command::Other && command != Command::Gat;
    (command, key.filter(|_| has_key))
}

#[cfg(test)]
mod tests {
    use super::{Command, first};

    #[test]
    fn the_first_command_and_its_key_are_found() {
        let key = |bytes| first(bytes).1;
        assert_eq!(
            first(b"get a b\r\nget c\r\n"),
            (Command::Get, Some(&b"a"[..]))
        );
        assert_eq!(
            first(b"set k 0 0 1\r\nx\r\n"),
            (Command::Set, Some(&b"k"[..]))
        );
        assert_eq!(first(b"mg k v\r\n").0, Command::MetaGet);
        assert_eq!(key(b"get\r\nk"), None);
        assert_eq!(key(b"version x\r\n"), None);
        assert_eq!(key(b"gat 100 k\r\n"), None);
        let mut frame = vec![0; 24];
        frame[..4].copy_from_slice(&[0x80, 0, 0, 2]);
        frame[11] = 2;
        frame.extend_from_slice(b"ab");
        assert_eq!(first(&frame), (Command::Get, Some(&b"ab"[..])));
        // Of what has not come, and of what is no frame, nothing is said.
        assert_eq!(first(&frame[..25]), (Command::Other, None));
        frame[11] = 1;
        assert_eq!(first(&frame), (Command::Other, None));
        let noop = [&[0x80, 0x0a][..], &[0; 22]].concat();
        assert_eq!(first(&noop), (Command::Other, None));
    }
}
