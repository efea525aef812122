//! Nothing of a trial stays behind: not on somebody's cache when it is interrupted, and not of a
//! server that was started, whatever started it in turn.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use conformance::serve::Service;
use conformance::target::process::Process;
use spec::Dialect;

/// What clients have sent, and a place where somebody may wait for more of it.
type Seen = Arc<Mutex<Vec<u8>>>;

/// A way to the server there that writes down what comes; the port.
fn overheard(behind: u16, seen: &Seen) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::clone(seen);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", behind)).unwrap();
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut client, mut server, seen) = (client, server, Arc::clone(&seen));
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = client.read(&mut buffer) {
                    let bytes = buffer.get(..length).unwrap();
                    seen.lock().unwrap().extend_from_slice(bytes);
                    server.write_all(bytes).unwrap();
                }
                let _ = server.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}

fn check(port: u16, rules: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_touchstone"))
        .args(["check", &format!("127.0.0.1:{port}"), rules])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn interrupt(trial: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &trial.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// The keys of all requests that store.
fn stored(seen: &Seen) -> Vec<String> {
    let seen = seen.lock().unwrap();
    let text = String::from_utf8_lossy(&seen);
    let key = |line: &str| {
        let mut words = line.split_whitespace();
        let stores = ["set", "ms", "add"].contains(&words.next()?);
        words.next().filter(|_| stores).map(str::to_owned)
    };
    text.lines().filter_map(key).collect()
}

#[test]
fn an_interrupt_leaves_nothing_on_somebodys_cache() {
    let service = Service::bind(0, None, Dialect::default()).unwrap();
    let behind = service.port().unwrap();
    thread::spawn(move || service.run());
    let seen = Seen::default();
    let trial = check(overheard(behind, &seen), "expiration");
    // Much of that chapter waits for seconds behind what it stored.
    while stored(&seen).len() < 20 {
        thread::yield_now();
    }
    interrupt(&trial);
    let output = trial.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("somebody interrupted the trial"), "{said}");
    let mut owner = BufReader::new(TcpStream::connect(("127.0.0.1", behind)).unwrap());
    for key in stored(&seen) {
        if key.len() > 250 {
            continue;
        }
        let request = format!("get {key}\r\n");
        owner.get_mut().write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        owner.read_line(&mut reply).unwrap();
        assert_eq!(reply, "END\r\n", "{key}");
    }
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut trial = check(listener.local_addr().unwrap().port(), "storage");
    // It says its version, and nothing ever after: whoever asks waits.
    let (mut first, _) = listener.accept().unwrap();
    first.write_all(b"VERSION 0\r\n").unwrap();
    let mut said = BufReader::new(trial.stderr.take().unwrap());
    let mut line = String::new();
    interrupt(&trial);
    said.read_line(&mut line).unwrap();
    assert!(line.contains("once more ends it at once"), "{line}");
    interrupt(&trial);
    assert_eq!(trial.wait().unwrap().signal(), Some(2), "{line}");
}

#[test]
fn what_a_wrapper_has_started_ends_with_it() {
    let touchstone = env!("CARGO_BIN_EXE_touchstone");
    let wrapper = format!("sh -c '{touchstone} serve --model --port {{port}}; true'");
    let server = Process::start(&wrapper, "").unwrap();
    let address = server.address().clone();
    let mut children = String::new();
    let file = format!("/proc/{0}/task/{0}/children", server.id());
    if let Ok(mut file) = std::fs::File::open(file) {
        file.read_to_string(&mut children).unwrap();
        assert!(!children.trim().is_empty(), "the shell serves by itself");
    }
    drop(server);
    let gone = || address.connect().is_err();
    // Who is killed is not waited for by us: it is nobody's child.
    let gone = (0..1_000_000).any(|_| {
        thread::yield_now();
        gone()
    });
    assert!(gone, "somebody still listens at {address}");
}
