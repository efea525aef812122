//! What a connection was answered, and what of that is on its way.
//!
//! By the law every reply is, at once. A memcached collects replies, and sends them when it has no
//! more to read; so it holds them back in front of a data block that has not all come. It never
//! changes a reply, nor their order. What is read, and when, is `session.rs`.

use alloc::vec::Vec;

use spec::{Dialect, Requirement, req};

use crate::binary;
use crate::reply::{Code, Reply};
use crate::ruling::{Recovery, Ruling};

/// A memcached sends what it has collected when it has read one request more than these at once,
/// and again with every so many of them.
const TURN_REQUESTS: u32 = 20;

const LATE_VALUES: &Requirement = req!("framing.pipeline.prompt.late-values");

/// The rulings that nobody has heard yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unsent {
    rulings: Vec<Ruling>,
    /// So many of them are on their way.
    sent: usize,
    /// The requests of this turn.
    read: u32,
}

impl Unsent {
    /// Whether no request was answered since the last were handed over.
    pub(crate) fn is_empty(&self) -> bool {
        self.rulings.is_empty()
    }

    /// Those that nobody has heard yet, the oldest first.
    pub(crate) fn rulings(&self) -> &[Ruling] {
        &self.rulings
    }

    /// Adds a ruling, which may take back others, or push them out.
    pub(crate) fn push(&mut self, ruling: Ruling, dialect: &Dialect) {
        if ruling.retracts {
            let unsent = self.rulings.get_mut(self.sent..).unwrap_or_default();
            unsent.iter_mut().for_each(|ruling| ruling.silent = true);
        }
        let pushes = is_sent_at_once(&ruling, dialect);
        self.rulings.push(ruling);
        self.read = self.read.saturating_add(1);
        let turn_is_over = self.read > TURN_REQUESTS;
        if turn_is_over {
            self.read = 1;
        }
        if pushes || turn_is_over {
            self.sent = self.rulings.len();
        }
    }

    /// All of them are on their way: what is read next begins a new turn.
    pub(crate) fn push_out(&mut self) {
        (self.sent, self.read) = (self.rulings.len(), 0);
    }

    /// The rulings that are heard now that all is read that came: all of them, or where a block is
    /// still to come and the server holds them back, those that are on their way.
    pub(crate) fn hand_over(&mut self, amid_a_block: bool, dialect: &Dialect) -> Vec<Ruling> {
        let late = req!("framing.pipeline.prompt.late");
        let is_late = dialect.has(late);
        let mut heard = core::mem::take(&mut self.rulings);
        if amid_a_block && is_late {
            let told = |ruling: &Ruling| !ruling.bytes().is_empty();
            let unsent = heard.get(self.sent..).unwrap_or_default();
            let silent = unsent.iter().position(told).unwrap_or(unsent.len());
            self.rulings = heard.split_off(self.sent.saturating_add(silent));
            for held in self.rulings.iter_mut().filter(|held| !held.cites(late)) {
                held.because.push(late);
                let values = matches!(held.reply, Reply::Values(_));
                held.because.extend(values.then_some(LATE_VALUES));
            }
        } else if amid_a_block {
            let prompt = req!("framing.pipeline.prompt");
            heard
                .iter_mut()
                .for_each(|ruling| ruling.because.push(prompt));
        }
        (self.sent, self.read) = (0, 0);
        heard
    }
}

/// Whether a server that collects replies sends all it has with this one.
fn is_sent_at_once(ruling: &Ruling, dialect: &Dialect) -> bool {
    let swallows = matches!(ruling.recovery, Recovery::Swallow(_));
    match &ruling.reply {
        Reply::Meta(Code::Mn, _) => true,
        Reply::Values(_) => !dialect.has(LATE_VALUES),
        Reply::Packets(packets) => !swallows && packets.iter().any(binary::is_sent_at_once),
        _ => false,
    }
}
