//! Makes every key of an exchange our own: the same exchange, with a prefix before each key.
//!
//! It works on the exchange as it is written, so that what is shown is what was sent. It may be
//! wrong: whoever uses it plays the result on the model first, and has `guard.rs` look at every
//! byte. A long key keeps its length, since the rule may be about that.

use std::collections::BTreeSet;

use spec::exchange::{Action, Bindings, Exchange, Header, Protocol, Step, Template, cases};

use super::guard::{Keys, keys_of};
use crate::base64;

/// A key from this length on keeps it: its first bytes give way to the prefix.
const KEEPS_LENGTH_MIN: usize = 64;
/// How long an item stays that the exchange would have kept for ever.
const STAY_SECONDS: u32 = 300;
/// The fields of a frame, for cutting one out.
const FIELDS: [&str; 17] = [
    "magic", "keylen", "extlen", "datatype", "vbucket", "status", "bodylen", "opaque", "cas",
    "flags", "exptime", "delta", "initial", "extras", "key", "value", "number",
];

/// An exchange about our own keys.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    /// What is played.
    pub(super) exchange: Exchange,
    /// The keys it may leave behind.
    pub(super) keys: BTreeSet<Vec<u8>>,
}

/// The exchange with this prefix before each key; where it is `fleeting`, items that would have
/// stayed for ever stay a few minutes.
///
/// # Errors
/// With the reason why its keys cannot be made ours.
pub(super) fn own(exchange: &Exchange, prefix: &str, fleeting: bool) -> Result<Owned, String> {
    let mut rewriter = Rewriter {
        prefix: prefix.as_bytes(),
        fleeting,
        keys: BTreeSet::new(),
    };
    let header = Header {
        protocols: exchange.header.protocols.clone(),
        ..Header::default()
    };
    let mut text = format!("r[{}]{header}", exchange.requirement.name);
    for step in &exchange.steps {
        let binary = exchange.header.protocol(step.client) == Protocol::Binary;
        text.push('\n');
        text.push_str(&rewriter.step(step, binary)?);
    }
    let own = cases(&exchange.file, &text).map_err(|error| error.problem)?;
    let own = own.into_iter().next().ok_or("there is nothing in it")?;
    let lines = exchange.steps.iter().map(|step| step.line);
    let steps = own.steps.into_iter().zip(lines);
    let steps = steps.map(|(step, line)| Step { line, ..step }).collect();
    let olds = rewriter.keys;
    let keys: BTreeSet<Vec<u8>> = olds
        .iter()
        .map(|old| ours(prefix.as_bytes(), old))
        .collect();
    if keys.len() != olds.len() {
        return Err("two of its keys would become one".to_owned());
    }
    let exchange = Exchange {
        steps,
        ..exchange.clone()
    };
    Ok(Owned { exchange, keys })
}

/// This key as our own.
fn ours(prefix: &[u8], key: &[u8]) -> Vec<u8> {
    let kept = if key.len() < KEEPS_LENGTH_MIN {
        0
    } else {
        prefix.len()
    };
    [prefix, key.get(kept..).unwrap_or_default()].concat()
}

struct Rewriter<'a> {
    prefix: &'a [u8],
    fleeting: bool,
    /// The keys that were sent, as they were.
    keys: BTreeSet<Vec<u8>>,
}

