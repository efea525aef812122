//! The figures: what is served, to whom, and what is refused.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use server::Settings;
use server::limits::{METRICS_CLIENTS_MAX, METRICS_HEAD_LEN_MAX};
use server::net::Clock;
use server::observed::SAMPLE;

use crate::common;

pub(crate) struct Server {
    pub(crate) server: common::Server,
}

impl Server {
    fn start(options: &str) -> Self {
        let options = format!("-p -1 --metrics 0 {options}");
        let server = common::Server::start_by(Clock::start(), &options);
        Self { server }
    }

    fn metrics(&self) -> SocketAddr {
        self.server.metrics.expect("it is asked for")
    }

    /// What is said to a client of memcached's until it is told goodbye.
    pub(crate) fn ask(&self, request: &str) -> String {
        said(self.server.address, format!("{request}quit\r\n").as_bytes())
    }

    pub(crate) fn fetch(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        said(self.metrics(), request.as_bytes())
    }

    /// A figure.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        let said = self.fetch("/metrics");
        let mut lines = said.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok())
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    let timeout = Some(Duration::from_secs(20));
    stream.set_read_timeout(timeout).expect("a timeout is set");
    stream
}

fn said(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = connect(address);
    stream.write_all(request).expect("it reads");
    rest(stream)
}

fn rest(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    // A connection that is cut off has said what it had to say.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8(said).expect("text")
}

/// Asks until it is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    assert!((0..3000).any(|_| is_so()), "never so: {what}");
}

#[test]
fn figures_are_those_of_the_statistics_under_the_names_of_the_exporter() {
    let server = Server::start("");
    server.ask("set k 0 0 1\r\na\r\nget k k none\r\ncas k 0 0 1 1\r\nb\r\nincr none 1\r\n");
    for (name, value) in [
        ("memcached_up", 1.0),
        ("memcached_version{version=\"1.6.45\"}", 1.0),
        (
            "memcached_commands_total{command=\"get\",status=\"hit\"}",
            2.0,
        ),
        (
            "memcached_commands_total{command=\"get\",status=\"miss\"}",
            1.0,
        ),
        (
            "memcached_commands_total{command=\"incr\",status=\"miss\"}",
            1.0,
        ),
        (
            "memcached_commands_total{command=\"set\",status=\"hit\"}",
            1.0,
        ),
        ("memcached_current_items", 1.0),
        ("memcached_limit_bytes", 67_108_864.0),
        ("memcached_connections_total", 1.0),
        ("memcached_max_connections", 1024.0),
        ("memcached_accepting_connections", 1.0),
        ("touchstone_panics_total", 0.0),
    ] {
        assert_eq!(server.figure(name), Some(value), "{name}");
    }
    let ratio = server.figure("touchstone_hit_ratio{window=\"5m\"}");
    assert_eq!(ratio, Some(2.0 / 3.0));
    let resident = server.figure("touchstone_memory_bytes{purpose=\"resident\"}");
    assert!(cfg!(not(target_os = "linux")) || resident > Some(1e6));
}

#[test]
fn every_figure_is_named_once_and_has_a_kind() {
    let server = Server::start("");
    let said = server.fetch("/metrics");
    let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("Content-Type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(
        head.contains(&format!("Content-Length: {}\r\n", body.len())),
        "{head}"
    );
    let mut kinds = Vec::new();
    for line in body.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            kinds.push(kind.split(' ').next().expect("a name"));
        } else if !line.starts_with('#') {
            let last = kinds.last().expect("a kind comes first");
            assert!(line.starts_with(last), "{line} stands behind {last}");
        }
    }
    let mut names = kinds.clone();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), kinds.len());
}

#[test]
fn the_time_of_a_command_is_measured_and_its_key_is_seen() {
    let server = Server::start("-t 1");
    server.ask("get hot\r\n");
    let name = "touchstone_command_duration_seconds_count{command=\"get\"}";
    while server.figure(name).is_none() {}
    assert_eq!(server.figure(name), Some(1.0));
    assert_eq!(server.ask("stats hotkeys\r\n"), "STAT hot 1\r\nEND\r\n");
    server.ask("stats reset\r\n");
    assert_eq!(server.ask("stats hotkeys\r\n"), "END\r\n");
}

