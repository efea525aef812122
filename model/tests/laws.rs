//! Laws that hold whatever happened before: each is tried on many made-up histories.
//!
//! They speak to the model as a client does, in bytes, and look at it only through replies. The
//! exchanges of the law say what each command replies; these say how the replies hang together.
//! Those of the meta commands are in `laws/meta.rs`, those of binary in `laws/binary.rs`, those of
//! bytes in `laws/stream.rs`.

mod laws {
    mod binary;
    pub(crate) mod history;
    mod meta;
    pub(crate) mod reply;
    mod stream;
}

use std::collections::BTreeSet;

use laws::history::{Data, History, KEYS, Key, World};
use model::size_of_item;
use quickcheck::{QuickCheck, Testable};

/// Tries a law so often that it is quick and still finds what is wrong.
fn holds(law: impl Testable) {
    QuickCheck::new().tests(150).quickcheck(law);
}

#[test]
fn set_then_get_returns_the_data_and_the_flags() {
    holds(
        (|history, Key(key), data, flags| {
            let mut world = World::after(&history);
            world.set(key, &data, flags);
            let Data(data) = data;
            world.ask(&format!("get {key}")) == value(key, flags, &data)
        }) as fn(History, Key, Data, u32) -> bool,
    );
}

#[test]
fn another_key_is_another_item() {
    holds(
        (|history, Key(key), data, flags| {
            let mut world = World::after(&history);
            let before = world.view();
            world.set(key, &data, flags);
            let others = |view: Vec<Vec<u8>>| -> Vec<Vec<u8>> {
                let others = KEYS.iter().zip(view).filter(|(other, _)| **other != key);
                others.map(|(_, seen)| seen).collect()
            };
            others(before) == others(world.view())
        }) as fn(History, Key, Data, u32) -> bool,
    );
}

#[test]
fn append_is_concatenation() {
    holds(
        (|history, Key(key), Data(a), Data(b)| {
            let mut world = World::after(&history);
            world.set(key, &Data(a.clone()), 7);
            world.store("append", key, &Data(b.clone()));
            world.ask(&format!("get {key}")) == value(key, 7, &[a, b].concat())
        }) as fn(History, Key, Data, Data) -> bool,
    );
}

#[test]
fn prepend_is_concatenation_in_front() {
    holds(
        (|history, Key(key), Data(a), Data(b)| {
            let mut world = World::after(&history);
            world.set(key, &Data(a.clone()), 7);
            world.store("prepend", key, &Data(b.clone()));
            world.ask(&format!("get {key}")) == value(key, 7, &[b, a].concat())
        }) as fn(History, Key, Data, Data) -> bool,
    );
}

