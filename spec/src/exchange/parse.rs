//! Reads exchanges out of prose and out of case files.
//!
//! It refuses what it does not understand, naming file and line: a step that is skipped silently
//! would be a check that does not run. The grammar is in `README.md` beside this crate.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Action, Datagram, Exchange, Frame, Header, Message, Protocol, Step, Template};
use crate::chapters::{CHAPTERS, find};
use crate::requirement::Requirement;

/// A line that is not in the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// What is wrong, and what is accepted.
    pub problem: String,
}

impl core::fmt::Display for ParseError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

impl core::error::Error for ParseError {}

/// Every exchange of the prose, in reading order.
///
/// # Errors
/// On the first line that is not in the grammar; a test of this crate holds that there is none.
pub fn examples() -> Result<Vec<Exchange>, ParseError> {
    let mut exchanges = Vec::new();
    for chapter in CHAPTERS {
        let file = format!("spec/{}.md", chapter.name);
        let mut requirement = None;
        let mut open: Option<Exchange> = None;
        for (line, text) in (1..).zip(chapter.prose.lines()) {
            let failed = |problem| ParseError {
                file: file.clone(),
                line,
                problem,
            };
            if let Some(header) = text.strip_prefix("```exchange") {
                let shown =
                    requirement.ok_or_else(|| failed("no rule stands before this".into()))?;
                open = Some(opened(shown, &file, line, header).map_err(failed)?);
            } else if text == "```" {
                exchanges.extend(closed(&file, open.take())?);
            } else if let Some(exchange) = &mut open {
                exchange
                    .steps
                    .extend(step(line, text, &exchange.header).map_err(failed)?);
            } else if let Some(name) = marked(text) {
                requirement = find(name);
            }
        }
    }
    Ok(exchanges)
}

/// The exchanges of a case file: each opens with `r[NAME] header`, and ends at an empty line.
///
/// # Errors
/// On the first line that is not in the grammar.
pub fn cases(file: &str, text: &str) -> Result<Vec<Exchange>, ParseError> {
    let mut exchanges = Vec::new();
    let mut open: Option<Exchange> = None;
    for (line, text) in (1..).zip(text.lines()) {
        let failed = |problem| ParseError {
            file: file.to_owned(),
            line,
            problem,
        };
        if let Some(name) = marked(text) {
            let header = text.split_once(']').map_or("", |(_, header)| header);
            let shown = find(name).ok_or_else(|| failed(format!("the law has no `{name}`")))?;
            exchanges.extend(closed(file, open.take())?);
            open = Some(opened(shown, file, line, header).map_err(failed)?);
        } else if text.is_empty() {
            exchanges.extend(closed(file, open.take())?);
        } else if let Some(exchange) = &mut open {
            exchange
                .steps
                .extend(step(line, text, &exchange.header).map_err(failed)?);
        } else if !text.starts_with('#') {
            return Err(failed(
                "a case begins with `r[NAME]`, a comment with `#`".into(),
            ));
        }
    }
    exchanges.extend(closed(file, open)?);
    Ok(exchanges)
}

/// The name in a marker line.
fn marked(text: &str) -> Option<&str> {
    let rest = ["r[", "a[", "d["]
        .iter()
        .find_map(|opening| text.strip_prefix(opening))?;
    rest.split_once(']').map(|(name, _)| name)
}

fn opened(
    requirement: &'static Requirement,
    file: &str,
    line: u32,
    header: &str,
) -> Result<Exchange, String> {
    let header = parse_header(header)?;
    Ok(Exchange {
        requirement,
        file: file.to_owned(),
        line: line + 1,
        header,
        steps: Vec::new(),
    })
}

/// The exchange, now that its last step is read: it has one, and every `<+` must know where its
/// list ends.
fn closed(file: &str, exchange: Option<Exchange>) -> Result<Option<Exchange>, ParseError> {
    let Some(Exchange { line, steps, .. }) = &exchange else {
        return Ok(None);
    };
    if steps.is_empty() {
        return Err(ParseError {
            file: file.to_owned(),
            line: *line,
            problem: "here stands what is sent and received, and there is nothing".to_owned(),
        });
    }
    let among = |step: &Step| matches!(step.action, Action::ExpectAmong(_));
    let ends = |step: &Step| among(step) || matches!(step.action, Action::ExpectLater(_));
    for (step, after) in steps
        .iter()
        .zip(steps.iter().skip(1).map(Some).chain([None]))
    {
        let goes_on = |after: &Step| after.client == step.client && ends(after);
        if among(step) && !after.is_some_and(goes_on) {
            return Err(ParseError {
                file: file.to_owned(),
                line: step.line,
                problem: "behind `<+` stands a `<*`, which says where the list ends".to_owned(),
            });
        }
    }
    Ok(exchange)
}

