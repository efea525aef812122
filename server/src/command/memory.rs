//! `slabs`, `lru` and `lru_crawler`: what memcached lets operators turn in its memory.
//!
//! There are no slabs and no three queues here. What was well asked for is answered as memcached
//! does when it has nothing to do; nothing is pretended that `stats` would then show. Only
//! `lru_crawler enable` and `disable` have an effect: they start and stop the clearing away of
//! expired items. `lru_crawler metadump` and `mgdump` are in `dump.rs`.

use super::Context;
use crate::protocol::{Error, Reply, Tokens, number};

/// memcached has no more classes than this.
const CLASSES_MAX: u32 = 64;

/// The most that the first two queues of memcached may take together, in percent.
const PERCENT_MAX: u32 = 80;

/// The longest pause of memcached's crawler, in microseconds.
const PAUSE_MAX: u32 = 1_000_000;

/// The windows that memcached's mover of pages takes.
const WINDOWS: std::ops::RangeInclusive<u32> = 3..=1800;

/// Answers `slabs`.
pub(super) fn slabs(words: Tokens<'_>) -> Reply {
    let outcome = match *arguments(words) {
        [b"reassign", from, to] => reassign(from, to),
        [b"automove", b"ratio" | b"freeratio", ratio] => factor(ratio).map(|_| ()),
        [b"automove", b"window", window, ..] => match number::unsigned32(window) {
            Some(window) if WINDOWS.contains(&window) => Ok(()),
            Some(_) => Err(Error::AutomoveWindow),
            None => Err(Error::BadLine),
        },
        [b"automove", mode, ..] => match number::unsigned32(mode) {
            Some(0..=2) => Ok(()),
            Some(_) => Err(Error::Unknown),
            None => Err(Error::BadLine),
        },
        _ => Err(Error::Unknown),
    };
    reply(outcome)
}

/// No class has anything to give.
fn reassign(from: &[u8], to: &[u8]) -> Result<(), Error> {
    let (Some(from), Some(to)) = (number::signed32(from), number::signed32(to)) else {
        return Err(Error::BadLine);
    };
    let is_class = |class: i32| u32::try_from(class).is_ok_and(|class| class < CLASSES_MAX);
    if from == to {
        Err(Error::SameClass)
    } else if is_class(from) && is_class(to) {
        Err(Error::NothingToMove)
    } else {
        Err(Error::BadMove)
    }
}

/// Answers `lru`.
pub(super) fn lru(words: Tokens<'_>) -> Reply {
    let outcome = match *arguments(words) {
        [b"mode", b"flat" | b"segmented", ..] => Ok(()),
        [b"temp_ttl", seconds, ..] => number::signed32(seconds).map(|_| ()).ok_or(Error::Unknown),
        [b"tune", hot, warm, hot_factor, warm_factor, ..] => {
            tune([hot, warm], [hot_factor, warm_factor])
        }
        _ => Err(Error::Unknown),
    };
    reply(outcome)
}

fn tune(shares: [&[u8]; 2], factors: [&[u8]; 2]) -> Result<(), Error> {
    let [Some(hot), Some(warm)] = shares.map(number::unsigned32) else {
        return Err(Error::Unknown);
    };
    let [hot_factor, warm_factor] = factors.map(factor);
    let (hot_factor, warm_factor) = (hot_factor?, warm_factor?);
    if hot.saturating_add(warm) > PERCENT_MAX {
        Err(Error::SharesTooLarge)
    } else if hot_factor <= 0.0 || warm_factor <= 0.0 {
        Err(Error::FactorsTooSmall)
    } else {
        Ok(())
    }
}

/// Answers `lru_crawler`, but for the dumps.
pub(super) fn crawler(context: &Context<'_>, words: Tokens<'_>) -> Reply {
    let shared = context.shared;
    let outcome = match *arguments(words) {
        [b"enable"] if shared.is_sweeping() => Err(Error::CrawlerRuns),
        [word @ (b"enable" | b"disable")] => {
            shared.set_sweeping(word == b"enable");
            Ok(())
        }
        [b"sleep", pause] => match number::unsigned32(pause) {
            Some(0..=PAUSE_MAX) => Ok(()),
            Some(_) => Err(Error::PauseTooLong),
            None => Err(Error::BadLine),
        },
        [b"tocrawl", count] => number::unsigned32(count).map(|_| ()).ok_or(Error::BadLine),
        [b"crawl", b"hash"] => Err(Error::CrawlUnknown),
        [b"crawl", classes] => check(context, classes),
        _ => Err(Error::Unknown),
    };
    reply(outcome)
}

/// Whether there is something to walk through.
///
/// # Errors
///
/// When the crawler was stopped, or a class does not exist.
pub(super) fn check(context: &Context<'_>, classes: &[u8]) -> Result<(), Error> {
    let is_class = |word: &[u8]| {
        number::unsigned32(word).is_some_and(|class| (1..CLASSES_MAX).contains(&class))
    };
    if !context.shared.is_sweeping() {
        Err(Error::CrawlerDisabled)
    } else if matches!(classes, b"all" | b"hash")
        || classes.split(|&byte| byte == b',').all(is_class)
    {
        Ok(())
    } else {
        Err(Error::NoSuchClass)
    }
}

/// The words, without a `noreply` behind them.
fn arguments(words: Tokens<'_>) -> Box<[&[u8]]> {
    let mut words: Vec<_> = words.collect();
    words.pop_if(|last| *last == b"noreply");
    words.into()
}

fn factor(text: &[u8]) -> Result<f64, Error> {
    let text = str::from_utf8(text).map_err(|_| Error::Unknown)?;
    let factor: f64 = text.parse().map_err(|_| Error::Unknown)?;
    factor.is_finite().then_some(factor).ok_or(Error::Unknown)
}

fn reply(outcome: Result<(), Error>) -> Reply {
    outcome.map_or_else(Reply::Error, |()| Reply::Ok)
}
