//! Reads the markers out of a chapter's prose, at compile time.
//!
//! It never runs in a program: every call is inside a `const`. One call per chapter, because the
//! compiler limits the length of a single constant's evaluation. The chapters are in `chapters.rs`.

// A constant that indexes out of bounds or overflows does not compile.
#![expect(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use crate::requirement::{Class, Kind, Level, Requirement, Witness};

/// What one chapter holds.
pub(crate) struct Scan {
    table: [Requirement; CHAPTER_MAX],
    count: usize,
}

/// The most markers that one chapter may hold; a chapter with more does not compile.
const CHAPTER_MAX: usize = 192;

impl Scan {
    /// The markers of the prose in their order, numbered from `base`.
    pub(crate) const fn of(chapter: &'static str, prose: &'static str, base: usize) -> Scan {
        let text = prose.as_bytes();
        let mut scan = Scan {
            table: [EMPTY; CHAPTER_MAX],
            count: 0,
        };
        let (mut at, mut line) = (0, 1);
        let mut rule_level = Level::May;
        while at < text.len() {
            let after = next_line(text, at);
            if let Some(kind) = marker(text, at) {
                let name_end = until(text, at, b']');
                let sentence = slice(prose, after, paragraph_end(text, after));
                if matches!(kind, Kind::Rule) {
                    rule_level = level(sentence.as_bytes());
                }
                scan.table[scan.count] = Requirement {
                    name: slice(prose, at + 2, name_end),
                    kind,
                    level: rule_level,
                    witness: witness(text, name_end),
                    class: class(kind, text, after),
                    sentence,
                    chapter,
                    line,
                    ordinal: (base + scan.count) as u16,
                };
                scan.count += 1;
            }
            at = after;
            line += 1;
        }
        scan
    }

    /// How many markers there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The markers.
    pub(crate) const fn requirements(&self) -> &[Requirement] {
        self.table.split_at(self.count).0
    }
}

/// Copies a chapter's table to its place in the whole.
pub(crate) const fn place(law: &mut [Requirement], table: &[Requirement], base: usize) {
    let mut at = 0;
    while at < table.len() {
        law[base + at] = table[at];
        at += 1;
    }
}

/// Whether a name belongs to a chapter: `meta.get.hit` to `meta/get`.
pub(crate) const fn belongs(name: &str, chapter: &str) -> bool {
    let (name, chapter) = (name.as_bytes(), chapter.as_bytes());
    if name.len() <= chapter.len() || name[chapter.len()] != b'.' {
        return false;
    }
    let mut at = 0;
    while at < chapter.len() {
        let expected = if chapter[at] == b'/' {
            b'.'
        } else {
            chapter[at]
        };
        if name[at] != expected {
            return false;
        }
        at += 1;
    }
    true
}

/// String equality that a constant may use.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len() && starts_with(a, 0, b)
}

pub(crate) const EMPTY: Requirement = Requirement {
    name: "",
    kind: Kind::Rule,
    level: Level::May,
    witness: Witness::Exchange,
    class: None,
    sentence: "",
    chapter: "",
    line: 0,
    ordinal: 0,
};

const fn marker(text: &[u8], at: usize) -> Option<Kind> {
    if at + 1 >= text.len() || text[at + 1] != b'[' {
        return None;
    }
    match text[at] {
        b'r' => Some(Kind::Rule),
        b'a' => Some(Kind::Alternative),
        b'd' => Some(Kind::Deviation),
        _ => None,
    }
}

const fn witness(text: &[u8], name_end: usize) -> Witness {
    if starts_with(text, name_end, b"] history") {
        Witness::History
    } else if starts_with(text, name_end, b"] process") {
        Witness::Process
    } else {
        Witness::Exchange
    }
}

/// What a deviation's marker, which ends before this place, says last of it.
const fn class(kind: Kind, text: &[u8], after: usize) -> Option<Class> {
    let class = if ends_with(text, after, b" bug\n") {
        Some(Class::Bug)
    } else if ends_with(text, after, b" undocumented\n") {
        Some(Class::Undocumented)
    } else if ends_with(text, after, b" dialect\n") {
        Some(Class::Dialect)
    } else {
        None
    };
    assert!(
        matches!(kind, Kind::Deviation) == class.is_some(),
        "a deviation, and nothing else, ends with what it is: bug, undocumented or dialect"
    );
    class
}

const fn ends_with(text: &[u8], end: usize, with: &[u8]) -> bool {
    with.len() <= end && starts_with(text, end - with.len(), with)
}

const fn level(sentence: &[u8]) -> Level {
    let mut at = 0;
    while at < sentence.len() {
        match sentence[at] {
            b'M' if starts_with(sentence, at, b"MUST") => return Level::Must,
            b'S' if starts_with(sentence, at, b"SHOULD") => return Level::Should,
            _ => at += 1,
        }
    }
    Level::May
}

const fn next_line(text: &[u8], from: usize) -> usize {
    until(text, from, b'\n') + 1
}

/// Where the byte next stands, or the end.
///
/// Sixteen bytes at a step: the compiler interprets this over the whole law, in every crate that
/// cites it.
const fn until(text: &[u8], from: usize, stop: u8) -> usize {
    const ONES: u128 = u128::from_le_bytes([1; 16]);
    let stops = u128::from_le_bytes([stop; 16]);
    let mut at = from;
    while let Some(chunk) = text.split_at(at).1.first_chunk() {
        let differs = u128::from_le_bytes(*chunk) ^ stops;
        let equal = differs.wrapping_sub(ONES) & !differs & (ONES << 7);
        if equal != 0 {
            return at + (equal.trailing_zeros() / 8) as usize;
        }
        at += 16;
    }
    while at < text.len() && text[at] != stop {
        at += 1;
    }
    at
}

/// Where the paragraph ends: before an empty line or a fence.
const fn paragraph_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        at = until(text, at, b'\n');
        if at >= text.len() || starts_with(text, at, b"\n\n") || starts_with(text, at, b"\n```") {
            return at;
        }
        at += 1;
    }
}

const fn starts_with(text: &[u8], from: usize, word: &[u8]) -> bool {
    if from + word.len() > text.len() {
        return false;
    }
    let mut at = 0;
    while at < word.len() {
        if text[from + at] != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn slice(text: &'static str, from: usize, to: usize) -> &'static str {
    text.split_at(to).0.split_at(from).1
}
