//! Logging in by text, where the server was started with `-Y`. Law: `spec/authentication.md`.
//!
//! A stranger's line is read for one thing only: whether it is a login. Whether somebody is still a
//! stranger is kept in `session.rs`; what must not be told apart by the time it takes is no matter
//! here, since nothing here takes time.

use alloc::borrow::Cow;

use spec::{Requirement, req};

use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::statistics::count;
use crate::{Model, numbers};

/// What a stranger's line leads to.
pub(crate) enum Answer {
    /// Its ruling.
    Ruled(Ruling),
    /// Its ruling: an attempt that failed already.
    Failed(Ruling),
    /// A token of this length first, and its line end.
    AwaitsToken(usize),
}

/// The longest line of a stranger, without its LF.
const LINE_MAX_BYTES: usize = 2048;

/// The shortest line, with its LF, that memcached 1.6.45 reads.
const LINE_MIN_BYTES: usize = 7;

/// The longest token.
pub(crate) const TOKEN_MAX_BYTES: u32 = 16_384;

/// What memcached can hold of a stranger's token and its line end.
const ROOM_BYTES: usize = 16_384;

/// How many attempts may fail on a connection.
const GUESSES_MAX: u32 = 10;

/// How many attempts have failed on a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guesses(u32);

impl Guesses {
    /// One more has, with this ruling: the last closes, unless the dialect lets anybody guess on.
    pub(crate) fn count(
        &mut self,
        ruling: Ruling,
        rule: &'static Requirement,
        forever: Option<&'static Requirement>,
    ) -> Ruling {
        self.0 = self.0.saturating_add(1);
        if self.0 < GUESSES_MAX {
            return ruling;
        }
        match forever {
            Some(deviation) => ruling.also(deviation),
            None => ruling.also(rule).closing(),
        }
    }
}

/// Whether the line of a stranger, which may still go on, is too long.
pub(crate) fn is_overlong(line: &[u8]) -> bool {
    line.len() > LINE_MAX_BYTES
}

/// `set <key> <flags> <exptime> <bytes>`, or nothing that a stranger may send.
pub(crate) fn line(model: &Model, line: &Line) -> Answer {
    let long = req!("authentication.token.length");
    let awaited = req!("authentication.token.length.awaited");
    let Some(length) = announced(model, line) else {
        return Answer::Ruled(refused(model, line));
    };
    let block = u64::from(length).saturating_add(2);
    if length <= TOKEN_MAX_BYTES {
        line.note(req!("authentication.token.judged"));
        Answer::AwaitsToken(usize::try_from(length).unwrap_or(usize::MAX))
    } else if model.dialect.has(awaited) {
        let waits = Reply::Nothing.because(awaited);
        Answer::Ruled(waits.swallowing(block, req!("framing.swallow")))
    } else {
        let ruling = told(model, "auth token too long", long);
        let lines = req!("authentication.token.swallow.lines");
        Answer::Failed(if model.dialect.has(lines) {
            ruling.also(lines)
        } else {
            ruling.swallowing(block, req!("authentication.token.swallow"))
        })
    }
}

/// The length of the token, where the line is a login.
fn announced(model: &Model, line: &Line) -> Option<u32> {
    let beginning = req!("authentication.login.exact.beginning");
    let command = line.command();
    if command != b"set" {
        line.note(req!("authentication.login.exact"));
        let begins = command.starts_with(b"set").then_some(());
        line.deviating(&model.dialect, beginning, begins)?;
    }
    let length = line
        .argument(4)
        .and_then(|length| numbers::unsigned32(length, line, &model.dialect));
    if length.is_none() {
        line.note(req!("authentication.login.length"));
    }
    length
}

/// No login.
fn refused(model: &Model, line: &Line) -> Ruling {
    let short = line.length_bytes < LINE_MIN_BYTES;
    let closed = req!("authentication.required.short.closed");
    if short && model.dialect.has(closed) {
        return Reply::Nothing.because(closed).closing();
    }
    line.note_if(short, req!("authentication.required.short"));
    line.note_if(line.noreply(), req!("authentication.required.noreply"));
    told(model, "unauthenticated", req!("authentication.required"))
        .also(req!("authentication.required.nothing"))
        .also(req!("authentication.required.lines"))
        .also(req!("authentication.login.own"))
}

/// Judges a token with its line end, and says whether the client is known now.
pub(crate) fn judge(model: &mut Model, block: &[u8]) -> (Ruling, bool) {
    let closed = req!("authentication.token.judged.closed");
    if block.len() > ROOM_BYTES && model.dialect.has(closed) {
        return (Reply::Nothing.because(closed).closing(), false);
    }
    let Some(token) = block.strip_suffix(b"\r\n") else {
        let end = req!("authentication.token.end");
        let ruling = told(model, "bad command line termination", end);
        return (ruling.also(req!("authentication.counted.malformed")), false);
    };
    let (split, rule) = split(model, token);
    let Some((user, password)) = split else {
        let space = req!("authentication.token.space");
        let ruling = told(model, "bad authentication token format", space);
        return (ruling.also(rule), false);
    };
    let known = [user, password].join(&b':');
    let mut users = model.options.users.iter();
    let is_known = users.any(|user| user.as_bytes() == known);
    count(&mut model.counters.auth_cmds);
    if !is_known {
        count(&mut model.counters.auth_errors);
        let failure = req!("authentication.failure");
        return (
            told(model, "authentication failure", failure).also(rule),
            false,
        );
    }
    let mut ruling = answered(model, Reply::Stored.because(req!("authentication.login")));
    ruling.because.extend(ADMITTED);
    (ruling.also(rule), true)
}

/// What a successful login obeys, besides being one.
const ADMITTED: [&Requirement; 7] = [
    req!("authentication.login.ignored"),
    req!("authentication.login.stores-nothing"),
    req!("authentication.login.noreply"),
    req!("authentication.login.whole"),
    req!("authentication.login.once"),
    req!("authentication.login.pipelined"),
    req!("authentication.counted"),
];

/// A user and a password.
type Token<'a> = (&'a [u8], &'a [u8]);

/// The user and the password of a token, and the rule that cuts them.
fn split<'a>(model: &Model, token: &'a [u8]) -> (Option<Token<'a>>, &'static Requirement) {
    let word = req!("authentication.password.word");
    if model.dialect.has(word) {
        let text = token.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut words = text
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        return (words.next().zip(words.next()), word);
    }
    let at = token.iter().position(|byte| *byte == b' ');
    let split = at.and_then(|at| token.split_at_checked(at));
    let split = split.map(|(user, rest)| (user, rest.get(1..).unwrap_or_default()));
    (split, req!("authentication.password"))
}

/// `CLIENT_ERROR` and why.
fn told(model: &Model, text: &'static str, rule: &'static Requirement) -> Ruling {
    answered(model, Reply::ClientError(Cow::Borrowed(text)).because(rule))
}

/// A reply to somebody who was a stranger until now: those before it are not lost.
fn answered(model: &Model, ruling: Ruling) -> Ruling {
    let last = req!("authentication.pipelined.last");
    if model.dialect.has(last) {
        return ruling.retracting().also(last);
    }
    ruling.also(req!("authentication.pipelined"))
}
