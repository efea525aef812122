//! A command line, word by word, into settings.
//!
//! It takes what memcached's `getopt_long` takes: letters together, values attached or behind, long
//! names shortened as long as they are one option's only. What it refuses it names. It never opens
//! a file: whoever calls says how one is read. `config.rs` cuts a file's lines into words.

use std::io;

use super::config;
use super::extended;
use super::options::{Kind, OPTIONS, Option as Choice};
use super::{Problem, Purpose, Settings};

/// How the text of a file is had.
pub type Read<'a> = &'a dyn Fn(&str) -> io::Result<String>;

/// A command line that is being taken.
pub(super) struct CommandLine<'a> {
    pub(super) settings: Settings,
    /// What each option does here, one line each.
    pub(super) effects: Vec<String>,
    /// Whether what is wrong is noted, and the rest taken all the same.
    goes_on: bool,
    pub(super) wrong: usize,
    /// The file and line that is being taken, for people; empty on the command line.
    place: String,
    read: Read<'a>,
}

impl<'a> CommandLine<'a> {
    pub(super) fn new(read: Read<'a>, goes_on: bool) -> Self {
        Self {
            settings: Settings::default(),
            effects: Vec::new(),
            goes_on,
            wrong: 0,
            place: String::new(),
            read,
        }
    }

    /// Takes all words; what asks for no server, as `-V` does, is the last to be taken.
    pub(super) fn take_all(
        &mut self,
        words: &mut dyn Iterator<Item = String>,
    ) -> Result<(), Problem> {
        let mut may_be_options = true;
        while let Some(word) = words.next() {
            if may_be_options && word == "--" {
                // To check options, they may be written behind this, as they are or would be used.
                may_be_options = self.goes_on;
                continue;
            }
            let taken = if may_be_options {
                self.take_word(&word, words)
            } else {
                Err(stray(&word))
            };
            self.endure(taken)?;
            if self.settings.purpose != Purpose::Serve {
                break;
            }
        }
        Ok(())
    }

