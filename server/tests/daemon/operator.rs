//! What an operator does to a running server, and what it tells him.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server as a process, and what it says.
struct Daemon {
    process: Child,
    port: u16,
    log: BufReader<ChildStderr>,
}

impl Daemon {
    fn start(options: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let mut process = Command::new(env!("CARGO_BIN_EXE_touchstoned"))
            .args(["-u", "root", "-p", &port.to_string()])
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        Self { process, port, log }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).expect("it says lines");
        line
    }

    fn connect(&self) -> TcpStream {
        connect(&format!("127.0.0.1:{}", self.port))
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).expect("a process id is small");
        kill(Pid::from_raw(pid), signal).expect("it runs");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = loop {
        if let Ok(stream) = TcpStream::connect(address) {
            break stream;
        }
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout is set");
    stream
}

fn ask(client: &mut TcpStream, request: &str) -> String {
    client.write_all(request.as_bytes()).expect("it reads");
    let mut line = String::new();
    let mut reader = BufReader::new(client);
    reader.read_line(&mut line).expect("it answers");
    line
}

#[test]
fn a_server_started_by_hand_says_where_it_is_in_one_line() {
    let mut daemon = Daemon::start(&["-m", "100"]);
    let address = format!("127.0.0.1:{}", daemon.port);
    assert_eq!(
        daemon.line(),
        format!(
            "touchstoned: {address}, 100 MB; Django: CACHES = {{\"default\": {{\"BACKEND\": \
             \"django.core.cache.backends.memcached.PyMemcacheCache\", \
             \"LOCATION\": \"{address}\"}}}}\n"
        )
    );
    assert_eq!(ask(&mut daemon.connect(), "mn\r\n"), "MN\r\n");
}

/// The value of one of `stats settings`.
fn setting(client: &mut TcpStream, name: &str) -> Option<String> {
    client.write_all(b"stats settings\r\n").expect("it reads");
    let lines = BufReader::new(client).lines();
    let lines = lines.map(|line| line.expect("it answers"));
    let lines: Vec<String> = lines.take_while(|line| line != "END").collect();
    let line = lines
        .iter()
        .find_map(|line| line.strip_prefix(&format!("STAT {name} ")));
    line.map(str::to_owned)
}

#[test]
fn what_is_in_effect_is_said_at_the_start_and_where_it_came_from() {
    let path = std::env::temp_dir().join(format!("touchstoned-said-{}.conf", std::process::id()));
    fs::write(&path, "-m 32\n-c 77\n-t 9\n-I 2m\n-b 5\n").expect("it is written");
    let text = path.to_str().expect("text");
    // What stands behind the file goes before what it says.
    let mut daemon = Daemon::start(&["--config", text, "-t", "3"]);
    let port = daemon.port;
    assert_eq!(
        daemon.line(),
        format!(
            "touchstoned: {text}: -m 32 -c 77 -t 3 -I 2097152 -b 5 -p {port} -U 0; \
             `stats settings` has them all\n"
        )
    );
    let mut client = daemon.connect();
    for (name, value) in [
        ("config_file", text),
        ("maxbytes", "33554432"),
        ("maxconns", "77"),
        ("num_threads", "3"),
        ("item_size_max", "2097152"),
        ("tcp_backlog", "5"),
        ("udpport", "0"),
    ] {
        assert_eq!(setting(&mut client, name).as_deref(), Some(value), "{name}");
    }
    let without = Daemon::start(&[]);
    assert_eq!(setting(&mut without.connect(), "config_file"), None);
    fs::remove_file(path).expect("it is there");
}

