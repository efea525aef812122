//! Clients that are connected and say nothing: a process of their own has them, for one process may
//! not have as many connections as all servers together.

use std::env;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::common::connect;

const ASKED: &str = "VERSUS_IDLE";

/// Makes this command one that connects so often, and then waits for its end.
pub(crate) fn ask_for(command: &mut Command, port: u16, count: usize) {
    command.env(ASKED, format!("{port} {count}"));
}

/// Whether this process is to be one.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(ASKED).is_some()
}

/// Is one, until it is ended. It says a line when all are connected.
pub(crate) fn wait() -> ! {
    let asked = env::var(ASKED).unwrap();
    let (port, count) = asked.split_once(' ').unwrap();
    let (port, count): (u16, usize) = (port.parse().unwrap(), count.parse().unwrap());
    let clients: Vec<_> = (0..count).map(|_| connect(port)).collect();
    println!("{}", clients.len());
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