    fn take_word(
        &mut self,
        word: &str,
        more: &mut dyn Iterator<Item = String>,
    ) -> Result<(), Problem> {
        if let Some(long) = word.strip_prefix("--") {
            self.take_long(long, more)
        } else if let Some(short) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            self.take_short(short, more)
        } else {
            Err(stray(word))
        }
    }

    /// `--name`, `--name=value` or `--name value`.
    fn take_long(
        &mut self,
        text: &str,
        more: &mut dyn Iterator<Item = String>,
    ) -> Result<(), Problem> {
        let (name, given) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let option = named(name)?;
        let shown = format!("--{}", option.long);
        match given {
            // memcached takes a value for it, and counts it once all the same.
            Some(_) if option.short == Some('v') => self.take(option, &shown, None, more),
            Some(value) if !option.takes_value() => Err(Problem::plain(format!(
                "{shown}: takes no value, but was given `{value}`"
            ))),
            given => self.take(option, &shown, given, more),
        }
    }

    /// `-x`, `-xyz`, `-xvalue` or `-x value`.
    fn take_short(
        &mut self,
        text: &str,
        more: &mut dyn Iterator<Item = String>,
    ) -> Result<(), Problem> {
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let shown = format!("-{letter}");
            let option = OPTIONS
                .iter()
                .find(|option| option.short == Some(letter))
                .ok_or_else(|| unknown(&shown))?;
            if option.takes_value() {
                let attached = letters.as_str();
                let given = (!attached.is_empty()).then(|| attached.to_owned());
                return self.take(option, &shown, given, more);
            }
            self.take(option, &shown, None, more)?;
            if self.settings.purpose != Purpose::Serve {
                break;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        option: &'static Choice,
        shown: &str,
        given: Option<String>,
        more: &mut dyn Iterator<Item = String>,
    ) -> Result<(), Problem> {
        let mut value = || {
            let value = given.clone().or_else(|| more.next());
            let value =
                value.ok_or_else(|| Problem::plain(format!("{shown}: needs {}", option.range)))?;
            Ok(value.trim_start().to_owned())
        };
        match option.kind {
            Kind::Flag(set) => self.note(shown, option.about, |settings| {
                set(settings);
                Ok(())
            }),
            Kind::Check => Ok(()),
            Kind::Refused(why) => Err(Problem::plain(format!("{shown}: refused: {why}"))),
            Kind::Words => {
                let list: String = value()?;
                for text in list.split(',').filter(|text| !text.is_empty()) {
                    let taken = self.take_extended(shown, text);
                    self.endure(taken)?;
                }
                Ok(())
            }
            Kind::Config => self.take_file(shown, &value()?),
            Kind::Value(set) => {
                let value: String = value()?;
                let problem = || format!("{shown}: `{value}` is not {}", option.range);
                let whole = format!("{shown} {value}");
                self.note(&whole, option.about, |settings| {
                    set(settings, &value).ok_or_else(|| {
                        if option.is_for_usage() {
                            Problem::usage(problem())
                        } else {
                            Problem::plain(problem())
                        }
                    })
                })
            }
        }
    }

    fn take_extended(&mut self, shown: &str, text: &str) -> Result<(), Problem> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let word = extended::named(shown, name)?;
        self.note(&format!("{shown} {text}"), word.about, |settings| {
            word.take(settings, shown, value)
        })
    }

    /// Sets something, and notes what that does here.
    fn note(
        &mut self,
        shown: &str,
        about: &str,
        set: impl FnOnce(&mut Settings) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let place = &self.place;
        let before = self.settings.warnings.len();
        let taken = set(&mut self.settings);
        let warnings = self.settings.warnings.iter_mut().skip(before);
        let told = self.effects.len();
        for warning in warnings {
            warning.insert_str(0, place);
            self.effects.push(warning.clone());
        }
        if taken.is_ok() && told == self.effects.len() {
            self.effects.push(format!("{place}{shown}: {about}"));
        }
        taken
    }

    /// Takes the lines of a file: of several with commas, the first that is there.
    fn take_file(&mut self, shown: &str, paths: &str) -> Result<(), Problem> {
        if !self.place.is_empty() {
            return Err(Problem::plain(format!("{shown}: a file names no other")));
        }
        let is_missing = |read: &io::Result<String>| {
            let kind = read.as_ref().map_err(io::Error::kind);
            kind.is_err_and(|kind| kind == io::ErrorKind::NotFound)
        };
        let (mut path, mut read) = (paths, Err(io::ErrorKind::NotFound.into()));
        for tried in paths.split(',') {
            read = (self.read)(tried);
            if !is_missing(&read) {
                path = tried;
                break;
            }
        }
        let text = read.map_err(|error| Problem::usage(format!("{shown}: {path}: {error}")))?;
        self.settings.config_path = Some(path.to_owned());
        for (number, line) in (1_usize..).zip(text.lines()) {
            self.place = format!("{path}:{number}: ");
            let taken = self.take_line(line).map_err(|problem| {
                let place = &self.place;
                Problem::usage(format!("{place}{problem}"))
            });
            self.endure(taken)?;
        }
        self.place.clear();
        Ok(())
    }

    fn take_line(&mut self, line: &str) -> Result<(), Problem> {
        let (words, is_cut) = config::words(line).map_err(Problem::plain)?;
        if is_cut {
            let warning = "a comment begins in the middle of a word; \\# is the character";
            self.warn(warning);
        }
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "logfile" {
                self.warn("logfile: has no effect: lines go to standard error");
                return Ok(());
            }
            self.take_word(&word, &mut words)?;
            if self.settings.purpose != Purpose::Serve {
                self.settings.purpose = Purpose::Serve;
                return Err(Problem::plain(format!(
                    "{word}: asks for no server; write it on the command line"
                )));
            }
        }
        Ok(())
    }

    /// Says something of the line of a file that is being taken.
    fn warn(&mut self, warning: &str) {
        let warning = format!("{}{warning}", self.place);
        self.settings.warnings.push(warning.clone());
        self.effects.push(warning);
    }

    /// Notes a problem, where the rest is to be taken all the same.
    pub(super) fn endure(&mut self, taken: Result<(), Problem>) -> Result<(), Problem> {
        match taken {
            Err(problem) if self.goes_on => {
                self.effects.push(problem.to_string());
                self.wrong = self.wrong.saturating_add(1);
                Ok(())
            }
            taken => taken,
        }
    }
}

/// The option of this long name, or the only one of memcached's that begins so.
///
/// Our own are not shortened: a name that is one option's only in memcached is here too.
fn named(name: &str) -> Result<&'static Choice, Problem> {
    let shown = format!("--{name}");
    let named = |option: &&Choice| !name.is_empty() && option.long == name;
    if let Some(option) = OPTIONS.iter().find(named) {
        return Ok(option);
    }
    let begins = |option: &&Choice| !name.is_empty() && option.long.starts_with(name);
    let likely = OPTIONS.iter().filter(begins);
    let likely: Vec<_> = likely.filter(|option| option.short.is_some()).collect();
    match likely[..] {
        [] => Err(unknown(&shown)),
        [option] => Ok(option),
        _ => {
            let names = likely.iter().map(|option| format!("--{}", option.long));
            let names: Vec<_> = names.collect();
            Err(Problem::plain(format!(
                "{shown}: may be {}",
                names.join(" or ")
            )))
        }
    }
}

fn stray(word: &str) -> Problem {
    Problem::plain(format!("`{word}` is no option; all options begin with `-`"))
}

fn unknown(shown: &str) -> Problem {
    Problem::plain(format!("{shown}: there is no such option; see -h"))
}