#[test]
fn ten_lines_of_a_kind_are_written_each_second_and_then_how_many_were_held_back() {
    const SETS: usize = 25;
    let mut daemon = Daemon::start(&["-vv", "-I", "1k", "-o", "debugtime"]);
    let mut client = daemon.connect();
    let refused = "touchstoned: too large to be stored: `k`, 2000 bytes\n";
    let set = format!("set k 0 0 2000\r\n{}\r\n", "x".repeat(2000));
    // What clients say is never held back: their last word comes behind all else.
    let mut written = |client: &mut TcpStream, requests: &str| {
        let requests = format!("{requests}mn\r\n");
        client.write_all(requests.as_bytes()).expect("it reads");
        let mut lines = std::iter::repeat_with(|| daemon.line());
        let lines = lines
            .by_ref()
            .take_while(|line| !line.ends_with(": < mn\n"));
        let lines = lines.filter(|line| !line.contains(": < ") && !line.contains(": > "));
        lines.collect::<Vec<_>>()
    };
    // The second does not end before it is told to.
    written(&mut client, "debugtime p\r\n");
    assert_eq!(written(&mut client, &set.repeat(SETS)), [refused; 10]);
    assert_eq!(written(&mut client, &set), [""; 0]);
    let held = format!(
        "touchstoned: {} more of these lines were held back\n",
        SETS + 1 - 10
    );
    let turned = format!("debugtime 1\r\n{set}");
    assert_eq!(written(&mut client, &turned), [&held, refused]);
}

#[test]
fn the_signals_of_an_operator_are_told_of() {
    for (signal, said) in [
        (Signal::SIGTERM, "touchstoned: SIGTERM: ending\n"),
        (Signal::SIGINT, "touchstoned: SIGINT: ending\n"),
        (
            Signal::SIGUSR1,
            "touchstoned: SIGUSR1: gracefully stopping\n",
        ),
    ] {
        let mut daemon = Daemon::start(&[]);
        daemon.line();
        assert_eq!(ask(&mut daemon.connect(), "mn\r\n"), "MN\r\n");
        daemon.signal(signal);
        assert!(daemon.process.wait().expect("it ends").success());
        assert_eq!(daemon.line(), said);
    }
}

#[test]
fn what_is_owed_is_sent_before_the_end() {
    const GETS: usize = 20;
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    let value = "x".repeat(1_000_000);
    let stored = ask(&mut client, &format!("set k 0 0 1000000\r\n{value}\r\n"));
    assert_eq!(stored, "STORED\r\n");
    // They come in one piece: with the first the server has read them all, and owes them all.
    let requests = b"get k\r\n".repeat(GETS);
    client.write_all(&requests).expect("it reads");
    client.read_exact(&mut [0; 1000]).expect("it answers");
    daemon.signal(Signal::SIGTERM);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("it closes in order");
    let reply = "VALUE k 0 1000000\r\n\r\nEND\r\n".len() + 1_000_000;
    assert_eq!(rest.len() + 1000, GETS * reply);
    assert!(rest.ends_with(b"x\r\nEND\r\n"));
}

/// What is asked of the figures' address.
fn fetch(address: &str, path: &str) -> Option<String> {
    let mut client = TcpStream::connect(address).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\n\r\n");
    client.write_all(request.as_bytes()).ok()?;
    let mut said = String::new();
    client.read_to_string(&mut said).ok()?;
    Some(said)
}

#[test]
fn from_a_signal_until_all_that_is_owed_is_sent_the_server_says_that_it_ends() {
    const GETS: usize = 40;
    let mut daemon = Daemon::start(&["--metrics", "0"]);
    let line = daemon.line();
    let address = line.strip_prefix("touchstoned: figures at http://");
    let address = address.and_then(|rest| rest.strip_suffix("/\n"));
    let address = address.expect("it says where");
    let health = || fetch(address, "/healthz");
    assert!(health().is_some_and(|said| said.starts_with("HTTP/1.1 200 ")));
    let mut client = daemon.connect();
    let value = "x".repeat(1_000_000);
    let stored = ask(&mut client, &format!("set k 0 0 1000000\r\n{value}\r\n"));
    assert_eq!(stored, "STORED\r\n");
    let requests = b"get k\r\n".repeat(GETS);
    client.write_all(&requests).expect("it reads");
    client.read_exact(&mut [0; 1000]).expect("it answers");
    daemon.signal(Signal::SIGTERM);
    // The one who is owed has not read it: so long it ends, and says so.
    let is_ending = || health().is_some_and(|said| said.starts_with("HTTP/1.1 503 "));
    assert!((0..3000).any(|_| is_ending()), "it never says so");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("it closes in order");
    let reply = "VALUE k 0 1000000\r\n\r\nEND\r\n".len() + 1_000_000;
    assert_eq!(rest.len() + 1000, GETS * reply);
    assert!(daemon.process.wait().expect("it ends").success());
    assert_eq!(health(), None);
}

