//! What happens in a simulation, and dice that make it from a seed.
//!
//! What happens is data, so that it can be played again without some of it. A unique that a
//! request names is one that was shown by then.

use std::fmt;

use conformance::explore::history::{FIRST_BINARY, Frame, Request, Word};
use fastrand::Rng;
use server::simulated::Refusal;

use super::wire::Shape;

/// How many clients there are; from [`FIRST_BINARY`] on they speak binary.
pub(super) const CLIENTS: u8 = 6;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A client sends a request, and connects first where it is not connected. So many bytes of
    /// what it has sent do not arrive yet.
    Send(u8, Request, usize),
    /// Somebody sends a request in a datagram.
    Datagram(Request),
    /// All arrives that a client has sent.
    Arrive(u8),
    /// A client that is about to connect will have such a connection.
    Shape(u8, Shape),
    /// A client does not read any more.
    Stall(u8),
    /// It reads again.
    Read(u8),
    /// It sends nothing more.
    End(u8),
    /// It breaks its connection off.
    Reset(u8),
    /// So many milliseconds pass.
    Pass(u64),
    /// Memory is refused there, once, after it has been had so many times.
    Refuse(Refusal, u32),
    /// The store may take so many bytes.
    Limit(usize),
    /// Somebody sets the clock of the system to that second of the Unix epoch.
    SetClock(u64),
    /// The server is asked to end, and another is there with the same items.
    Close,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Send(client, Request::Line(words, block), held) => {
                write!(f, "client {client} sends")?;
                for word in words {
                    match word {
                        Word::Text(text) | Word::Key(text) => {
                            write!(f, " {}", text.escape_ascii())?
                        }
                        other => write!(f, " {other:?}")?,
                    }
                }
                if let Some(block) = block {
                    write!(f, " and {} bytes", block.len())?;
                }
                if *held > 0 {
                    write!(f, ", the last {held} bytes of it later")?;
                }
                Ok(())
            }
            Action::Send(client, Request::Frame(frame), held) => {
                let (key, value) = (frame.key.escape_ascii(), frame.value.len());
                write!(f, "client {client} sends opcode {:#04x}, ", frame.opcode)?;
                write!(f, "extras {:?}, key {key}, ", frame.extras)?;
                write!(f, "unique {:?}, {value} bytes", frame.unique)?;
                if *held > 0 {
                    write!(f, ", the last {held} bytes of it later")?;
                }
                Ok(())
            }
            other => write!(f, "{other:?}"),
        }
    }
}

/// The refusals that a simulation makes.
pub(super) const REFUSALS: [Refusal; 7] = [
    Refusal::Segment,
    Refusal::Room,
    Refusal::Memory,
    Refusal::Value,
    Refusal::Held,
    Refusal::Block,
    Refusal::Joined,
];

/// Makes what happens.
pub(super) struct Maker {
    dice: Rng,
    /// Items may be evicted here, so the store is given more and less memory.
    is_tight: bool,
    /// Items are small here.
    is_small: bool,
}

impl Maker {
    /// By this seed, for a server of this kind.
    pub(super) fn new(seed: u64, kind: usize) -> Maker {
        Maker {
            dice: Rng::with_seed(seed),
            is_tight: kind == 1,
            is_small: kind == 3,
        }
    }

    pub(super) fn actions(&mut self, count: usize) -> Vec<Action> {
        (0..count).map(|_| self.action()).collect()
    }

    fn action(&mut self) -> Action {
        let client = self.dice.u8(1..=CLIENTS);
        match self.dice.u16(0..1000) {
            0..20 => Action::Datagram(self.small_request()),
            20..920 => {
                let request = self.request(client);
                let held = match self.dice.u8(0..12) {
                    0 => self.dice.usize(1..200),
                    1 => 1,
                    _ => 0,
                };
                Action::Send(client, request, held)
            }
            920..930 => Action::Arrive(client),
            930..938 => Action::Shape(client, self.shape()),
            938..944 => Action::Stall(client),
            944..954 => Action::Read(client),
            954..960 => Action::End(client),
            960..966 => Action::Reset(client),
            966..982 => Action::Pass(self.wait()),
            982..985 => {
                Action::SetClock(self.choice(&[0, 1, 1_700_000_000, 1_800_000_001, 4_294_967_296]))
            }
            985..997 => {
                let refusal = self.choice(&REFUSALS);
                Action::Refuse(refusal, self.dice.u32(0..3))
            }
            997..999 if self.is_tight => Action::Limit(self.dice.usize(64..512) * 1024),
            _ => Action::Close,
        }
    }

