//! Ordinary clients, each with keys of its own, whose every reply is ruled on by the law's model.
//!
//! An item may be forgotten, for a cache may; whatever else is answered otherwise is an error. The
//! same seed asks the same. It never strains anybody.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::{Duration, SystemTime};

use model::{Model, Options, Ruling, Session, Time};
use spec::Dialect;

use crate::dice::Dice;
use crate::target::address::Wire;

/// How long any reply may take.
const REPLY_MAX: Duration = Duration::from_secs(5);

/// So many keys a client has.
const KEYS: u64 = 64;

/// What a reply came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// What the model rules.
    Right,
    /// What it rules when the item is not there any more.
    Forgotten,
    /// Anything else: what was asked, what was expected and what came.
    Wrong(String),
}

/// One of them.
pub(super) struct Loader {
    wire: Option<BufReader<Box<dyn Wire>>>,
    model: Model,
    session: Session,
    dice: Dice,
    prefix: String,
    exptime: u32,
}

/// A request about one key.
struct Request {
    key: String,
    bytes: Vec<u8>,
}

impl Loader {
    /// Its keys begin so, and live for so long.
    pub(super) fn new(prefix: String, exptime: u32, dialect: &Dialect, seed: u64) -> Loader {
        Loader {
            wire: None,
            model: Model::new(Options::default(), dialect.clone()),
            session: Session::new(),
            dice: Dice::new(seed),
            prefix,
            exptime,
        }
    }

    /// Whether there is a connection; when there is none, this is one.
    ///
    /// # Errors
    /// When nobody listens.
    pub(super) fn connect(
        &mut self,
        connect: &dyn Fn() -> io::Result<Box<dyn Wire>>,
    ) -> io::Result<()> {
        if self.wire.is_none() {
            let mut wire = connect()?;
            wire.patience(REPLY_MAX, REPLY_MAX);
            self.wire = Some(BufReader::new(wire));
        }
        Ok(())
    }

    /// Asks once, and says what came of it.
    ///
    /// # Errors
    /// When the connection breaks: nobody knows then what became of the request.
    pub(super) fn ask(&mut self) -> io::Result<Said> {
        let request = self.request();
        let received = match self.exchange(&request.bytes) {
            Ok(received) => received,
            Err(error) => {
                self.wire = None;
                self.rename();
                return Err(error);
            }
        };
        let expected = self.ruled(&request.bytes);
        if received == expected {
            return Ok(Said::Right);
        }
        self.forget(&request.key);
        if received == self.ruled(&request.bytes) {
            return Ok(Said::Forgotten);
        }
        self.wire = None;
        self.rename();
        let shown = |bytes: &[u8]| -> String {
            bytes.escape_ascii().to_string().chars().take(80).collect()
        };
        Ok(Said::Wrong(format!(
            "`{}`: expected {}, received {}",
            shown(&request.bytes),
            shown(&expected),
            shown(&received)
        )))
    }

    /// Nobody knows what became of a request whose reply is missing or wrong: from here on its keys
    /// are others.
    fn rename(&mut self) {
        let next = self.dice.below(u64::MAX);
        let (prefix, _) = self.prefix.rsplit_once('.').unwrap_or((&self.prefix, ""));
        self.prefix = format!("{prefix}.{next:x}");
    }

    fn forget(&mut self, key: &str) {
        self.ruled(format!("delete {key}\r\n").as_bytes());
    }

    /// What the model answers.
    fn ruled(&mut self, bytes: &[u8]) -> Vec<u8> {
        let rulings = self.session.receive(&mut self.model, bytes, time());
        let replies: Vec<&[u8]> = rulings.iter().map(Ruling::bytes).collect();
        replies.concat()
    }

    fn request(&mut self) -> Request {
        let number = self.dice.below(KEYS);
        let key = format!("{}:{number}", self.prefix);
        let is_counter = number.is_multiple_of(4);
        let exptime = self.exptime;
        let length = match self.dice.below(20) {
            0 => 20_000,
            1..=4 => 2_000,
            _ => 50,
        };
        let length = usize::try_from(self.dice.below(length)).unwrap_or_default();
        let value = match is_counter {
            true => self.dice.below(1_000_000).to_string(),
            false => format!("{:x}", self.dice.below(16)).repeat(length),
        };
        let size = value.len();
        let bytes = match (self.dice.below(12), is_counter) {
            (0..=3, _) => format!("get {key}\r\n"),
            (4, _) => format!("mg {key} v f s k\r\n"),
            (5, _) => format!("delete {key}\r\n"),
            (6, true) => format!("incr {key} {}\r\n", self.dice.below(1_000)),
            (6, false) => format!("append {key} 0 0 1\r\n+\r\n"),
            (7, true) => format!("decr {key} {}\r\n", self.dice.below(1_000)),
            (7, false) => format!("replace {key} 3 {exptime} {size}\r\n{value}\r\n"),
            (8, _) => format!("add {key} 1 {exptime} {size}\r\n{value}\r\n"),
            (9, _) => format!("ms {key} {size} T{exptime} F7\r\n{value}\r\n"),
            _ => format!("set {key} 5 {exptime} {size}\r\n{value}\r\n"),
        };
        Request {
            key,
            bytes: bytes.into_bytes(),
        }
    }

    /// Sends it, and reads the reply to its end.
    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let wire = self.wire.as_mut();
        let wire = wire.ok_or_else(|| io::Error::other("no connection"))?;
        wire.get_mut().write_all(bytes)?;
        let mut reply = Vec::new();
        let length = line(wire, &mut reply)?;
        let words: Vec<&str> = length.split(' ').collect();
        let (data, is_listed): (Option<&&str>, bool) = match words.as_slice() {
            ["VALUE", _, _, length, ..] => (Some(length), true),
            ["VA", length, ..] => (Some(length), false),
            _ => (None, false),
        };
        if let Some(data) = data.and_then(|length| length.parse::<u64>().ok()) {
            wire.by_ref().take(data + 2).read_to_end(&mut reply)?;
            if is_listed {
                line(wire, &mut reply)?;
            }
        }
        Ok(reply)
    }
}

/// The next line, which is put behind what came before.
fn line(wire: &mut BufReader<Box<dyn Wire>>, reply: &mut Vec<u8>) -> io::Result<String> {
    let begin = reply.len();
    if wire.read_until(b'\n', reply)? == 0 {
        return Err(io::Error::other("the connection was closed"));
    }
    let line = reply.get(begin..).unwrap_or_default();
    Ok(String::from_utf8_lossy(line).trim_end().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a server lives in real time")]
fn time() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
