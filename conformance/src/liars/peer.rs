//! The model and its clients, with one lie in between.
//!
//! Without a lie it is the model and nothing else, which the self-test proves. It never lies on its
//! own account: what is changed, and where, is in the liar's [`Lie`].

use std::collections::BTreeMap;

use model::{Model, Recovery, Ruling, Session, Time};
use spec::exchange::{Peer, Received};

use super::{Done, Lie, Line};

/// A server in this process: the model, and a liar's hand on what goes in and out.
#[derive(Debug)]
pub struct Server {
    lie: Option<Lie>,
    model: Model,
    /// The model as it was before the latest request that changed it.
    past: Model,
    /// The items of the clients that do not share them.
    apart: BTreeMap<u8, Model>,
    now: Time,
    keys: Vec<Vec<u8>>,
    clients: BTreeMap<u8, Client>,
}

#[derive(Debug, Default)]
struct Client {
    session: Session,
    /// Bytes sent that nobody has looked at.
    input: Vec<u8>,
    awaits: Awaits,
    line: Line,
    request: Vec<u8>,
    output: Vec<u8>,
    /// Replies that a liar has not sent yet.
    held: Vec<u8>,
    closed: bool,
    /// Whether its first byte was that of a frame, once it has come.
    binary: Option<bool>,
}

/// What every binary request begins with.
const MAGIC: u8 = 0x80;

#[derive(Clone, Copy, Debug, Default)]
enum Awaits {
    /// A whole line, for a liar changes whole lines.
    #[default]
    Line,
    /// The rest of a request whose line was heard.
    Block,
    /// So many bytes that the session throws away.
    Swallow(u64),
    /// So many bytes that are thrown away before the session sees them.
    Skip(u64),
}

/// A line so long without its end that it is no use to wait for it.
const LINE_MAX_BYTES: usize = 2048;

impl Server {
    /// This model with this lie; without one it is honest.
    #[must_use]
    pub fn new(lie: Option<Lie>, model: Model, now: Time) -> Server {
        Server {
            lie,
            past: model.clone(),
            apart: BTreeMap::new(),
            model,
            now,
            keys: Vec::new(),
            clients: BTreeMap::new(),
        }
    }

    /// This client is gone, and its number may be given to another.
    pub fn disconnect(&mut self, client: u8) {
        self.clients.remove(&client);
    }

    /// Hears all that is here of whole requests, and answers.
    fn attend(&mut self, client: &mut Client, bytes: &[u8]) {
        let mut replies = Vec::new();
        client.binary = client.binary.or(bytes.first().map(|first| *first == MAGIC));
        if client.binary == Some(true) {
            for ruling in client.session.receive(&mut self.model, bytes, self.now) {
                client.closed |= ruling.closes();
                replies.push(self.said(client, ruling));
            }
        } else {
            client.input.extend_from_slice(bytes);
        }
        while !client.closed
            && let Some(piece) = client.piece()
        {
            self.hear(client, piece, &mut replies);
        }
        if let Some(Lie::Sends(change)) = self.lie {
            change(&mut replies);
        }
        client.held.extend(replies.concat());
        let holds_back = matches!(self.lie, Some(Lie::HoldsBack));
        if !(holds_back && client.session.awaited_bytes() > 0) {
            client.output.append(&mut client.held);
        }
    }

    fn hear(&mut self, client: &mut Client, piece: Vec<u8>, replies: &mut Vec<Vec<u8>>) {
        let length = piece.len() as u64;
        let heard = match client.awaits {
            Awaits::Line => {
                client.line = Line::new(piece);
                if let Some(Lie::Hears(change)) = self.lie {
                    change(&mut client.line);
                }
                client.request.clear();
                client.line.bytes().to_vec()
            }
            Awaits::Block | Awaits::Swallow(_) => piece,
            Awaits::Skip(_) => Vec::new(),
        };
        client.awaits = client.awaits.after(length);
        if let Some(Lie::Does(_)) = self.lie {
            client.request.extend_from_slice(&heard);
        }
        let rulings = self.rule(client, &heard);
        if !rulings.is_empty() {
            client.awaits = Awaits::Line;
        }
        for ruling in rulings {
            match (ruling.recovery, self.lie) {
                (Recovery::Swallow(bytes), Some(Lie::Swallows(change))) => {
                    client.session = Session::new();
                    client.awaits = Awaits::Skip(change(bytes));
                }
                (Recovery::Swallow(bytes), _) => client.awaits = Awaits::Swallow(bytes),
                (Recovery::Next | Recovery::Close, _) => {}
            }
            client.closed |= ruling.closes();
            replies.push(self.said(client, ruling));
        }
    }

    /// What goes over the wire: the ruling as the session printed it, or as a liar has it instead.
    fn said(&self, client: &mut Client, mut ruling: Ruling) -> Vec<u8> {
        let Some(Lie::Says(change)) = self.lie else {
            return ruling.bytes().to_vec();
        };
        change(&client.line, &mut ruling);
        client.closed |= ruling.closes();
        let mut said = Vec::new();
        if !ruling.silent {
            ruling.reply.print(&mut said);
        }
        said
    }

