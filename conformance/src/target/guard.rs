//! What may be said to a cache that is somebody's: the last look at bytes before they are sent.
//!
//! It knows nothing of how keys were made ours. It refuses whatever a server, even one that falls
//! out of step, could take for more than a request about our own keys: so every line is looked at,
//! data blocks as well, and a doubt is a refusal. Who asks is `foreign.rs`.

use crate::base64;
use crate::record::frames::{HEADER_BYTES, whole_length};

/// What the user allows on a server that we did not start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permits {
    /// `--allow-flush`: every item may be flushed.
    pub flush: bool,
    /// `--allow-admin`: settings and statistics may be read and changed.
    pub admin: bool,
}

/// So many bytes push out no more than a few of somebody's items.
pub const SENT_MAX_BYTES: usize = 256 << 10;

/// Words that concern everybody's items, wherever in a line they stand.
const ADMIN: [&str; 11] = [
    "stats",
    "slabs",
    "lru",
    "memlimit",
    "verbosity",
    "watch",
    "debugtime",
    "misbehave",
    "refresh_certs",
    "extstore",
    "config",
];

/// The commands of the text protocol that name keys, and which of their words do.
const COMMANDS: [(&str, Keys); 20] = [
    ("get", Keys::From(1)),
    ("gets", Keys::From(1)),
    ("gat", Keys::From(2)),
    ("gats", Keys::From(2)),
    ("set", Keys::Second),
    ("add", Keys::Second),
    ("replace", Keys::Second),
    ("append", Keys::Second),
    ("prepend", Keys::Second),
    ("cas", Keys::Second),
    ("incr", Keys::Second),
    ("decr", Keys::Second),
    ("delete", Keys::Second),
    ("touch", Keys::Second),
    ("mg", Keys::Meta),
    ("ms", Keys::Meta),
    ("md", Keys::Meta),
    ("ma", Keys::Meta),
    ("me", Keys::Meta),
    ("bget", Keys::From(1)),
];

/// Which words of a line are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// All from this one, the command being 0.
    From(usize),
    /// The one behind the command.
    Second,
    /// The one behind the command, in base64 where a word `b` follows.
    Meta,
}

/// Which words of a line that begins so are keys.
#[must_use]
pub fn keys_of(command: &str) -> Option<Keys> {
    let command = command.to_ascii_lowercase();
    COMMANDS
        .into_iter()
        .find(|(name, _)| *name == command)
        .map(|(_, keys)| keys)
}

/// Whether all that one client sends is about keys with this prefix, or permitted.
///
/// # Errors
/// With the reason why it may not be sent.
pub fn admits(sent: &[u8], prefix: &[u8], permits: Permits) -> Result<(), String> {
    if sent.len() > SENT_MAX_BYTES {
        return Err(
            "it sends so much that somebody's items would be pushed out (--spawn)".to_owned(),
        );
    }
    if sent.first() == Some(&0x80) {
        return frames(sent, prefix, permits);
    }
    sent.split(|byte| *byte == b'\n')
        .try_for_each(|line| admits_line(line, prefix, permits))
}

fn admits_line(line: &[u8], prefix: &[u8], permits: Permits) -> Result<(), String> {
    if line.iter().any(|byte| matches!(byte, 0x80 | 0x81)) {
        return Err("a server could take its bytes for a binary frame".to_owned());
    }
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    if text.contains("shutdown") {
        return Err("nobody could start the server again that it ends".to_owned());
    }
    if text.contains("flush") && !permits.flush {
        return Err("it flushes everybody's items (--allow-flush)".to_owned());
    }
    if ADMIN.iter().any(|word| text.contains(word)) && !permits.admin {
        return Err("it reads or changes what all share (--allow-admin)".to_owned());
    }
    // Servers differ in what ends a word: each reading must find our keys only.
    let spaces = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r' | 0);
    let controls = |byte: &u8| byte.is_ascii_control() || *byte == b' ';
    names_ours(line, prefix, spaces)?;
    names_ours(line, prefix, controls)
}

/// Whether every key in the line is ours, where such bytes end a word.
fn names_ours(line: &[u8], prefix: &[u8], ends: fn(&u8) -> bool) -> Result<(), String> {
    let words: Vec<&[u8]> = line.split(ends).filter(|word| !word.is_empty()).collect();
    let Some((command, _)) = words.split_first() else {
        return Ok(());
    };
    let keys = match keys_of(&String::from_utf8_lossy(command)) {
        None => return Ok(()),
        Some(Keys::From(first)) => words.get(first..).unwrap_or_default(),
        Some(Keys::Second | Keys::Meta) => words.get(1..2).unwrap_or_default(),
    };
    let encoded = |key: &[u8]| base64::decode(key).is_some_and(|key| key.starts_with(prefix));
    match keys
        .iter()
        .find(|key| !key.starts_with(prefix) && !encoded(key))
    {
        None => Ok(()),
        Some(_) => Err("not every key in it can be made our own".to_owned()),
    }
}

