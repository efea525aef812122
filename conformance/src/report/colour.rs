//! Colours for a terminal: a verdict in its own, the name of a rule bold.
//!
//! The text is the same without them, and nothing is said by a colour alone.

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const OFF: &str = "\x1b[0m";

/// The text of a report, coloured. It must be one of ours, in which no byte of a server's stands.
#[must_use]
pub fn coloured(text: &str) -> String {
    text.lines().map(|line| painted(line) + "\n").collect()
}

fn painted(line: &str) -> String {
    let colours = [
        ("crashed  ", RED),
        ("fail  ", RED),
        ("non-strict  ", YELLOW),
        ("unknown  ", YELLOW),
        ("info  ", BOLD),
    ];
    for (word, colour) in colours {
        if let Some(rest) = line.strip_prefix(word) {
            return format!(
                "{colour}{}{OFF}  {BOLD}{}{OFF}",
                word.trim(),
                rest.trim_start()
            );
        }
    }
    if line.ends_with(": conforms") {
        return format!("{GREEN}{line}{OFF}");
    }
    if line.contains(" examples: ") || line.contains(" example: ") {
        return format!("{RED}{line}{OFF}");
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::coloured;

    #[test]
    fn only_what_begins_with_a_verdict_is_coloured() {
        let red = coloured("fail  a.rule  (MUST)\n    fail  \n");
        assert_eq!(
            red,
            "\x1b[31mfail\x1b[0m  \x1b[1ma.rule  (MUST)\x1b[0m\n    fail  \n"
        );
        assert!(coloured("3 examples: 3 pass: conforms\n").starts_with("\x1b[32m"));
        assert!(coloured("3 examples: 1 fail: violates the law").starts_with("\x1b[31m"));
    }
}
