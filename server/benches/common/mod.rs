//! Where a daemon under measurement listens, and how it is reached. It starts nothing.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench waits for its peer; a panic is how it says no"
)]

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Under valgrind a daemon takes its time.
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap().port()
}

/// A connection, once the daemon listens there.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = once_there(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(START_MAX)).unwrap();
    stream
}

/// A connection of any kind, once somebody listens.
pub(crate) fn once_there<S>(connect: impl Fn() -> io::Result<S>) -> S {
    for _ in 0..START_MAX.as_millis() / POLL.as_millis() {
        if let Ok(stream) = connect() {
            return stream;
        }
        thread::sleep(POLL);
    }
    panic!("nobody listens: {}", connect().err().unwrap());
}
