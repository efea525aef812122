//! The chapters in their reading order, and the search for a name among them.
//!
//! A new chapter is one file of prose and one line here; nothing else lists them. The scan is in
//! `scan.rs`.

use crate::requirement::Requirement;
use crate::scan;

/// One file of the law.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// The file's path without its ending: `storage`, `meta/get`.
    pub name: &'static str,
    /// Its prose.
    pub prose: &'static str,
    /// Its rules, alternatives and deviations, in order.
    pub requirements: &'static [Requirement],
}

/// One const table per file, numbered after the table of the file before it.
macro_rules! chapters {
    ($($module:ident = $path:literal after $previous:ident;)*) => {
        $(mod $module {
            pub(super) const PROSE: &str = include_str!(concat!("../", $path, ".md"));
            pub(super) const BASE: usize = super::$previous::BASE + super::$previous::COUNT;
            const SCAN: &super::scan::Scan = &super::scan::Scan::of($path, PROSE, BASE);
            pub(super) const COUNT: usize = SCAN.count();
            pub(super) const TABLE: &[super::Requirement] = SCAN.requirements();
        })*

        /// The law, chapter by chapter, in reading order.
        pub const CHAPTERS: &[Chapter] = &[$(Chapter {
            name: $path,
            prose: $module::PROSE,
            requirements: $module::TABLE,
        }),*];

        /// How many names the law has.
        pub(crate) const NAMES: usize = $($module::COUNT +)* 0;

        const LAW: [Requirement; NAMES] = {
            let mut law = [scan::EMPTY; NAMES];
            $(scan::place(&mut law, $module::TABLE, $module::BASE);)*
            law
        };
    };
}

mod start {
    pub(super) const BASE: usize = 0;
    pub(super) const COUNT: usize = 0;
}

chapters! {
    framing = "framing" after start;
    keys = "keys" after framing;
    numbers = "numbers" after keys;
    expiration = "expiration" after numbers;
    storage = "storage" after expiration;
    retrieval = "retrieval" after storage;
    arithmetic = "arithmetic" after retrieval;
    deletion = "deletion" after arithmetic;
    touch = "touch" after deletion;
    flush = "flush" after touch;
    meta_flags = "meta/flags" after flush;
    meta_noop = "meta/noop" after meta_flags;
    meta_get = "meta/get" after meta_noop;
    meta_set = "meta/set" after meta_get;
    meta_delete = "meta/delete" after meta_set;
    meta_arithmetic = "meta/arithmetic" after meta_delete;
    meta_debug = "meta/debug" after meta_arithmetic;
    binary_frames = "binary/frames" after meta_debug;
    binary_retrieval = "binary/retrieval" after binary_frames;
    binary_storage = "binary/storage" after binary_retrieval;
    binary_arithmetic = "binary/arithmetic" after binary_storage;
    binary_deletion = "binary/deletion" after binary_arithmetic;
    binary_touch = "binary/touch" after binary_deletion;
    binary_administration = "binary/administration" after binary_touch;
    binary_statistics = "binary/statistics" after binary_administration;
    binary_sasl = "binary/sasl" after binary_statistics;
    statistics = "statistics" after binary_sasl;
    administration = "administration" after statistics;
    authentication = "authentication" after administration;
    udp = "udp" after authentication;
    listeners = "listeners" after udp;
    memory = "memory" after listeners;
    concurrency = "concurrency" after memory;
    limits = "limits" after concurrency;
}

/// Every rule, alternative and deviation of the law, in reading order.
pub static REQUIREMENTS: &[Requirement] = &LAW;

/// The requirement of this name, if the law has it.
#[must_use]
pub const fn find(name: &str) -> Option<&'static Requirement> {
    let mut chapters = CHAPTERS;
    while let [chapter, rest @ ..] = chapters {
        if scan::belongs(name, chapter.name) {
            let mut requirements = chapter.requirements;
            while let [requirement, others @ ..] = requirements {
                if scan::same(requirement.name, name) {
                    return Some(requirement);
                }
                requirements = others;
            }
        }
        chapters = rest;
    }
    None
}

/// The requirement of this name, for `req!`.
///
/// # Panics
/// When the law has no such name; in `req!` that is a compile error at the citation.
#[must_use]
pub const fn named(name: &str) -> &'static Requirement {
    match find(name) {
        Some(requirement) => requirement,
        None => panic!("the law has no rule of this name"),
    }
}
