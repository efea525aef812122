//! Limits, one below, at, and one above.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{Server, replies};
use bytes::BufMut;
use server::{Connection, Settings, Shared, Time};

/// What one write is answered with.
fn ask(client: &mut TcpStream, bytes: &[u8]) -> String {
    client.write_all(bytes).expect("it reads");
    String::from_utf8(replies(client)).expect("text")
}

fn set(key: &str, length: usize) -> Vec<u8> {
    let mut bytes = format!("set {key} 0 0 {length}\r\n").into_bytes();
    bytes.extend_from_slice(&vec![b'x'; length]);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

#[test]
fn a_key_has_250_bytes_at_most() {
    let server = Server::start("");
    let mut client = server.connect();
    for (length, reply) in [
        (249, "STORED\r\n"),
        (250, "STORED\r\n"),
        (251, "CLIENT_ERROR bad command line format\r\n"),
    ] {
        assert_eq!(ask(&mut client, &set(&"k".repeat(length), 1)), reply);
    }
}

#[test]
fn an_item_takes_what_the_option_says_at_most() {
    let server = Server::start("-I 1m");
    let mut client = server.connect();
    // 48 bytes of header, the key and one byte, two behind the value, and the unique.
    let longest = 1024 * 1024 - 48 - 2 - 2 - 8;
    for (length, reply) in [
        (longest - 1, "STORED\r\n"),
        (longest, "STORED\r\n"),
        (longest + 1, "SERVER_ERROR object too large for cache\r\n"),
    ] {
        assert_eq!(ask(&mut client, &set("k", length)), reply);
    }
}

#[test]
fn a_line_without_keys_has_2048_bytes_at_most() {
    let server = Server::start("");
    for (length, reply) in [
        (2047, "ERROR\r\n"),
        (2048, "ERROR\r\n"),
        (2049, "(closed)\r\n"),
    ] {
        let line = format!("{}\r\n", "x".repeat(length - 1));
        assert_eq!(ask(&mut server.connect(), line.as_bytes()), reply);
    }
}

#[test]
fn a_line_of_keys_has_a_mebibyte_at_most() {
    let server = Server::start("");
    let keys = |length: usize| format!("get {}\r\n", "k ".repeat((length - 5) / 2));
    let longest = 1024 * 1024 - 1;
    assert_eq!(
        ask(&mut server.connect(), keys(longest).as_bytes()),
        "END\r\n"
    );
    let mut client = server.connect();
    // The server may close while the line is still being written.
    let _ = client.write_all(keys(longest + 4).as_bytes());
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert_eq!(rest, b"");
}

#[test]
fn one_client_too_many_is_told_so() {
    let server = Server::start("-c 2");
    let mut clients = [server.connect(), server.connect()];
    for client in &mut clients {
        assert_eq!(ask(client, b"version\r\n"), "VERSION 1.6.45\r\n");
    }
    let mut refused = Vec::new();
    let mut surplus = server.connect();
    let _ = surplus.read_to_end(&mut refused);
    assert_eq!(refused, b"ERROR Too many open connections\r\n");
    let [first, second] = clients;
    drop(second);
    let mut first = first;
    while server.shared.roster.count() > 1 {
        ask(&mut first, b"version\r\n");
    }
    assert_eq!(
        ask(&mut server.connect(), b"version\r\n"),
        "VERSION 1.6.45\r\n"
    );
}

#[test]
fn memory_stays_bounded_and_new_items_are_stored() {
    let server = Server::start("-m 8");
    let mut client = server.connect();
    for item in 0..200 {
        assert_eq!(
            ask(&mut client, &set(&format!("k{item}"), 100_000)),
            "STORED\r\n"
        );
    }
    let tally = server.shared.store.tally();
    assert!(tally.bytes <= tally.limit_bytes, "{tally:?}");
    assert!(tally.evictions > 0);
    assert!(ask(&mut client, b"get k199\r\n").starts_with("VALUE k199 0 100000\r\n"));
}

#[test]
fn an_idle_connection_is_closed_in_whatever_state_it_is() {
    let now = Time::from_seconds(1_800_000_000);
    for begun in [
        &b"get k\r\n"[..],
        b"get",
        b"set k 0 0 5\r\nab",
        b"set k 0 0 2000000\r\nab",
    ] {
        let settings = Settings::parse(["-o", "idle_timeout=10"]).expect("good options");
        let shared = Arc::new(Shared::new(settings, now));
        let mut connection = Connection::new(shared);
        connection.receive(begun, now);
        let deadline = connection.next_deadline().expect("there is a timeout");
        assert_eq!(deadline, now.after(Duration::from_secs(10)));
        connection.tick(now.after(Duration::from_millis(9_999)));
        assert!(!connection.is_closed());
        connection.tick(deadline);
        assert!(connection.is_closed());
    }
}

#[test]
fn a_server_that_ends_sends_what_it_owes() {
    let server = Server::start("");
    let mut client = server.connect();
    let mut bytes = set("k", 1_000_000);
    bytes.extend_from_slice(b"get k k k k k k k k\r\n");
    client.write_all(&bytes).expect("it reads");
    let mut first = [0; 8];
    client
        .read_exact(&mut first)
        .expect("it has begun to answer");
    assert_eq!(&first, b"STORED\r\n");
    server.shared.stop();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    let (len, end) = (rest.len(), rest.ends_with(b"\r\nEND\r\n"));
    assert!(end, "{len} bytes");
}

#[test]
fn unfinished_blocks_share_an_eighth_of_the_memory() {
    let now = Time::from_seconds(1_800_000_000);
    let settings = Settings::parse(["-m", "16"]).expect("good options");
    let shared = Arc::new(Shared::new(settings, now));
    let connect = || Connection::new(Arc::clone(&shared));
    let begin = |connection: &mut Connection| {
        let whole = set("k", 900_000);
        connection.receive(&whole[..800_000], now);
        connection.transmit()
    };
    let (mut first, mut second, mut third) = (connect(), connect(), connect());
    assert_eq!(begin(&mut first), "");
    assert_eq!(begin(&mut second), "");
    assert_eq!(
        begin(&mut third),
        "SERVER_ERROR out of memory storing object\r\n"
    );
    third.receive(&set("k", 900_000)[800_000..], now);
    third.receive(&set("small", 1), now);
    assert_eq!(third.transmit(), "STORED\r\n");
    drop(first);
    assert_eq!(begin(&mut third), "");
    third.receive(&set("k", 900_000)[800_000..], now);
    assert_eq!(third.transmit(), "STORED\r\n");
}

#[test]
fn a_block_that_is_read_where_it_is_to_lie_shares_that_memory_too() {
    let now = Time::from_seconds(1_800_000_000);
    let settings = Settings::parse(["-m", "16"]).expect("good options");
    let shared = Arc::new(Shared::new(settings, now));
    let connect = || Connection::new(Arc::clone(&shared));
    // Tells how many bytes were refused a place: the connection is to swallow them.
    let send = |connection: &mut Connection, mut bytes: &[u8]| {
        while let Some(mut room) = connection.room() {
            let (piece, rest) = bytes.split_at(bytes.len().min(room.remaining_mut()));
            room.put_slice(piece);
            connection.arrived(piece.len(), now);
            bytes = rest;
            if bytes.is_empty() {
                break;
            }
        }
        connection.receive(bytes, now);
        bytes.len()
    };
    let whole = set("k", 900_000);
    let begin = |connection: &mut Connection| {
        connection.receive(&whole[..20_000], now);
        send(connection, &whole[20_000..800_000])
    };
    let (mut first, mut second, mut third) = (connect(), connect(), connect());
    assert_eq!((begin(&mut first), begin(&mut second)), (0, 0));
    assert!(begin(&mut third) > 0);
    let refusal = "SERVER_ERROR out of memory storing object\r\n";
    assert_eq!(third.transmit(), refusal);
    assert_eq!(send(&mut third, &whole[800_000..]), whole.len() - 800_000);
    third.receive(&set("small", 1), now);
    assert_eq!(third.transmit(), "STORED\r\n");
    assert_eq!(send(&mut first, &whole[800_000..]), 0);
    assert_eq!(first.transmit(), "STORED\r\n");
    assert_eq!(begin(&mut third), 0);
    assert_eq!(send(&mut third, &whole[800_000..]), 0);
    assert_eq!(third.transmit(), "STORED\r\n");
}

/// A connection that was sent this, without an idle timeout.
fn begun(bytes: &[u8], now: Time) -> Connection {
    let settings = Settings::parse(["-I", "1m"]).expect("good options");
    let mut connection = Connection::new(Arc::new(Shared::new(settings, now)));
    connection.receive(bytes, now);
    connection
}

#[test]
fn a_line_or_a_block_that_is_not_whole_has_a_deadline() {
    let now = Time::from_seconds(1_800_000_000);
    for (bytes, seconds) in [
        (&b""[..], None),
        (b"get k\r\n", None),
        (b"set k 0 0 1\r\na\r\n", None),
        (b"get", Some(30)),
        (b"get k\r\nget", Some(30)),
        (b"set k 0 0 1\r\na\r\nget", Some(30)),
        (b"set k 0 0 5\r\nab", Some(10)),
        (b"set k 0 0 2000000\r\nab", Some(10)),
    ] {
        let connection = begun(bytes, now);
        let deadline = seconds.map(|seconds| now.after(Duration::from_secs(seconds)));
        assert_eq!(connection.next_deadline(), deadline, "{bytes:?}");
    }
}

#[test]
fn a_block_that_goes_on_coming_is_waited_for_and_one_that_crawls_is_not() {
    let now = Time::from_seconds(1_800_000_000);
    let mut connection = begun(b"set k 0 0 5000\r\n", now);
    for seconds in [9, 10, 11] {
        connection.receive(&[b'x'; 1024], now.after(Duration::from_secs(seconds)));
    }
    connection.tick(now.after(Duration::from_millis(12_999)));
    assert!(!connection.is_closed());
    connection.tick(now.after(Duration::from_secs(13)));
    assert!(connection.is_closed());
}

#[test]
fn a_request_that_ends_in_time_gives_the_next_one_its_own() {
    let now = Time::from_seconds(1_800_000_000);
    let later = now.after(Duration::from_secs(29));
    let in_thirty = Some(later.after(Duration::from_secs(30)));
    for (first, second) in [
        (&b"ge"[..], &b"t k\r\nge"[..]),
        (b"set k 0 0 2\r\na", b"b\r\nge"),
        (
            b"set k 0 0 2000000\r\na",
            &[&[b'x'; 1_999_999][..], b"\r\nge"].concat(),
        ),
    ] {
        let mut connection = begun(first, now);
        connection.receive(second, later);
        assert_eq!(connection.next_deadline(), in_thirty);
    }
}

#[test]
fn a_client_that_reads_nothing_is_closed_by_the_idle_timeout() {
    let server = Server::start("-o idle_timeout=1");
    let mut client = server.connect();
    assert_eq!(ask(&mut client, &set("k", 500_000)), "STORED\r\n");
    client
        .write_all(&b"get k\r\n".repeat(100))
        .expect("it reads");
    while server.shared.roster.count() > 0 {
        std::thread::yield_now();
    }
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.len() < 50_000_000, "{} bytes", rest.len());
}

#[test]
fn a_panic_ends_one_connection_and_is_counted() {
    let server = Server::start("-t 1");
    server
        .shared
        .refresh_certificates_by(|| panic!("on purpose"));
    let (mut other, mut client) = (server.connect(), server.connect());
    assert_eq!(replies(&mut other), b"");
    client.write_all(b"refresh_certs\r\n").expect("it reads");
    assert_eq!(replies(&mut client), b"(closed)\r\n");
    other.write_all(b"stats\r\n").expect("it reads");
    let stats = replies(&mut other);
    let stats = String::from_utf8_lossy(&stats);
    assert!(stats.contains("STAT panics 1\r\n"), "{stats}");
    assert!(stats.contains("STAT curr_connections 1\r\n"), "{stats}");
}
