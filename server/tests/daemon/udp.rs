//! Datagrams: each answered for itself, none remembered.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use server::session::datagram;
use server::{Settings, Shared, Time};

use crate::common::Server;

const NOW: Time = Time::from_seconds(1_800_000_000);

fn shared(options: &str) -> Arc<Shared> {
    let settings = Settings::parse(options.split_whitespace()).expect("the options are good");
    Arc::new(Shared::new(settings, NOW))
}

fn request(id: u16, total: u16, payload: &[u8]) -> Vec<u8> {
    let numbers = [id, 7, total, 9].map(u16::to_be_bytes).concat();
    [&numbers[..], payload].concat()
}

/// One line for each datagram: its numbers and what it says.
fn readable(datagrams: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for datagram in datagrams {
        let (header, payload) = datagram.split_at(8);
        let numbers: Vec<u16> = header
            .chunks(2)
            .map(|pair| {
                pair.iter()
                    .fold(0, |number, byte| number * 256 + u16::from(*byte))
            })
            .collect();
        let payload = String::from_utf8_lossy(payload);
        text.push_str(&format!("< {numbers:?} {}\n", payload.escape_debug()));
    }
    text
}

#[test]
fn each_request_of_a_datagram_has_a_response_of_its_own() {
    let shared = shared("");
    let mut transcript = String::new();
    for payload in [
        "set k 0 0 1\r\na\r\nget k\r\nmn\r\n",
        "get k none k\r\n",
        "set k 0 0 1 noreply\r\nb\r\n",
        "get k",
        "set k 0 0 10\r\nabc",
        "version\r\nquit\r\nversion\r\n",
        "bogus\r\n",
        "lru_crawler metadump all\r\nmn\r\n",
        "",
    ] {
        transcript.push_str(&format!("> {}\n", payload.escape_debug()));
        let answers = datagram::answer(&shared, &request(300, 1, payload.as_bytes()), NOW);
        transcript.push_str(&readable(&answers));
    }
    transcript!(transcript);
    assert_eq!(shared.roster.count(), 0);
}

#[test]
fn a_request_that_is_not_whole_in_one_datagram_is_dropped() {
    let shared = shared("");
    for total in [0, 2, 256, 257] {
        let datagram = request(1, total, b"version\r\n");
        assert_eq!(datagram::answer(&shared, &datagram, NOW), [[0; 0]; 0]);
    }
    for datagram in [&b""[..], b"1234567", b"12345678"] {
        assert_eq!(datagram::answer(&shared, datagram, NOW), [[0; 0]; 0]);
    }
}

#[test]
fn a_long_response_is_cut_at_1400_bytes() {
    let shared = shared("");
    let store = |length: usize| {
        let set = format!("set k 0 0 {length}\r\n{}\r\n", "x".repeat(length));
        datagram::answer(&shared, &request(1, 1, set.as_bytes()), NOW)
    };
    // `VA 1381`, the value, and two line ends: 1392 bytes and the header.
    for (length, datagrams) in [(1380, 1), (1381, 1), (1382, 2), (2772, 2), (2774, 3)] {
        store(length);
        let answers = datagram::answer(&shared, &request(5, 1, b"mg k v\r\n"), NOW);
        assert_eq!(answers.len(), datagrams, "{length}");
        assert!(answers.iter().all(|answer| answer.len() <= 1400));
        let said: Vec<u8> = answers
            .iter()
            .flat_map(|answer| answer.iter().skip(8))
            .copied()
            .collect();
        let expected = format!("VA {length}\r\n{}\r\n", "x".repeat(length));
        assert_eq!(said, expected.as_bytes());
    }
}

#[test]
fn a_response_of_more_than_1024_datagrams_is_not_sent() {
    let shared = shared("");
    let value = "x".repeat(1_000_000);
    let set = format!("set k 0 0 1000000\r\n{value}\r\n");
    assert_eq!(
        datagram::answer(&shared, &request(1, 1, set.as_bytes()), NOW).len(),
        1
    );
    let get = |keys: &str| {
        let payload = format!("get {keys}\r\n");
        datagram::answer(&shared, &request(1, 1, payload.as_bytes()), NOW).len()
    };
    assert_eq!(get("k"), 719);
    assert_eq!(get("k k"), 0);
}

#[test]
fn a_server_answers_datagrams_at_its_port() {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let address = free.local_addr().expect("bound");
    drop(free);
    let options = format!("-p -1 -U {}", address.port());
    let _server = Server::start(&options);
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let timeout = Some(Duration::from_secs(10));
    client.set_read_timeout(timeout).expect("a timeout is set");
    for id in [1, 2] {
        let version = request(id, 1, b"version\r\n");
        client.send_to(&version, address).expect("it is sent");
        let mut answer = [0; 2000];
        let (length, _) = client.recv_from(&mut answer).expect("it is answered");
        let answer = answer.get(..length).expect("read").to_vec();
        let said = readable(&[answer]);
        assert_eq!(said, format!("< [{id}, 0, 1, 0] VERSION 1.6.45\\r\\n\n"));
    }
}
