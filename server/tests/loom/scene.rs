//! A store as operations find it, and what they do to it.
//!
//! It never says what should come of them: that is `plain.rs`.

use std::collections::BTreeMap;

use crate::plain::{Act, FRESH, Plain, Seen};
use crate::store::{Configuration, Draft, Entry, Expiry, Item, Marks, Place, Store};
use crate::time::Time;

/// When the scene is set.
pub(crate) const NOW: Time = Time::from_seconds(1000);
/// When a flush that is to come comes.
const DUE: u64 = 1001;
/// A moment after that.
pub(crate) const LATER: Time = Time::from_seconds(DUE);

const SEGMENT_BYTES: usize = 512;
const MEMORY_BYTES: usize = 16 * 1024;

/// As many as one bucket holds without being split.
const KEYS: u8 = FRESH;

/// What there is before the operations begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Two sealed segments, half of them dead, and an open one.
    Worn,
    /// The same, flushed: whoever writes needs a new segment.
    Flushed,
    /// The same, with a flush that has come due, and that nobody has carried out.
    Due,
    /// The same, with large values under keys 0 and 1.
    Large,
}

/// A store, the map that is like it, and what the operations go by.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) plain: Plain,
    pub(crate) cue: Cue,
}

/// What the operations go by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cue {
    pub(crate) now: Time,
    /// The unique of key 0.
    pub(crate) expected: u64,
    used_bytes: usize,
}

impl Stage {
    pub(crate) fn new(scene: Scene, acts: &[Act], shards: usize) -> Self {
        let configuration = Configuration {
            memory_bytes: MEMORY_BYTES,
            evicts: true,
            has_uniques: true,
        };
        let store = Store::shaped(configuration, shards, SEGMENT_BYTES);
        let is_due = scene == Scene::Due || acts.contains(&Act::FlushWhenDue);
        let mut stage = Self {
            store,
            plain: Plain::default(),
            cue: Cue {
                now: if is_due { LATER } else { NOW },
                expected: 0,
                used_bytes: 0,
            },
        };
        stage.wear();
        assert!(
            shards == 1 || stage.is_apart(),
            "keys 0 and 1 share a shard"
        );
        stage.dress(scene);
        stage.cue.expected = stage.plain.items.get(&0).map_or(0, |seen| seen.unique);
        stage.cue.used_bytes = usize::try_from(stage.store.tally().used_bytes).expect("small");
        stage
    }

    /// Fills three segments, and overwrites half of what the first two hold.
    fn wear(&mut self) {
        for key in (0..KEYS).chain(4..KEYS).chain(7..KEYS) {
            self.put(key, &format!("{:0>40}", u32::from(key) + 5).into_bytes());
        }
        for key in 0..4 {
            self.plain.act(Act::Get, key, 0);
            act(&self.store, Act::Get, key, self.cue);
        }
    }

    fn dress(&mut self, scene: Scene) {
        match scene {
            Scene::Worn => {}
            Scene::Flushed => {
                self.store.flush();
                self.plain.items.clear();
            }
            Scene::Due => {
                self.store.flush_at(DUE);
                self.plain.due = true;
            }
            Scene::Large => {
                self.put(0, &[b'l'; 400]);
                self.put(1, &[b'l'; 400]);
            }
        }
    }

    /// Whether keys 0 and 1 lie in different shards.
    fn is_apart(&self) -> bool {
        let mut here = 0;
        // So few are shown at once as far as they lie in one.
        self.store.visit(Place::default(), NOW, |item| {
            here += usize::from([name(0), name(1)].iter().any(|name| item.key() == name));
        });
        here == 1
    }

    fn put(&mut self, key: u8, value: &[u8]) {
        self.plain.store(key, value, None);
        let name = name(key);
        self.store
            .entry(&name, NOW, |entry| put(entry, value, None));
    }
}

/// Names of which two have one tag, and the first two lie in different shards, if there are two.
fn name(key: u8) -> [u8; 2] {
    [b'1', b'c' + key]
}

