//! Socket files: served like an address, never taken from the living, gone when the server is.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server on a socket file in a folder of its own.
struct Daemon {
    process: Child,
    path: PathBuf,
}

fn path_for(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("touchstoned-{}-{test}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder is made");
    folder.join("socket")
}

fn command(path: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchstoned"));
    command.args(["-u", "root", "-s"]).arg(path);
    command
}

impl Daemon {
    fn start(test: &str, options: &[&str]) -> Self {
        let path = path_for(test);
        Self::start_at(path, options)
    }

    fn start_at(path: PathBuf, options: &[&str]) -> Self {
        let process = command(&path).args(options).spawn().expect("it starts");
        let mut daemon = Self { process, path };
        while UnixStream::connect(&daemon.path).is_err() {
            let ended = daemon.process.try_wait().expect("it is our child");
            assert!(ended.is_none(), "it ended: {ended:?}");
        }
        daemon
    }

    fn ask(&self, request: &[u8]) -> String {
        let mut client = UnixStream::connect(&self.path).expect("it listens");
        client.write_all(request).expect("it reads");
        client.write_all(b"quit\r\n").expect("it reads");
        let mut said = String::new();
        client.read_to_string(&mut said).expect("it closes");
        said
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(folder) = self.path.parent() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[test]
fn a_socket_file_is_served_with_the_rights_asked_for() {
    let daemon = Daemon::start("served", &["-a", "0660"]);
    let said = daemon.ask(b"set k 0 0 1\r\na\r\nget k\r\n");
    assert_eq!(said, "STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n");
    let mode = fs::metadata(&daemon.path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    let connections = daemon.ask(b"stats conns\r\n");
    assert!(connections.contains(":addr unix:/"), "{connections}");
}

#[test]
fn the_file_of_a_dead_server_is_replaced_and_the_own_one_removed_at_the_end() {
    let path = path_for("dead");
    drop(UnixListener::bind(&path).expect("it is free"));
    assert!(path.exists(), "a dead server leaves its file");
    let mut daemon = Daemon::start_at(path, &[]);
    assert_eq!(daemon.ask(b"mn\r\n"), "MN\r\n");
    let pid = i32::try_from(daemon.process.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it is alive");
    assert!(daemon.process.wait().expect("it ends").success());
    assert!(!daemon.path.exists(), "the file is gone with the server");
}

#[test]
fn neither_a_living_server_nor_another_file_is_replaced() {
    let daemon = Daemon::start("living", &[]);
    let refused = |path: &std::path::Path| {
        let output = command(path)
            .stdout(Stdio::null())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(71));
        String::from_utf8(output.stderr).expect("text")
    };
    let problem = refused(&daemon.path);
    assert!(
        problem.contains("another server listens there"),
        "{problem}"
    );
    assert_eq!(daemon.ask(b"mn\r\n"), "MN\r\n");

    let file = daemon.path.with_file_name("letter");
    fs::write(&file, "dear").expect("it is written");
    let problem = refused(&file);
    assert!(problem.contains("it is no socket"), "{problem}");
    assert_eq!(fs::read(&file).expect("it is there"), b"dear");
}

#[test]
fn clients_that_read_nothing_of_much_go_when_they_are_too_many() {
    // Little waits in a socket file's socket: the rest is memory of the server.
    let daemon = Daemon::start("unread", &["-m", "64", "-c", "100"]);
    let value = "x".repeat(1_000_000);
    let set = format!("set k 0 0 1000000\r\n{value}\r\n");
    assert_eq!(daemon.ask(set.as_bytes()), "STORED\r\n");
    let begin = || {
        let mut client = UnixStream::connect(&daemon.path).expect("it listens");
        client.write_all(b"get k\r\nget k\r\n").expect("it reads");
        client
    };
    let held: Vec<UnixStream> = (0..40).map(|_| begin()).collect();
    // 16 MiB may wait for as long as it takes: some 21 of these, and who asks.
    let left = loop {
        let stats = daemon.ask(b"stats\r\n");
        let connected = stats.lines().find_map(|line| {
            let count = line.strip_prefix("STAT curr_connections ")?;
            count.parse::<usize>().ok()
        });
        match connected.expect("it is told") {
            connected if connected <= 24 => break connected,
            _ => {}
        }
    };
    assert!(left >= 10, "{left}");
    let mut whole = 0;
    let replies = 2 * "VALUE k 0 1000000\r\n\r\nEND\r\n".len() + 2 * value.len();
    for client in held {
        let mut said = Vec::new();
        let up_to = u64::try_from(replies).expect("small");
        let _ = client.take(up_to).read_to_end(&mut said);
        whole += usize::from(said.len() == replies);
    }
    // Who stayed is sent all of it.
    assert!((10..=24).contains(&whole), "{whole}");
}
