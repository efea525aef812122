//! A history: what a few clients send, request by request, while time passes.
//!
//! A request keeps its parts, so that it can be made simpler, and says its bytes only when it is
//! sent: a unique that it names is one that the server has shown by then. What a server answers is
//! never here; `play.rs` finds that out.

use crate::base64;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A client sends a request.
    Ask(Ask),
    /// Time passes, in seconds.
    Pass(u64),
}

/// A request, who sends it and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The client.
    pub client: u8,
    /// What it asks.
    pub request: Request,
    /// It goes out in one write with the request before it, where that is the same client's.
    pub joined: bool,
    /// How many bytes of the write go out before the rest.
    pub cut: Option<usize>,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A line of words, and perhaps a data block.
    Line(Vec<Word>, Option<Vec<u8>>),
    /// A binary frame.
    Frame(Frame),
    /// Bytes that are no request, or may be one.
    Bytes(Vec<u8>),
}

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It stands for itself.
    Text(Vec<u8>),
    /// A key.
    Key(Vec<u8>),
    /// A key, in base64.
    Encoded(Vec<u8>),
    /// The length of the data block.
    Length,
    /// The time in so many seconds, behind these letters.
    Date(&'static str, u64),
    /// A unique that was shown of this key, behind these letters: the latest, or one so much older.
    Unique(&'static str, Vec<u8>, usize),
}

/// A binary request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The opcode.
    pub opcode: u8,
    /// The opaque.
    pub opaque: u32,
    /// It names a unique that was shown of its key: the latest, or one so much older.
    pub unique: Option<usize>,
    /// The extras.
    pub extras: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// The first client that speaks binary; those before it speak text.
pub const FIRST_BINARY: u8 = 3;
/// What is named where no unique was shown yet: one that nobody has.
pub const UNSHOWN: u64 = 999_999_999;

/// What a request must know of the moment at which it is sent.
pub struct Moment<'a> {
    /// What every key begins with.
    pub prefix: &'a [u8],
    /// The time.
    pub now: u64,
    /// The uniques that were shown of a key, the latest last.
    pub uniques: &'a dyn Fn(&[u8]) -> Vec<u64>,
}

impl Request {
    /// A line of these words, without a data block.
    #[must_use]
    pub fn line(words: Vec<Word>) -> Request {
        Request::Line(words, None)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self, moment: &Moment<'_>) -> Vec<u8> {
        match self {
            Request::Line(words, block) => {
                let length = block.as_ref().map_or(0, Vec::len);
                let words = words.iter().map(|word| word.bytes(length, moment));
                let mut bytes = words.collect::<Vec<_>>().join(&b' ');
                bytes.extend_from_slice(b"\r\n");
                if let Some(block) = block {
                    bytes.extend_from_slice(block);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes
            }
            Request::Frame(frame) => frame.bytes(moment),
            Request::Bytes(bytes) => bytes.clone(),
        }
    }

    /// The key whose item a reply without a key is about.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Request::Line(words, _) => {
                let mut keys = words.iter().filter_map(|word| match word {
                    Word::Key(key) | Word::Encoded(key) => Some(key.as_slice()),
                    _ => None,
                });
                keys.next().unwrap_or_default()
            }
            Request::Frame(frame) => &frame.key,
            Request::Bytes(_) => &[],
        }
    }
}

impl Word {
    /// A word that stands for itself.
    #[must_use]
    pub fn text(text: impl Into<Vec<u8>>) -> Word {
        Word::Text(text.into())
    }

    fn bytes(&self, length: usize, moment: &Moment<'_>) -> Vec<u8> {
        match self {
            Word::Text(text) => text.clone(),
            Word::Key(key) => moment.own(key),
            Word::Encoded(key) => base64::encode(&moment.own(key)).into_bytes(),
            Word::Length => length.to_string().into_bytes(),
            Word::Date(letters, ahead) => {
                let date = moment.now.saturating_add(*ahead);
                format!("{letters}{date}").into_bytes()
            }
            Word::Unique(letters, key, age) => {
                format!("{letters}{}", moment.unique(key, *age)).into_bytes()
            }
        }
    }
}

impl Moment<'_> {
    /// The key with the prefix; one that is long already stays as long.
    #[must_use]
    pub fn own(&self, key: &[u8]) -> Vec<u8> {
        const LONG_BYTES: usize = 200;
        let replaced = if key.len() < LONG_BYTES {
            0
        } else {
            self.prefix.len()
        };
        let rest = key.get(replaced..).unwrap_or_default();
        match key {
            [] => Vec::new(),
            _ => [self.prefix, rest].concat(),
        }
    }

    fn unique(&self, key: &[u8], age: usize) -> u64 {
        let shown = (self.uniques)(&self.own(key));
        shown.iter().rev().nth(age).copied().unwrap_or(UNSHOWN)
    }
}

impl Frame {
    fn bytes(&self, moment: &Moment<'_>) -> Vec<u8> {
        let Frame { extras, value, .. } = self;
        let key = moment.own(&self.key);
        let unique = self.unique.map_or(0, |age| moment.unique(&self.key, age));
        let body = [extras.as_slice(), &key, value].concat();
        let key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        let extras_length = u8::try_from(extras.len()).unwrap_or(u8::MAX);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![0x80, self.opcode];
        bytes.extend_from_slice(&key_length.to_be_bytes());
        bytes.extend_from_slice(&[extras_length, 0, 0, 0]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.opaque.to_be_bytes());
        bytes.extend_from_slice(&unique.to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }
}

impl Ask {
    /// A client sends this, alone and in one piece.
    #[must_use]
    pub fn plain(client: u8, request: Request) -> Ask {
        Ask {
            client,
            request,
            joined: false,
            cut: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_that_was_not_shown_is_one_that_nobody_has() {
        let moment = Moment {
            prefix: b"p-",
            now: 5,
            uniques: &|key| {
                if key == b"p-a" {
                    vec![7, 9]
                } else {
                    Vec::new()
                }
            },
        };
        let line = |key: &str, age| {
            let words = vec![
                Word::text("mg"),
                Word::Key(key.into()),
                Word::Unique("C", key.into(), age),
            ];
            Request::line(words).bytes(&moment)
        };
        assert_eq!(line("a", 0), b"mg p-a C9\r\n");
        assert_eq!(line("a", 1), b"mg p-a C7\r\n");
        assert_eq!(line("b", 0), b"mg p-b C999999999\r\n");
    }
}