#[test]
fn append_to_nothing_stores_nothing() {
    holds(
        (|history, Key(key), data| {
            let mut world = World::after(&history);
            world.ask(&format!("delete {key}"));
            world.store("append", key, &data) == b"NOT_STORED\r\n"
                && world.store("prepend", key, &data) == b"NOT_STORED\r\n"
                && !world.has(key)
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn add_stores_exactly_where_get_misses_and_replace_where_it_hits() {
    holds(
        (|history, Key(key), data| {
            let world = World::after(&history);
            let hit = world.has(key);
            let added = world.clone().store("add", key, &data) == b"STORED\r\n";
            let replaced = world.clone().store("replace", key, &data) == b"STORED\r\n";
            added != hit && replaced == hit
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn a_store_that_is_refused_leaves_the_item_as_it_was() {
    holds(
        (|history, Key(key), data| {
            let mut world = World::after(&history);
            let before = world.view();
            let verb = if world.has(key) { "add" } else { "replace" };
            world.store(verb, key, &data) == b"NOT_STORED\r\n" && world.view() == before
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn cas_with_the_current_unique_equals_set() {
    holds(
        (|history, Key(key), old, new| {
            let mut world = World::after(&history);
            world.set(key, &old, 3);
            let unique = world.unique(key).expect("it was just set");
            let mut other = world.clone();
            world.store(&format!("cas~{unique}"), key, &new);
            other.store("set", key, &new);
            world.view_without_uniques() == other.view_without_uniques()
        }) as fn(History, Key, Data, Data) -> bool,
    );
}

#[test]
fn cas_with_another_unique_changes_no_item() {
    holds(
        (|history, Key(key), data, unique| {
            let mut world = World::after(&history);
            if world.unique(key) == Some(unique) {
                return true;
            }
            let before = world.view();
            world.store(&format!("cas~{unique}"), key, &data);
            world.view() == before
        }) as fn(History, Key, Data, u64) -> bool,
    );
}

#[test]
fn touch_changes_neither_data_nor_flags_nor_unique() {
    holds(
        (|history, Key(key)| {
            let mut world = World::after(&history);
            let before = world.ask_apart(&format!("mg {key} v f c s"));
            world.ask(&format!("touch {key} 1000"));
            world.ask_apart(&format!("mg {key} v f c s")) == before
        }) as fn(History, Key) -> bool,
    );
}

#[test]
fn gats_says_what_gets_says() {
    holds(
        (|history, Key(key)| {
            let world = World::after(&history);
            world.ask_apart(&format!("gats 1000 {key}")) == world.ask_apart(&format!("gets {key}"))
        }) as fn(History, Key) -> bool,
    );
}

#[test]
fn get_twice_leaves_the_item_as_get_once_does() {
    holds(
        (|history, Key(key)| {
            let mut world = World::after(&history);
            let first = world.ask(&format!("gets {key}"));
            let once = world.view();
            first == world.ask(&format!("gets {key}")) && once == world.view()
        }) as fn(History, Key) -> bool,
    );
}

#[test]
fn a_miss_changes_nothing_but_counters() {
    holds(
        (|history| {
            let mut world = World::after(&history);
            let before = world.view();
            for request in [
                "get none",
                "gat 9 none",
                "touch none 9",
                "incr none 1",
                "mg none v",
                "md none",
                "ma none",
                "delete none",
            ] {
                world.ask(request);
            }
            world.view() == before
        }) as fn(History) -> bool,
    );
}

#[test]
fn incr_adds_modulo_two_to_the_64() {
    holds(
        (|history, Key(key), number: u64, delta: u64| {
            let mut world = World::after(&history);
            world.set(key, &Data(number.to_string().into_bytes()), 0);
            let sum = number.wrapping_add(delta);
            world.ask(&format!("incr {key} {delta}")) == format!("{sum}\r\n").as_bytes()
        }) as fn(History, Key, u64, u64) -> bool,
    );
}

#[test]
fn decr_never_goes_below_zero() {
    holds(
        (|history, Key(key), number: u64, delta: u64| {
            let mut world = World::after(&history);
            world.set(key, &Data(number.to_string().into_bytes()), 0);
            let difference = number.saturating_sub(delta);
            world.ask(&format!("decr {key} {delta}")) == format!("{difference}\r\n").as_bytes()
        }) as fn(History, Key, u64, u64) -> bool,
    );
}

#[test]
fn decr_undoes_incr_that_did_not_wrap() {
    holds(
        (|history, Key(key), number: u32, delta: u32| {
            let mut world = World::after(&history);
            world.set(key, &Data(number.to_string().into_bytes()), 0);
            world.ask(&format!("incr {key} {delta}"));
            world.ask(&format!("decr {key} {delta}")) == format!("{number}\r\n").as_bytes()
        }) as fn(History, Key, u32, u32) -> bool,
    );
}

#[test]
fn an_item_that_is_deleted_is_gone() {
    holds(
        (|history, Key(key), meta: bool| {
            let mut world = World::after(&history);
            world.ask(&format!("{} {key}", if meta { "md" } else { "delete" }));
            !world.has(key) && world.ask(&format!("mg {key}")) == b"EN\r\n"
        }) as fn(History, Key, bool) -> bool,
    );
}

#[test]
fn noreply_changes_state_exactly_as_reply_does() {
    holds(
        (|history, Key(key), data| {
            let world = World::after(&history);
            let lines = [
                format!("delete {key}"),
                format!("touch {key} 50"),
                format!("incr {key} 3"),
                format!("decr {key} 3"),
                "flush_all".to_owned(),
                "verbosity 1".to_owned(),
            ];
            let lines_agree = lines.iter().all(|line| {
                let (mut loud, mut quiet) = (world.clone(), world.clone());
                loud.ask(line);
                let said = quiet.ask(&format!("{line} noreply"));
                said.is_empty()
                    && loud.view() == quiet.view()
                    && loud.counters() == quiet.counters()
            });
            let verbs = ["set", "add", "replace", "append", "prepend", "cas~1"];
            lines_agree
                && verbs.iter().all(|verb| {
                    let (mut loud, mut quiet) = (world.clone(), world.clone());
                    loud.store(verb, key, &data);
                    let said = quiet.store_silently(verb, key, &data);
                    said.is_empty()
                        && loud.view() == quiet.view()
                        && loud.counters() == quiet.counters()
                })
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn the_unique_of_a_key_grows_with_every_store() {
    holds(
        (|history, Key(key), data, many: u8| {
            let mut world = World::after(&history);
            let mut last = world.unique(key).unwrap_or_default();
            (0..many % 8).all(|_| {
                world.set(key, &data, 0);
                let unique = world.unique(key).unwrap_or_default();
                core::mem::replace(&mut last, unique) < unique
            })
        }) as fn(History, Key, Data, u8) -> bool,
    );
}

#[test]
fn no_two_items_share_a_unique() {
    holds(
        (|history| {
            let world = World::after(&history);
            let uniques: Vec<u64> = KEYS.iter().filter_map(|key| world.unique(key)).collect();
            uniques.iter().collect::<BTreeSet<_>>().len() == uniques.len() && !uniques.contains(&0)
        }) as fn(History) -> bool,
    );
}

#[test]
fn an_item_lives_until_its_deadline_and_no_longer() {
    holds(
        (|history, Key(key), data, seconds: u16| {
            let mut world = World::after(&history);
            let seconds = u64::from(seconds).max(1);
            // A flush that was put off would hide the item before its time.
            world.ask("flush_all");
            world.set(key, &data, 0);
            world.ask(&format!("touch {key} {seconds}"));
            world.pass(seconds - 1);
            let before = world.has(key);
            world.pass(1);
            before && !world.has(key)
        }) as fn(History, Key, Data, u16) -> bool,
    );
}

#[test]
fn time_takes_items_away_and_never_brings_one_back() {
    holds(
        (|history, seconds: u16| {
            let mut world = World::after(&history);
            let alive: Vec<bool> = KEYS.iter().map(|key| world.has(key)).collect();
            world.pass(u64::from(seconds));
            KEYS.iter()
                .zip(alive)
                .all(|(key, alive)| alive || !world.has(key))
        }) as fn(History, u16) -> bool,
    );
}

#[test]
fn flush_all_hides_every_item_and_none_that_follows() {
    holds(
        (|history, Key(key), data| {
            let mut world = World::after(&history);
            world.ask("flush_all");
            let hidden = KEYS.iter().all(|key| !world.has(key));
            world.set(key, &data, 0);
            hidden && world.has(key)
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn reset_zeroes_every_counter_and_changes_no_item() {
    holds(
        (|history| {
            let mut world = World::after(&history);
            let before = world.view();
            world.ask("stats reset");
            world.counters().values().all(|value| value == "0") && world.view() == before
        }) as fn(History) -> bool,
    );
}

#[test]
fn hits_and_misses_add_up() {
    holds(
        (|history| {
            let world = World::after(&history);
            let counters = world.counters();
            let of = |name: &str| counters[name].parse::<u64>().expect("a counter");
            of("cmd_get") == of("get_hits") + of("get_misses")
                && of("cmd_touch") == of("touch_hits") + of("touch_misses")
                && of("cmd_set") >= of("cas_hits") + of("cas_misses") + of("cas_badval")
        }) as fn(History) -> bool,
    );
}

#[test]
fn curr_items_and_bytes_are_the_items_that_are_there() {
    holds(
        (|history| {
            let mut world = World::after(&history);
            let sizes: Vec<u64> = KEYS
                .iter()
                .filter_map(|key| {
                    world.ask(&format!("mg {key}"));
                    let (flags, length) = world.measures(key)?;
                    Some(size_of_item(key.len() as u64, length, flags != 0, true))
                })
                .collect();
            let states = world.statistics();
            states["curr_items"] == sizes.len().to_string()
                && states["bytes"] == sizes.iter().sum::<u64>().to_string()
        }) as fn(History) -> bool,
    );
}

#[test]
fn all_clients_see_the_same_items() {
    holds(
        (|history, Key(key), data| {
            let mut world = World::after(&history);
            world.set(key, &data, 9);
            let here = world.ask(&format!("gets {key}"));
            let there = world.as_another_client().ask(&format!("gets {key}"));
            here == there
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn the_same_input_gives_the_same_rulings_and_the_same_model() {
    holds(
        (|history: History| {
            let (one, other) = (World::after(&history), World::after(&history));
            one.state() == other.state()
        }) as fn(History) -> bool,
    );
}

fn value(key: &str, flags: u32, data: &[u8]) -> Vec<u8> {
    let line = format!("VALUE {key} {flags} {}\r\n", data.len());
    [line.as_bytes(), data, b"\r\nEND\r\n"].concat()
}
