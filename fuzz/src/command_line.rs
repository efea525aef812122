//! What an operator may write: the daemon's command line.

use server::Settings;

/// Reads a command line, a word to a line.
///
/// # Panics
/// When bad words are refused in anything but one plain line, or the reader panics.
pub fn options(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let words = text.split('\n').map(str::to_owned);
    let said = match Settings::parse(words) {
        Ok(settings) => settings.warnings,
        Err(problem) => vec![problem.to_string()],
    };
    for line in said {
        let plain = !line.is_empty() && !line.contains(char::is_control);
        assert!(plain, "not one plain line: {line:?}");
    }
}
