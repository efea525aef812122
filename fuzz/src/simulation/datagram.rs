//! Datagrams: a request each, answered at once and by whole datagrams that say which they are.
//!
//! What the answer says is judged as any other is.

use conformance::explore::history::Request as Ask;
use conformance::record::requests::Request;
use server::Time;
use server::session::datagram;

use super::client::learn_uniques;
use super::judge::Verdict;
use super::tally::Event;
use super::world::{FENCE, Outcome, World};

/// Who sends them: none of the clients.
const SENDER: u8 = 0;
/// What the frame header of a request says: its number, and that it is the first of one.
const ID: [u8; 2] = [0x12, 0x34];
const HEADER_LEN: usize = 8;
const DATAGRAM_LEN_MAX: usize = 1400;

impl World {
    /// Somebody sends a request in a datagram.
    pub(super) fn datagram(&mut self, ask: &Ask) -> Outcome {
        let bytes = self.bytes_of(ask);
        let sent = [&ID[..], &[0, 0, 0, 1, 0, 0], &bytes].concat();
        let now = self.now();
        let answers = datagram::answer(&self.shared, &sent, Time::from_seconds(now.0));
        self.heed_refusals();
        self.tally.add(Event::Datagram, 1);
        let request = Request::new(bytes);
        let mut said = unframed(&answers)?;
        learn_uniques(&mut self.uniques, &request, Some(&said));
        said.extend_from_slice(FENCE);
        loop {
            match self.judge.judge(SENDER, &request, &said, now) {
                Verdict::Said(length) => drop(said.drain(..length)),
                Verdict::Waits => return Err(format!("a datagram gets `{}`", said.escape_ascii())),
                Verdict::Differs(owed) => {
                    let asked = request.bytes.escape_ascii();
                    let said = said.escape_ascii();
                    return Err(format!(
                        "datagram `{asked}` gets `{said}`, the law says {owed}"
                    ));
                }
            }
            if !self.judge.lists(SENDER) {
                break;
            }
        }
        self.tally.commands += 1;
        match said == FENCE {
            true => Ok(()),
            false => Err(format!("a datagram gets `{}` as well", said.escape_ascii())),
        }
    }
}

/// What the datagrams of one answer say together.
fn unframed(answers: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let count = u16::try_from(answers.len()).map_err(|error| error.to_string())?;
    let mut said = Vec::new();
    for (number, answer) in (0_u16..).zip(answers) {
        let head = [ID, number.to_be_bytes(), count.to_be_bytes(), [0, 0]].concat();
        if !answer.starts_with(&head) || answer.len() > DATAGRAM_LEN_MAX {
            let seen = answer.get(..HEADER_LEN).unwrap_or(answer);
            return Err(format!("datagram {number} of {count} begins {seen:?}"));
        }
        said.extend_from_slice(answer.get(HEADER_LEN..).unwrap_or_default());
    }
    Ok(said)
}
