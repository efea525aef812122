//! What a service manager is told, and what it hands over.
//!
//! It never waits for the manager, and does nothing where there is none: everything comes from
//! variables that only a manager sets. What is done with the sockets is for `net`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use listenfd::ListenFd;
use server::net::Given;

/// Where the manager hears of us.
const NOTIFY: &str = "NOTIFY_SOCKET";

/// Whether a manager waits to be told that we are ready.
pub(crate) fn is_awaited() -> bool {
    manager().is_some()
}

/// The socket where it waits.
fn manager() -> Option<OsString> {
    std::env::var_os(NOTIFY).filter(|path| !path.is_empty())
}

/// Tells the manager something, if there is one.
pub(crate) fn tell(what: &str) {
    let Some(path) = manager() else {
        return;
    };
    if let Err(error) = send(path.as_bytes(), what.as_bytes()) {
        say!("the service manager is not told `{what}`: {error}");
    }
}

fn send(path: &[u8], what: &[u8]) -> io::Result<usize> {
    let address = match path.split_first() {
        #[cfg(target_os = "linux")]
        Some((b'@', name)) => {
            use std::os::linux::net::SocketAddrExt;
            SocketAddr::from_abstract_name(name)?
        }
        _ => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(what, &address)
}

/// The sockets that the manager listens on for us.
///
/// # Errors
///
/// When one of them is no socket that can be served.
pub(crate) fn sockets() -> io::Result<Given> {
    let mut handed = ListenFd::from_env();
    let mut given = Given::default();
    for at in 0..handed.len() {
        if let Ok(Some(socket)) = handed.take_tcp_listener(at) {
            given.tcp.push(socket);
        } else if let Ok(Some(socket)) = handed.take_unix_listener(at) {
            given.unix.push(socket);
        } else if let Some(socket) = handed.take_udp_socket(at)? {
            given.datagrams.push(socket);
        }
    }
    Ok(given)
}