/// How many segments are kept free for copies.
fn reserve_bytes(store: &Store) -> usize {
    (store.parts().min(4) + 1) * SEGMENT_BYTES
}

fn seen(item: Item<'_>) -> Seen {
    let marks = item.marks();
    Seen {
        value: item.value().to_vec(),
        expires: item.expiry().second().map(|second| second - NOW.seconds()),
        fetched: marks.fetched,
        stale: marks.stale,
        won: marks.won,
        unique: item.unique(),
    }
}

fn put(entry: &mut Entry<'_>, value: &[u8], expires: Option<u64>) {
    let draft = Draft {
        expiry: expires.map_or(Expiry::NEVER, |left| Expiry::at(NOW.seconds() + left)),
        ..Draft::new(value)
    };
    entry.insert(draft).expect("it evicts");
}

/// Does to the store what `plain.rs` does to its map.
pub(crate) fn act(store: &Store, act: Act, key: u8, cue: Cue) -> Option<Seen> {
    let compact_bytes = cue.used_bytes + reserve_bytes(store) - 1;
    match act {
        Act::Flush => store.flush(),
        Act::FlushWhenDue => store.flush_at(DUE),
        Act::Compact => store.set_limit(compact_bytes, cue.now),
        Act::Evict => store.set_limit(compact_bytes - 3 * SEGMENT_BYTES / 2, cue.now),
        Act::Grow => {
            store.entry(&name(KEYS), cue.now, |entry| put(entry, b"0", None));
        }
        Act::Get => {
            let name = name(key);
            let trail = store.trail(&name);
            return store.serve((&name, trail), cue.now, seen).ok();
        }
        _ => return store.entry(&name(key), cue.now, |entry| act_on(entry, act, cue)),
    }
    None
}

fn act_on(entry: &mut Entry<'_>, act: Act, cue: Cue) -> Option<Seen> {
    let before = entry.item().map(seen);
    let value = before.as_ref().map_or(&[][..], |seen| &seen.value);
    let expires = before.as_ref().and_then(|seen| seen.expires);
    match (act, before.is_some()) {
        (Act::Set, _) | (Act::Add, false) => put(entry, b"set", None),
        (Act::Vivify, false) => put(entry, b"", Some(30)),
        (Act::Replace, true) => put(entry, b"replaced", None),
        (Act::Append, true) => put(entry, &[value, b"1"].concat(), expires),
        (Act::Prepend, true) => put(entry, &[b"1", value].concat(), expires),
        (Act::CompareAndSwap, true) if entry.item().map(Item::unique) == Some(cue.expected) => {
            put(entry, b"swapped", None);
        }
        (Act::Empty, true) => put(entry, b"", None),
        (Act::Delete, _) => entry.remove(),
        (Act::GetAndTouch | Act::Touch, true) => {
            assert!(entry.serve().is_some());
            entry.set_expiry(Expiry::at(NOW.seconds() + 60));
        }
        (Act::Increment, true) => increment(entry, value),
        (Act::Invalidate, true) => {
            entry.renumber(None);
            entry.mark_stale(true);
            entry.mark_won(false);
        }
        (Act::Win, true) => entry.mark_won(true),
        (Act::Bump, true) => entry.mark_bumped(),
        _ => {}
    }
    before
}

fn increment(entry: &mut Entry<'_>, value: &[u8]) {
    let number = std::str::from_utf8(value).ok();
    if let Some(number) = number.and_then(|text| text.trim_end().parse::<u64>().ok()) {
        let digits = format!("{:<width$}", number + 1, width = value.len());
        entry.overwrite(digits.as_bytes(), None);
    }
}

/// What is there now.
pub(crate) fn all(store: &Store, now: Time) -> BTreeMap<u8, Seen> {
    let mut all = BTreeMap::new();
    let mut shown = 0;
    store.visit_while(now, |_| {
        shown += 1;
        true
    });
    for key in 0..=KEYS {
        if let Some(item) = store.entry(&name(key), now, |entry| entry.item().map(seen)) {
            all.insert(key, item);
        }
    }
    assert_eq!(shown, all.len(), "what is shown can be found, once");
    all
}
