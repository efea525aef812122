//! Writes what was observed as steps of an exchange, in the notation of `spec/README.md`.
//!
//! Every byte is kept. What the next run must differ in becomes a hole: uniques, dates, the time
//! that is left, the version; statistics are read up to their end. It never knows whether a reply
//! is lawful; that is `judge/`.

use std::collections::BTreeMap;

use spec::exchange::frames;

use super::redact::Redactor;
use super::requests::Request;
use crate::refine::number;

/// The steps of one session, as they come.
#[derive(Debug, Default)]
pub struct Notation {
    clients: BTreeMap<u8, Client>,
    names: BTreeMap<u64, String>,
    /// Uniques that clients chose; the next run will see the same.
    chosen: Vec<u64>,
    redactor: Option<Redactor>,
    /// The clock is ours: what is left of a life is the same in every run.
    exact_times: bool,
    text: String,
}

#[derive(Debug, Default)]
struct Client {
    replies: Vec<u8>,
    /// So many bytes of the next request are written already.
    written: usize,
    amid_statistics: bool,
}

/// An exptime beyond this is a date.
const MONTH_SECONDS: u64 = 60 * 60 * 24 * 30;
/// A greater number is no date, but a negative one, or none.
const DATE_MAX: u64 = 0x7fff_ffff;
/// So many equal bytes in a row are written as one hole.
const RUN_MIN: usize = 32;
/// A reply so long without its end is written as it is.
const LINE_MAX_BYTES: usize = 1 << 16;

impl Notation {
    /// Keys and values are written as what this makes of them.
    #[must_use]
    pub fn new(redactor: Option<Redactor>) -> Notation {
        Notation {
            redactor,
            ..Notation::default()
        }
    }

    /// What is left of an item's life is written as it is, where that is the same in every run.
    #[must_use]
    pub fn with_exact_times(self, exact_times: bool) -> Notation {
        Notation {
            exact_times,
            ..self
        }
    }

    /// The steps since this was asked last, each a line.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Time passed.
    pub fn pass(&mut self, seconds: u64) {
        self.text.push_str(&format!("~ {seconds}s\n"));
    }

    /// A client sent a whole request.
    pub fn request(&mut self, client: u8, request: &Request, now: u64) {
        let written = std::mem::take(&mut self.client(client).written);
        let redacted = self.redactor.as_ref().map(|by| by.request(request));
        let request = redacted.as_ref().unwrap_or(request);
        let lines = [request.line(), &request.bytes];
        let ended = lines.iter().all(|bytes| bytes.ends_with(b"\r\n"));
        if written > 0 || request.swallowed || !ended {
            let rest = request.bytes.get(written..).unwrap_or_default();
            self.step(client, ">>", &text(rest));
            return;
        }
        let line = self.line(request, now);
        let block = request.block();
        let text = match block.strip_suffix(b"\r\n") {
            Some(block) => format!("{} ⏎ {}", line.trim_end_matches(['\r', '\n']), text(block)),
            None => line,
        };
        self.step(client, ">", &text);
    }

    /// A client sent the beginning of a request, and something happens before the rest.
    pub fn beginning(&mut self, client: u8, unfinished: &[u8]) {
        let written = self.client(client).written;
        let rest = unfinished.get(written..).unwrap_or_default();
        if !rest.is_empty() {
            self.client(client).written = unfinished.len();
            let rest = self.redacted(rest);
            self.step(client, ">>", &text(&rest));
        }
    }

    /// A client sent, or received, bytes of a protocol that is not cut into requests here.
    pub fn frames(&mut self, client: u8, mark: &str, bytes: &[u8]) {
        self.step(client, mark, &text(&self.redacted(bytes)));
    }

