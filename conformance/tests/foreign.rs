//! What a server that we did not start gets to see: the model behind a socket writes it down.

#![allow(clippy::unwrap_used, reason = "only tests use it")]
#![allow(clippy::indexing_slicing, reason = "only tests use it")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use conformance::cases;
use conformance::check::Trial;
use conformance::serve::Service;
use conformance::target::Target;
use conformance::target::address::{Address, Trust};
use conformance::target::foreign::Foreign;
use conformance::target::guard::Permits;
use conformance::verdict::Verdict;
use spec::Dialect;

type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

/// A way to the model that writes down what every client sends.
fn overheard() -> (u16, Seen) {
    let service = Service::bind(0, None, Dialect::default()).expect("a port is free");
    let behind = service.port().expect("it is bound");
    thread::spawn(move || service.run());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let seen = Seen::default();
    let ears = Arc::clone(&seen);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", behind)).expect("the model listens");
            let index = {
                let mut seen = ears.lock().unwrap();
                seen.push(Vec::new());
                seen.len() - 1
            };
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let ears = Arc::clone(&ears);
            let (mut client, mut server) = (client, server);
            thread::spawn(move || carry(&mut client, &mut server, &ears, index));
        }
    });
    (port, seen)
}

fn carry(client: &mut TcpStream, server: &mut TcpStream, ears: &Seen, index: usize) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        ears.lock().unwrap()[index].extend_from_slice(&buffer[..length]);
        if server.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// The keys that a line could be about, by a reading of its own.
fn keys(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["get" | "gets", keys @ ..] | ["gat" | "gats", _, keys @ ..] => keys.to_vec(),
        [
            "set" | "add" | "replace" | "append" | "prepend" | "cas" | "incr" | "decr" | "delete"
            | "touch" | "mg" | "ms" | "md" | "ma" | "me",
            key,
            ..,
        ] => vec![key],
        _ => Vec::new(),
    }
}

#[test]
fn somebodys_cache_sees_no_key_but_ours_and_nothing_that_concerns_all() {
    let (port, seen) = overheard();
    let mut owner = TcpStream::connect(("127.0.0.1", port)).unwrap();
    owner.write_all(b"set somebodys 0 0 1\r\na\r\n").unwrap();
    owner.read_exact(&mut [0; 8]).unwrap();
    let address = format!("127.0.0.1:{port}");
    let exchanges = cases::all().unwrap();
    let trial = Trial {
        target: Target::Foreign(Foreign {
            address: Address::parse(&address, &Trust::Anybody).unwrap(),
            permits: Permits::default(),
            seed: 5,
            dialect: Box::default(),
        }),
        jobs: 8,
        ..Trial::default()
    };
    let report = trial.run(&exchanges, &[]);
    assert!(
        report.count(Verdict::Pass) > 400,
        "{}",
        report.count(Verdict::Pass)
    );
    let bad = [Verdict::Fail, Verdict::Crashed, Verdict::Unknown];
    assert_eq!(bad.map(|verdict| report.count(verdict)), [0; 3]);
    owner.write_all(b"get somebodys\r\n").unwrap();
    let mut answer = [0; 29];
    owner.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"VALUE somebodys 0 1\r\na"));
    // The first connection is the owner's.
    for sent in &seen.lock().unwrap()[1..] {
        let ours = |key: &str| key.starts_with("ts") || key.starts_with("dHN");
        if sent.first() == Some(&0x80) {
            continue;
        }
        for line in String::from_utf8_lossy(sent).lines() {
            assert!(keys(line).into_iter().all(ours), "{line:?}");
            let global = [
                "flush_all",
                "stats",
                "verbosity",
                "shutdown",
                "cache_memlimit",
            ];
            assert!(!global.iter().any(|word| line.contains(word)), "{line:?}");
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_unreachable_and_no_failure() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let exchanges = cases::all().unwrap();
    let trial = Trial {
        target: Target::Foreign(Foreign {
            address: Address::parse(&free.to_string(), &Trust::Anybody).unwrap(),
            permits: Permits::default(),
            seed: 5,
            dialect: Box::default(),
        }),
        ..Trial::default()
    };
    let report = trial.run(&exchanges, &[]);
    assert_eq!(report.conclusion().exit_code(), 4);
    assert_eq!(report.count(Verdict::Fail), 0);
}