    fn choice<T: Copy>(&mut self, all: &[T]) -> T {
        *self.dice.choice(all).expect("there is something to choose")
    }

    fn shape(&mut self) -> Shape {
        let sizes = [1, 2, 7, 23, 100, 1000, 5000, 65_536];
        Shape {
            read_max: self.choice(&sizes),
            write_max: self.choice(&sizes),
            window: self.choice(&[100, 1000, 65_536, 300_000]),
        }
    }

    fn wait(&mut self) -> u64 {
        match self.dice.u8(0..8) {
            0..4 => self.dice.u64(1..1000),
            4..6 => self.dice.u64(1000..4000),
            6 => self.dice.u64(8000..45_000),
            _ => self.choice(&[62_000, 3_600_000, 86_400_000]),
        }
    }

    fn key(&mut self) -> Vec<u8> {
        let number = self.dice.u8(0..24);
        let mut key = format!("k{number}").into_bytes();
        if number == 23 {
            key.resize(250, b'x');
        }
        key
    }

    fn value(&mut self) -> Vec<u8> {
        if self.dice.u8(0..4) == 0 {
            return self.dice.u32(0..2000).to_string().into_bytes();
        }
        let length = match self.dice.u8(0..40) {
            _ if self.is_small => self.dice.usize(0..100),
            0 => self.dice.usize(16_000..40_000),
            1..4 => self.dice.usize(500..6000),
            _ => self.dice.usize(0..100),
        };
        vec![self.dice.lowercase() as u8; length]
    }

    fn exptime(&mut self) -> Word {
        match self.dice.u8(0..12) {
            0 => Word::text("1"),
            1 => Word::text("3"),
            2 => Word::text("60"),
            3 => Word::text("-1"),
            4 => Word::Date("", 2),
            _ => Word::text("0"),
        }
    }

    fn request(&mut self, client: u8) -> Request {
        if client >= FIRST_BINARY {
            return Request::Frame(self.frame());
        }
        match self.dice.u8(0..100) {
            0..30 => self.storage(),
            30..52 => self.retrieval(),
            52..62 => self.small(),
            62..92 => self.meta(),
            _ => self.rare(),
        }
    }

    /// A request for a datagram: nothing that ends a conversation, or has no end.
    fn small_request(&mut self) -> Request {
        match self.dice.u8(0..4) {
            0 => self.storage(),
            1 => self.retrieval(),
            2 => self.small(),
            _ => self.meta(),
        }
    }

    fn storage(&mut self) -> Request {
        let verb = self.choice(&[
            "set", "set", "set", "add", "replace", "append", "prepend", "cas",
        ]);
        let key = self.key();
        let flags = Word::text(self.choice(&["0", "5", "4294967295"]));
        let mut words = vec![Word::text(verb), Word::Key(key.clone()), flags];
        words.extend([self.exptime(), Word::Length]);
        if verb == "cas" {
            words.push(Word::Unique("", key, self.dice.usize(0..2)));
        }
        if self.dice.u8(0..10) == 0 {
            words.push(Word::text("noreply"));
        }
        Request::Line(words, Some(self.value()))
    }

    fn retrieval(&mut self) -> Request {
        let verb = self.choice(&["get", "get", "gets", "gat", "gats"]);
        let mut words = vec![Word::text(verb)];
        if verb.starts_with("gat") {
            words.push(self.exptime());
        }
        let count = self.choice(&[1, 1, 1, 2, 5, 24]);
        let mut keys: Vec<Vec<u8>> = (0..count).map(|_| self.key()).collect();
        keys.sort();
        keys.dedup();
        words.extend(keys.into_iter().map(Word::Key));
        Request::line(words)
    }

    fn small(&mut self) -> Request {
        let verb = self.choice(&["incr", "decr", "delete", "touch"]);
        let mut words = vec![Word::text(verb), Word::Key(self.key())];
        match verb {
            "touch" => words.push(self.exptime()),
            "delete" => {}
            _ => words.push(Word::text(self.choice(&[
                "1",
                "7",
                "5000",
                "18446744073709551615",
            ]))),
        }
        Request::line(words)
    }

