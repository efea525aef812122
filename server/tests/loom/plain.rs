//! What two operations may come to, said by a map that does one after the other.
//!
//! It never knows segments or memory: where room was made, an item may be missing.

use std::collections::BTreeMap;

/// What can be done to a store. A key is named by a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Get,
    GetAndTouch,
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    CompareAndSwap,
    Increment,
    Delete,
    Touch,
    Invalidate,
    Empty,
    Win,
    Vivify,
    Bump,
    Flush,
    FlushWhenDue,
    Evict,
    Compact,
    Grow,
}

pub(crate) const ACTS: [Act; 21] = [
    Act::Get,
    Act::GetAndTouch,
    Act::Set,
    Act::Add,
    Act::Replace,
    Act::Append,
    Act::Prepend,
    Act::CompareAndSwap,
    Act::Increment,
    Act::Delete,
    Act::Touch,
    Act::Invalidate,
    Act::Empty,
    Act::Win,
    Act::Vivify,
    Act::Bump,
    Act::Flush,
    Act::FlushWhenDue,
    Act::Evict,
    Act::Compact,
    Act::Grow,
];

/// The key of which there is nothing before; all lower ones are there.
pub(crate) const FRESH: u8 = 11;

/// What a client can see of an item, but for its unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) value: Vec<u8>,
    pub(crate) expires: Option<u64>,
    pub(crate) fetched: bool,
    pub(crate) stale: bool,
    pub(crate) won: bool,
    pub(crate) unique: u64,
}

/// A map, and the unique it gave last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    pub(crate) items: BTreeMap<u8, Seen>,
    pub(crate) last: u64,
    pub(crate) due: bool,
}

impl Plain {
    pub(crate) fn store(&mut self, key: u8, value: &[u8], expires: Option<u64>) {
        self.last += 1;
        let seen = Seen {
            value: value.to_vec(),
            expires,
            unique: self.last,
            ..Seen::default()
        };
        self.items.insert(key, seen);
    }

    /// Does it, and tells what was there before.
    pub(crate) fn act(&mut self, act: Act, key: u8, expected: u64) -> Option<Seen> {
        if std::mem::take(&mut self.due) && !matches!(act, Act::Flush | Act::FlushWhenDue) {
            self.items.clear();
        }
        let before = self.items.get(&key).cloned();
        match (act, before.clone()) {
            (Act::Flush, _) => {
                self.items.clear();
                return None;
            }
            (Act::FlushWhenDue, _) => {
                self.due = true;
                return None;
            }
            (Act::Evict | Act::Compact, _) => return None,
            (Act::Grow, _) => {
                self.store(FRESH, b"0", None);
                return None;
            }
            (Act::Set, _) | (Act::Add, None) => self.store(key, b"set", None),
            (Act::Vivify, None) => self.store(key, b"", Some(30)),
            (Act::Replace, Some(_)) => self.store(key, b"replaced", None),
            (Act::Append, Some(item)) => {
                self.store(key, &[&item.value, &b"1"[..]].concat(), item.expires);
            }
            (Act::Prepend, Some(item)) => {
                self.store(key, &[b"1", &item.value[..]].concat(), item.expires);
            }
            (Act::CompareAndSwap, Some(item)) if item.unique == expected => {
                self.store(key, b"swapped", None);
            }
            (Act::Empty, Some(_)) => self.store(key, b"", None),
            (Act::Delete, _) => {
                self.items.remove(&key);
            }
            (_, None) => {}
            (_, Some(_)) => self.change(act, key),
        }
        if act == Act::Get {
            // It shows the item as it is behind it.
            return self.items.get(&key).cloned();
        }
        before
    }

    fn change(&mut self, act: Act, key: u8) {
        let Some(item) = self.items.get_mut(&key) else {
            return;
        };
        match act {
            Act::Get => item.fetched = true,
            Act::GetAndTouch | Act::Touch => {
                item.fetched = true;
                item.expires = Some(60);
            }
            Act::Increment => {
                let number = std::str::from_utf8(&item.value).ok();
                if let Some(number) = number.and_then(|text| text.trim_end().parse::<u64>().ok()) {
                    item.value = format!("{:<width$}", number + 1, width = item.value.len()).into();
                    self.last += 1;
                    item.unique = self.last;
                }
            }
            Act::Invalidate => {
                self.last += 1;
                item.unique = self.last;
                item.stale = true;
                item.won = false;
            }
            Act::Win => item.won = true,
            _ => {}
        }
    }
}
