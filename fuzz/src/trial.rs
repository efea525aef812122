//! Two witnesses of one stream: the model, and the server in this process.
//!
//! Each is fed the same bytes, the server in pieces; whatever they say must be the same, the
//! figures aside that each may have of its own. What makes a stream worth playing is not known
//! here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::counted::{Asker, Known};
use model::{Code, Datagrams, Model, Options, Packet, Reply, Ruling, Session};
use server::session::datagram;
use server::{Connection, Settings, Shared, Users};
use spec::Dialect;

/// When a trial begins: well past the first month, so that relative and absolute exptimes differ.
const START: u64 = 1_800_000_000;

/// How long a trial lasts: less than a client may take for a request before the server, which has a
/// patience of its own, ends the connection.
const LASTS_SECONDS: u64 = 9;

/// A model and a server with the same clients.
pub(crate) struct Trial {
    model: Model,
    shared: Arc<Shared>,
    clients: BTreeMap<u8, Client>,
    datagrams: Datagrams,
    known: Known,
    now: u64,
}

/// A client of both.
struct Client {
    session: Session,
    connection: Connection,
    /// It asked for what an operator may want, which is each server's own.
    operates: bool,
    known: Known,
}

impl Trial {
    /// Both have just been started.
    pub(crate) fn new() -> Trial {
        Trial::with("", "")
    }

    /// Both have just been started with these options, and know this user, `name:password`.
    pub(crate) fn with(options: &str, user: &str) -> Trial {
        let users = (!user.is_empty()).then(|| user.to_owned());
        let ruled = Options {
            users: users.into_iter().collect(),
            ..Options::parse(options).expect("the model knows the options")
        };
        let words = options.split_whitespace().map(str::to_owned);
        let settings = Settings::parse(words).expect("the server knows the options");
        let shared = Shared::new(settings, server::Time::from_seconds(START));
        shared.set_users(Users::parse(user.as_bytes()).expect("the server knows the user"));
        Trial {
            model: Model::new(ruled, Dialect::default()),
            shared: Arc::new(shared),
            clients: BTreeMap::new(),
            datagrams: Datagrams::default(),
            known: Known::default(),
            now: START,
        }
    }

    /// A datagram comes.
    ///
    /// # Panics
    /// When they answer with different datagrams, other than in figures of their own.
    pub(crate) fn datagram(&mut self, bytes: &[u8]) {
        let now = model::Time(self.now);
        let ruled = self.datagrams.receive(&mut self.model, bytes, now);
        let said = datagram::answer(&self.shared, bytes, server::Time::from_seconds(self.now));
        let own = |datagram: &Vec<u8>| {
            let payload = datagram.get(8..).unwrap_or_default();
            [
                b"STAT".as_slice(),
                b"VERSION",
                b"ME ",
                b"ITEM",
                b"\x81\x10",
                b"\x81\x0b",
            ]
            .iter()
            .any(|beginning| payload.starts_with(beginning))
        };
        // The server's socket counts the bytes of datagrams, and there is none here.
        self.known.has_figures = true;
        self.known.note_rules(&ruled.because);
        let operates = ruled.because.iter().any(|rule| is_operators(rule.name));
        if !operates && !ruled.datagrams.iter().chain(&said).any(own) {
            let names: Vec<_> = ruled.because.iter().map(|rule| rule.name).collect();
            assert_eq!(
                shown(&said),
                shown(&ruled.datagrams),
                "by {}",
                names.join(", ")
            );
        }
    }

    /// A client sends this, to the server in two pieces.
    ///
    /// # Panics
    /// When they answer differently.
    pub(crate) fn send(&mut self, client: u8, bytes: &[u8], cut: usize) {
        let shared = &self.shared;
        let client = self
            .clients
            .entry(client)
            .or_insert_with(|| Client::of(shared));
        let rulings = client
            .session
            .receive(&mut self.model, bytes, model::Time(self.now));
        let (before, after) = bytes.split_at(cut.min(bytes.len()));
        let mut said = Vec::new();
        for piece in [before, after] {
            let now = server::Time::from_seconds(self.now);
            client.connection.receive(piece, now);
            said.extend(client.heard());
        }
        client.compare(&rulings, &said);
    }

