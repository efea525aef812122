//! What one case says of a target, and what all of them together mean.
//!
//! Silence is never green: what did not run is counted and says why, and a report in which nothing
//! ran conforms to nothing. How a report is shown is in `report/`.

use serde::Deserialize;
use spec::Level;
use spec::exchange::{Exchange, Failure};

use crate::cases::Case;
use crate::target::Outcome;

/// What one case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Verdict {
    /// It went as written.
    Pass,
    /// It broke a MUST.
    Fail,
    /// It broke a SHOULD.
    NonStrict,
    /// It differs where the law only observes.
    Info,
    /// It differs as the dialect, or the user's baseline, says it does.
    Known,
    /// The target cannot show it.
    Unsupported,
    /// It was not tried, for the reason given.
    Skipped,
    /// It was tried, and nobody knows what came of it.
    Unknown,
    /// The target died or could not be reached while it was tried.
    Crashed,
}

impl Verdict {
    /// Every verdict, in the order reports list them.
    pub const ALL: [Verdict; 9] = [
        Verdict::Pass,
        Verdict::NonStrict,
        Verdict::Fail,
        Verdict::Info,
        Verdict::Known,
        Verdict::Unsupported,
        Verdict::Skipped,
        Verdict::Unknown,
        Verdict::Crashed,
    ];

    /// The word reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::NonStrict => "non-strict",
            Verdict::Info => "info",
            Verdict::Known => "known",
            Verdict::Unsupported => "unsupported",
            Verdict::Skipped => "skipped",
            Verdict::Unknown => "unknown",
            Verdict::Crashed => "crashed",
        }
    }
}

impl TryFrom<String> for Verdict {
    type Error = String;

    fn try_from(word: String) -> Result<Verdict, String> {
        let known = Verdict::ALL.into_iter().find(|known| known.word() == word);
        known.ok_or_else(|| {
            format!("no verdict is called `{word}`; was it written by a later touchstone?")
        })
    }
}

/// One case and what came of it.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The case.
    pub case: Case<'a>,
    /// The verdict.
    pub verdict: Verdict,
    /// Where it parted from what was expected.
    pub failure: Option<Box<Failure>>,
    /// Why it was not tried, or what excuses it.
    pub reason: Option<String>,
    /// The user wanted it not to be tried: `--without`.
    pub is_excluded: bool,
    /// The part of the exchange that fails alike, where that is shorter; the failure is then its.
    pub shortest: Option<Exchange>,
}

impl<'a> Judged<'a> {
    /// Judges what came of a case whose failure has this excuse, if any.
    #[must_use]
    pub fn new(case: Case<'a>, outcome: Outcome, excuse: Option<String>) -> Judged<'a> {
        let is_excluded = matches!(outcome, Outcome::Excluded(_));
        let (verdict, failure, reason) = match outcome {
            Outcome::Passed => (Verdict::Pass, None, None),
            Outcome::Failed(failure) if excuse.is_some() => (Verdict::Known, Some(failure), excuse),
            Outcome::Failed(failure) => {
                let verdict = match case.requirement().level {
                    Level::Must => Verdict::Fail,
                    Level::Should => Verdict::NonStrict,
                    Level::May => Verdict::Info,
                };
                (verdict, Some(failure), None)
            }
            Outcome::Unsupported(reason) | Outcome::Lacking(reason) | Outcome::Excluded(reason) => {
                (Verdict::Unsupported, None, Some(reason))
            }
            Outcome::Skipped(reason) => (Verdict::Skipped, None, Some(reason)),
            Outcome::Unknown(reason) => (Verdict::Unknown, None, Some(reason)),
            Outcome::Crashed(reason) => (Verdict::Crashed, None, Some(reason)),
        };
        Judged {
            case,
            verdict,
            failure,
            reason,
            is_excluded,
            shortest: None,
        }
    }
}

/// All that a trial found.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was tried, in words.
    pub target: String,
    /// The arguments that try it again.
    pub arguments: String,
    /// The command that does, where it is none that names a rule.
    pub again: Option<String>,
    /// The dialect it was held to.
    pub dialect: String,
    /// What the order of play was made of.
    pub seed: u64,
    /// Every case that holds for the dialect, in the law's order.
    pub judged: Vec<Judged<'a>>,
    /// The alternatives that were elected by trying them, where that was asked for.
    pub elected: Vec<&'static str>,
    /// Whether every case must have been tried.
    pub certify: bool,
    /// Whether a SHOULD or a MAY that does not hold is a violation too.
    pub strict: bool,
    /// Whether the time that was given ran out.
    pub cut_short: bool,
    /// Why the target could not be reached at all; then nothing was tried.
    pub unreachable: Option<String>,
    /// What is excused and holds all the same.
    pub stale: Vec<Excuse>,
}

