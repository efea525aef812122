//! How servers are known to deviate from the law where many clients are at once.
//!
//! A round is held to the law first; only one that this refutes is held to the deviations of the
//! dialect, and then it is counted. It never excuses what the dialect does not name. The deviations
//! stand in `spec/concurrency.md`; what each lets a server do is in `linear/step.rs`.

use std::collections::BTreeMap;
use std::mem;

use spec::{Dialect, Requirement, req};

use crate::linear::history::History;
use crate::linear::step::Freedom;
use crate::linear::{self, Verdict};

/// So many steps are tried to find the rule that is broken.
const STEPS_MAX: u64 = 200_000;

/// A deviation, and what it lets a server do.
struct Deviation {
    name: &'static Requirement,
    rule: &'static Requirement,
    freedom: Freedom,
}

const NONE: Freedom = Freedom {
    forgets: false,
    walks: false,
    shuffles: false,
    blurs: false,
    moves: false,
};

const DEVIATIONS: [Deviation; 4] = [
    Deviation {
        name: req!("concurrency.unique.early"),
        rule: req!("concurrency.unique"),
        freedom: Freedom {
            shuffles: true,
            ..NONE
        },
    },
    Deviation {
        name: req!("concurrency.unique.own.counted"),
        rule: req!("concurrency.unique.own"),
        freedom: Freedom {
            blurs: true,
            ..NONE
        },
    },
    Deviation {
        name: req!("concurrency.unique.kept.moved"),
        rule: req!("concurrency.unique.kept"),
        freedom: Freedom {
            moves: true,
            ..NONE
        },
    },
    Deviation {
        name: req!("concurrency.flush.key.walk"),
        rule: req!("concurrency.flush.key"),
        freedom: Freedom {
            walks: true,
            ..NONE
        },
    },
];

/// Judges a round by the law, and where that fails by the law with this dialect's deviations.
pub(super) fn judge(
    dialect: &Dialect,
    history: &mut History,
    excused: &mut BTreeMap<&'static str, u64>,
) -> Verdict {
    let verdict = linear::judge(history);
    let known = || {
        DEVIATIONS
            .iter()
            .filter(|deviation| dialect.has(deviation.name))
    };
    if verdict == Verdict::Linearizable || known().next().is_none() {
        return verdict;
    }
    if let Some(alone) = known().find(|deviation| is_explained(history, deviation.freedom, None)) {
        *excused.entry(alone.name.name).or_default() += 1;
        return Verdict::Linearizable;
    }
    let law = history.free;
    history.free = known().fold(law, |free, deviation| free.or(deviation.freedom));
    let verdict = linear::judge(history);
    if verdict == Verdict::Linearizable {
        for deviation in known() {
            *excused.entry(deviation.name.name).or_default() += 1;
        }
    }
    verdict
}

/// The rule that is broken: that of the deviation which alone explains it, or the most general one.
pub(super) fn rule_broken(history: &mut History, key: u32) -> &'static Requirement {
    let whole = mem::take(&mut history.ops);
    history.ops = whole.iter().filter(|op| op.key == key).copied().collect();
    let mut deviations = DEVIATIONS.iter();
    let alone = deviations.find(|other| is_explained(history, other.freedom, Some(STEPS_MAX)));
    history.ops = whole;
    alone.map_or(req!("concurrency.key"), |deviation| deviation.rule)
}

fn is_explained(history: &mut History, freedom: Freedom, steps_max: Option<u64>) -> bool {
    let law = history.free;
    history.free = law.or(freedom);
    let verdict = linear::judge_within(history, steps_max);
    history.free = law;
    verdict == Verdict::Linearizable
}