/// Three of ten requests are for one key, one of ten for another, the rest for ever new ones.
#[test]
fn the_hot_keys_of_a_load_are_found_and_its_prefixes_are_counted_to_the_last() {
    const REQUESTS: u64 = 25_600;
    let server = Server::start("-t 1");
    server.ask("stats detail on\r\nset a:hot 0 0 1\r\nx\r\n");
    let mut client = connect(server.server.address);
    client.set_nodelay(true).expect("it is open");
    let (mut hot, mut warm, mut dice) = (0, 0, 1_u64);
    for number in 0..REQUESTS {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let key = match (dice >> 33) % 10 {
            0..3 => "a:hot".to_owned(),
            3 => "b:warm".to_owned(),
            _ => format!("c:cold{number}"),
        };
        hot += u64::from(key == "a:hot");
        warm += u64::from(key == "b:warm");
        let request = format!("get {key}\r\n");
        client.write_all(request.as_bytes()).expect("it reads");
        let mut reply = [0; 100];
        let mut length = 0;
        while !reply[..length].ends_with(b"END\r\n") {
            length += client.read(&mut reply[length..]).expect("it answers");
        }
    }
    let prefix = |name: &str, gets, hits, sets| {
        format!("PREFIX {name} get {gets} hit {hits} set {sets} del 0\r\n")
    };
    let cold = REQUESTS - hot - warm;
    let counted = [
        prefix("a", hot, hot, 1),
        prefix("b", warm, 0, 0),
        prefix("c", cold, 0, 0),
    ];
    let told = server.ask("stats detail dump\r\n");
    assert_eq!(told, counted.concat() + "END\r\n");
    let told = server.ask("stats hotkeys\r\n");
    let keys: Vec<(&str, u64)> = told
        .lines()
        .filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '))
        .filter_map(|(key, count)| Some((key, count.parse().ok()?)))
        .collect();
    assert_eq!(keys.len(), 128, "{told}");
    // A count is of what was looked at, and too high by no more than a key's share of it all.
    let looked = REQUESTS / u64::from(SAMPLE);
    for ((key, count), (name, times)) in
        keys.into_iter().zip([("a%3Ahot", hot), ("b%3Awarm", warm)])
    {
        let share = times / u64::from(SAMPLE);
        assert_eq!(key, name, "{told}");
        assert!(
            (share / 2..=share * 2).contains(&count),
            "{key}: {count} of {looked}, not {share}"
        );
    }
}

#[test]
fn the_keys_with_the_largest_values_are_told_with_their_lengths() {
    let server = Server::start("-t 1 -I 1k");
    // Only the first wake of 64 is looked at: each of these is, whoever's connection it is.
    let see = |request: &str| {
        server.ask(request);
        (1..SAMPLE).for_each(|_| _ = server.ask("mn\r\n"));
    };
    let set = |key: &str, len: usize| format!("set {key} 0 0 {len}\r\n{}\r\n", "x".repeat(len));
    see(&set("small", 1));
    see(&set("large", 900));
    see(&format!("ms meta 500\r\n{}\r\n", "x".repeat(500)));
    see(&set("refused", 5000));
    // Its value is stored unseen, and seen when it is asked for.
    server.ask(&format!("mn\r\n{}", set("asked", 700)));
    (1..SAMPLE).for_each(|_| _ = server.ask("mn\r\n"));
    let told = "STAT large 900\r\nSTAT meta 500\r\nSTAT small 1\r\nEND\r\n";
    assert_eq!(server.ask("stats bigkeys\r\n"), told);
    (1..SAMPLE).for_each(|_| _ = server.ask("mn\r\n"));
    see("get asked\r\n");
    // They are as long as they are now.
    server.ask("delete large\r\nappend small 0 0 1\r\nx\r\n");
    let told = "STAT asked 700\r\nSTAT meta 500\r\nSTAT small 2\r\nEND\r\n";
    assert_eq!(server.ask("stats bigkeys\r\n"), told);
    server.ask("stats reset\r\n");
    assert_eq!(server.ask("stats bigkeys\r\n"), "END\r\n");
}

#[test]
fn there_are_a_page_and_a_word_and_nothing_else() {
    let server = Server::start("");
    let page = server.fetch("/");
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html"),
        "{page}"
    );
    assert!(page.contains("default-src 'none'"));
    assert!(
        !page.contains("https://") && !page.contains("http://"),
        "it works offline"
    );
    assert!(server.fetch("/healthz").ends_with("\r\n\r\nok\n"));
    assert!(server.fetch("/healthz?x=1").starts_with("HTTP/1.1 200 "));
    for (request, status) in [
        ("GET /nowhere HTTP/1.1\r\n\r\n", "404 "),
        ("GET\r\n\r\n", "404 "),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405 "),
        ("\x16\x03\x01\n\n", "405 "),
    ] {
        let said = said(server.metrics(), request.as_bytes());
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {said}"
        );
    }
    let head = said(server.metrics(), b"HEAD /healthz HTTP/1.1\r\n\r\n");
    assert!(head.ends_with("\r\n\r\n") && head.contains("Content-Length: 3\r\n"));
}

#[test]
fn a_server_that_ends_says_so_for_as_long_as_it_owes() {
    let server = Server::start("");
    let mut client = connect(server.server.address);
    let value = "x".repeat(1_000_000);
    let set = format!("set k 0 0 1000000\r\n{value}\r\n");
    client.write_all(set.as_bytes()).expect("it reads");
    client.read_exact(&mut [0; 8]).expect("it answers");
    client
        .write_all(&b"get k\r\n".repeat(20))
        .expect("it reads");
    client.read_exact(&mut [0; 1]).expect("it answers");
    server.server.shared.stop();
    // Nobody new comes in, and the one who is owed has not read it.
    let is_shut = || TcpStream::connect(server.server.address).is_err();
    let health = || server.fetch("/healthz");
    until("it ends", || {
        health().starts_with("HTTP/1.1 503 ") && is_shut()
    });
    let health = health();
    assert!(health.starts_with("HTTP/1.1 503 "), "{health}");
    assert!(health.ends_with("\r\n\r\nending\n"), "{health}");
    assert_eq!(server.figure("memcached_accepting_connections"), Some(0.0));
    drop(client);
}

