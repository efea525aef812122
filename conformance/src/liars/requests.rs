//! Servers that mishear: they obey another line than the one they were sent.
//!
//! Each changes one thing about the line and is honest about the rest. Exptimes are in `time.rs`.

use spec::req;

use super::{Liar, Lie, Line};

/// The longest key there may be.
const KEY_MAX_BYTES: usize = 250;

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "append-as-set",
        does: "It stores what it should append.",
        caught_by: req!("storage.append.stored"),
        lie: Lie::Hears(|line| replace_command(line, "append", "replace")),
    },
    Liar {
        name: "prepend-as-append",
        does: "It appends what it should prepend.",
        caught_by: req!("storage.prepend.stored"),
        lie: Lie::Hears(|line| replace_command(line, "prepend", "append")),
    },
    Liar {
        name: "add-as-set",
        does: "Its `add` stores in every case.",
        caught_by: req!("storage.add.exists"),
        lie: Lie::Hears(|line| replace_command(line, "add", "set")),
    },
    Liar {
        name: "replace-as-set",
        does: "Its `replace` stores in every case.",
        caught_by: req!("storage.replace.missing"),
        lie: Lie::Hears(|line| replace_command(line, "replace", "set")),
    },
    Liar {
        name: "cas-as-replace",
        does: "Its `cas` does not compare the unique.",
        caught_by: req!("storage.cas.exists"),
        lie: Lie::Hears(|line| {
            if line.is(&["cas"]) {
                line.edit(|index, word| match index {
                    0 => Some(b"replace".to_vec()),
                    5 => None,
                    _ => Some(word.to_vec()),
                });
            }
        }),
    },
    Liar {
        name: "gat-as-get",
        does: "Its `gat` leaves the exptime alone.",
        caught_by: req!("touch.gat.hit"),
        lie: Lie::Hears(|line| {
            if line.is(&["gat"]) {
                line.edit(|index, word| match index {
                    0 => Some(b"get".to_vec()),
                    1 => None,
                    _ => Some(word.to_vec()),
                });
            }
        }),
    },
    Liar {
        name: "first-key-only",
        does: "It answers only the first key of a `get`.",
        caught_by: req!("retrieval.get.many"),
        lie: Lie::Hears(|line| {
            if line.is(&["get", "gets"]) {
                line.edit(|index, word| (index < 2).then(|| word.to_vec()));
            }
        }),
    },
    Liar {
        name: "long-keys",
        does: "It takes keys of any length.",
        caught_by: req!("keys.length.over"),
        lie: Lie::Hears(|line| cut_keys(line, KEY_MAX_BYTES)),
    },
    Liar {
        name: "short-keys",
        does: "It cuts keys after 249 bytes.",
        caught_by: req!("keys.length.over"),
        lie: Lie::Hears(|line| cut_keys(line, KEY_MAX_BYTES - 1)),
    },
    Liar {
        name: "ignores-mode",
        does: "It takes every `ms` and `ma` for the plain one.",
        caught_by: req!("meta.set.mode.add.exists"),
        lie: Lie::Hears(|line| line.drop_flags(b"M")),
    },
    Liar {
        name: "ignores-invalidate",
        does: "Its `md` and `ms` know nothing of `I`.",
        caught_by: req!("meta.delete.stale"),
        lie: Lie::Hears(|line| line.drop_flags(b"I")),
    },
    Liar {
        name: "ignores-compare",
        does: "Its meta commands know nothing of `C`.",
        caught_by: req!("meta.get.unless.match"),
        lie: Lie::Hears(|line| line.drop_flags(b"C")),
    },
    Liar {
        name: "ignores-base64",
        does: "It takes keys in base64 for what they look like.",
        caught_by: req!("meta.flags.base64.key"),
        lie: Lie::Hears(|line| line.drop_flags(b"b")),
    },
    Liar {
        name: "never-vivifies",
        does: "Its meta commands never make the item that is missing.",
        caught_by: req!("meta.get.vivify.win"),
        lie: Lie::Hears(|line| line.drop_flags(b"NJ")),
    },
];

fn replace_command(line: &mut Line, old: &str, new: &str) {
    if line.is(&[old]) {
        line.replace(0, new.as_bytes());
    }
}

fn cut_keys(line: &mut Line, length: usize) {
    let key = line.word(1);
    if let Some((key, _)) = key.split_at_checked(length) {
        let key = key.to_vec();
        line.replace(1, &key);
    }
}
