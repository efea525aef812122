//! What operators turn while a server runs, and the lists of keys they ask for.

use crate::common::{Server, replies};

use std::io::Write;

#[test]
fn what_operators_turn_is_answered_honestly() {
    let server = Server::start("");
    transcript!(server.play(
        "slabs
         slabs reassign 1 2
         slabs reassign 1 1
         slabs reassign 1 64
         slabs reassign -1 2
         slabs reassign one 2
         slabs reassign 1 2 3
         slabs automove 2
         slabs automove 3
         slabs automove much
         slabs automove 1 noreply
         slabs automove ratio 0.5
         slabs automove ratio much
         slabs automove window 3
         slabs automove window 2
         slabs automove window 1800
         slabs automove window 1801
         slabs automove window wide
         lru
         lru mode flat
         lru mode round
         lru temp_ttl -1
         lru temp_ttl soon
         lru tune 40 40 1 1
         lru tune 40 41 1 1
         lru tune 10 20 0 1
         lru tune 10 20 1 much
         lru tune 10 20 1 nan
         lru mode round noreply"
    ));
}

#[test]
fn the_crawler_is_what_clears_expired_items_away() {
    let server = Server::start("");
    transcript!(server.play(
        "lru_crawler
         lru_crawler enable
         lru_crawler disable
         lru_crawler disable noreply
         lru_crawler crawl all
         lru_crawler metadump all
         lru_crawler enable
         lru_crawler sleep 1000000
         lru_crawler sleep 1000001
         lru_crawler sleep long
         lru_crawler tocrawl 5
         lru_crawler tocrawl few
         lru_crawler crawl all
         lru_crawler crawl 1,63
         lru_crawler crawl 0
         lru_crawler crawl 64
         lru_crawler crawl 1,
         lru_crawler crawl hash
         lru_crawler swim"
    ));
}

#[test]
fn a_dump_tells_of_every_live_item_and_of_no_other() {
    let server = Server::start("");
    transcript!(server.play(
        "set dead 0 -1 1 ⏎ a
         lru_crawler metadump all
         ms AAEK 3 b F7 T100 ⏎ abc
         lru_crawler metadump all
         lru_crawler metadump hash
         lru_crawler metadump 1,2
         lru_crawler metadump 2
         lru_crawler mgdump all
         mg AAEK b
         lru_crawler metadump all
         lru_crawler mgdump
         lru_crawler mgdump all hash
         lru_crawler mgdump 64"
    ));
    let server = Server::start("-X");
    transcript!(server.play("lru_crawler metadump all ⏎ lru_crawler mgdump all"));
}

#[test]
fn a_long_dump_lists_each_item_once_and_leaves_the_stream_in_step() {
    let server = Server::start("");
    let mut client = server.connect();
    let mut lines = Vec::new();
    for item in 0..20_000 {
        lines.extend_from_slice(format!("set key{item} 0 0 1 noreply\r\na\r\n").as_bytes());
    }
    client.write_all(&lines).expect("it reads");
    client
        .write_all(b"lru_crawler mgdump all\r\nget key7\r\n")
        .expect("it reads");
    let said = String::from_utf8(replies(&mut client)).expect("text");
    let said = said.strip_prefix("OK\r\n").expect("it begins");
    let end = "EN\r\nVALUE key7 0 1\r\na\r\nEND\r\n";
    let mut keys: Vec<&str> = said.strip_suffix(end).expect("it ends").lines().collect();
    assert_eq!(keys.len(), 20_000);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 20_000);
}

#[test]
fn a_shutdown_of_another_mode_ends_nothing() {
    let server = Server::start("-A");
    transcript!(server.play("shutdown now ⏎ shutdown graceful now"));
    let server = Server::start("");
    transcript!(server.play("shutdown ⏎ shutdown graceful ⏎ shutdown now"));
}
