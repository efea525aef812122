//! A daemon that is killed under load, again and again: the next one serves at once, where the one
//! before did, over TCP and on a socket file. How long each took is printed, and gates nothing.

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often each is killed.
const TIMES: usize = 500;

/// So many clients are in the middle of something when it dies.
const CLIENTS: usize = 8;

/// Who is not up again by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where it listens, each time.
#[derive(Debug)]
enum Place {
    Port(u16),
    File(PathBuf),
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Place {
    fn start(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchstoned"));
        command.args(["-u", "root", "-l", "127.0.0.1"]);
        match self {
            Place::Port(port) => command.args(["-p", &port.to_string()]),
            Place::File(path) => command.arg("-s").arg(path),
        };
        command.stderr(Stdio::null()).spawn().expect("it starts")
    }

    fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Place::Port(port) => Box::new(TcpStream::connect(("127.0.0.1", *port))?),
            Place::File(path) => Box::new(UnixStream::connect(path)?),
        })
    }

    /// A client that was answered, as soon as there can be one.
    fn wait(&self, process: &mut Child) -> Box<dyn Stream> {
        let until = now() + PATIENCE;
        loop {
            if let Ok(mut client) = self.connect() {
                client.write_all(b"mn\r\n").expect("it listens");
                let mut reply = [0; 4];
                client.read_exact(&mut reply).expect("it answers");
                assert_eq!(&reply, b"MN\r\n");
                return client;
            }
            let ended = process.try_wait().expect("it is our child");
            assert!(ended.is_none(), "{self:?}: it does not start: {ended:?}");
            assert!(now() < until, "{self:?}: nobody serves");
            thread::yield_now();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is measured how long it takes"
)]
fn now() -> Instant {
    Instant::now()
}

/// Leaves a client in the middle: replies that it has not read, and half a value.
fn begin(client: &mut dyn Stream) {
    let block = [b'x'; 20_000];
    client.write_all(b"set k 0 0 20000\r\n").expect("it reads");
    client.write_all(&block).expect("it reads");
    client
        .write_all(b"\r\nget k k k k\r\nset k 0 0 20000\r\nhalf")
        .expect("it reads");
}

/// That the client learns that its server has died, whatever it was sent before.
fn is_told(client: &mut dyn Stream) {
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

/// Kills it so often. Tells how long each took to serve.
fn restart(place: &Place, times: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..times {
        let began = now();
        let mut process = place.start();
        let mut clients = vec![place.wait(&mut process)];
        took.push(now() - began);
        while clients.len() < CLIENTS {
            clients.push(place.connect().expect("it listens"));
        }
        for client in &mut clients {
            begin(client);
        }
        process.kill().expect("it runs");
        process.wait().expect("it is our child");
        clients.iter_mut().for_each(|client| is_told(client));
    }
    took
}

#[test]
fn who_is_killed_under_load_is_up_again_at_once_where_he_was() {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        free.local_addr().expect("it has one").port()
    };
    let file = env::temp_dir().join(format!("touchstoned-killed-{}", std::process::id()));
    for place in [Place::Port(port), Place::File(file.clone())] {
        let mut took = restart(&place, TIMES);
        took.sort_unstable();
        let (median, most) = (took.get(took.len() / 2), took.last());
        println!(
            "{place:?}: killed {} times; up in {median:?}, {most:?} at most",
            took.len()
        );
    }
    std::fs::remove_file(&file).expect("who is killed leaves it");
}