#[test]
fn memory_is_told_by_what_it_is_for() {
    let server = Server::start("-t 1");
    let bytes = |purpose: &str| {
        let name = format!("touchstone_memory_bytes{{purpose=\"{purpose}\"}}");
        server.figure(&name).expect(purpose)
    };
    let before = ["items", "unfinished_blocks", "unread_replies"].map(bytes);
    assert_eq!(before, [0.0; 3]);
    assert!(bytes("tables_and_room") > 0.0);
    let value = "x".repeat(1_000_000);
    server.ask(&format!("set k 0 0 1000000\r\n{value}\r\n"));
    let stats = server.ask("stats\r\n");
    let items = bytes("items");
    assert!((1e6..1.01e6).contains(&items), "{items}");
    assert!(
        stats.contains(&format!("STAT bytes {items}\r\n")),
        "{stats}"
    );
    // Half a block is held, and released with its client.
    let mut half = connect(server.server.address);
    let begun = format!("mn\r\nset half 0 0 1000000\r\n{}", "x".repeat(500_000));
    half.write_all(begun.as_bytes()).expect("it reads");
    until("held", || bytes("unfinished_blocks") >= 500_000.0);
    drop(half);
    until("given back", || bytes("unfinished_blocks") == 0.0);
    // Nobody reads these; one of them at least stops far from the end of a value.
    let deaf = (0..4).map(|number| {
        let mut client = connect(server.server.address);
        let requests = ["mn\r\n".repeat(number * 20_000), "get k\r\n".repeat(50)].concat();
        client.write_all(requests.as_bytes()).expect("it reads");
        client
    });
    let deaf: Vec<_> = deaf.collect();
    until("unread", || bytes("unread_replies") > 0.0);
    drop(deaf);
    until("gone", || bytes("unread_replies") == 0.0);
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let server = Server::start("");
    let request = |length: usize| {
        let begins = "GET /healthz HTTP/1.1\r\nX: ";
        let filled = "x".repeat(length - begins.len() - 4);
        said(
            server.metrics(),
            format!("{begins}{filled}\r\n\r\n").as_bytes(),
        )
    };
    assert!(request(METRICS_HEAD_LEN_MAX).starts_with("HTTP/1.1 200 "));
    let longest = 2 * METRICS_HEAD_LEN_MAX;
    assert!(request(longest).starts_with("HTTP/1.1 431 "));
}

#[test]
fn who_sends_half_a_request_holds_nobody_up_for_long() {
    let server = Server::start("");
    let mut slow: Vec<_> = (0..METRICS_CLIENTS_MAX)
        .map(|_| connect(server.metrics()))
        .collect();
    for client in &mut slow {
        client.write_all(b"GET /met").expect("it reads");
    }
    // All seats are taken: one more is turned away, and memcached's clients notice nothing.
    assert_eq!(rest(connect(server.metrics())), "");
    assert_eq!(server.ask("mn\r\n"), "MN\r\n");
    for client in slow {
        assert_eq!(rest(client), "", "it is closed");
    }
    assert!(server.fetch("/healthz").starts_with("HTTP/1.1 200 "));
}

#[test]
fn without_metrics_there_are_no_hot_keys_and_no_big_ones() {
    let server = crate::common::Server::start("");
    assert_eq!(server.play("stats bigkeys"), "> stats bigkeys\n< ERROR\n");
    assert_eq!(server.play("stats hotkeys"), "> stats hotkeys\n< ERROR\n");
}

#[test]
fn an_address_is_a_port_of_loopback_or_written_whole() {
    let metrics = |text: &str| Settings::parse(["--metrics", text]).map(|it| it.metrics);
    for (text, address) in [
        ("9150", "127.0.0.1:9150"),
        ("localhost:9150", "127.0.0.1:9150"),
        ("0.0.0.0:9150", "0.0.0.0:9150"),
        ("[::1]:9150", "[::1]:9150"),
    ] {
        assert_eq!(
            metrics(text),
            Ok(Some(address.parse().expect("an address")))
        );
    }
    for text in ["", "a", "65536", "example.org:80", "1.2.3.4"] {
        assert!(metrics(text).is_err(), "{text}");
    }
    let warnings = |text: &str| Settings::parse(["--metrics", text]).map(|it| it.warnings);
    assert_eq!(warnings("9150"), Ok(Vec::new()));
    assert_eq!(
        warnings("0.0.0.0:9150"),
        Ok(vec![
            "--metrics 0.0.0.0:9150: whoever reaches it reads all figures".to_owned()
        ])
    );
}