#[test]
fn a_hangup_ends_neither_the_server_nor_its_connections() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.connect();
    assert_eq!(ask(&mut client, "set k 0 0 1\r\na\r\n"), "STORED\r\n");
    daemon.signal(Signal::SIGHUP);
    assert_eq!(ask(&mut client, "mg k s\r\n"), "HD s1\r\n");
    assert_eq!(ask(&mut daemon.connect(), "mn\r\n"), "MN\r\n");
}

#[test]
fn very_verbose_shows_what_clients_say_on_one_line_each_and_harmless() {
    let mut daemon = Daemon::start(&["-vv"]);
    daemon.line();
    let mut client = daemon.connect();
    let name = format!("tcp:{}", client.local_addr().expect("connected"));
    client
        .write_all(b"get \x1b[2J\rtouchstoned: all is well\x00\xff\r\n")
        .expect("it reads");
    assert_eq!(daemon.line(), format!("touchstoned: {name}: connected\n"));
    assert_eq!(
        daemon.line(),
        format!("touchstoned: {name}: < get \\x1b[2J\\rtouchstoned: all is well\\x00\\xff\n")
    );
    drop(client);
    assert_eq!(daemon.line(), format!("touchstoned: {name}: gone\n"));
}

#[test]
fn a_value_that_is_too_large_is_named_by_its_key() {
    let mut daemon = Daemon::start(&["-v", "-I", "1k"]);
    daemon.line();
    let mut client = daemon.connect();
    let block = "x".repeat(1024);
    ask(
        &mut client,
        &format!("set k\x1b[2J 0 0 1024\r\n{block}\r\n"),
    );
    assert_eq!(
        daemon.line(),
        "touchstoned: too large to be stored: `k\\x1b[2J`, 1024 bytes\n"
    );
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    // The pipe of standard error fills; nobody empties it.
    let daemon = Daemon::start(&["-vv"]);
    let mut client = daemon.connect();
    for _ in 0..20 {
        let lines = format!("{}mn\r\n", format!("{}\r\n", "y".repeat(250)).repeat(100));
        client.write_all(lines.as_bytes()).expect("it reads");
        let mut reader = BufReader::new(&mut client);
        let mut line = String::new();
        while line != "MN\r\n" {
            line.clear();
            reader.read_line(&mut line).expect("it answers");
        }
    }
}

#[test]
fn the_command_line_of_an_old_init_script_gives_a_daemon() {
    let pid_file = std::env::temp_dir().join(format!("touchstoned-{}.pid", std::process::id()));
    let own = std::process::id().to_be_bytes();
    // A port of a script is fixed; the address is our own.
    let address = format!("127.{}.{}.{}", own[1].max(1), own[2], own[3].clamp(1, 254));
    let options = format!("-d -m 10 -u root -l {address} -p 12000 -c 256 -P");
    let status = Command::new(env!("CARGO_BIN_EXE_touchstoned"))
        .args(options.split_whitespace())
        .arg(&pid_file)
        .status()
        .expect("it starts");
    assert!(status.success());
    let mut client = connect(&format!("{address}:12000"));
    assert_eq!(ask(&mut client, "set k 0 0 1\r\na\r\n"), "STORED\r\n");
    let number = loop {
        let text = fs::read_to_string(&pid_file).unwrap_or_default();
        if let Ok(number) = text.trim().parse::<i32>() {
            break number;
        }
    };
    client.write_all(b"stats\r\n").expect("it reads");
    let stats: Vec<String> = BufReader::new(&mut client)
        .lines()
        .map(|line| line.expect("it answers"))
        .take_while(|line| line != "END")
        .collect();
    for fact in [
        format!("STAT pid {number}"),
        String::from("STAT max_connections 256"),
        String::from("STAT limit_maxbytes 10485760"),
    ] {
        assert!(stats.contains(&fact), "{fact}");
    }
    kill(Pid::from_raw(number), Signal::SIGTERM).expect("it runs");
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    while pid_file.exists() {
        std::thread::yield_now();
    }
}
