//! Where a server listens, and what is spoken there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use server::Settings;
use server::settings::{Listener, Protocol, Security};

use crate::common::Server;

fn settings(options: &str) -> Settings {
    Settings::parse(options.split_whitespace()).expect("the options are good")
}

/// Serves on these addresses for as long as they are tried.
fn serve(options: &str, play: impl FnOnce(&[SocketAddr])) {
    play(&Server::start(options).addresses);
}

fn ask(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut client = TcpStream::connect(address).expect("it listens");
    let timeout = Some(Duration::from_secs(10));
    client.set_read_timeout(timeout).expect("a timeout is set");
    client.write_all(request).expect("it reads");
    let mut said = Vec::new();
    client.read_to_end(&mut said).expect("it closes");
    said
}

const VERSION: &[u8] = b"version\r\nquit\r\n";

#[test]
fn several_addresses_are_served_however_they_are_written() {
    let options = "-p 0 -l 127.0.0.1,localhost:0 -l 127.0.0.2 -l tag[far]:127.0.0.3:0";
    serve(options, |addresses| {
        assert!(addresses.len() >= 4, "{addresses:?}");
        for address in addresses {
            assert_eq!(ask(*address, VERSION), b"VERSION 1.6.45\r\n");
        }
    });
}

#[test]
fn a_listener_speaks_what_it_is_told_to() {
    let options = "-p 0 -l proto[ascii]:127.0.0.1,proto[binary]:127.0.0.1 \
                   -l proto[negotiating]:127.0.0.1";
    serve(options, |addresses| {
        let quit = [&[0x80, 0x07][..], &[0; 22]].concat();
        let text = b"version with many words\r\nquit\r\n";
        let frame = |said: &[u8]| said.starts_with(&[0x81, 0x07]);
        let spoken = |said: &[u8]| said.starts_with(b"VERSION");
        let heard: Vec<_> = addresses
            .iter()
            .map(|address| {
                let mut lines = quit.clone();
                lines.extend(b"\r\nquit\r\n");
                (spoken(&ask(*address, text)), frame(&ask(*address, &lines)))
            })
            .collect();
        assert_eq!(heard, [(true, false), (false, true), (true, true)]);
    });
}

#[test]
fn every_form_of_an_address_is_read() {
    let plain = |text: &str, host: Option<&str>, port| Listener {
        text: text.to_owned(),
        host: host.map(str::to_owned),
        port,
        protocol: None,
        security: None,
    };
    let parse = |text| Listener::parse(text).expect("it is an address");
    for (text, host, port) in [
        ("127.0.0.1", Some("127.0.0.1"), None),
        ("cache.example:11212", Some("cache.example"), Some(11212)),
        ("::1", Some("::1"), None),
        ("[::1]", Some("::1"), None),
        ("[::1]:0", Some("::1"), Some(0)),
        ("*", None, None),
        ("*:65535", None, Some(65535)),
        ("tag_tools_:127.0.0.1:1", Some("127.0.0.1"), Some(1)),
        ("tag[12345678]:a", Some("a"), None),
    ] {
        assert_eq!(parse(text), plain(text, host, port));
    }
    let all = "mtls:proto[binary]:tag[a]:[::1]:1";
    let expected = Listener {
        protocol: Some(Some(Protocol::Binary)),
        security: Some(Security::Mutual),
        ..plain(all, Some("::1"), Some(1))
    };
    assert_eq!(parse(all), expected);
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "a,",
        ",a",
        "a:65536",
        "a:b",
        "a:",
        ":1",
        "[::1",
        "[::1]1",
        "proto[x]:a",
        "proto[ascii",
        "proto[proxy]:a",
        "tag[]:a",
        "tag[123456789]:a",
        "tag[a:a",
    ] {
        let refusal = Settings::parse(["-l", text]).expect_err("it is refused");
        let problem = format!("-l: `{text}` is not an address, or several with commas");
        assert_eq!(refusal.to_string(), problem);
    }
}

#[test]
fn an_address_that_others_reach_is_worth_a_warning_unless_they_log_in() {
    assert_eq!(settings("-l 127.0.0.1,[::1],localhost").warnings, [""; 0]);
    for options in ["-l 10.0.0.1", "-l *", "-l 127.0.0.1,cache.example:1"] {
        let warnings = settings(options).warnings;
        assert!(warnings.len() == 1, "{options}: {warnings:?}");
        assert_eq!(settings(&format!("{options} -Y f")).warnings, [""; 0]);
    }
}

#[test]
fn nobody_listens_where_nobody_could_log_in() {
    for (options, problem) in [
        (
            &["-Y", "f", "-l", "proto[binary]:a"][..],
            "-Y: nobody can log in at -l proto[binary]:a",
        ),
        (
            &["-S", "-l", "proto[ascii]:a"],
            "-S: nobody can log in at -l proto[ascii]:a",
        ),
        (
            &["-Y", "f", "-U", "11211"],
            "-U: `11211`: nobody can log in over UDP",
        ),
    ] {
        let refusal = Settings::parse(options.iter().copied()).expect_err("it is refused");
        assert_eq!(refusal.to_string(), problem);
    }
    let protocol = |options| {
        settings(options)
            .listen
            .first()
            .and_then(|one| one.protocol)
    };
    let text = Some(Some(Protocol::Text));
    assert_eq!(protocol("-Y f -l proto[negotiating]:a"), text);
    assert_eq!(protocol("-Y f -l a"), text);
    assert_eq!(protocol("-S -Y f -l proto[negotiating]:a"), Some(None));
}

#[test]
fn a_udp_port_is_the_tcp_port_as_well_unless_that_is_said() {
    assert_eq!(settings("-U 11300").port, 11300);
    assert_eq!(settings("-U 0").port, 11211);
    assert_eq!(settings("-U 11300 -p 11301").port, 11301);
    assert_eq!(settings("-p 0 -U 11300").port, 0);
    assert_eq!(settings("-U -1").port, 0);
    assert!(settings("-U -1").has_udp);
    assert!(!settings("-p 0 -U 11300").has_tcp);
    assert!(settings("-p -1 -U 11300").has_tcp);
    assert!(settings("-p 0 -U 0").has_tcp);
}