    /// Lets the model rule, or what a liar has in its place.
    fn rule(&mut self, client: &mut Client, heard: &[u8]) -> Vec<Ruling> {
        let (line, now) = (&client.line, self.now);
        match self.lie {
            Some(Lie::Lags(lags)) if lags(line) => {
                client.session.receive(&mut self.past, heard, now)
            }
            Some(Lie::Lags(_)) => {
                let before = self.model.clone();
                let rulings = client.session.receive(&mut self.model, heard, now);
                if self.model != before {
                    self.past = before;
                }
                rulings
            }
            Some(Lie::Does(instead)) => {
                let before = self.model.clone();
                let rulings = client.session.receive(&mut self.model, heard, now);
                if let Some(ruling) = rulings.first() {
                    let done = Done {
                        line,
                        request: &client.request,
                        ruling,
                        keys: &self.keys,
                    };
                    if let Some(requests) = instead(&done) {
                        self.model = before;
                        Session::new().receive(&mut self.model, &requests, now);
                    }
                    if line.is_storage() {
                        let key = line.word(1);
                        self.keys.retain(|known| known != key);
                        self.keys.push(key.to_vec());
                    }
                }
                rulings
            }
            _ => client.session.receive(&mut self.model, heard, now),
        }
    }
}

impl Awaits {
    /// What is awaited when so many bytes have come that ended no request.
    fn after(self, bytes: u64) -> Awaits {
        match self {
            Awaits::Line | Awaits::Block => Awaits::Block,
            Awaits::Swallow(left) if left > bytes => Awaits::Swallow(left.saturating_sub(bytes)),
            Awaits::Skip(left) if left > bytes => Awaits::Skip(left.saturating_sub(bytes)),
            Awaits::Swallow(_) | Awaits::Skip(_) => Awaits::Line,
        }
    }
}

impl Client {
    /// The next bytes that can be heard as one, if they are all here.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let waiting = self.input.len();
        let line_end = || {
            let end = self.input.iter().position(|byte| *byte == b'\n')?;
            Some(end.saturating_add(1))
        };
        let length = match self.awaits {
            Awaits::Line if waiting > LINE_MAX_BYTES => line_end().unwrap_or(waiting),
            Awaits::Line => line_end()?,
            Awaits::Block => line_end().unwrap_or(waiting),
            Awaits::Swallow(left) | Awaits::Skip(left) => {
                usize::try_from(left).map_or(waiting, |left| left.min(waiting))
            }
        };
        let rest = self.input.split_off(length);
        (waiting > 0).then(|| std::mem::replace(&mut self.input, rest))
    }
}

impl Server {
    /// Lets watchers hear.
    fn tick(&mut self) {
        for client in self.clients.values_mut() {
            for ruling in client.session.tick(&mut self.model, self.now) {
                client.closed |= ruling.closes();
                client.output.extend(ruling.bytes());
            }
        }
    }
}

impl Peer for Server {
    fn now(&mut self) -> u64 {
        self.now.0
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        let known = self.clients.remove(&client);
        if known.is_none() {
            self.model.connected(self.now);
        }
        let mut speaker = known.unwrap_or_default();
        let was_closed = speaker.closed;
        match self.lie {
            Some(Lie::Answers(answer)) => match answer(bytes) {
                Some(reply) => speaker.output.extend(reply),
                None => speaker.closed = true,
            },
            Some(Lie::Isolates) => {
                let empty = self.past.clone();
                let own = self.apart.remove(&client).unwrap_or(empty);
                let shared = std::mem::replace(&mut self.model, own);
                self.attend(&mut speaker, bytes);
                let own = std::mem::replace(&mut self.model, shared);
                self.apart.insert(client, own);
            }
            Some(Lie::Forgets) => {
                self.attend(&mut speaker, bytes);
                speaker.input.clear();
                if let Awaits::Block = speaker.awaits {
                    speaker.session = Session::new();
                    speaker.awaits = Awaits::Line;
                }
            }
            _ => self.attend(&mut speaker, bytes),
        }
        if speaker.closed && !was_closed {
            self.model.disconnected(self.now);
        }
        self.clients.insert(client, speaker);
        self.tick();
    }

    fn receive(&mut self, client: u8, _hurry: bool) -> Received {
        let client = self.clients.entry(client).or_default();
        if !client.output.is_empty() {
            Received::Bytes(std::mem::take(&mut client.output))
        } else if client.closed {
            Received::Closed
        } else {
            Received::Nothing
        }
    }

    fn half_close(&mut self, client: u8) {
        let client = self.clients.entry(client).or_default();
        client.closed = true;
        client.session.end(&mut self.model);
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now.0 = self.now.0.saturating_add(1);
            self.tick();
        }
    }
}
