//! Statistics by key prefix: `stats detail`, and what the commands report to it.
//!
//! A prefix is what stands before the first delimiter; a key without one is not counted. Only the
//! classic commands report here.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use spec::{Dialect, req};

use super::{count, whole};
use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::{Model, Options};

/// How many prefixes are counted at most; what others are used for is not.
const PREFIXES_MAX: usize = 10_000;

/// What was counted for each prefix, and whether it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Prefixes {
    counted: bool,
    delimiter: u8,
    /// The deviation of counting any number of them.
    unbounded: bool,
    uses: BTreeMap<Vec<u8>, Uses>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Uses {
    get: u64,
    hit: u64,
    set: u64,
    del: u64,
}

impl Default for Prefixes {
    fn default() -> Prefixes {
        Prefixes::new(&Options::default(), &Dialect::default())
    }
}

impl Prefixes {
    pub(crate) fn new(options: &Options, dialect: &Dialect) -> Prefixes {
        Prefixes {
            counted: options.detail,
            delimiter: options.prefix_delimiter,
            unbounded: dialect.has(req!("limits.prefixes.bounded.forever")),
            uses: BTreeMap::new(),
        }
    }

    /// A key was asked for.
    pub(crate) fn get(&mut self, key: &[u8], hit: bool) {
        if let Some(uses) = self.of(key) {
            count(&mut uses.get);
            if hit {
                count(&mut uses.hit);
            }
        }
    }

    /// A key's item was to be stored.
    pub(crate) fn set(&mut self, key: &[u8]) {
        if let Some(uses) = self.of(key) {
            count(&mut uses.set);
        }
    }

    /// A key's item was to be deleted.
    pub(crate) fn delete(&mut self, key: &[u8]) {
        if let Some(uses) = self.of(key) {
            count(&mut uses.del);
        }
    }

    /// Counts from now on, or no more.
    pub(crate) fn count_from_now(&mut self, counted: bool) {
        self.counted = counted;
    }

    pub(super) fn are_counted(&self) -> bool {
        self.counted
    }

    pub(super) fn clear(&mut self) {
        self.uses.clear();
    }

    fn of(&mut self, key: &[u8]) -> Option<&mut Uses> {
        let delimiter = key.iter().position(|byte| *byte == self.delimiter)?;
        let prefix = key.get(..delimiter).filter(|_| self.counted)?;
        let has_room = self.unbounded || self.uses.len() < PREFIXES_MAX;
        if !has_room && !self.uses.contains_key(prefix) {
            return None;
        }
        Some(self.uses.entry(prefix.to_vec()).or_default())
    }

    pub(crate) fn dump(&self) -> Ruling {
        let lines = self.uses.iter().map(|(prefix, uses)| {
            let Uses { get, hit, set, del } = uses;
            let uses = format!(" get {get} hit {hit} set {set} del {del}");
            [b"PREFIX ", prefix.as_slice(), uses.as_bytes()].concat()
        });
        let mut ruling = Reply::Dump(lines.collect()).because(req!("statistics.detail.dump"));
        ruling.because.extend([
            req!("statistics.detail.prefix"),
            req!("statistics.detail.without"),
            req!("statistics.detail.get"),
            req!("statistics.detail.set"),
            req!("statistics.detail.delete"),
            req!("statistics.detail.others"),
            req!("statistics.detail.reset"),
            req!("statistics.detail.too-large"),
        ]);
        ruling
    }
}

/// `stats detail on|off|dump`
pub(super) fn detail(model: &mut Model, line: &Line) -> Ruling {
    let allowed = req!("statistics.detail.forbidden.allowed");
    if !model.options.dumps && !model.dialect.has(allowed) {
        return Reply::ClientError(Cow::Borrowed("stats detail not allowed"))
            .because(req!("statistics.detail.forbidden"));
    }
    let word = line
        .argument(2)
        .map(|word| whole(model, word, &[b"on", b"off", b"dump"]));
    match word {
        Some(b"on") => {
            model.prefixes.counted = true;
            Reply::Ok.because(req!("statistics.detail.on"))
        }
        Some(b"off") => {
            model.prefixes.counted = false;
            Reply::Ok.because(req!("statistics.detail.off"))
        }
        Some(b"dump") => model
            .prefixes
            .dump()
            .also((!model.options.dumps).then_some(allowed)),
        _ => Reply::ClientError(Cow::Borrowed("usage: stats detail on|off|dump"))
            .because(req!("statistics.detail.usage")),
    }
}
