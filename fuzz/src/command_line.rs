//! What an operator may write: the daemon's command line, and who may log in.

use server::{Settings, Users};

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
    said.iter().for_each(|line| plain(line));
}

/// Reads a file of users.
///
/// # Panics
/// When a bad file is refused in anything but one plain line, or the reader panics.
pub fn users(input: &[u8]) {
    if let Err(problem) = Users::parse(input) {
        plain(&problem);
    }
}

fn plain(line: &str) {
    let plain = !line.is_empty() && !line.contains(char::is_control);
    assert!(plain, "not one plain line: {line:?}");
}
