//! Servers that lose step: lines, data blocks and the order of replies.
//!
//! They never touch an item. What a wrong reply says is in `replies.rs`.

use model::{Recovery, Reply};
use spec::req;

use super::{Liar, Lie};

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "bare-lf",
        does: "It ends its lines with LF.",
        caught_by: req!("storage.set.stored"),
        lie: Lie::Sends(|replies| {
            for reply in replies {
                if reply.ends_with(b"\r\n") {
                    reply.truncate(reply.len().saturating_sub(2));
                    reply.push(b'\n');
                }
            }
        }),
    },
    Liar {
        name: "drops-second-reply",
        does: "It drops the second of the replies to one write.",
        caught_by: req!("framing.pipeline"),
        lie: Lie::Sends(|replies| {
            if replies.len() > 1 {
                replies.remove(1);
            }
        }),
    },
    Liar {
        name: "doubles-replies",
        does: "It sends every reply twice.",
        caught_by: req!("storage.set.stored"),
        lie: Lie::Sends(|replies| {
            for reply in replies {
                reply.extend_from_within(..);
            }
        }),
    },
    Liar {
        name: "jumps-the-queue",
        does: "It answers `mn` before what came before it.",
        caught_by: req!("meta.noop.order"),
        lie: Lie::Sends(|replies| replies.sort_by_key(|reply| reply != b"MN\r\n")),
    },
    Liar {
        name: "swallows-too-much",
        does: "It throws away one byte too many after an error.",
        caught_by: req!("framing.swallow"),
        lie: Lie::Swallows(|bytes| bytes.saturating_add(1)),
    },
    Liar {
        name: "swallows-nothing",
        does: "It takes the data block of a refused command for commands.",
        caught_by: req!("framing.swallow"),
        lie: Lie::Swallows(|_| 0),
    },
    Liar {
        name: "closes-on-error",
        does: "It closes the connection after every error.",
        caught_by: req!("storage.line.swallow"),
        lie: Lie::Says(|_, ruling| {
            if matches!(ruling.reply, Reply::Error | Reply::ClientError(_)) {
                ruling.recovery = Recovery::Close;
            }
        }),
    },
    Liar {
        name: "forgets-the-rest",
        does: "It forgets a request that did not come in one write.",
        caught_by: req!("framing.split"),
        lie: Lie::Forgets,
    },
    Liar {
        name: "waits-for-the-block",
        does: "It answers nothing while a data block is not whole.",
        caught_by: req!("framing.pipeline.prompt"),
        lie: Lie::HoldsBack,
    },
    Liar {
        name: "any-case",
        does: "It takes commands in capitals.",
        caught_by: req!("framing.case"),
        lie: Lie::Hears(|line| {
            let command = line.word(0).to_ascii_lowercase();
            line.replace(0, &command);
        }),
    },
];
