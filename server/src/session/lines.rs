//! Lines that came together, read before the first of them is answered.
//!
//! What they will look up is asked for at once: a key that is far away in memory is waited for
//! while others are. It never answers a line: whoever does stops where the stream goes on otherwise
//! than it seemed here, and the rest is read again.

use std::array;

use crate::protocol::frame::{self, Frame};
use crate::protocol::meta::{Command, Meta};
use crate::protocol::{Parsed, Recovery, Refusal, Request, Storage, Tokens, classic, meta};
use crate::store::{Store, Trail};

/// So many are read together.
pub(super) const LINES_MAX: usize = 32;

/// What ends a data block.
pub(super) const BLOCK_END: &[u8] = b"\r\n";

/// What a line asks for.
#[derive(Debug)]
pub(super) enum Order<'a> {
    /// A meta command.
    Meta(Meta<'a>),
    /// A classic one.
    Classic(Parsed<'a>),
    /// Nothing that can be had.
    Refused(Refusal),
}

/// A line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// All of it but its end.
    pub(super) text: &'a [u8],
    /// What it asks for.
    pub(super) order: Order<'a>,
    /// Where its one key is to be looked for.
    pub(super) trail: Option<Trail>,
    /// Where it begins, and where what is behind it does.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Some lines of what was received.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    lines: [Option<Line<'a>>; LINES_MAX],
}

impl<'a> Lines<'a> {
    /// Reads a line that ends there, and so many in all as there are behind it.
    pub(super) fn read(
        input: &'a [u8],
        (mut text, mut end): (&'a [u8], usize),
        most: usize,
        store: &Store,
    ) -> Self {
        let mut read = Self {
            lines: array::from_fn(|_| None),
        };
        let mut start = 0;
        let mut count = 0;
        for place in read.lines.iter_mut().take(most) {
            let line = place.insert(Line {
                text,
                order: Order::read(text),
                trail: None,
                start,
                end,
            });
            line.trail = line.order.trail(store);
            let next = line.order.end(end);
            count += 1;
            start = next;
            let rest = input.get(next..).unwrap_or_default();
            let Frame::Line(more, len) = frame::cut(rest, 0) else {
                break;
            };
            (text, end) = (more, next.saturating_add(len));
        }
        if count > 1 {
            store.approach(read.iter().filter_map(|line| line.trail));
        }
        read
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Line<'a>> + Clone {
        self.lines.iter().map_while(Option::as_ref)
    }
}

impl<'a> Order<'a> {
    #[inline(always)]
    fn read(line: &'a [u8]) -> Self {
        match meta::parse(line) {
            Some(Ok(meta)) => Self::Meta(meta),
            Some(Err(refusal)) => Self::Refused(refusal),
            None => match classic::parse(line) {
                Ok(parsed) => Self::Classic(parsed),
                Err(refusal) => Self::Refused(refusal),
            },
        }
    }

    /// Where the one key is to be looked for that it is about.
    fn trail(&self, store: &Store) -> Option<Trail> {
        let key = match self {
            Self::Meta(meta) if meta.command != Command::Noop => meta.key(),
            Self::Classic(Parsed { request, .. }) => match request {
                Request::Store(storage) => storage.key,
                Request::Arithmetic(arithmetic) => arithmetic.key,
                Request::Delete(key) | Request::Touch(key, _) => key,
                _ => return None,
            },
            _ => return None,
        };
        Some(store.trail(key))
    }

    /// Where the next line begins, if all goes well.
    fn end(&self, end: usize) -> usize {
        let length = match self {
            Self::Meta(meta) if meta.command == Command::Set => meta.length,
            Self::Classic(Parsed {
                request: Request::Store(storage),
                ..
            }) => storage.length,
            Self::Refused(refusal) => match refusal.recovery {
                Recovery::Line => return end,
                Recovery::Block(length) => length,
                Recovery::Close => return usize::MAX,
            },
            _ => return end,
        };
        end.saturating_add(length).saturating_add(BLOCK_END.len())
    }
}

/// Keys that are looked up one after another, and what is behind each of them.
#[derive(Debug)]
pub(super) struct Keys<'a, T> {
    keys: [Option<(&'a [u8], Trail, T)>; LINES_MAX],
    count: usize,
}

impl<'a, T: Copy> Keys<'a, T> {
    fn read(mut next: impl FnMut() -> Option<(&'a [u8], T)>, store: &Store) -> Self {
        let mut read = Self {
            keys: array::from_fn(|_| None),
            count: 0,
        };
        for place in &mut read.keys {
            let Some((key, behind)) = next() else { break };
            *place = Some((key, store.trail(key), behind));
            read.count += 1;
        }
        if read.count > 1 {
            store.approach(read.iter().map(|&(_, trail, _)| trail));
        }
        read
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'a [u8], Trail, T)> + Clone {
        self.keys.iter().map_while(Option::as_ref)
    }
}

impl<'a> Keys<'a, Tokens<'a>> {
    /// Some keys of one line, and which keys are behind each.
    pub(super) fn of_line(mut keys: Tokens<'a>, store: &Store) -> Self {
        Self::read(|| Some((keys.next()?, keys)), store)
    }
}

impl<'a> Keys<'a, usize> {
    /// The keys of lines that ask for one each, and nothing else; and where each line ends.
    pub(super) fn of_lines(input: &'a [u8], store: &Store) -> Self {
        let mut end: usize = 0;
        let next = || {
            let (key, len) = classic::lone_get(input.get(end..)?)?;
            end = end.saturating_add(len);
            Some((key, end))
        };
        Self::read(next, store)
    }
}

impl<'a> Keys<'a, (Storage<'a>, &'a [u8], usize)> {
    /// The keys of plain sets, and what each stores and where it ends.
    pub(super) fn of_sets(input: &'a [u8], store: &Store) -> Self {
        let mut end: usize = 0;
        let next = || {
            let (storage, value, len) = classic::plain_set(input.get(end..)?)?;
            end = end.saturating_add(len);
            Some((storage.key, (storage, value, end)))
        };
        Self::read(next, store)
    }
}
