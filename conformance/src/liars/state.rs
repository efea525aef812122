//! Servers that say the right thing and do another.
//!
//! One reply of theirs is never enough to catch them: it takes a second look at the item.

use model::Reply;
use spec::req;

use super::{Done, Liar, Lie};

/// How many items the smallest of caches holds.
const ITEMS_MAX: usize = 2;

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "always-miss",
        does: "It forgets every item as soon as it is stored.",
        caught_by: req!("storage.set.stored"),
        lie: Lie::Does(|done| {
            let own = done.line.is_storage().then(|| done.line.word(1))?;
            Some([done.request, b"delete ", own, b"\r\n"].concat())
        }),
    },
    Liar {
        name: "stale-reads",
        does: "It reads what was there before the latest change.",
        caught_by: req!("storage.set.stored"),
        lie: Lie::Lags(|line| line.is_retrieval()),
    },
    Liar {
        name: "keeps-deleted",
        does: "It says `DELETED`, and keeps the item.",
        caught_by: req!("deletion.deleted"),
        lie: Lie::Does(|done| idle(done, &["delete", "md"])),
    },
    Liar {
        name: "keeps-flushed",
        does: "It says `OK` to `flush_all`, and keeps the items.",
        caught_by: req!("flush.now"),
        lie: Lie::Does(|done| idle(done, &["flush_all"])),
    },
    Liar {
        name: "spares-one",
        does: "Its `flush_all` spares the oldest item.",
        caught_by: req!("flush.now"),
        lie: Lie::Does(|done| {
            let others = done.keys.get(1..)?.iter();
            let delete = |key: &Vec<u8>| [b"delete ", key.as_slice(), b"\r\n"].concat();
            done.line
                .is(&["flush_all"])
                .then(|| others.flat_map(delete).collect())
        }),
    },
    Liar {
        name: "idle-touch",
        does: "It says `TOUCHED`, and leaves the exptime alone.",
        caught_by: req!("touch.hit"),
        lie: Lie::Does(|done| idle(done, &["touch"])),
    },
    Liar {
        name: "touch-renews",
        does: "Its `touch` gives the item another unique.",
        caught_by: req!("touch.unchanged"),
        lie: Lie::Does(|done| {
            let key = done.line.is(&["touch"]).then(|| done.line.word(1))?;
            Some([done.request, b"append ", key, b" 0 0 0\r\n\r\n"].concat())
        }),
    },
    Liar {
        name: "evicts-the-newest",
        does: "It holds two items, and makes room for a third by evicting the second.",
        caught_by: req!("retrieval.get.order"),
        lie: Lie::Does(|done| {
            let newest = done.keys.last().filter(|key| *key != done.line.word(1))?;
            let full = done.keys.len() >= ITEMS_MAX && done.line.is_storage();
            full.then(|| [done.request, b"delete ", newest, b"\r\n"].concat())
        }),
    },
    Liar {
        name: "keeps-the-smaller",
        does: "It keeps the old item when the new one is too large.",
        caught_by: req!("storage.too-large.removes"),
        lie: Lie::Does(|done| matches!(done.ruling.reply, Reply::ServerError(_)).then(Vec::new)),
    },
    Liar {
        name: "resets-nothing",
        does: "It says `RESET`, and keeps its counters.",
        caught_by: req!("statistics.reset.counters"),
        lie: Lie::Does(|done| (done.ruling.reply == Reply::Reset).then(Vec::new)),
    },
    Liar {
        name: "isolates",
        does: "It keeps the items of each client apart.",
        caught_by: req!("concurrency.visible"),
        lie: Lie::Isolates,
    },
];

/// Does nothing where the command is one of these.
fn idle(done: &Done, commands: &[&str]) -> Option<Vec<u8>> {
    done.line.is(commands).then(Vec::new)
}
