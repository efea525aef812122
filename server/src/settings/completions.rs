//! The table of options as shells read it, to complete a line that is being written.
//!
//! It never says anything of an option that the table does not. Words of `-o` are completed by
//! their names; files where an option takes a path.

use super::extended;
use super::options::{Kind, OPTIONS, Option as Choice};

/// A shell that completes options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU's.
    Bash,
    /// Z.
    Zsh,
    /// The friendly, interactive one.
    Fish,
}

impl Shell {
    /// The shell of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }
}

/// What this shell reads.
pub(super) fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// What may stand behind an option.
enum Behind {
    /// Nothing of its own.
    Nothing,
    /// A path.
    File,
    /// The words of `-o`, with commas between them.
    Words,
    /// What nobody can guess.
    Value,
}

fn behind(option: &Choice) -> Behind {
    match option.kind {
        _ if !option.takes_value() => Behind::Nothing,
        Kind::Words => Behind::Words,
        _ if option.range.starts_with("a path") => Behind::File,
        _ => Behind::Value,
    }
}

/// What an option is for, in as many words as a list has room for.
fn about(option: &Choice) -> String {
    let purpose = option.purpose();
    let first = purpose.split(';').next().unwrap_or_default();
    first.to_owned()
}

fn words() -> String {
    let words: Vec<&str> = extended::words().map(|word| word.name).collect();
    words.join(" ")
}

fn bash() -> String {
    let options: Vec<String> = OPTIONS.iter().flat_map(Choice::names).collect();
    let (options, words) = (options.join(" "), words());
    format!(
        "_touchstoned() {{\n    \
             local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}\n    \
             case $before in\n    \
             -o | --extended) COMPREPLY=($(compgen -W '{words}' -- \"$word\")) ;;\n    \
             *) COMPREPLY=($(compgen -f -W '{options}' -- \"$word\")) ;;\n    \
             esac\n\
         }}\n\
         complete -F _touchstoned touchstoned\n"
    )
}

fn zsh() -> String {
    // Between quotes, where these have a meaning of their own.
    let plain = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('\'', "'\\''");
        let text = text.replace('[', "\\[").replace(']', "\\]");
        text.replace(':', "\\:")
    };
    let mut script = "#compdef touchstoned\n_arguments -s -S".to_owned();
    for option in OPTIONS {
        let (about, range) = (plain(&about(option)), plain(option.range));
        let action = match behind(option) {
            Behind::Nothing => String::new(),
            Behind::File => format!(":{range}:_files"),
            Behind::Words => format!(":{range}:_sequence compadd - {}", words()),
            Behind::Value => format!(":{range}: "),
        };
        for name in option.names() {
            // The value may be a part of the same word.
            let joint = match (action.is_empty(), name.starts_with("--")) {
                (true, _) => "",
                (false, true) => "=",
                (false, false) => "+",
            };
            script.push_str(&format!(" \\\n    '*{name}{joint}[{about}]{action}'"));
        }
    }
    script + "\n"
}

fn fish() -> String {
    let plain = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut script = "complete -c touchstoned -f\n".to_owned();
    for option in OPTIONS {
        script.push_str("complete -c touchstoned");
        if let Some(letter) = option.short {
            script.push_str(&format!(" -s {letter}"));
        }
        if !option.long.is_empty() {
            script.push_str(&format!(" -l {}", option.long));
        }
        script.push_str(&match behind(option) {
            Behind::Nothing => String::new(),
            Behind::File => " -r -F".to_owned(),
            Behind::Words => format!(" -x -a '(__fish_append , {})'", words()),
            Behind::Value => " -x".to_owned(),
        });
        script.push_str(&format!(" -d '{}'\n", plain(&about(option))));
    }
    script
}
