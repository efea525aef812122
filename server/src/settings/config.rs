//! The lines of a file of options, as `/etc/memcached.conf` is one.
//!
//! An option and its value on a line, `#` before what is no more than a comment. Words may be in
//! quotes, and a backslash takes the next character as it is. Nothing else has a meaning: what a
//! shell would do with `$`, `;` or `*` is not done.
//!
//! Debian's wrapper of memcached begins a comment with `#` in the middle of a word, too, unless a
//! backslash stands before it. So it is here, that the file means the same; but it is told.

use std::mem;

/// The words of a line, and whether a comment cuts off the last of them.
///
/// # Errors
///
/// When a quote is not closed.
pub(super) fn words(line: &str) -> Result<(Vec<String>, bool), String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_word = false;
    let mut quote = None;
    let mut is_cut = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('"') | None, '\\') => {
                let Some(next) = characters.next() else {
                    return Err("a backslash takes the character behind it".to_owned());
                };
                word.push(next);
                is_word = true;
            }
            (Some(open), close) if open == close => quote = None,
            (Some(_), other) => word.push(other),
            (None, '"' | '\'') => {
                quote = Some(character);
                is_word = true;
            }
            (None, '#') => {
                is_cut = is_word;
                break;
            }
            (None, space) if space.is_whitespace() => {
                if mem::take(&mut is_word) {
                    words.push(mem::take(&mut word));
                }
            }
            (None, other) => {
                word.push(other);
                is_word = true;
            }
        }
    }
    if let Some(quote) = quote {
        return Err(format!("there is no second {quote}"));
    }
    if is_word {
        words.push(word);
    }
    Ok((words, is_cut))
}
