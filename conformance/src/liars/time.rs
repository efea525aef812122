//! Servers that misread an exptime.
//!
//! All of them live in the same time as their clients; it is the deadline that is wrong.

use spec::req;

use super::{Liar, Lie};

/// The longest exptime that counts from now.
const MONTH_SECONDS: i64 = 60 * 60 * 24 * 30;

pub(super) const LIARS: &[Liar] = &[
    Liar {
        name: "never-expires",
        does: "It takes every exptime for 0.",
        caught_by: req!("expiration.relative"),
        lie: Lie::Hears(|line| line.change_exptimes(|_| 0)),
    },
    Liar {
        name: "ten-times-longer",
        does: "It lets items live ten times as long.",
        caught_by: req!("expiration.relative"),
        lie: Lie::Hears(|line| {
            line.change_exptimes(|seconds| match seconds {
                1..MONTH_SECONDS => seconds.saturating_mul(10).min(MONTH_SECONDS),
                _ => seconds,
            });
        }),
    },
    Liar {
        name: "half-as-long",
        does: "It lets items live half as long.",
        caught_by: req!("expiration.relative"),
        lie: Lie::Hears(|line| {
            line.change_exptimes(|seconds| match seconds {
                2..MONTH_SECONDS => seconds / 2,
                _ => seconds,
            });
        }),
    },
    Liar {
        name: "no-dates",
        does: "It takes a date for a time from now.",
        caught_by: req!("expiration.absolute"),
        lie: Lie::Hears(|line| {
            // What is so far away never comes.
            line.change_exptimes(|seconds| if seconds > MONTH_SECONDS { 0 } else { seconds });
        }),
    },
    Liar {
        name: "negative-forever",
        does: "It takes a negative exptime for 0.",
        caught_by: req!("expiration.negative"),
        lie: Lie::Hears(|line| line.change_exptimes(|seconds| seconds.max(0))),
    },
    Liar {
        name: "flushes-at-once",
        does: "Its `flush_all` does not wait.",
        caught_by: req!("flush.delay.waits"),
        lie: Lie::Hears(|line| {
            if line.is(&["flush_all"]) {
                line.edit(|index, word| {
                    let delay = index == 1 && word.iter().all(u8::is_ascii_digit);
                    (!delay).then(|| word.to_vec())
                });
            }
        }),
    },
];