    /// Time passes for both, until the trial has lasted long enough.
    ///
    /// # Panics
    /// When it makes one say what the other does not.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let ends = (self.now + seconds).min(START + LASTS_SECONDS);
        while self.now < ends {
            self.now += 1;
            for client in self.clients.values_mut() {
                let rulings = client.session.tick(&mut self.model, model::Time(self.now));
                client.connection.tick(server::Time::from_seconds(self.now));
                let said = client.heard();
                client.compare(&rulings, &said);
            }
        }
    }

    /// It is over, and somebody else asks what was counted.
    ///
    /// # Panics
    /// When the two counted differently.
    pub(crate) fn end(mut self) {
        // What an operator turned is each server's own.
        if self.clients.values().any(|client| client.operates) {
            return;
        }
        let mut asks = Client::of(&self.shared);
        let Asker {
            greeting,
            questions,
        } = Asker::of(&self.shared.settings);
        let now = (model::Time(self.now), server::Time::from_seconds(self.now));
        let mut said = Vec::new();
        let mut ruled = Vec::new();
        for bytes in [greeting].into_iter().chain(questions) {
            let rulings = asks.session.receive(&mut self.model, &bytes, now.0);
            ruled.extend(rulings.iter().flat_map(Ruling::bytes));
            asks.connection.receive(&bytes, now.1);
            said.extend(asks.heard());
        }
        let known = self
            .clients
            .values()
            .fold(self.known, |known, client| known.and_of(client.known));
        let (said, ruled) = (known.counted(&said), known.counted(&ruled));
        assert!(!ruled.is_empty(), "nobody said what was counted");
        assert_eq!(said, ruled, "what the server counted, and what the law");
    }
}

impl Client {
    fn of(shared: &Arc<Shared>) -> Client {
        Client {
            session: Session::new(),
            connection: Connection::new(Arc::clone(shared)),
            operates: false,
            known: Known::default(),
        }
    }

    /// All that the server has to say.
    fn heard(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        loop {
            let more = self.connection.transmit();
            if more.is_empty() {
                return said;
            }
            said.extend_from_slice(&more);
        }
    }

    fn compare(&mut self, rulings: &[Ruling], said: &[u8]) {
        // Who watches is told things when nothing was ruled.
        if self.operates {
            return;
        }
        let mut rest = said;
        for ruling in rulings {
            assert!(!ruling.because.is_empty(), "a ruling without a reason");
            self.operates |= ruling.because.iter().any(|rule| is_operators(rule.name));
            self.known.note(ruling);
            if self.operates {
                return;
            }
            rest = behind(ruling, rest).unwrap_or_else(|| differ(ruling, rest));
        }
        let more = rest.escape_ascii();
        assert!(
            rest.is_empty(),
            "the server says `{more}`, and the law nothing"
        );
        let closed = (self.session.is_closed(), self.connection.is_closed());
        assert_eq!(
            closed.0, closed.1,
            "one closes the connection, the other not"
        );
    }
}

/// Whether a rule is about memory, dumps or logs, and not about items.
fn is_operators(name: &str) -> bool {
    const COMMON: [&str; 3] = [
        "administration.version",
        "administration.verbosity",
        "administration.quit",
    ];
    let common = COMMON.iter().any(|common| name.starts_with(common));
    name.starts_with("administration.") && !common
}

fn shown(datagrams: &[Vec<u8>]) -> Vec<String> {
    let shown = datagrams
        .iter()
        .map(|datagram| datagram.escape_ascii().to_string());
    shown.collect()
}

fn differ(ruling: &Ruling, said: &[u8]) -> ! {
    let names: Vec<_> = ruling.because.iter().map(|rule| rule.name).collect();
    panic!(
        "the law says    `{}`\nthe server says `{}`\nby              {}",
        ruling.bytes().escape_ascii(),
        said.escape_ascii(),
        names.join(", ")
    )
}

/// What is left of what the server said behind this reply, if it is the same.
fn behind<'said>(ruling: &Ruling, said: &'said [u8]) -> Option<&'said [u8]> {
    let ruled = ruling.bytes();
    if ruled.is_empty() {
        return Some(said);
    }
    match &ruling.reply {
        Reply::Stats(_) | Reply::Dump(_) => past(said, b"END\r\n"),
        // Where an item lies, and how much it takes, is each server's own.
        Reply::Version(_) | Reply::Meta(Code::Me, _) => past(said, b"\r\n"),
        Reply::Packets(packets) if packets.iter().any(is_own) => {
            let mut rest = said;
            while let Some((frame, behind)) = next_frame(rest) {
                rest = behind;
                let ends = frame.get(1) != Some(&STAT) || frame.len() == HEADER_BYTES;
                if ends {
                    return Some(rest);
                }
            }
            None
        }
        _ => said.strip_prefix(ruled),
    }
}

const HEADER_BYTES: usize = 24;
const STAT: u8 = 0x10;
const VERSION: u8 = 0x0b;

pub(crate) fn is_own(packet: &Packet) -> bool {
    packet.status == 0 && (packet.opcode == STAT || packet.opcode == VERSION)
}

fn past<'said>(said: &'said [u8], end: &[u8]) -> Option<&'said [u8]> {
    let found = said.windows(end.len()).position(|bytes| bytes == end)?;
    said.get(found + end.len()..)
}

pub(crate) fn next_frame(said: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = said.get(8..12)?.try_into().map(u32::from_be_bytes).ok()?;
    said.split_at_checked(HEADER_BYTES + usize::try_from(length).ok()?)
}
