//! Servers that cannot count.
//!
//! Those that fail at an edge lie exactly where the rule of that edge decides: the ruling says so.
//! They never touch anything but numbers.

use model::Reply;
use spec::req;

use super::{Liar, Lie};

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "saturates",
        does: "Its `incr` stops at the largest number.",
        caught_by: req!("arithmetic.incr.wraps"),
        lie: Lie::Says(|_, ruling| {
            if ruling.cites(req!("arithmetic.incr.wraps")) {
                ruling.reply = Reply::Number(u64::MAX);
            }
        }),
    },
    Liar {
        name: "goes-below-zero",
        does: "Its `decr` wraps below 0.",
        caught_by: req!("arithmetic.decr.clamps"),
        lie: Lie::Says(|_, ruling| {
            if ruling.cites(req!("arithmetic.decr.clamps")) {
                ruling.reply = Reply::Number(u64::MAX);
            }
        }),
    },
    Liar {
        name: "counts-words",
        does: "It takes a value that is no number for 0.",
        caught_by: req!("arithmetic.value.text"),
        lie: Lie::Says(|_, ruling| {
            if ruling.cites(req!("arithmetic.value.text")) {
                ruling.reply = Reply::Number(0);
            }
        }),
    },
    Liar {
        name: "idle-arithmetic",
        does: "It says the new number, and keeps the old one.",
        caught_by: req!("arithmetic.incr.adds"),
        lie: Lie::Does(|done| done.line.is(&["incr", "decr", "ma"]).then(Vec::new)),
    },
];