/// The words of a header: `options="-C -m 8" dialect=law,memcached-1.6.45 exclusive fence=none
/// writes=exact protocol=text,binary`.
fn parse_header(text: &str) -> Result<Header, String> {
    let mut header = Header::default();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = if let Some(quoted) = rest.strip_prefix("options=\"") {
            let (options, after) = quoted
                .split_once('"')
                .ok_or("`options=\"…\"` needs its closing quote")?;
            header.options = options.to_owned();
            ("", after)
        } else if let Some(quoted) = rest.strip_prefix("users=\"") {
            let (list, after) = quoted
                .split_once('"')
                .ok_or("`users=\"…\"` needs its closing quote")?;
            header.users = list.split(',').map(str::to_owned).collect();
            ("", after)
        } else {
            rest.split_once(' ').unwrap_or((rest, ""))
        };
        match word.split_once('=').unwrap_or((word, "")) {
            ("", "") => {}
            ("dialect", list) if !list.is_empty() => {
                header.dialects = list.split(',').map(str::to_owned).collect();
            }
            ("exclusive", "") => header.exclusive = true,
            ("fence", "none") => header.fence = false,
            ("writes", "exact") => header.exact_writes = true,
            ("users", list) if !list.is_empty() => {
                header.users = list.split(',').map(str::to_owned).collect();
            }
            ("protocol", list) => {
                let protocols = list.split(',').map(protocol);
                header.protocols = protocols.collect::<Result<_, _>>()?;
            }
            _ => {
                return Err(format!(
                    "`{word}` is not `options=\"…\"`, `dialect=A,B`, `exclusive`, `fence=none`, \
                     `writes=exact`, `users=NAME:PASSWORD` or `protocol=text,binary`"
                ));
            }
        }
        rest = after.trim_start();
    }
    Ok(header)
}

fn protocol(word: &str) -> Result<Protocol, String> {
    match word {
        "text" => Ok(Protocol::Text),
        "binary" => Ok(Protocol::Binary),
        "udp" => Ok(Protocol::Udp),
        _ => Err(format!(
            "`{word}` is no protocol: `text`, `binary` or `udp`"
        )),
    }
}

/// One line of an exchange; nothing for a comment or an empty line.
fn step(line: u32, text: &str, header: &Header) -> Result<Option<Step>, String> {
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let client = match number {
        "" => 1,
        number => number
            .parse()
            .ok()
            .filter(|client| *client > 0)
            .ok_or_else(|| format!("clients are 1 to 255, not {number}"))?,
    };
    let (form, tail) = rest.split_once(' ').unwrap_or((rest, ""));
    let action = match form {
        ">" => Action::Send(sent(header.protocol(client), tail)?),
        ">>" => Action::Send(Message::Text(Template::parse(tail)?)),
        "<" => Action::Expect(expected(header.protocol(client), tail)?),
        "<+" => Action::ExpectAmong(expected(header.protocol(client), tail)?),
        "<*" => Action::ExpectLater(expected(header.protocol(client), tail)?),
        "<<" if header.protocol(client) == Protocol::Udp => {
            return Err("a datagram is expected whole, by `<`".into());
        }
        "<<" => Action::Expect(Message::Text(Template::parse(tail)?)),
        "=" => match tail {
            "silent" => Action::Silent,
            "closed" => Action::Closed,
            "half-close" => Action::HalfClose,
            _ => return Err("`=` is followed by `silent`, `closed` or `half-close`".into()),
        },
        "~" => Action::Pass {
            seconds: tail
                .strip_suffix('s')
                .and_then(|seconds| seconds.parse().ok())
                .ok_or("time passes as `~ 3s`")?,
        },
        _ => {
            return Err(format!(
                "`{form}` is no step; there are `>`, `>>`, `<`, `<+`, `<*`, `<<`, `=` and `~`"
            ));
        }
    };
    let text = text.to_owned();
    Ok(Some(Step {
        line,
        client,
        text,
        action,
    }))
}

/// A line, frames with `⏎` between them, or a datagram.
fn sent(protocol: Protocol, text: &str) -> Result<Message, String> {
    match protocol {
        Protocol::Text => line_of(text),
        Protocol::Binary => {
            let frames = text.split('⏎').map(|frame| Frame::request(frame.trim()));
            Ok(Message::Frames(frames.collect::<Result<_, _>>()?))
        }
        Protocol::Udp => Datagram::request(text).map(Message::Datagram),
    }
}

/// A line, a frame, or a datagram.
fn expected(protocol: Protocol, text: &str) -> Result<Message, String> {
    match protocol {
        Protocol::Text => line_of(text),
        Protocol::Binary => Ok(Message::Frames([Frame::reply(text)?].into())),
        Protocol::Udp => Datagram::reply(text).map(Message::Datagram),
    }
}

fn line_of(text: &str) -> Result<Message, String> {
    Ok(Message::Text(Template::parse(text)?.followed_by(b"\r\n")))
}
