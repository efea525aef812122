//! Servers that do the right thing and say another.
//!
//! Their items are as they should be; what a client reads of them is not. Numbers of `incr` and
//! `decr` are in `arithmetic.rs`.

use model::{Reply, Ruling};
use spec::req;

use super::{Liar, Lie};

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "forgets-noreply",
        does: "It answers although the line says `noreply`.",
        caught_by: req!("framing.noreply"),
        lie: Lie::Says(|line, ruling| ruling.silent &= line.is_meta()),
    },
    Liar {
        name: "ignores-quiet",
        does: "It answers although the line has `q`.",
        caught_by: req!("meta.get.quiet.miss"),
        lie: Lie::Says(|line, ruling| ruling.silent &= !line.is_meta()),
    },
    Liar {
        name: "all-quiet",
        does: "It answers nothing where the line has `q`.",
        caught_by: req!("meta.get.quiet.hit"),
        lie: Lie::Says(|line, ruling| ruling.silent |= line.has_flag(b'q')),
    },
    Liar {
        name: "loses-flags",
        does: "It gives every item the client flags 0.",
        caught_by: req!("storage.set.anew"),
        lie: Lie::Says(|_, ruling| {
            each_value(ruling, |value| value.flags = 0);
            each_field(ruling, b'f', |number| *number = b"0".to_vec());
        }),
    },
    Liar {
        name: "unique-off-by-one",
        does: "It shows the unique that comes after the item's.",
        caught_by: req!("storage.cas.stored"),
        lie: Lie::Says(|_, ruling| {
            each_value(ruling, |value| {
                value.unique = value.unique.map(|unique| unique.wrapping_add(1));
            });
            each_number(ruling, b'c', |unique| unique.wrapping_add(1));
        }),
    },
    Liar {
        name: "another-keys-value",
        does: "It gives all keys of a `get` the value of the first.",
        caught_by: req!("retrieval.get.order"),
        lie: Lie::Says(|_, ruling| {
            let mut first = None;
            each_value(ruling, |value| {
                value.data = first.get_or_insert_with(|| value.data.clone()).clone();
            });
        }),
    },
    Liar {
        name: "cuts-at-nul",
        does: "It ends a value at its first NUL.",
        caught_by: req!("storage.block.bytes"),
        lie: Lie::Says(|_, ruling| {
            let cut = |data: &mut Vec<u8>| {
                let end = data.iter().position(|byte| *byte == 0);
                data.truncate(end.unwrap_or(data.len()));
            };
            each_value(ruling, |value| cut(&mut value.data));
            if let Reply::MetaValue(data, _) = &mut ruling.reply {
                cut(data);
            }
        }),
    },
    Liar {
        name: "reverses",
        does: "It answers the keys of a `get` from the last to the first.",
        caught_by: req!("retrieval.get.order"),
        lie: Lie::Says(|_, ruling| {
            if let Reply::Values(values) = &mut ruling.reply {
                values.reverse();
            }
        }),
    },
    Liar {
        name: "two-winners",
        does: "It tells everybody that he won.",
        caught_by: req!("meta.get.marks.won"),
        lie: Lie::Says(|_, ruling| {
            if let Some(fields) = fields(ruling) {
                for field in fields.iter_mut().filter(|field| *field == b"Z") {
                    *field = b"W".to_vec();
                }
            }
        }),
    },
    Liar {
        name: "never-stale",
        does: "It does not say that an item is stale.",
        caught_by: req!("meta.get.stale.shown"),
        lie: Lie::Says(|_, ruling| drop_field(ruling, b'X')),
    },
    Liar {
        name: "never-fetched",
        does: "It says of every item that nobody fetched it.",
        caught_by: req!("meta.get.fetched.before"),
        lie: Lie::Says(|_, ruling| each_field(ruling, b'h', |number| *number = b"0".to_vec())),
    },
    Liar {
        name: "size-with-line-end",
        does: "It counts the line end into the size of a value.",
        caught_by: req!("meta.get.show.size"),
        lie: Lie::Says(|_, ruling| each_number(ruling, b's', |size| size.saturating_add(2))),
    },
    Liar {
        name: "hides-the-deadline",
        does: "It says of every item that it never expires.",
        caught_by: req!("meta.get.show.ttl"),
        lie: Lie::Says(|_, ruling| each_field(ruling, b't', |seconds| *seconds = b"-1".to_vec())),
    },
    Liar {
        name: "loses-empty-values",
        does: "It takes an empty value for no item.",
        caught_by: req!("storage.block.empty"),
        lie: Lie::Says(|_, ruling| {
            if let Reply::Values(values) = &mut ruling.reply {
                values.retain(|value| !value.data.is_empty());
            }
        }),
    },
    Liar {
        name: "mumbles",
        does: "It says `ERROR` and nothing else to every fault of the client.",
        caught_by: req!("keys.length.over"),
        lie: Lie::Says(|_, ruling| {
            if let Reply::ClientError(_) = ruling.reply {
                ruling.reply = Reply::Error;
            }
        }),
    },
    Liar {
        name: "drops-opaque",
        does: "It does not send the opaque back.",
        caught_by: req!("meta.flags.opaque.echo"),
        lie: Lie::Says(|_, ruling| drop_field(ruling, b'O')),
    },
    Liar {
        name: "drops-key",
        does: "It does not send the key back.",
        caught_by: req!("meta.flags.key.echo"),
        lie: Lie::Says(|_, ruling| drop_field(ruling, b'k')),
    },
    Liar {
        name: "counts-nothing",
        does: "Its counters stand at 0.",
        caught_by: req!("statistics.get.hits"),
        lie: Lie::Says(|_, ruling| {
            if let Reply::Stats(stats) = &mut ruling.reply {
                for (name, value) in stats {
                    if name.starts_with("cmd_") || name.contains("_hits") || name.contains("_miss")
                    {
                        *value = "0".to_owned();
                    }
                }
            }
        }),
    },
];

fn each_value(ruling: &mut Ruling, change: impl FnMut(&mut model::Value)) {
    if let Reply::Values(values) = &mut ruling.reply {
        values.iter_mut().for_each(change);
    }
}

fn fields(ruling: &mut Ruling) -> Option<&mut Vec<Vec<u8>>> {
    match &mut ruling.reply {
        Reply::Meta(_, fields) | Reply::MetaValue(_, fields) => Some(fields),
        _ => None,
    }
}

/// Changes what stands behind this letter.
fn each_field(ruling: &mut Ruling, letter: u8, change: impl Fn(&mut Vec<u8>)) {
    for field in fields(ruling).into_iter().flatten() {
        if field.first() == Some(&letter) {
            let mut text = field.split_off(1);
            change(&mut text);
            field.append(&mut text);
        }
    }
}

/// Changes the number behind this letter.
fn each_number(ruling: &mut Ruling, letter: u8, change: impl Fn(u64) -> u64) {
    each_field(ruling, letter, |text| {
        if let Ok(number) = String::from_utf8_lossy(text).parse() {
            *text = change(number).to_string().into_bytes();
        }
    });
}

fn drop_field(ruling: &mut Ruling, letter: u8) {
    if let Some(fields) = fields(ruling) {
        fields.retain(|field| field.first() != Some(&letter));
    }
}