/// A rule or a case that may differ, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excuse {
    /// The rule's name, or the case's.
    pub subject: String,
    /// Why it may.
    pub because: String,
}

impl Excuse {
    /// This may differ, for this reason.
    #[must_use]
    pub fn new(subject: &str, because: &str) -> Excuse {
        Excuse {
            subject: subject.to_owned(),
            because: because.to_owned(),
        }
    }
}

/// Of what was not excluded, so much must have been tried, or else too little was.
pub const TRIED_MIN_PERCENT: usize = 50;

impl Report<'_> {
    /// How many cases have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.judged
            .iter()
            .filter(|judged| judged.verdict == verdict)
            .count()
    }

    /// What the trial means to whoever ran it; the first that applies.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        if self.count(Verdict::Crashed) > 0 {
            Conclusion::Crashed
        } else if self.count(Verdict::Fail) > 0 {
            Conclusion::Violates
        } else if self.strict && self.count(Verdict::NonStrict) + self.count(Verdict::Info) > 0 {
            Conclusion::Differs
        } else if !self.stale.is_empty() {
            Conclusion::Stale
        } else if self.count(Verdict::Pass) == 0 {
            Conclusion::NothingTried
        } else if self.says_too_little() {
            Conclusion::TooLittle
        } else {
            Conclusion::Conforms
        }
    }
}

impl Report<'_> {
    /// Whether what was not tried, or not understood, could hide a violation.
    fn says_too_little(&self) -> bool {
        self.cut_short
            || self.count(Verdict::Unknown) > 0
            || (self.certify && self.tried() < self.judged.len())
            || self.tried() * 100 < self.wanted() * TRIED_MIN_PERCENT
    }

    /// How many cases were tried.
    #[must_use]
    pub fn tried(&self) -> usize {
        let untried = self.count(Verdict::Skipped) + self.count(Verdict::Unsupported);
        self.judged.len().saturating_sub(untried)
    }

    /// How many cases there were to try: those aside that the user excluded.
    fn wanted(&self) -> usize {
        let wanted = self.judged.iter().filter(|judged| !judged.is_excluded);
        wanted.count()
    }

    /// How much of all was tried, where it was not all: `3 %`.
    #[must_use]
    pub fn share(&self) -> Option<String> {
        let (tried, all) = (self.tried(), self.judged.len());
        let percent = (tried * 100).checked_div(all)?;
        match percent {
            _ if tried == all => None,
            0 => Some("less than 1 %".to_owned()),
            percent => Some(format!("{percent} %")),
        }
    }
}

/// What a trial means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// No MUST is broken.
    Conforms,
    /// Some MUST is broken.
    Violates,
    /// No MUST is broken, but something differs where no difference was allowed.
    Differs,
    /// The dialect or the baseline excuses what needs no excuse.
    Stale,
    /// Nothing was tried.
    NothingTried,
    /// Not all was tried that should have been, or nobody knows what came of it.
    TooLittle,
    /// The target died, or was never there.
    Crashed,
}

impl Conclusion {
    /// The exit code that says so; 2 is for a command line that makes no sense.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Conclusion::Conforms => 0,
            Conclusion::Violates | Conclusion::Differs => 1,
            Conclusion::NothingTried | Conclusion::TooLittle => 3,
            Conclusion::Crashed => 4,
            Conclusion::Stale => 5,
        }
    }
}
