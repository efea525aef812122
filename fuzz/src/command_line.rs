//! What an operator may write: the daemon's command line, a file of options, and who may log in.

use server::settings::Purpose;
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

/// Reads a file of options; and a command line, a word to a line, as a file would have it.
///
/// # Panics
/// When bad lines are refused in anything but one plain line, the reader panics, or a file of
/// quoted words means anything else than the words themselves.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (said, _) = from_file(&text);
    said.iter().for_each(|line| plain(line));
    let words: Vec<&str> = text.split('\n').collect();
    // A file names no other, is of no service to who only asks, and knows a word more.
    let is_apart = |word: &&str| {
        let ours = ["--config", "--check-config"];
        ours.iter().any(|name| word.starts_with(name)) || ["logfile", "--"].contains(word)
    };
    let direct = Settings::parse(words.iter().map(|&word| word.to_owned()));
    let asks = matches!(&direct, Ok(settings) if settings.purpose != Purpose::Serve);
    if words.iter().any(is_apart) || asks {
        return;
    }
    let line: Vec<String> = words.iter().enumerate().map(quoted).collect();
    let (said, settings) = from_file(&line.join(" "));
    match direct {
        Ok(mut direct) => {
            assert_eq!(said, direct.warnings, "what is told");
            direct.warnings.clear();
            assert_eq!(settings, Some(direct), "what is set");
        }
        Err(problem) => assert_eq!((said, settings), (vec![problem.to_string()], None)),
    }
}

/// What is told of a file of one line, without where it stands; and what it sets, if all is well.
fn from_file(text: &str) -> (Vec<String>, Option<Settings>) {
    let read = |_: &str| Ok(text.to_owned());
    match Settings::parse_with(["--config", "/f"], &read) {
        Ok(mut settings) => {
            let said = std::mem::take(&mut settings.warnings);
            let said = said.iter().map(|line| line.replacen("/f:1: ", "", 1));
            settings.config_path = None;
            (said.collect(), Some(settings))
        }
        Err(problem) => (vec![problem.to_string().replacen("/f:1: ", "", 1)], None),
    }
}

/// A word as a file has it, by one of the three ways to write one.
fn quoted((place, word): (usize, &&str)) -> String {
    match place % 3 {
        0 if !word.contains('\'') => format!("'{word}'"),
        1 => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
        _ if word.is_empty() => "''".to_owned(),
        _ => word.chars().flat_map(|letter| ['\\', letter]).collect(),
    }
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
