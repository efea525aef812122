//! What reads the law and its cases: the notation of exchanges.

use spec::exchange::cases;

/// How many long texts are written out at once: each may be 4 MiB.
const REPEATED_MAX: usize = 32;

/// Reads a file of cases; where that succeeds, every step must show what it is.
///
/// # Panics
/// When a bad file is refused without a line to look at, or the reader panics.
pub fn notation(input: &[u8]) {
    if input.iter().filter(|byte| **byte == b'*').count() > REPEATED_MAX {
        return;
    }
    let text = String::from_utf8_lossy(input);
    match cases("fuzz.exchange", &text) {
        Ok(exchanges) => {
            for exchange in exchanges {
                assert!(!exchange.steps.is_empty(), "an exchange without a step");
                for step in &exchange.steps {
                    assert!(step.line > 0 && !step.text.is_empty(), "a step of no line");
                }
            }
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains("fuzz.exchange"), "no file is named: {said}");
        }
    }
}
