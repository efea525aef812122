//! Words and bytes as they may be shown: nothing that a server sent reaches a terminal, a shell or
//! a page as it came.
//!
//! It never decides what is shown. The bytes of a failure are shown by `failure.rs`.

/// The text without anything that a terminal obeys: controls, and marks that turn the direction of
/// writing, become escapes. Ends of lines stay.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let turns = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}');
        match letter {
            '\n' => shown.push('\n'),
            _ if turns || letter.is_control() => shown.extend(letter.escape_default()),
            _ => shown.push(letter),
        }
    }
    shown
}

/// The same in one line.
#[must_use]
pub(super) fn one_line(text: &str) -> String {
    plain(text).replace('\n', "\\n")
}

/// The line in at most so many columns.
#[must_use]
pub(super) fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let kept: String = line.chars().take(columns.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The words in lines of at most so many columns.
#[must_use]
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The word as a shell reads it back.
#[must_use]
pub fn shell(word: &str) -> String {
    let tame = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=@+".contains(letter);
    if !word.is_empty() && word.chars().all(tame) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The bytes as the first argument of `printf`, in single quotes.
#[must_use]
pub(super) fn printf(bytes: &[u8]) -> String {
    let mut text = String::from("'");
    for byte in bytes {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'%' => text.push_str("%%"),
            b'\\' => text.push_str("\\\\"),
            b'\'' => text.push_str("\\047"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_given_nothing_to_obey() {
        assert_eq!(
            plain("a\x1b[2J\0\r\u{9b}é ⏎\n\u{202e}"),
            "a\\u{1b}[2J\\u{0}\\r\\u{9b}é ⏎\n\\u{202e}"
        );
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(shell("127.0.0.1:11211"), "127.0.0.1:11211");
        assert_eq!(shell("memcached -p {port}"), "'memcached -p {port}'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn a_line_is_cut_and_a_text_wrapped_at_its_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
