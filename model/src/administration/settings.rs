//! What an operator turns: memory, slabs, the LRU and its crawler. Law: `spec/administration.md`.
//!
//! The model has neither slabs nor an LRU: what is turned there changes no answer, and so is only
//! judged for whether it makes sense.

use alloc::borrow::Cow;

use spec::{Requirement, req};

use crate::framing::Line;
use crate::reply::{MALFORMED, Reply};
use crate::ruling::Ruling;
use crate::{Model, numbers};

/// The least memory that may be asked for, in megabytes.
const MEGABYTES_MIN: u64 = 8;

/// Whoever asks for so much has counted in bytes.
const MEGABYTES_MAX: u64 = 1_000_000_000;

/// The highest number of a slab class.
const CLASS_MAX: i64 = 63;

/// The longest pause of the crawler, in microseconds.
const SLEEP_MAX: u32 = 1_000_000;

/// `cache_memlimit <megabytes> [noreply]`
pub(crate) fn cache_memlimit(model: &mut Model, line: &Line) -> Ruling {
    let asked = line.argument(1);
    let asked = asked.and_then(|text| numbers::unsigned32(text, line, &model.dialect));
    let ruling = match asked.map(u64::from) {
        None => Reply::Error.because(req!("administration.memory.bad")),
        Some(megabytes) if megabytes < MEGABYTES_MIN => {
            Reply::Verbatim(b"MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n".into())
                .because(req!("administration.memory.small"))
        }
        Some(megabytes) if megabytes > MEGABYTES_MAX => {
            Reply::Verbatim(b"MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n".into())
                .because(req!("administration.memory.large"))
        }
        Some(megabytes) => {
            model.options.memory_limit_bytes = megabytes.saturating_mul(1 << 20);
            Reply::Ok.because(req!("administration.memory.set"))
        }
    };
    ruling.silent_if(line.noreply(), req!("administration.memory.noreply"))
}

/// `slabs reassign <from> <to>` and `slabs automove <0|1|2>` or `ratio <number>`
pub(crate) fn slabs(model: &Model, line: &Line) -> Ruling {
    let bad = Reply::Error.because(req!("administration.slabs.bad"));
    let words = line.arguments_from(1);
    let ruling = match words {
        [word, from, to] if is(word, b"reassign", model) => {
            reassign(class(from), class(to)).because(req!("administration.slabs.reassign"))
        }
        [word, b"ratio", number] if is(word, b"automove", model) => if is_decimal(number) {
            Reply::Ok
        } else {
            Reply::Error
        }
        .because(req!("administration.slabs.automove")),
        [word, level] if is(word, b"automove", model) => {
            match numbers::unsigned32(level, line, &model.dialect) {
                Some(0..=2) => Reply::Ok,
                Some(_) => Reply::Error,
                None => MALFORMED,
            }
            .because(req!("administration.slabs.automove"))
        }
        _ => bad,
    };
    ruling.also(abbreviated(
        words.first(),
        &[b"reassign", b"automove"],
        model,
    ))
}

fn reassign(from: Option<i64>, to: Option<i64>) -> Reply {
    let told = |text: &[u8]| Reply::Verbatim([text, b"\r\n"].concat());
    match (from, to) {
        (Some(from), Some(to)) if from == to => told(b"SAME src and dst class are identical"),
        (Some(from @ 0..=CLASS_MAX), Some(0..=CLASS_MAX)) if from >= 0 => {
            told(b"NOSPARE source class has no spare pages")
        }
        (Some(_), Some(_)) => told(b"BADCLASS invalid src or dst class id"),
        _ => MALFORMED,
    }
}

fn class(text: &[u8]) -> Option<i64> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// `lru mode <mode>`, `lru tune <hot> <warm> <factor> <factor>` and `lru temp_ttl <seconds>`
pub(crate) fn lru(model: &Model, line: &Line) -> Ruling {
    let words = match line.arguments_from(1) {
        [words @ .., b"noreply"] => words,
        words => words,
    };
    let ruling = match words {
        [word, b"flat" | b"segmented"] if is(word, b"mode", model) => {
            Reply::Ok.because(req!("administration.lru.mode"))
        }
        [word, ttl] if is(word, b"temp_ttl", model) && class(ttl).is_some() => {
            Reply::Ok.because(req!("administration.lru.temporary"))
        }
        [word, hot, warm, hot_factor, warm_factor] if is(word, b"tune", model) => {
            tune([hot, warm], [hot_factor, warm_factor]).because(req!("administration.lru.tune"))
        }
        _ => Reply::Error.because(req!("administration.lru.bad")),
    };
    ruling
        .also(abbreviated(
            words.first(),
            &[b"mode", b"temp_ttl", b"tune"],
            model,
        ))
        .silent_if(line.noreply(), req!("administration.lru.noreply"))
}

