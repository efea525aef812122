//! The rules of a full server, tried on the memcached in PATH by filling it several times over.
//!
//! Which item a server drops is its own affair: these count what is left, with room for that.

mod common;

use std::collections::BTreeMap;

use common::{Client, memcached};
use spec::req;

/// A value of this many bytes that no other key and no other round has.
fn value(key: &str, round: usize) -> Vec<u8> {
    const BYTES: usize = 1000;
    let text = format!("{key} in round {round}; ");
    text.bytes().cycle().take(BYTES).collect()
}

/// How many of these keys still have an item.
fn survivors(client: &mut Client, keys: &[String]) -> usize {
    keys.iter().filter(|key| client.get(key).is_some()).count()
}

fn keys(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}{number}")).collect()
}

#[test]
fn nothing_is_lost_while_half_the_memory_is_free() {
    let Some(server) = memcached(&[req!("memory.kept")], "-m 16") else {
        return;
    };
    let mut client = Client::of(&server);
    let keys = keys("kept", 6_000);
    for key in &keys {
        client.set(key, &value(key, 0));
    }
    for key in &keys {
        let found = client.get(key).expect("half the memory is free");
        assert!(found.data == value(key, 0));
    }
}

#[test]
fn a_full_server_stores_on_and_what_it_still_has_is_what_was_stored_last() {
    let rules = [
        req!("memory.forgets"),
        req!("memory.whole"),
        req!("memory.serves"),
    ];
    let Some(server) = memcached(&rules, "-m 4") else {
        return;
    };
    let mut client = Client::of(&server);
    let keys = keys("k", 4_000);
    let mut last = BTreeMap::new();
    for round in 0..5 {
        // Every other key is stored again, so that an old value could come back.
        for (number, key) in keys.iter().enumerate() {
            if round == 0 || number % 2 == round % 2 {
                assert_eq!(
                    client.store(&format!("set {key} {round} 0"), &value(key, round)),
                    "STORED"
                );
                assert!(client.get(key).is_some(), "{key} is there at once");
                last.insert(key, round);
            }
        }
    }
    let mut missing = 0;
    for (key, round) in last {
        match client.get(key) {
            None => missing += 1,
            Some(found) => {
                assert_eq!(found.flags as usize, round);
                assert!(found.data == value(key, round), "{key} is as stored last");
            }
        }
    }
    println!("{missing} of {} items were forgotten", keys.len());
    assert!(missing < keys.len(), "a cache that keeps nothing is none");
}

#[test]
fn items_stay_within_the_memory_that_was_given() {
    const MEGABYTES: usize = 4;
    let Some(server) = memcached(&[req!("memory.bound")], &format!("-m {MEGABYTES}")) else {
        return;
    };
    let mut client = Client::of(&server);
    let before = resident_bytes(server.id());
    let keys = keys("k", 40_000);
    for key in &keys {
        client.set(key, &value(key, 0));
    }
    let stored = survivors(&mut client, &keys) * value("", 0).len();
    assert!(
        stored <= MEGABYTES << 20,
        "{stored} bytes of values are kept"
    );
    if let (Some(before), Some(after)) = (before, resident_bytes(server.id())) {
        let grown = after.saturating_sub(before);
        assert!(
            grown < (4 * MEGABYTES) << 20,
            "the process grew by {grown} bytes"
        );
    }
}

#[test]
fn an_item_that_is_made_without_a_block_is_there_if_and_only_if_the_reply_says_so() {
    let Some(server) = memcached(&[req!("memory.refuse.made")], "-M -m 2") else {
        return;
    };
    let mut client = Client::of(&server);
    // Small items until even the smallest is refused.
    let refused = (0..1_000_000).filter(|number| {
        let reply = client.store(&format!("add k{number} 0 0"), b"9");
        reply.starts_with("SERVER_ERROR out of memory")
    });
    assert_eq!(refused.take(5).count(), 5, "two megabytes are full at last");

    for (request, grown) in [("incr k7 1", "10"), ("ma k8", "HD")] {
        let key = request.split(' ').nth(1).expect("it has a key");
        let reply = client.ask(request);
        let value = client.get(key).expect("nothing is evicted").data;
        let expected: &[u8] = if reply == grown { b"10" } else { b"9" };
        assert_eq!(value, expected, "{request}: {reply}");
    }
    for (request, made) in [("mg vivified N0", "HD W"), ("ma created N0", "HD")] {
        let key = request.split(' ').nth(1).expect("it has a key");
        let reply = client.ask(request);
        assert_eq!(
            client.get(key).is_some(),
            reply == made,
            "{request}: {reply}"
        );
    }
    let reply = client.ask("md k9 x");
    let value = client.get("k9").expect("nothing is evicted").data;
    assert_eq!(value.is_empty(), reply == "HD", "md k9 x: {reply}");
}

/// What the process takes of the machine's memory, where the system says so.
fn resident_bytes(process: u32) -> Option<usize> {
    const PAGE_BYTES: usize = 4096;
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let resident: usize = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * PAGE_BYTES)
}

#[test]
fn items_that_are_fetched_outlive_items_that_are_not() {
    let Some(server) = memcached(&[req!("memory.fetched")], "-m 4") else {
        return;
    };
    let mut client = Client::of(&server);
    let (hot, cold) = (keys("hot", 50), keys("cold", 50));
    for key in hot.iter().chain(&cold) {
        client.set(key, &value(key, 0));
    }
    for round in 0..60 {
        survivors(&mut client, &hot);
        for key in keys(&format!("fill{round}_"), 250) {
            client.set(&key, &value(&key, round));
        }
    }
    let (hot, cold) = (survivors(&mut client, &hot), survivors(&mut client, &cold));
    println!("of 50 each, {hot} fetched items are left and {cold} never fetched");
    assert!(
        hot >= 45 && cold < hot,
        "{hot} fetched, {cold} never fetched"
    );
}
