//! What clients connect to: a TCP address, or a socket in the file system.
//!
//! It never takes a socket file from a server that is alive, and never removes one that is not its
//! own.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener as StdTcpListener, TcpStream as StdTcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket, UnixListener};

use crate::roster::Addresses;
use crate::settings::{Clients, Protocol};

/// A socket that listens.
#[derive(Debug)]
pub(super) enum Endpoint {
    Tcp(StdTcpListener, Terms),
    Unix(StdUnixListener, SocketFile),
}

/// What holds for every client of a listener.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) protocol: Option<Protocol>,
    /// What clients are to show; none where they are met in plain text.
    pub(super) clients: Option<Clients>,
}

/// The same, under a runtime.
pub(super) enum Listener {
    Tcp(TcpListener, Terms),
    Unix(UnixListener, SocketFile),
}

/// A client that has come.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(StdTcpStream, Terms),
    Unix(StdUnixStream, String),
}

/// The file of a socket; it goes when the server does, if the server made it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: Option<u64>,
}

impl Endpoint {
    /// Listens on an address. Needs a runtime.
    pub(super) fn tcp(address: SocketAddr, backlog: u32, terms: Terms) -> io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(backlog)?.into_std()?;
        Ok(Self::Tcp(socket, terms))
    }

    /// Listens on a socket file with these rights, in the place of one that nobody serves.
    pub(super) fn unix(path: &Path, mode: u32) -> io::Result<Self> {
        make_way(path)?;
        let socket = StdUnixListener::bind(path)?;
        socket.set_nonblocking(true)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        let file = SocketFile {
            path: path.to_owned(),
            inode: Some(fs::metadata(path)?.ino()),
        };
        Ok(Self::Unix(socket, file))
    }

    /// Takes a socket that listens already.
    pub(super) fn given_tcp(socket: StdTcpListener, terms: Terms) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self::Tcp(socket, terms))
    }

    /// Takes a socket that listens already; its file is another's.
    pub(super) fn given_unix(socket: StdUnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let path = address.as_pathname().unwrap_or(Path::new("")).to_owned();
        Ok(Self::Unix(socket, SocketFile { path, inode: None }))
    }

    /// Where it listens, for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp(socket, _) => socket
                .local_addr()
                .map_or_else(|_| String::new(), |address| address.to_string()),
            Self::Unix(_, file) => format!("unix:{}", file.path.display()),
        }
    }

    /// The address it listens on; none where it is a file.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(socket, _) => socket.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    pub(super) fn listen(self) -> io::Result<Listener> {
        Ok(match self {
            Self::Tcp(socket, terms) => Listener::Tcp(TcpListener::from_std(socket)?, terms),
            Self::Unix(socket, file) => Listener::Unix(UnixListener::from_std(socket)?, file),
        })
    }
}

impl Listener {
    /// Waits for a client.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener, terms) => {
                let (stream, _) = listener.accept().await?;
                Ok(Stream::Tcp(stream.into_std()?, *terms))
            }
            Self::Unix(listener, file) => {
                let (stream, _) = listener.accept().await?;
                let name = format!("unix:{}", file.path.display());
                Ok(Stream::Unix(stream.into_std()?, name))
            }
        }
    }
}

impl Stream {
    /// Who talks to whom, as `stats conns` shows it.
    pub(super) fn addresses(&self) -> Addresses {
        let name = |address: io::Result<SocketAddr>| {
            address.map_or_else(|_| String::new(), |address| format!("tcp:{address}"))
        };
        match self {
            Self::Tcp(stream, _) => Addresses {
                client: name(stream.peer_addr()),
                listener: name(stream.local_addr()),
            },
            Self::Unix(_, path) => Addresses {
                client: path.clone(),
                listener: path.clone(),
            },
        }
    }

    /// Sends a few bytes if there is room, and waits for nobody.
    pub(super) fn say(&self, bytes: &[u8]) {
        use std::io::Write;
        let _ = match self {
            // Nobody reads plain text who expects TLS.
            Self::Tcp(_, terms) if terms.clients.is_some() => return,
            Self::Tcp(stream, _) => (&mut &*stream).write(bytes),
            Self::Unix(stream, _) => (&mut &*stream).write(bytes),
        };
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have put another there meanwhile.
        let found = fs::metadata(&self.path).map(|found| found.ino());
        if self.inode.is_some() && found.ok() == self.inode {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket file that nobody serves any more.
fn make_way(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let taken = |problem| Err(io::Error::new(ErrorKind::AddrInUse, problem));
    if !found.file_type().is_socket() {
        return taken("there is a file, and it is no socket");
    }
    if StdUnixStream::connect(path).is_ok() {
        return taken("another server listens there");
    }
    fs::remove_file(path)
}
