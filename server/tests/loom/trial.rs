//! Operations at once on a store, in every interleaving: whatever they were told and left behind
//! must be what one after the other would have, in one order or another.
//!
//! Which operations are tried is said where they are called: in `main.rs`, and as far as half a
//! minute goes in `conformance/tests/store_loom.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;

use loom::sync::Arc;

use crate::plain::{Act, Plain, Seen};
use crate::scene::{LATER, Scene, Stage, act, all};
use crate::store::Store;
use crate::store::fault::Fault;
use crate::sync;

/// The proofs take turns: a mistake of one is not to be another's.
static TURN: Mutex<()> = Mutex::new(());

/// Operations at once, each on a key.
#[derive(Clone, Debug)]
struct Trial {
    acts: Vec<(Act, u8)>,
    scene: Scene,
    shards: usize,
}

/// In how many executions it was explored, and in how many of them live items were copied.
#[derive(Clone, Copy, Debug, Default)]
struct Explored {
    executions: usize,
    copied: usize,
}

impl Trial {
    fn pair(first: Act, second: Act, keys: [u8; 2], shards: usize) -> Self {
        Self {
            acts: vec![(first, keys[0]), (second, keys[1])],
            scene: Scene::Worn,
            shards,
        }
    }

    const fn in_scene(mut self, scene: Scene) -> Self {
        self.scene = scene;
        self
    }

    fn names(&self) -> Vec<Act> {
        self.acts.iter().map(|&(act, _)| act).collect()
    }

    /// How often threads may be interrupted: two on one shard as often as can be. Two shards share
    /// much without a lock, and three threads have many orders: there `LOOM_MAX_PREEMPTIONS` says
    /// it, or else the seldomer the more steps they take.
    fn interruptions(&self, asked: Option<usize>) -> Option<usize> {
        if self.acts.len() == 2 && self.shards == 1 {
            return None;
        }
        let makes_room = |act: &&Act| matches!(act, Act::Evict | Act::Compact);
        let steps = 2 * self.names().iter().filter(makes_room).count() + self.acts.len();
        asked.or(Some(4_usize.saturating_sub(steps).max(1)))
    }

    fn explore(&self) -> Explored {
        let [executions, copied] = [(); 2].map(|()| std::sync::Arc::new(Count::new(0)));
        let counts = [&executions, &copied].map(std::sync::Arc::clone);
        let mut model = loom::model::Builder::new();
        model.max_branches = 1_000_000;
        model.preemption_bound = self.interruptions(model.preemption_bound);
        let trial = self.clone();
        model.check(move || {
            counts[0].fetch_add(1, SeqCst);
            counts[1].fetch_add(usize::from(trial.perform()), SeqCst);
        });
        Explored {
            executions: executions.load(SeqCst),
            copied: copied.load(SeqCst),
        }
    }

    /// Does all at once. Tells whether live items were copied.
    fn perform(&self) -> bool {
        let Stage { store, plain, cue } = Stage::new(self.scene, &self.names(), self.shards);
        let store = Arc::new(store);
        let (&(mine, my_key), rest) = self.acts.split_first().expect("there are some");
        let others: Vec<_> = rest
            .iter()
            .map(|&(theirs, key)| {
                let store = Arc::clone(&store);
                loom::thread::spawn(move || act(&store, theirs, key, cue))
            })
            .collect();
        let mut told = vec![(mine, my_key, act(&store, mine, my_key, cue))];
        for (other, &(theirs, key)) in others.into_iter().zip(rest) {
            told.push((theirs, key, other.join().expect("it does not panic")));
        }
        let tally = store.tally();
        assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
        assert!(store.is_consistent(), "{tally:?}");
        let end = all(&store, cue.now);
        let evicts = tally.evictions > 0;
        let with_uniques = self.shards == 1 && !self.names().contains(&Act::Grow);
        let explained = orders(&told).into_iter().any(|order| {
            explains(
                plain.clone(),
                cue.expected,
                order,
                end.clone(),
                evicts,
                with_uniques,
            )
        });
        assert!(explained, "{told:?} came to {end:?}");
        let uniques: BTreeSet<u64> = end.values().map(|seen| seen.unique).collect();
        assert_eq!(uniques.len(), end.len(), "two items have one unique");
        settled(&store);
        tally.copied_bytes > 0
    }
}

type Told = (Act, u8, Option<Seen>);