/// Every frame is whole, and about our own keys.
fn frames(mut sent: &[u8], prefix: &[u8], permits: Permits) -> Result<(), String> {
    let unsure = || "a server could see more in its frames than they are".to_owned();
    while !sent.is_empty() {
        let header = sent.first_chunk::<HEADER_BYTES>().ok_or_else(unsure)?;
        let [magic, opcode, k1, k0, extras, ..] = *header;
        let key_length = usize::from(u16::from_be_bytes([k1, k0]));
        let end = whole_length(header);
        let body = sent.get(HEADER_BYTES..end).ok_or_else(unsure)?;
        let from = usize::from(extras);
        let key = body.get(from..from + key_length).ok_or_else(unsure)?;
        match opcode {
            _ if magic != 0x80 => return Err(unsure()),
            // noop, version, quit and its quiet twin: about no item.
            0x07 | 0x0a | 0x0b | 0x17 => {}
            0x08 | 0x18 if permits.flush => {}
            0x08 | 0x18 => return Err("it flushes everybody's items (--allow-flush)".to_owned()),
            0x10 | 0x1b if permits.admin => {}
            0x00..=0x06
            | 0x09
            | 0x0c..=0x0f
            | 0x11..=0x16
            | 0x19
            | 0x1a
            | 0x1c..=0x1e
            | 0x23
            | 0x24
                if key.starts_with(prefix) => {}
            0x10 | 0x1b => {
                return Err("it reads or changes what all share (--allow-admin)".to_owned());
            }
            _ => return Err("not every key in it can be made our own".to_owned()),
        }
        sent = sent.get(end..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(sent: &[u8]) -> bool {
        admits(sent, b"ts-", Permits::default()).is_ok()
    }

    #[test]
    fn a_key_of_somebody_else_is_refused_wherever_it_stands() {
        assert!(admitted(b"get ts-a ts-b\r\nset ts-a 0 0 1\r\na\r\n"));
        assert!(!admitted(b"get ts-a b\r\n"));
        assert!(!admitted(b"GET b\r\n"));
        assert!(!admitted(b"  delete b\r\n"));
        assert!(!admitted(b"get\x0bb\r\n"));
        assert!(!admitted(b"get ts-a\x0b\x0e\r\n"));
        assert!(!admitted(b"gat 0 ts-a b\r\n"));
        assert!(!admitted(b"set ts-a 0 0 7\r\nget b\r\n"));
    }

    #[test]
    fn a_key_in_base64_is_ours_when_it_decodes_to_ours() {
        assert!(admitted(b"mg dHMtYQ== b v\r\n"));
        assert!(!admitted(b"mg Zm9v b v\r\n"));
    }

    #[test]
    fn what_concerns_everybody_needs_its_permit() {
        let flush = Permits {
            flush: true,
            admin: false,
        };
        assert!(!admitted(b"flush_all\r\n"));
        assert!(!admitted(b"xxFLUSH_ALL\r\n"));
        assert!(admits(b"flush_all\r\n", b"ts-", flush).is_ok());
        assert!(admits(b"stats\r\n", b"ts-", flush).is_err());
        let all = Permits {
            flush: true,
            admin: true,
        };
        assert!(admits(b"stats\r\nverbosity 1\r\n", b"ts-", all).is_ok());
        assert!(admits(b"shutdown\r\n", b"ts-", all).is_err());
    }

    #[test]
    fn a_frame_is_ours_when_its_key_is() {
        let frame = |opcode: u8, key: &[u8]| {
            let length = u8::try_from(key.len()).unwrap();
            let mut frame = vec![0x80, opcode, 0, length, 0, 0, 0, 0, 0, 0, 0, length];
            frame.extend([0; 12]);
            frame.extend(key);
            frame
        };
        assert!(admitted(&frame(0x00, b"ts-a")));
        assert!(!admitted(&frame(0x00, b"a")));
        assert!(!admitted(&frame(0x08, b"")));
        assert!(!admitted(&frame(0x10, b"")));
        assert!(!admitted(&[frame(0x0a, b""), b"\x80".to_vec()].concat()));
    }
}