    /// A client sent, or received, nothing but whole frames in one write.
    pub fn whole_frames(&mut self, client: u8, mark: &str, bytes: &[u8]) {
        let Some(shown) = frames(bytes) else {
            return self.frames(client, ">>", bytes);
        };
        let mut fields = shown.split(" cas=");
        let mut text = fields.next().unwrap_or_default().to_owned();
        for field in fields {
            let digits = field.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, behind) = field.split_at(digits);
            let known = number(digits.as_bytes()).and_then(|unique| self.names.get(&unique));
            let unique = match known {
                Some(name) if mark == ">" => format!("{{{name}}}"),
                None if mark == ">" => digits.to_owned(),
                _ => self.unique("", digits.as_bytes()),
            };
            text.push_str(&format!(" cas={unique}{behind}"));
        }
        self.step(client, mark, &guarded(&text));
    }

    /// A client was sent bytes; what is whole of them is written.
    pub fn reply(&mut self, client: u8, bytes: &[u8]) {
        let mut unread = std::mem::take(&mut self.client(client).replies);
        unread.extend_from_slice(bytes);
        let mut rest = unread.as_slice();
        while let Some(length) = first_reply(rest) {
            let (whole, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.whole_reply(client, whole);
            rest = after;
        }
        self.client(client).replies = rest.to_vec();
    }

    /// The client, or the server, ended the connection: `half-close`, `closed`.
    pub fn end(&mut self, client: u8, how: &str) {
        self.rest(client);
        self.step(client, "=", how);
    }

    /// Writes what a client was sent and is no whole line.
    pub fn rest(&mut self, client: u8) {
        let rest = std::mem::take(&mut self.client(client).replies);
        if !rest.is_empty() {
            let rest = self.redacted(&rest);
            self.step(client, "<<", &text(&rest));
        }
    }

    fn client(&mut self, client: u8) -> &mut Client {
        self.clients.entry(client).or_default()
    }

    fn step(&mut self, client: u8, mark: &str, text: &str) {
        if client != 1 {
            self.text.push_str(&client.to_string());
        }
        // A line may not end in white space: what does is written as an escape.
        let step = format!("{mark} {text}");
        self.text.push_str(step.trim_end_matches(' '));
        self.text.push('\n');
    }

    fn redacted(&self, bytes: &[u8]) -> Vec<u8> {
        let redactor = self.redactor.as_ref();
        redactor.map_or(bytes.to_vec(), |by| by.lines(bytes))
    }

    /// A request's line, with holes where the next run differs.
    fn line(&mut self, request: &Request, now: u64) -> String {
        let line = request.line().strip_suffix(b"\r\n").unwrap_or_default();
        let meta = matches!(request.command(), b"mg" | b"ms" | b"md" | b"ma");
        let (dates, unique) = match request.command() {
            b"set" | b"add" | b"replace" | b"append" | b"prepend" => (3, 0),
            b"cas" => (3, 5),
            b"touch" => (2, 0),
            b"gat" | b"gats" | b"flush_all" => (1, 0),
            _ => (0, 0),
        };
        let mut index = 0;
        let mut words: Vec<String> = Vec::new();
        for word in line.split(|byte| *byte == b' ') {
            let (letter, behind) = match word {
                [letter, behind @ ..] if meta && index > 1 => (Some(*letter), behind),
                _ => (None, word),
            };
            let is_date = letter.map_or(dates > 0 && index == dates, |letter| {
                matches!(letter, b'T' | b'N')
            });
            let is_unique = letter.map_or(unique > 0 && index == unique, |letter| letter == b'C');
            let hole = match number(behind) {
                Some(date) if is_date && (MONTH_SECONDS + 1..=DATE_MAX).contains(&date) => {
                    Some(moment(date, now))
                }
                Some(unique) if is_unique => {
                    let name = self.names.get(&unique);
                    name.map(|name| format!("{{{name}}}"))
                }
                Some(unique) if letter == Some(b'E') => {
                    self.chosen.push(unique);
                    None
                }
                _ => None,
            };
            words.push(match (hole, letter) {
                (Some(hole), Some(letter)) => format!("{}{hole}", char::from(letter)),
                (Some(hole), None) => hole,
                (None, _) => text(word),
            });
            index += usize::from(!word.is_empty());
        }
        guarded(&words.join(" "))
    }

    /// One line of a reply, with its data block where it has one.
    fn whole_reply(&mut self, client: u8, bytes: &[u8]) {
        let redacted = self.redactor.as_ref().map(|by| by.reply(bytes));
        let bytes = redacted.as_deref().unwrap_or(bytes);
        let Some(content) = bytes.strip_suffix(b"\r\n") else {
            self.step(client, "<<", &text(bytes));
            return;
        };
        let end = content.iter().position(|byte| *byte == b'\n');
        let line = content
            .get(..end.unwrap_or(content.len()))
            .unwrap_or_default();
        let line = if end.is_some() {
            line.strip_suffix(b"\r").unwrap_or(line)
        } else {
            line
        };
        let block = end.map(|end| content.get(end.saturating_add(1)..).unwrap_or_default());
        let statistics = &mut self.client(client).amid_statistics;
        if line.starts_with(b"STAT ") {
            *statistics = true;
            return;
        }
        if std::mem::take(statistics) {
            self.step(client, "<*", &text(line));
            return;
        }
        let line = self.reply_line(line);
        let text = match block {
            Some(block) => format!("{line} ⏎ {}", text(block)),
            None => line,
        };
        self.step(client, "<", &text);
    }

    fn reply_line(&mut self, line: &[u8]) -> String {
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        if self.redactor.is_some() && number(line).is_some() {
            return "{number}".to_owned();
        }
        let mut shown = Vec::new();
        for (index, word) in words.iter().enumerate() {
            shown.push(match words.first() {
                Some(&b"VERSION") if index == 1 => "{any}".to_owned(),
                Some(&b"VALUE") if index == 4 => self.unique("", word),
                Some(&(b"HD" | b"VA" | b"ME")) if index > 0 => self.field(word),
                _ => text(word),
            });
        }
        guarded(&shown.join(" "))
    }

    /// A field of a meta reply.
    fn field(&mut self, field: &[u8]) -> String {
        for name in ["cas=", "c"] {
            if let Some(digits) = field.strip_prefix(name.as_bytes())
                && number(digits).is_some()
            {
                return self.unique(name, digits);
            }
        }
        for name in ["l", "la=", "cls=", "size=", "t", "exp="] {
            let exact = self.exact_times && matches!(name, "t" | "exp=");
            let behind = field.strip_prefix(name.as_bytes());
            if !exact && behind.and_then(number).is_some() {
                return format!("{name}{{number}}");
            }
        }
        text(field)
    }

    /// A unique, by the name under which it is known from here on.
    fn unique(&mut self, name: &str, digits: &[u8]) -> String {
        match number(digits) {
            Some(unique) if unique > 0 && !self.chosen.contains(&unique) => {
                let count = self.names.len();
                let known = self.names.entry(unique).or_insert_with(|| letters(count));
                format!("{name}{{unique {known}}}")
            }
            _ => format!("{name}{}", text(digits)),
        }
    }
}

