//! What the meta commands have to do with the classic ones.
//!
//! They share one cache: whatever one kind does, the other sees.

use model::Reply;

use super::history::{Data, History, Key, World, base64};
use crate::holds;

#[test]
fn ma_equals_incr_and_decr() {
    holds(
        (|history, Key(key), delta: u64, up: bool| {
            let mut classic = World::after(&history);
            let mut meta = classic.clone();
            let (verb, mode) = if up { ("incr", "I") } else { ("decr", "D") };
            classic.ask(&format!("{verb} {key} {delta}"));
            meta.ask(&format!("ma {key} D{delta} M{mode}"));
            classic.view() == meta.view() && classic.counters() == meta.counters()
        }) as fn(History, Key, u64, bool) -> bool,
    );
}

#[test]
fn ms_equals_set() {
    holds(
        (|history, Key(key), data| {
            let mut classic = World::after(&history);
            let mut meta = classic.clone();
            classic.set(key, &data, 5);
            meta.meta_set(key, &data, "F5");
            classic.view() == meta.view() && classic.counters() == meta.counters()
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn ms_in_each_mode_equals_its_classic_command() {
    holds(
        (|history, Key(key), data| {
            let world = World::after(&history);
            let modes = [
                ("add", "ME"),
                ("replace", "MR"),
                ("append", "MA"),
                ("prepend", "MP"),
            ];
            modes.iter().all(|(verb, mode)| {
                let (mut classic, mut meta) = (world.clone(), world.clone());
                classic.store(verb, key, &data);
                meta.meta_set(key, &data, mode);
                classic.view() == meta.view() && classic.counters() == meta.counters()
            })
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn mg_v_equals_get() {
    holds(
        (|history, Key(key)| {
            let (mut classic, mut meta) = (World::after(&history), World::after(&history));
            let got = match Reply::read(&classic.ask(&format!("get {key}"))) {
                Some((Reply::Values(values), _)) => values.into_iter().next().map(|hit| hit.data),
                _ => return false,
            };
            let met = match Reply::read(&meta.ask(&format!("mg {key} v"))) {
                Some((Reply::MetaValue(data, _), _)) => Some(data),
                Some(_) => None,
                None => return false,
            };
            got == met && classic.counters() == meta.counters()
        }) as fn(History, Key) -> bool,
    );
}

#[test]
fn mg_q_hides_a_miss_and_nothing_else() {
    holds(
        (|history, Key(key)| {
            let world = World::after(&history);
            let loud = world.ask_apart(&format!("mg {key} s v"));
            let quiet = world.ask_apart(&format!("mg {key} s v q"));
            quiet == if loud == b"EN\r\n" { Vec::new() } else { loud }
        }) as fn(History, Key) -> bool,
    );
}

#[test]
fn one_client_wins_a_stale_item_and_a_store_clears_its_marks() {
    holds(
        (|history, Key(key), data| {
            let mut world = World::after(&history);
            world.set(key, &data, 0);
            world.ask(&format!("md {key} I"));
            let won = world.ask(&format!("mg {key}"));
            let lost = world.ask(&format!("mg {key}"));
            world.set(key, &data, 0);
            won == b"HD X W\r\n"
                && lost == b"HD Z X\r\n"
                && world.ask(&format!("mg {key}")) == b"HD\r\n"
        }) as fn(History, Key, Data) -> bool,
    );
}

#[test]
fn a_key_in_base64_is_the_key_it_encodes() {
    holds(
        (|history, Key(key), data| {
            let mut plain = World::after(&history);
            let mut encoded = plain.clone();
            plain.meta_set(key, &data, "");
            encoded.meta_set(&base64(key), &data, "b");
            let asked = encoded.ask_apart(&format!("mg {} b v s f", base64(key)));
            plain.view() == encoded.view() && asked == plain.ask_apart(&format!("mg {key} v s f"))
        }) as fn(History, Key, Data) -> bool,
    );
}
