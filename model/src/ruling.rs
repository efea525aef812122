//! A reply and the rules that force it.
//!
//! One request has one ruling, silent or not; a ruling without a reason cannot be made.

use alloc::vec;
use alloc::vec::Vec;

use spec::Requirement;

use crate::Reply;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What the server says, were it not for `silent`.
    pub reply: Reply,
    /// The client asked not to hear it.
    pub silent: bool,
    /// What becomes of the stream after it.
    pub recovery: Recovery,
    /// What was answered before it, but not sent yet, is taken back.
    pub retracts: bool,
    /// The rules that force all this, the most decisive first.
    pub because: Vec<&'static Requirement>,
    /// The reply as it goes over the wire, once the session has printed it.
    pub(crate) printed: Vec<u8>,
}

/// What becomes of the stream after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The next byte begins the next request.
    Next,
    /// So many bytes are read and thrown away first.
    Swallow(u64),
    /// The server closes the connection.
    Close,
}

impl Reply {
    /// Rules that this is the answer, by this rule.
    pub(crate) fn because(self, rule: &'static Requirement) -> Ruling {
        Ruling {
            reply: self,
            silent: false,
            recovery: Recovery::Next,
            retracts: false,
            because: vec![rule],
            printed: Vec::new(),
        }
    }
}

impl Ruling {
    /// What goes over the wire: nothing where the ruling is silent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        if self.silent { &[] } else { &self.printed }
    }

    /// Prints the reply, if it is to be heard.
    pub(crate) fn print(&mut self) {
        if !self.silent {
            self.reply.print(&mut self.printed);
        }
    }

    /// Whether the server closes the connection after this.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.recovery == Recovery::Close
    }

    /// Whether this rule is among the reasons.
    #[must_use]
    pub fn cites(&self, rule: &Requirement) -> bool {
        self.because.contains(&rule)
    }

    /// Adds a reason, where there is one.
    pub(crate) fn also(mut self, rule: impl Into<Option<&'static Requirement>>) -> Ruling {
        self.because.extend(rule.into());
        self
    }

    /// Silent if so asked, by this rule.
    pub(crate) fn silent_if(mut self, asked: bool, rule: &'static Requirement) -> Ruling {
        if asked {
            self.silent = true;
            self.because.push(rule);
        }
        self
    }

    /// The next so many bytes are thrown away, by this rule.
    pub(crate) fn swallowing(mut self, bytes: u64, rule: &'static Requirement) -> Ruling {
        self.recovery = Recovery::Swallow(bytes);
        self.because.push(rule);
        self
    }

    /// What was answered before and not sent yet is taken back.
    pub(crate) fn retracting(mut self) -> Ruling {
        self.retracts = true;
        self
    }

    /// The connection is closed after this.
    pub(crate) fn closing(mut self) -> Ruling {
        self.recovery = Recovery::Close;
        self
    }
}
