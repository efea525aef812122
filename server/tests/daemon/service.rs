//! The server under a service manager, and what manuals and shells are told of its options.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::Settings;
use server::settings::Shell;

/// A process that ends with the test.
struct Daemon(Child);

impl Daemon {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).expect("a process id is small");
        kill(Pid::from_raw(pid), signal).expect("it runs");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn path_for(test: &str) -> PathBuf {
    std::env::temp_dir().join(format!("touchstoned-{test}-{}", std::process::id()))
}

/// Starts a server that is given a socket by a manager.
fn start_with(socket: OwnedFd, options: &[&str]) -> Daemon {
    let script = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\" 3<&0 </dev/null";
    let process = Command::new("sh")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_touchstoned"),
            "-u",
            "root",
        ])
        .args(options)
        .stdin(Stdio::from(socket))
        .spawn();
    Daemon(process.expect("it starts"))
}

/// A server whose manager waits to hear of it.
struct Managed {
    daemon: Daemon,
    port: u16,
    manager: UnixDatagram,
    path: PathBuf,
}

impl Managed {
    fn start(test: &str, options: &[&str]) -> Managed {
        let command = Command::new(env!("CARGO_BIN_EXE_touchstoned"));
        Managed::start_by(test, command, options)
    }

    /// Starts what a command starts, with these options behind it.
    fn start_by(test: &str, mut command: Command, options: &[&str]) -> Managed {
        let path = path_for(test);
        let manager = UnixDatagram::bind(&path).expect("a socket is bound");
        let timeout = Some(Duration::from_secs(20));
        manager.set_read_timeout(timeout).expect("a timeout is set");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let daemon = command
            .args(["-u", "root", "-p", &port.to_string()])
            .args(options)
            .env("NOTIFY_SOCKET", &path)
            .stderr(Stdio::piped())
            .spawn();
        Managed {
            daemon: Daemon(daemon.expect("it starts")),
            port,
            manager,
            path,
        }
    }

    /// What the manager hears next.
    fn told(&self) -> String {
        let mut buffer = [0; 100];
        let length = self.manager.recv(&mut buffer).expect("it is told");
        String::from_utf8_lossy(buffer.get(..length).expect("received")).into_owned()
    }

    fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).expect("it listens"))
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn the_manager_is_told_when_it_is_ready_and_keeps_it_in_the_foreground() {
    let mut managed = Managed::start("notify", &["-d"]);
    assert_eq!(managed.told(), "READY=1");
    // Whoever connects from now on is heard.
    let mut client = managed.connect();
    client.get_mut().write_all(b"mn\r\n").expect("it reads");
    let mut line = String::new();
    client.read_line(&mut line).expect("it answers");
    assert_eq!(line, "MN\r\n");
    managed.daemon.signal(Signal::SIGTERM);
    assert_eq!(managed.told(), "STOPPING=1");
    let process = &mut managed.daemon.0;
    assert!(process.wait().expect("it is our child").success());
    let mut log = BufReader::new(process.stderr.take().expect("piped"));
    let mut said = String::new();
    log.read_line(&mut said).expect("it says lines");
    let ignored = "-d: has no effect: the service manager keeps us in the background";
    assert_eq!(said, format!("touchstoned: {ignored}\n"));
}

/// A service has a folder of its own in the place of these, where clients do not find the file.
#[test]
fn a_socket_file_that_only_the_service_would_see_is_told() {
    for (folder, is_told) in [("/tmp", true), ("/var/tmp", true), (".", false)] {
        let path = format!("{folder}/touchstoned-{}.sock", std::process::id());
        let mut managed = Managed::start("hidden", &["-s", &path]);
        assert_eq!(managed.told(), "READY=1");
        managed.daemon.signal(Signal::SIGTERM);
        let process = &mut managed.daemon.0;
        assert!(process.wait().expect("it is our child").success());
        let mut said = String::new();
        let mut log = process.stderr.take().expect("piped");
        log.read_to_string(&mut said).expect("it says lines");
        let _ = std::fs::remove_file(&path);
        let warning = "a service may have a /tmp of its own, where nobody else sees it";
        let warning = format!("touchstoned: -s {path}: {warning}\n");
        assert_eq!(said.contains(&warning), is_told, "{said}");
    }
}

