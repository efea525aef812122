//! The memcached that our figures stand beside, started for each of them: the one that `MEMCACHED`
//! names, or the one in the path. Where there is none, that is said aloud.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench is told by its environment"
)]

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::TcpStream;
use std::process::{Child, Command};

use super::common::{connect, free_port};

/// What it is called, and what it says it is.
pub(super) fn name() -> Option<(String, String)> {
    let program = std::env::var("MEMCACHED").unwrap_or_else(|_| "memcached".into());
    let output = Command::new(&program).arg("-V").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some((program, version))
}

/// A memcached that ends with its figure.
pub(super) struct Peer {
    child: Child,
    port: u16,
}

impl Peer {
    /// One with so many megabytes.
    pub(super) fn start(mebibytes: usize) -> Option<Self> {
        let (program, _) = name()?;
        let port = free_port();
        let options = format!("-u root -l 127.0.0.1 -p {port} -t 2 -m {mebibytes}");
        let started = Command::new(program).args(options.split(' ')).spawn();
        let child = started.expect("it says its version, and does not start");
        let peer = Self { child, port };
        drop(peer.connect());
        Some(peer)
    }

    pub(super) fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    /// Stores values of one length under these keys, and waits until it has.
    pub(super) fn fill(
        &self,
        keys: impl Iterator<Item = [u8; 20]>,
        length: usize,
    ) -> io::Result<()> {
        let stream = self.connect();
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = BufWriter::new(stream);
        let tail = [vec![b'v'; length], b"\r\n".to_vec()].concat();
        for key in keys {
            writer.write_all(b"set ")?;
            writer.write_all(&key)?;
            write!(writer, " 0 0 {length} noreply\r\n")?;
            writer.write_all(&tail)?;
        }
        writer.write_all(b"mn\r\n")?;
        writer.flush()?;
        reader.read_line(&mut String::new()).map(drop)
    }

    /// One of its figures.
    pub(super) fn stat(&self, name: &str) -> io::Result<usize> {
        let mut stream = self.connect();
        stream.write_all(b"stats\r\n")?;
        let start = format!("STAT {name} ");
        for line in BufReader::new(stream).lines() {
            if let Some(value) = line?.strip_prefix(&start) {
                return value.parse().map_err(io::Error::other);
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// What it has of the machine's memory, in bytes.
    pub(super) fn resident_bytes(&self) -> usize {
        super::resident_bytes_of(&self.child.id().to_string())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
