//! A command line as a liar hears it.
//!
//! It never decides what a line means, only where its words are; a line that no liar changes keeps
//! its very bytes. The liars are in the files beside it.

/// A command line, with its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<u8>);

impl Line {
    /// A line of these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Line {
        Line(bytes)
    }

    /// The line as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The n-th word, the command being word 0; empty where there is none.
    #[must_use]
    pub fn word(&self, n: usize) -> &[u8] {
        self.words().nth(n).unwrap_or_default()
    }

    /// Whether its command is one of these.
    #[must_use]
    pub fn is(&self, commands: &[&str]) -> bool {
        commands
            .iter()
            .any(|command| command.as_bytes() == self.word(0))
    }

    /// Whether it is a meta command.
    #[must_use]
    pub fn is_meta(&self) -> bool {
        self.is(&["mn", "mg", "ms", "md", "ma", "me"])
    }

    /// Whether it is a storage command, and a data block follows.
    #[must_use]
    pub fn is_storage(&self) -> bool {
        self.is(&["set", "add", "replace", "append", "prepend", "cas", "ms"])
    }

    /// Whether it only asks for items.
    #[must_use]
    pub fn is_retrieval(&self) -> bool {
        self.is(&["get", "gets", "mg"])
    }

    /// Whether it is a meta command with this flag.
    #[must_use]
    pub fn has_flag(&self, letter: u8) -> bool {
        self.is_meta()
            && self
                .words()
                .skip(2)
                .any(|word| word.first() == Some(&letter))
    }

    /// Puts this in the place of the n-th word, where there is one.
    pub fn replace(&mut self, n: usize, word: &[u8]) {
        self.edit(|index, old| Some(if index == n { word } else { old }.to_vec()));
    }

    /// Takes the flags of these letters out of a meta command.
    pub fn drop_flags(&mut self, letters: &[u8]) {
        if self.is_meta() {
            self.edit(|index, word| {
                let named = word.first().is_some_and(|first| letters.contains(first));
                (index < 2 || !named).then(|| word.to_vec())
            });
        }
    }

    /// Changes every exptime that it names.
    pub fn change_exptimes(&mut self, change: impl Fn(i64) -> i64) {
        let at = match self.word(0) {
            b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => 3,
            b"touch" => 2,
            b"gat" | b"gats" => 1,
            _ => 0,
        };
        let changed = |text: &[u8]| {
            let exptime: i64 = core::str::from_utf8(text).ok()?.parse().ok()?;
            Some(change(exptime).to_string().into_bytes())
        };
        let meta = self.is_meta();
        self.edit(|index, word| {
            let new = match word {
                [letter @ (b'T' | b'N'), text @ ..] if meta && index > 1 => {
                    changed(text).map(|text| [&[*letter], text.as_slice()].concat())
                }
                _ if at > 0 && index == at => changed(word),
                _ => None,
            };
            Some(new.unwrap_or_else(|| word.to_vec()))
        });
    }

    fn words(&self) -> impl Iterator<Item = &[u8]> {
        let content = self.0.strip_suffix(b"\n").unwrap_or(&self.0);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let words = content.split(|byte| *byte == b' ');
        words.filter(|word| !word.is_empty())
    }

    /// Changes word by word; none takes the word away.
    pub fn edit(&mut self, change: impl Fn(usize, &[u8]) -> Option<Vec<u8>>) {
        let old: Vec<&[u8]> = self.words().collect();
        let new: Vec<Vec<u8>> = (0..)
            .zip(&old)
            .filter_map(|(index, word)| change(index, word))
            .collect();
        if old != new {
            self.0 = [new.join(&b' '), b"\r\n".to_vec()].concat();
        }
    }
}