#[test]
fn the_manager_is_told_of_the_end_before_what_is_owed_is_sent() {
    const ITEM: usize = 1_000_000;
    const GETS: usize = 40;
    let mut managed = Managed::start("owed", &[]);
    assert_eq!(managed.told(), "READY=1");
    let mut client = managed.connect();
    let set = format!("set k 0 0 {ITEM}\r\n{}\r\n", "a".repeat(ITEM));
    let requests = [set, "get k\r\n".repeat(GETS)].concat();
    let stream = client.get_mut();
    stream.write_all(requests.as_bytes()).expect("it reads");
    let mut line = String::new();
    client.read_line(&mut line).expect("it answers");
    assert_eq!(line, "STORED\r\n");
    managed.daemon.signal(Signal::SIGTERM);
    assert_eq!(managed.told(), "STOPPING=1");
    // Only now it is read, and all of it is there.
    let mut owed = Vec::new();
    client.read_to_end(&mut owed).expect("it is sent");
    let reply = format!("VALUE k 0 {ITEM}\r\n").len() + ITEM + "\r\nEND\r\n".len();
    assert_eq!(owed.len(), GETS * reply);
    let process = &mut managed.daemon.0;
    assert!(process.wait().expect("it is our child").success());
}

#[test]
fn a_socket_that_the_manager_listens_on_is_served_instead_of_an_own() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = socket.local_addr().expect("bound");
    let _daemon = start_with(socket.into(), &["-p", "1"]);
    let mut client = TcpStream::connect(address).expect("it listened all the time");
    client.write_all(b"mn\r\n").expect("it reads");
    let mut line = String::new();
    let mut reader = BufReader::new(client);
    reader.read_line(&mut line).expect("it answers");
    assert_eq!(line, "MN\r\n");
}

#[test]
fn a_socket_file_that_the_manager_made_stays_when_the_server_goes() {
    let path = path_for("handed");
    let _ = std::fs::remove_file(&path);
    let socket = UnixListener::bind(&path).expect("a socket is bound");
    let mut daemon = start_with(socket.into(), &[]);
    let mut client = UnixStream::connect(&path).expect("it listened all the time");
    client.write_all(b"mn\r\n").expect("it reads");
    let mut line = String::new();
    let mut reader = BufReader::new(client);
    reader.read_line(&mut line).expect("it answers");
    assert_eq!(line, "MN\r\n");
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.0.wait().expect("it is our child").success());
    std::fs::remove_file(&path).expect("it is still there");
}

/// What a container begins with, and where its server is in the path.
fn entrypoint(command: &[&str]) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_touchstoned"));
    let folder = program.parent().expect("it is in a folder");
    let mut entrypoint = Command::new("sh");
    entrypoint
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/package/entrypoint"))
        .args(command)
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    entrypoint
}

#[test]
fn a_container_listens_on_all_addresses_unless_it_is_told_where() {
    for (command, options, is_open) in [
        (&[][..], &[][..], true),
        (&["touchstoned"], &["-v"], true),
        (&["memcached"], &["-m", "32"], true),
        (&[], &["-vl", "127.0.0.1"], false),
        (&["memcached"], &["--listen=127.0.0.1"], false),
    ] {
        let mut managed = Managed::start_by("entrypoint", entrypoint(command), options);
        assert_eq!(managed.told(), "READY=1");
        managed.connect();
        // An address that nobody listens on who listens on 127.0.0.1.
        let other = TcpStream::connect(("127.0.0.2", managed.port));
        assert_eq!(other.is_ok(), is_open, "{command:?} {options:?}");
        // It is the daemon that is told to end, not a shell in front of it.
        managed.daemon.signal(Signal::SIGTERM);
        let process = &mut managed.daemon.0;
        assert!(process.wait().expect("it is our child").success());
    }
    let run = |command: &[&str]| {
        let output = entrypoint(command).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["-V"]).starts_with("memcached "));
    assert_eq!(run(&["echo", "-n", "-p"]), "-p");
}

#[test]
fn the_manual_and_the_completions_know_every_option_of_the_help() {
    let (help, manual) = (Settings::help(), Settings::manual());
    let scripts = [Shell::Bash, Shell::Zsh].map(Settings::completions);
    let fish = Settings::completions(Shell::Fish);
    let long = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"));
    let mut count = 0;
    for name in long.map(|word| word.trim_end_matches([',', ';', '.'])) {
        if name == "--" {
            continue;
        }
        count += 1;
        assert!(manual.contains(&name.replace('-', "\\-")), "{name}");
        for script in &scripts {
            let mut words = script.split([' ', '\'', '*', '=', '[']);
            assert!(words.any(|word| word == name), "{name}: {script}");
        }
        let mut words = fish.split([' ', '\'']);
        let bare = name.trim_start_matches('-');
        assert!(words.any(|word| word == bare), "{name}: {fish}");
    }
    assert!(count > 30, "{count}");
    assert!(manual.contains("idle_timeout=<"));
    for script in scripts.iter().chain([&fish]) {
        assert!(script.contains("idle_timeout "), "{script}");
    }
    // `.ci/package` asks zsh as well, and the scheduled jobs ask fish.
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = bash.stdin.take().expect("piped");
    let script = scripts[0].as_bytes();
    input.write_all(script).expect("it reads");
    drop(input);
    assert!(bash.wait().expect("it ends").success());
}
