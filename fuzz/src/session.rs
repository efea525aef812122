//! Several clients that send anything, while time passes.
//!
//! The input is a list of steps: one byte says who acts, one how long what follows is, and then the
//! bytes. So an example of the law can be written as an input, and the fuzzer can cut and join.

use crate::trial::Trial;

pub(crate) const CLIENTS: u8 = 2;
/// The bit that says that time passes instead.
pub(crate) const PASSES: u8 = 0x80;
/// The bit that says that the length is 256 times as much.
const LONG: u8 = 0x40;

/// Plays the steps on the model and on the server.
///
/// # Panics
/// When the two differ.
pub fn session(input: &[u8]) {
    let mut trial = Trial::new();
    let mut rest = input;
    while let [who, length, behind @ ..] = rest {
        if who & PASSES != 0 {
            trial.pass(u64::from(*length));
            rest = behind;
            continue;
        }
        let factor = if who & LONG != 0 { 256 } else { 1 };
        let length = (usize::from(*length) * factor).min(behind.len());
        let (bytes, behind) = behind.split_at(length);
        let cut = usize::from((who & !LONG) / CLIENTS);
        trial.send(1 + who % CLIENTS, bytes, cut);
        rest = behind;
    }
    trial.end();
}
