//! One verdict as a mark: a glyph, a class for its colour, and a word. Nothing is said by a colour
//! alone.

use maud::{Markup, html};

use crate::verdict::Verdict;

/// What a reader is told of a rule at a glance, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Crashed,
    Fail,
    KnownBug,
    Unknown,
    NonStrict,
    Info,
    KnownDialect,
    KnownUnsupported,
    Pass,
    Skipped,
    Unsupported,
    /// No example of it holds for this dialect.
    Silent,
}

impl Mark {
    pub(super) const ALL: [Mark; 12] = [
        Mark::Pass,
        Mark::Fail,
        Mark::NonStrict,
        Mark::Info,
        Mark::KnownBug,
        Mark::KnownDialect,
        Mark::KnownUnsupported,
        Mark::Unsupported,
        Mark::Skipped,
        Mark::Unknown,
        Mark::Crashed,
        Mark::Silent,
    ];

    /// The mark of a verdict. The reason that excuses a failure says what kind it is by its first
    /// word; what a dialect excuses has the name of a deviation there.
    pub(super) fn of(verdict: Verdict, reason: Option<&str>) -> Mark {
        let kind = reason.and_then(|reason| reason.split(':').next());
        match (verdict, kind) {
            (Verdict::Pass, _) => Mark::Pass,
            (Verdict::Fail, _) => Mark::Fail,
            (Verdict::NonStrict, _) => Mark::NonStrict,
            (Verdict::Info, _) => Mark::Info,
            (Verdict::Known, Some("bug")) => Mark::KnownBug,
            (Verdict::Known, Some("unsupported")) => Mark::KnownUnsupported,
            (Verdict::Known, _) => Mark::KnownDialect,
            (Verdict::Unsupported, _) => Mark::Unsupported,
            (Verdict::Skipped, _) => Mark::Skipped,
            (Verdict::Unknown, _) => Mark::Unknown,
            (Verdict::Crashed, _) => Mark::Crashed,
        }
    }

    /// What it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Mark::Pass => "pass",
            Mark::Fail => "fail",
            Mark::NonStrict => "non-strict",
            Mark::Info => "info",
            Mark::KnownBug => "known bug",
            Mark::KnownDialect => "dialect",
            Mark::KnownUnsupported => "known lack",
            Mark::Unsupported => "unsupported",
            Mark::Skipped => "skipped",
            Mark::Unknown => "unknown",
            Mark::Crashed => "crashed",
            Mark::Silent => "not played",
        }
    }

    /// What it means, in a sentence.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Mark::Pass => "every example that was played went as written",
            Mark::Fail => "a MUST is broken",
            Mark::NonStrict => "a SHOULD is not obeyed",
            Mark::Info => "it differs where the law only observes",
            Mark::KnownBug => "it breaks the rule; its baseline says so, and calls it a bug",
            Mark::KnownDialect => "it differs as its dialect or its baseline says it does",
            Mark::KnownUnsupported => {
                "it does not have what the rule is about; its baseline says so"
            }
            Mark::Unsupported => "it was declared or found not to have what the rule is about",
            Mark::Skipped => "it was not tried, for a reason that is given",
            Mark::Unknown => "it was tried, and nobody knows what came of it",
            Mark::Crashed => "the server died or could not be reached",
            Mark::Silent => "no example holds for this dialect",
        }
    }

    pub(super) fn glyph(self) -> &'static str {
        match self {
            Mark::Pass => "✓",
            Mark::Fail => "✗",
            Mark::NonStrict => "!",
            Mark::Info => "i",
            Mark::KnownBug => "✗",
            Mark::KnownDialect => "≈",
            Mark::KnownUnsupported | Mark::Unsupported => "–",
            Mark::Skipped => "○",
            Mark::Unknown => "?",
            Mark::Crashed => "†",
            Mark::Silent => "·",
        }
    }

    /// The letter that style and script know it by.
    pub(super) fn class(self) -> &'static str {
        match self {
            Mark::Pass => "p",
            Mark::Fail => "f",
            Mark::NonStrict => "n",
            Mark::Info => "i",
            Mark::KnownBug => "b",
            Mark::KnownDialect => "d",
            Mark::KnownUnsupported | Mark::Unsupported => "u",
            Mark::Skipped => "s",
            Mark::Unknown => "k",
            Mark::Crashed => "c",
            Mark::Silent => "o",
        }
    }

    /// Whether there is something to read of it: a failure, be it excused or not.
    pub(super) fn has_page(self) -> bool {
        !matches!(
            self,
            Mark::Pass | Mark::Skipped | Mark::Unsupported | Mark::Silent
        )
    }

    /// Glyph and word.
    pub(super) fn shown(self) -> Markup {
        html! { span class={ "m " (self.class()) } { (self.glyph()) " " (self.word()) } }
    }
}