fn tune(shares: [&[u8]; 2], factors: [&[u8]; 2]) -> Reply {
    let told = |text: &[u8]| Reply::Verbatim([text, b"\r\n"].concat());
    let [Some(hot), Some(warm)] = shares.map(class) else {
        return Reply::Error;
    };
    if !factors.iter().all(|factor| is_decimal(factor)) {
        return Reply::Error;
    }
    let nothing = |factor: &&[u8]| factor.iter().all(|byte| matches!(byte, b'0' | b'.'));
    if hot.saturating_add(warm) > 80 {
        told(b"ERROR hot and warm pcts must not exceed 80")
    } else if factors.iter().any(nothing) {
        told(b"ERROR hot/warm age factors must be greater than 0")
    } else {
        Reply::Ok
    }
}

/// Whether this is a number such as `0.5`.
fn is_decimal(text: &[u8]) -> bool {
    let digit_or_point = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    text.iter().all(digit_or_point) && text.iter().any(u8::is_ascii_digit)
}

/// `lru_crawler`, but for its dumps.
pub(crate) fn crawler(model: &mut Model, line: &Line) -> Ruling {
    let running = !model.crawler_stopped;
    let words = line.arguments_from(1);
    match words {
        [b"enable"] if running => {
            let told = b"ERROR failed to start lru crawler thread\r\n";
            Reply::Verbatim(told.into()).because(req!("administration.crawler.thread"))
        }
        [b"enable" | b"disable"] => {
            model.crawler_stopped = words == [b"disable".as_slice()];
            Reply::Ok.because(req!("administration.crawler.thread"))
        }
        [b"sleep", pause] => match numbers::unsigned32(pause, line, &model.dialect) {
            None => MALFORMED,
            Some(pause) if pause > SLEEP_MAX => {
                Reply::ClientError(Cow::Borrowed("sleep must be one second or less"))
            }
            Some(_) => Reply::Ok,
        }
        .because(req!("administration.crawler.pace")),
        [b"tocrawl", count] => match numbers::unsigned32(count, line, &model.dialect) {
            None => MALFORMED,
            Some(_) => Reply::Ok,
        }
        .because(req!("administration.crawler.pace")),
        [b"crawl", _] if !running => disabled(),
        [b"crawl", classes] => if are_classes(classes) {
            Reply::Ok
        } else {
            Reply::Verbatim(BAD_CLASS.into())
        }
        .because(req!("administration.crawler.crawl")),
        _ => Reply::Error.because(req!("administration.crawler.bad")),
    }
}

/// The crawler does not run.
pub(super) fn disabled() -> Ruling {
    Reply::ClientError(Cow::Borrowed("lru crawler disabled"))
        .because(req!("administration.crawler.disabled"))
}

pub(super) const BAD_CLASS: &[u8] = b"BADCLASS invalid class id\r\n";

/// Whether this is `all`, or numbers of classes with commas between them.
pub(super) fn are_classes(text: &[u8]) -> bool {
    let mut classes = text.split(|byte| *byte == b',');
    text == b"all"
        || classes.all(|text| class(text).is_some_and(|id| (1..=CLASS_MAX).contains(&id)))
}

/// Whether this is the sub-command, as the dialect reads it.
fn is(word: &[u8], whole: &[u8], model: &Model) -> bool {
    let shortened = req!("administration.sub-command.abbreviated");
    word == whole || model.dialect.has(shortened) && whole.starts_with(word)
}

/// The rule by which a shortened sub-command is none, or the deviation by which it is one.
fn abbreviated(
    word: Option<&&[u8]>,
    known: &[&[u8]],
    model: &Model,
) -> Option<&'static Requirement> {
    let word = word?;
    let shortened = |whole: &&[u8]| *whole != *word && whole.starts_with(word);
    let deviation = req!("administration.sub-command.abbreviated");
    known.iter().any(shortened).then(|| {
        if model.dialect.has(deviation) {
            deviation
        } else {
            req!("administration.sub-command")
        }
    })
}