    fn meta(&mut self) -> Request {
        let verb = self.choice(&["mg", "mg", "ms", "md", "ma", "mn", "me"]);
        let key = self.key();
        let mut words = vec![Word::text(verb)];
        if verb == "mn" {
            return Request::line(words);
        }
        words.push(Word::Key(key.clone()));
        if verb == "ms" {
            words.push(Word::Length);
        }
        let flags: &[&str] = match verb {
            "mg" => &[
                "v", "c", "f", "k", "s", "t", "h", "N30", "R20", "T40", "Oab", "q",
            ],
            "ms" => &["c", "k", "F7", "T30", "T0", "I", "MS", "Oq1", "q"],
            "md" => &["I", "T20", "k", "Oz"],
            "ma" => &["N0", "J7", "D3", "MD", "t", "c", "v"],
            _ => &[],
        };
        for _ in 0..self.dice.u8(0..4) {
            let Some(flag) = self.dice.choice(flags) else {
                break;
            };
            let word = Word::text(*flag);
            let letter = |word: &Word| match word {
                Word::Text(text) => text.first().copied(),
                _ => None,
            };
            if !words
                .iter()
                .skip(2)
                .any(|known| letter(known) == letter(&word))
            {
                words.push(word);
            }
        }
        if verb != "mg" && verb != "me" && self.dice.u8(0..8) == 0 {
            // What is refused shows the unique 0, which is nobody's.
            words.retain(|word| *word != Word::text("c"));
            words.push(Word::Unique("C", key, 0));
        }
        let block = (verb == "ms").then(|| self.value());
        Request::Line(words, block)
    }

    fn rare(&mut self) -> Request {
        let words: &[&str] = match self.dice.u8(0..40) {
            0 => &["flush_all"],
            1 => &["flush_all", "2"],
            2 => &["lru_crawler", "metadump", "all"],
            3 => &["stats", "reset"],
            39 => &["lru_crawler", "mgdump", "hash"],
            4 => &["quit"],
            5 if self.is_tight => &["cache_memlimit", "1"],
            5 => &["cache_memlimit", "32"],
            6..12 => &["version"],
            12..18 => &["no", "such", "command"],
            18..22 => &["get"],
            22..26 => &["verbosity", "0"],
            26..30 => &["incr", "k1", "x"],
            30..33 => &["set", "k1", "0", "0", "-1"],
            33..36 => &["mg", "k1", "v", "v"],
            _ => &["mn"],
        };
        Request::line(words.iter().map(|word| Word::text(*word)).collect())
    }

    fn frame(&mut self) -> Frame {
        const PLAIN: [u8; 20] = [
            0x00, 0x00, 0x01, 0x01, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0b, 0x0c, 0x0e,
            0x0f, 0x1c, 0x1d, 0x09, 0x0d, 0x11,
        ];
        let opcode = match self.dice.u8(0..200) {
            0 => 0x08,
            1 => 0x07,
            _ => self.choice(&PLAIN),
        };
        let seconds = self.choice(&[0_u32, 0, 0, 0, 1, 3, 60]).to_be_bytes();
        let extras = match opcode {
            0x01..=0x03 | 0x11 => [[0, 0, 0, 5], seconds].concat(),
            0x05 | 0x06 => {
                let delta = self.choice(&[1_u64, 7, 5000]).to_be_bytes();
                [delta.as_slice(), &9_u64.to_be_bytes(), &seconds].concat()
            }
            0x1c | 0x1d => seconds.to_vec(),
            _ => Vec::new(),
        };
        let is_bare = matches!(opcode, 0x07 | 0x08 | 0x0a | 0x0b);
        let has_value = matches!(opcode, 0x01..=0x03 | 0x0e | 0x0f | 0x11);
        let compares = matches!(opcode, 0x01 | 0x03 | 0x04 | 0x0e) && self.dice.u8(0..6) == 0;
        Frame {
            opcode,
            opaque: self.dice.u32(1..),
            unique: compares.then_some(0),
            extras,
            key: if is_bare { Vec::new() } else { self.key() },
            value: if has_value { self.value() } else { Vec::new() },
        }
    }
}
