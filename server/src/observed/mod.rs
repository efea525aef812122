//! What is measured for whoever watches the server (`--metrics`): how long commands take, which
//! keys are asked for most and which have the largest values, and how the hits went lately.
//!
//! It never costs a request anything where nobody asked for it, and elsewhere only one wake of many
//! is looked at: see [`SAMPLE`]. It never reads a clock. `text.rs` writes it all down for
//! Prometheus; `net::metrics` serves that.

mod big;
mod hot;
mod latency;
mod slab;
mod text;
mod windows;

pub use big::Big;
pub use hot::Hot;
pub use latency::{Command, Latencies};
pub(crate) use text::hits_and_misses;
pub use text::{Process, exposition};
pub use windows::{STEP, Windows};

use crate::protocol::binary::{self, Frame, MAGIC};
use crate::protocol::number;
use crate::store::Store;
use crate::time::Time;

/// One wake of so many is looked at. A worker wakes for what one client has sent meanwhile.
pub const SAMPLE: u32 = 64;

/// So many keys are kept of those asked for most, and of those with the largest values.
const KEYS_MAX: usize = 128;

/// What has been measured.
#[derive(Debug, Default)]
pub struct Observed {
    /// How long commands take.
    pub latencies: Latencies,
    /// Which keys are asked for most.
    pub hot: Hot,
    /// Which keys have the largest values.
    pub big: Big,
    /// How the hits went lately.
    pub windows: Windows,
}

impl Observed {
    /// A key was asked for, or is to get a value that is so long.
    pub fn see(&self, key: &[u8], len: Option<usize>, store: &Store, now: Time) {
        self.hot.see(key);
        let measure = |key: &[u8]| value_len(store, key, now);
        if let Some(len) = len.or_else(|| measure(key)) {
            self.big.see(key, len, measure);
        }
    }

    /// Forgets the keys.
    pub fn reset(&self) {
        self.hot.reset();
        self.big.reset();
    }
}

/// How long the value of a key is, if there is one.
#[must_use]
pub fn value_len(store: &Store, key: &[u8], now: Time) -> Option<usize> {
    store.entry(key, now, |entry| {
        entry.item().map(|item| item.value().len())
    })
}

/// The command that bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First<'a> {
    /// Which it is.
    pub command: Command,
    /// Its first key, where it has one.
    pub key: Option<&'a [u8]>,
    /// How long the value is that it brings for that key.
    pub value_len: Option<usize>,
}

/// The command that these bytes begin with.
#[must_use]
pub fn first(bytes: &[u8]) -> First<'_> {
    if bytes.first() == Some(&MAGIC) {
        let Frame::Head(head, _) = binary::cut(bytes) else {
            return First {
                command: Command::Other,
                key: None,
                value_len: None,
            };
        };
        let command = Command::of_opcode(head.header.opcode);
        return First {
            command,
            key: head.key(),
            value_len: length_word(command).map(|_| head.value_len()),
        };
    }
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let mut words = line.unwrap_or_default().split(|&byte| byte == b' ');
    let command = Command::of_word(words.next().unwrap_or_default());
    let key = words.find(|word| !word.is_empty());
    let has_key = command != Command::Other && command != Command::Gat;
    let mut rest = words.filter(|word| !word.is_empty());
    let length = length_word(command).and_then(|at| rest.nth(at));
    First {
        command,
        key: key.filter(|_| has_key),
        value_len: length.and_then(number::unsigned32).map(|len| len as usize),
    }
}

/// Which word behind the key tells how long the whole new value is.
const fn length_word(command: Command) -> Option<usize> {
    match command {
        Command::Set | Command::Add | Command::Replace | Command::Cas => Some(2),
        Command::MetaSet => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, First, first};

    #[test]
    fn the_first_command_and_its_key_are_found() {
        fn found(bytes: &[u8]) -> (Command, Option<Vec<u8>>, Option<usize>) {
            let First {
                command,
                key,
                value_len,
            } = first(bytes);
            (command, key.map(<[u8]>::to_vec), value_len)
        }
        let key = |bytes: &[u8]| found(bytes).1;
        let of = |key: &str| Some(key.as_bytes().to_vec());
        assert_eq!(
            found(b"get a b\r\nget c\r\n"),
            (Command::Get, of("a"), None)
        );
        assert_eq!(
            found(b"set  k 0 0  12\r\nx\r\n"),
            (Command::Set, of("k"), Some(12))
        );
        assert_eq!(
            found(b"ms k 3 T0\r\n"),
            (Command::MetaSet, of("k"), Some(3))
        );
        assert_eq!(found(b"ms k\r\n3"), (Command::MetaSet, of("k"), None));
        // What is put behind a value is not the whole of it.
        assert_eq!(
            found(b"append k 0 0 1\r\n"),
            (Command::Append, of("k"), None)
        );
        assert_eq!(found(b"mg k v\r\n").0, Command::MetaGet);
        assert_eq!(key(b"get\r\nk"), None);
        assert_eq!(key(b"version x\r\n"), None);
        assert_eq!(key(b"gat 100 k\r\n"), None);
        let mut frame = vec![0; 24];
        frame[..4].copy_from_slice(&[0x80, 0, 0, 2]);
        frame[11] = 2;
        frame.extend_from_slice(b"ab");
        assert_eq!(found(&frame), (Command::Get, of("ab"), None));
        // Of what has not come, and of what is no frame, nothing is said.
        assert_eq!(found(&frame[..25]), (Command::Other, None, None));
        frame[11] = 1;
        assert_eq!(found(&frame), (Command::Other, None, None));
        let noop = [&[0x80, 0x0a][..], &[0; 22]].concat();
        assert_eq!(found(&noop), (Command::Other, None, None));
        let mut set = vec![0; 24];
        set[..4].copy_from_slice(&[0x80, 0x01, 0, 1]);
        set[4] = 8;
        set[11] = 8 + 1 + 5;
        set.extend_from_slice(b"........kvalue");
        assert_eq!(found(&set), (Command::Set, of("k"), Some(5)));
    }
}
