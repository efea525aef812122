//! The law on a socket: the model behind plain TCP, so that any client can talk to it.
//!
//! It is no server to rely on: one thread for each client, one lock for all, nothing is evicted. It
//! listens on the loopback only. Try it with `cargo run -p model --example serve`, then
//! `nc 127.0.0.1 11211`.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{Model, Options, Ruling, Session, Time};
use spec::Dialect;

const USAGE: &str = "\
Serves the model of memcached on 127.0.0.1.

serve [--port N] [--dialect NAME] [memcached's options]

  --port N        listen there; 11211 by default, and 0 takes any free port
  --dialect NAME  follow law (the default), memcached-1.6.45 or memcached-1.6.18
  --help          print this

Of memcached's options those that change an answer are known: -A -C -D -F -I -M -X -c -m -o -t.";

/// How long a client may be silent before the model is asked whether time has something to say.
const TICK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match parse(&arguments).and_then(|(port, model)| serve(port, model)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("serve: {problem}");
            ExitCode::from(2)
        }
    }
}

/// The port and the model that the arguments ask for.
fn parse(arguments: &[String]) -> Result<(u16, Model), String> {
    let (mut port, mut dialect, mut options) = (11211, Dialect::default(), String::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().map_or("", String::as_str);
        match argument.as_str() {
            "--port" => {
                let number = value();
                port = number.parse().map_err(|_| {
                    format!("`--port {number}` is no port; give a number from 0 to 65535")
                })?;
            }
            "--dialect" => {
                let name = value();
                dialect = Dialect::shipped(name).ok_or_else(|| {
                    let names = Dialect::shipped_names().join(", ");
                    format!("there is no dialect `{name}`; there are {names}")
                })?;
            }
            other => {
                options.push(' ');
                options.push_str(other);
            }
        }
    }
    let options = Options::parse(&options)
        .map_err(|problem| format!("{problem}; `--help` lists what it accepts"))?;
    Ok((port, Model::new(options, dialect)))
}

fn serve(port: u16, model: Model) -> Result<(), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("the law listens on {address}");
    let model = Arc::new(Mutex::new(model));
    for client in listener.incoming().flatten() {
        let model = Arc::clone(&model);
        thread::spawn(move || {
            // A client that went away needs no farewell.
            let _ = attend(client, &model);
        });
    }
    Ok(())
}

/// Answers one client until either side closes.
fn attend(mut client: TcpStream, model: &Mutex<Model>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    client.set_read_timeout(Some(TICK))?;
    let mut session = Session::new();
    let mut buffer = vec![0; 1 << 16];
    while !session.is_closed() {
        let read = match client.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                &[]
            }
            Err(error) => return Err(error),
        };
        let rulings = {
            let mut model = model.lock().unwrap_or_else(PoisonError::into_inner);
            let mut rulings = session.tick(&mut model, now());
            rulings.extend(session.receive(&mut model, read, now()));
            rulings
        };
        let reply: Vec<u8> = rulings.iter().flat_map(Ruling::bytes).copied().collect();
        client.write_all(&reply)?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge of the program: the model is told the time from here"
)]
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