impl Rewriter<'_> {
    fn step(&mut self, step: &Step, binary: bool) -> Result<String, String> {
        let (form, tail) = step.text.split_once(' ').unwrap_or((&step.text, ""));
        let raw = form.ends_with(">>") || form.ends_with("<<");
        let tail = match &step.action {
            Action::Send(_) if binary && !raw => self.frames(tail, true)?,
            Action::Expect(_) | Action::ExpectAmong(_) | Action::ExpectLater(_)
                if binary && !raw =>
            {
                self.frames(tail, false)?
            }
            Action::Send(_) if !binary => self.lines(tail, Rewriter::request)?,
            Action::Expect(_) | Action::ExpectAmong(_) | Action::ExpectLater(_) if !binary => {
                self.lines(tail, Rewriter::reply)?
            }
            _ => tail.to_owned(),
        };
        Ok(format!("{form} {tail}").trim_end_matches(' ').to_owned())
    }

    /// Every line of a text step, but for the data block behind a storage command.
    fn lines(
        &mut self,
        tail: &str,
        rewrite: fn(&mut Self, &mut Vec<String>) -> Result<bool, String>,
    ) -> Result<String, String> {
        let mut text = String::new();
        let mut data = false;
        for (mut words, end) in cut(tail) {
            if !std::mem::take(&mut data) {
                data = rewrite(self, &mut words)?;
            }
            text.push_str(&words.join(" "));
            text.push_str(end);
        }
        Ok(text)
    }

    /// One request line; whether a data block follows.
    fn request(&mut self, words: &mut Vec<String>) -> Result<bool, String> {
        let named: Vec<usize> = (0..words.len())
            .filter(|at| !nth(words, *at).is_empty())
            .collect();
        let place = |n: usize| named.get(n).copied();
        let command = place(0)
            .map(|at| nth(words, at).to_owned())
            .unwrap_or_default();
        let (from, to) = match keys_of(&command) {
            None => return Ok(false),
            Some(Keys::From(first)) => (first, named.len()),
            Some(Keys::Second | Keys::Meta) => (1, 2.min(named.len())),
        };
        let encoded = keys_of(&command) == Some(Keys::Meta) && words.iter().any(|word| word == "b");
        for at in named.get(from..to).unwrap_or_default() {
            if let Some(word) = words.get_mut(*at) {
                *word = self.key(word, encoded)?;
            }
        }
        if self.fleeting {
            let command = command.to_ascii_lowercase();
            fleet(&command, words, place(exptime(&command)));
        }
        let stores = ["set", "add", "replace", "append", "prepend", "cas", "ms"];
        Ok(stores.contains(&command.to_ascii_lowercase().as_str()))
    }

    /// One line of a reply.
    #[expect(clippy::ptr_arg, reason = "a request and a reply are rewritten alike")]
    fn reply(&mut self, words: &mut Vec<String>) -> Result<bool, String> {
        let encoded = words.iter().skip(1).any(|word| word == "b");
        match nth(words, 0) {
            "VALUE" | "ME" => {
                if let Some(word) = words.get_mut(1) {
                    *word = self.known(word, encoded);
                }
            }
            "HD" | "VA" | "EN" | "NF" | "NS" | "EX" => {
                for word in words.iter_mut().skip(1) {
                    if let Some(key) = word.strip_prefix('k') {
                        *word = format!("k{}", self.known(key, encoded));
                    }
                }
            }
            _ => {}
        }
        Ok(false)
    }

    /// The fields of frames that are keys.
    fn frames(&mut self, tail: &str, sent: bool) -> Result<String, String> {
        let mut frames = Vec::new();
        for frame in tail.split('⏎') {
            let mut fields: Vec<String> = fields(frame.trim());
            for field in &mut fields {
                if let Some(key) = field.strip_prefix("key=") {
                    let key = if sent {
                        self.key(key, false)?
                    } else {
                        self.known(key, false)
                    };
                    *field = format!("key={key}");
                } else if sent && self.fleeting && field == "exptime=0" {
                    *field = format!("exptime={STAY_SECONDS}");
                }
            }
            frames.push(fields.join(" "));
        }
        Ok(frames.join(" ⏎ "))
    }

    /// A key that is sent, made ours, as it is written.
    fn key(&mut self, written: &str, encoded: bool) -> Result<String, String> {
        let key = plain(written).ok_or("a key in it is made of what the server replied")?;
        if encoded && let Some(decoded) = base64::decode(&key) {
            let own = base64::encode(&ours(self.prefix, &decoded));
            self.keys.insert(decoded);
            return Ok(own);
        }
        let own = ours(self.prefix, &key);
        self.keys.insert(key);
        Ok(written_as(&own))
    }

    /// A key that is received: ours, where we sent it.
    fn known(&self, written: &str, encoded: bool) -> String {
        let Some(key) = plain(written) else {
            return written.to_owned();
        };
        let decoded = base64::decode(&key).filter(|key| encoded && self.keys.contains(key));
        match decoded {
            Some(decoded) => base64::encode(&ours(self.prefix, &decoded)),
            None if self.keys.contains(&key) => written_as(&ours(self.prefix, &key)),
            None => written.to_owned(),
        }
    }
}

fn nth(words: &[String], at: usize) -> &str {
    words.get(at).map_or("", String::as_str)
}

/// Which word of this command is the exptime.
fn exptime(command: &str) -> usize {
    match command {
        "gat" | "gats" => 1,
        "touch" => 2,
        "set" | "add" | "replace" | "append" | "prepend" | "cas" => 3,
        _ => usize::MAX,
    }
}

/// Lets an item go after a few minutes that would have stayed for ever.
fn fleet(command: &str, words: &mut Vec<String>, exptime: Option<usize>) {
    let stay = STAY_SECONDS.to_string();
    if let Some(word) = exptime
        .and_then(|at| words.get_mut(at))
        .filter(|word| *word == "0")
    {
        *word = stay;
        return;
    }
    for word in words.iter_mut().skip(2) {
        if word == "T0" || word == "N0" {
            word.truncate(1);
            word.push_str(&stay);
        }
    }
    if command == "ms" && !words.iter().skip(2).any(|word| word.starts_with('T')) {
        words.push(format!("T{stay}"));
    }
}

/// The words of each line of a text step, and how that line is ended there.
fn cut(tail: &str) -> Vec<(Vec<String>, &str)> {
    let mut lines = Vec::new();
    let mut rest = tail;
    loop {
        let ends = [" ⏎ ", "⏎ ", " ⏎", "⏎", "\\r\\n", "\\n"];
        let found = ends.iter().filter_map(|end| Some((rest.find(end)?, *end)));
        // Of those that begin first the longest, which stands first in the list.
        let Some((at, end)) = found.reduce(|one, other| if other.0 < one.0 { other } else { one })
        else {
            lines.push((words(rest), ""));
            return lines;
        };
        let (line, after) = rest.split_at(at);
        lines.push((words(line), end));
        rest = after.get(end.len()..).unwrap_or_default();
    }
}

/// Words with one space between them; a hole may hold spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut in_hole = false;
    let mut escaped = false;
    for next in line.chars() {
        match next {
            '{' if !escaped => in_hole = true,
            '}' if !escaped => in_hole = false,
            ' ' if !in_hole => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = next == '\\' && !escaped;
        if let Some(word) = words.last_mut() {
            word.push(next);
        }
    }
    words
}

/// A frame's opcode and fields, each as it is written.
fn fields(frame: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for word in frame.split(' ') {
        let named = word
            .split_once('=')
            .is_some_and(|(name, _)| FIELDS.contains(&name));
        match fields.last_mut() {
            Some(last) if !named => {
                last.push(' ');
                last.push_str(word);
            }
            _ => fields.push(word.to_owned()),
        }
    }
    fields
}

/// The bytes that are written so, where no reply decides them.
fn plain(written: &str) -> Option<Vec<u8>> {
    Template::parse(written)
        .ok()?
        .render(&Bindings::new(), 0)
        .ok()
        .filter(|_| !written.contains("{now"))
}

/// How these bytes are written.
fn written_as(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\\' | b'{' | b'}' => text.extend(['\\', char::from(*byte)]),
            b'!'..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}