/// Where the first line of a reply ends, with its data block; nothing while that is not here.
fn first_reply(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let Some(end) = end.map(|end| end.saturating_add(1)) else {
        return (bytes.len() > LINE_MAX_BYTES).then_some(bytes.len());
    };
    let line = bytes.get(..end)?.strip_suffix(b"\r\n").unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let block = match words.as_slice() {
        [b"VALUE", _, _, length, ..] | [b"VA", length, ..] => number(length),
        _ => None,
    };
    let block = block.and_then(|length| usize::try_from(length).ok());
    let whole = block.map_or(end, |length| end.saturating_add(length).saturating_add(2));
    (whole <= bytes.len()).then_some(whole)
}

/// A date, from now.
fn moment(date: u64, now: u64) -> String {
    match date.checked_sub(now) {
        Some(0) => "{now}".to_owned(),
        Some(ahead) => format!("{{now+{ahead}}}"),
        None => format!("{{now-{}}}", now.abs_diff(date)),
    }
}

/// `ua`, `ub`, … `uz`, `uaa`, …: names that no other hole has.
fn letters(count: usize) -> String {
    let mut rest = count;
    let mut name = String::new();
    loop {
        let letter = u8::try_from(rest % 26).unwrap_or_default();
        name.insert(0, char::from(b'a'.saturating_add(letter)));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    format!("u{name}")
}

/// What begins or ends in a space would lose it to an editor, or to `⏎`.
fn guarded(text: &str) -> String {
    match text.strip_suffix(' ') {
        Some(rest) => format!("{rest}\\x20"),
        None => text.to_owned(),
    }
}

/// Bytes as the notation escapes them, line ends and all.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        let run = rest.iter().take_while(|next| *next == byte).count();
        let one = match byte {
            b'\r' => "\\r".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\t' => "\\t".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b'{' => "\\{".to_owned(),
            b'}' => "\\}".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        let repeats = run >= RUN_MIN && !matches!(byte, b'{' | b'}' | b'*');
        if repeats {
            text.push_str(&format!("{{{one}*{run}}}"));
        }
        let taken = if repeats { run } else { 1 };
        if !repeats {
            text.push_str(&one);
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    guarded(&text)
}