/// Every order in which these can come.
fn orders(told: &[Told]) -> Vec<Vec<Told>> {
    if told.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for at in 0..told.len() {
        let mut rest = told.to_vec();
        let first = rest.remove(at);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

/// Whether that order explains what was told and what is there now.
fn explains(
    mut plain: Plain,
    expected: u64,
    order: Vec<Told>,
    mut end: BTreeMap<u8, Seen>,
    evicts: bool,
    with_uniques: bool,
) -> bool {
    let blank = |mut seen: Seen| {
        if !with_uniques {
            seen.unique = 0;
        }
        seen
    };
    for (act, key, told) in order {
        let on_key = !matches!(
            act,
            Act::Evict | Act::Compact | Act::Grow | Act::Flush | Act::FlushWhenDue
        );
        if evicts && on_key && told.is_none() {
            plain.items.remove(&key);
        }
        if plain.act(act, key, expected).map(blank) != told.map(blank) {
            return false;
        }
    }
    if plain.due {
        plain.items.clear();
    }
    let mut known = plain.items;
    if evicts {
        known.retain(|key, _| end.contains_key(key));
    }
    for items in [&mut known, &mut end] {
        items
            .values_mut()
            .for_each(|seen| *seen = blank(seen.clone()));
    }
    known == end
}

/// Whether the accounts are right: without items, nothing is live.
fn settled(store: &Store) {
    let items: u64 = store.tally().items;
    let end = all(store, LATER);
    assert!(items >= end.len() as u64);
    store.flush();
    store.set_limit(0, LATER);
    let tally = store.tally();
    assert_eq!(tally.items, 0, "{tally:?}");
    assert_eq!(tally.bytes, 0, "{tally:?}");
    assert!(store.is_consistent(), "{tally:?}");
}

pub(crate) fn alone<R>(prove: impl FnOnce() -> R) -> R {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    sync::make(None);
    // How loom ends a thread looks like a panic; it says nothing.
    panic::set_hook(Box::new(|panic| {
        if let Some(what) = panic.payload_as_str().filter(|_| !sync::is_seeded()) {
            let place = panic.location().map(ToString::to_string);
            println!("{}: {what}", place.unwrap_or_default());
        }
    }));
    let proved = prove();
    let _ = panic::take_hook();
    proved
}

/// Every pair of these operations, one on each key.
pub(crate) fn every_pair(acts: &[Act], keys: [u8; 2], shards: usize) {
    let mut trials = Vec::new();
    for (at, &first) in acts.iter().enumerate() {
        for &second in acts.iter().skip(if keys[0] == keys[1] { at } else { 0 }) {
            trials.push(Trial::pair(first, second, keys, shards));
        }
    }
    all_of(&format!("pairs on keys {keys:?}, {shards} shards"), &trials);
}

fn all_of(what: &str, trials: &[Trial]) {
    alone(|| {
        let mut sum = Explored::default();
        for trial in trials {
            let explored = trial.explore();
            assert!(explored.executions > 0, "{trial:?} was not explored");
            sum.executions += explored.executions;
            sum.copied += explored.copied;
        }
        let asked = loom::model::Builder::new().preemption_bound;
        let unbounded = |trial: &&Trial| trial.interruptions(asked).is_none();
        println!(
            "loom: {} {what}, {} in every order there is: {} executions, {} copied live items",
            trials.len(),
            trials.iter().filter(unbounded).count(),
            sum.executions,
            sum.copied
        );
        assert!(sum.executions > trials.len(), "nothing was explored");
        let packs = trials
            .iter()
            .any(|trial| trial.names().contains(&Act::Compact));
        assert!(sum.copied > 0 || !packs, "nothing was compacted");
    });
}

/// Every three of these operations at once on one key.
pub(crate) fn every_triple(some: &[Act]) {
    let mut trials = Vec::new();
    for (at, &first) in some.iter().enumerate() {
        for (further, &second) in some.iter().enumerate().skip(at) {
            for &third in some.iter().skip(further) {
                let acts = [first, second, third].map(|act| (act, 0)).to_vec();
                trials.push(Trial {
                    acts,
                    scene: Scene::Worn,
                    shards: 1,
                });
            }
        }
    }
    all_of("triples on one key", &trials);
}

/// A compaction beside a get.
pub(crate) fn compaction() {
    alone(|| {
        let explored = Trial::pair(Act::Compact, Act::Get, [0, 1], 1).explore();
        println!("loom: compaction beside a get: {explored:?}");
        assert!(explored.executions > 1);
        assert_eq!(explored.copied, explored.executions, "not compacted");
    });
}

/// Which trial finds a mistake.
fn mistakes() -> [(Fault, Trial); 15] {
    use Act::{Append, Compact, Delete, Evict, Flush, Get, Grow, Set};
    let one = |first, second| Trial::pair(first, second, [0, 0], 1);
    let two = |first, second| Trial::pair(first, second, [0, 1], 1);
    let apart = |first, second| Trial::pair(first, second, [0, 1], 2);
    [
        (Fault::LooksBeforeLocking, one(Append, Append)),
        (Fault::CountsUniquesInTwoSteps, apart(Set, Set)),
        (
            Fault::TakesMemoryInTwoSteps,
            apart(Set, Set).in_scene(Scene::Flushed),
        ),
        (
            Fault::ReleasesMemoryInTwoSteps,
            apart(Delete, Delete).in_scene(Scene::Large),
        ),
        (
            Fault::SettlesWithoutRecheck,
            two(Set, Set).in_scene(Scene::Due),
        ),
        (
            Fault::SettlesWithoutLock,
            two(Set, Set).in_scene(Scene::Due),
        ),
        (Fault::ForgetsToRelocate, two(Compact, Get)),
        (Fault::LosesMarks, two(Compact, Get)),
        (Fault::KeepsBothRecords, two(Append, Get)),
        (Fault::TrustsTags, two(Grow, Get)),
        (Fault::AppendsAcrossFlushes, two(Flush, Set)),
        (Fault::EvictsWithoutRemoving, two(Evict, Get)),
        (Fault::SplitsWithoutMoving, two(Grow, Get)),
        // These two weaken an order of memory; all else that is shared lies behind a lock or is
        // only counted.
        (
            Fault::SettlesWithoutRelease,
            apart(Set, Set).in_scene(Scene::Due),
        ),
        (
            Fault::SettlesWithoutAcquire,
            apart(Set, Set).in_scene(Scene::Due),
        ),
    ]
}

/// Makes each mistake on purpose, and has its trial find it.
pub(crate) fn every_mistake() {
    alone(|| {
        let mut missed = Vec::new();
        let mistakes = mistakes();
        for (fault, trial) in &mistakes {
            sync::make(None);
            trial.explore();
            sync::make(Some(*fault));
            if panic::catch_unwind(|| trial.explore()).is_ok() {
                missed.push(fault);
            }
        }
        sync::make(None);
        let found = mistakes.len() - missed.len();
        println!("loom: {found} of {} mistakes found", mistakes.len());
        assert!(missed.is_empty(), "not found: {missed:?}");
    });
}
