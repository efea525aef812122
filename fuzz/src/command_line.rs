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
    config_by(input, from_file);
}

/// What is told of a file, and what it sets, if all is well.
type Told = (Vec<String>, Option<Settings>);

/// The same of whoever reads the file.
fn config_by(input: &[u8], from_file: impl Fn(&str) -> Told) {
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

/// What the daemon makes of a file of one line; without where the line stands.
fn from_file(text: &str) -> Told {
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::seeds::seeds;

    /// Whether a seed finds who reads a file so.
    fn is_found(read: impl Fn(&str) -> Told + Copy + std::panic::RefUnwindSafe) -> bool {
        let mut seeds = seeds("config").into_iter();
        seeds.any(|seed| catch_unwind(|| config_by(&seed, read)).is_err())
    }

    #[test]
    fn whoever_reads_a_file_wrongly_is_found() {
        type Reads = fn(&str) -> Told;
        assert!(!is_found(from_file));
        let mistakes: [(&str, Reads); 8] = [
            ("an apostrophe is a letter", |text| {
                from_file(&text.replace('\'', "\\'"))
            }),
            ("a quotation mark is nothing", |text| {
                from_file(&text.replace('"', ""))
            }),
            ("a backslash is a letter", |text| {
                from_file(&text.replace('\\', "\\\\"))
            }),
            ("an apostrophe does not hold a `#`", |text| {
                from_file(text.split('#').next().unwrap_or_default())
            }),
            ("the last word is lost", |text| {
                from_file(text.rsplit_once(' ').map_or("", |(first, _)| first))
            }),
            ("nothing is told", |text| (Vec::new(), from_file(text).1)),
            ("what is told is two lines", |text| {
                let (said, settings) = from_file(text);
                (
                    said.iter().map(|line| format!("{line}\n")).collect(),
                    settings,
                )
            }),
            ("a port is another", |text| {
                let (said, mut settings) = from_file(text);
                settings.iter_mut().for_each(|settings| settings.port = 1);
                (said, settings)
            }),
        ];
        let missed: Vec<_> = mistakes
            .into_iter()
            .filter(|(_, read)| !is_found(*read))
            .collect();
        let missed: Vec<_> = missed.into_iter().map(|(name, _)| name).collect();
        assert_eq!(missed, [""; 0], "these mistakes are not found");
    }
}
