//! Where a server that is started for the trial listens, which its command line has a word for.
//!
//! - `{port}`: a port, over TCP (and UDP);
//! - `{socket}`: the path of a UNIX socket;
//! - `{tls-port}`: a port over TLS. A server that we started ourselves is believed.
//!
//! It starts nothing; that is `process.rs`.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::{env, fs, process};

use super::address::{Address, Trust};

const PORT: &str = "{port}";
const SOCKET: &str = "{socket}";
const TLS_PORT: &str = "{tls-port}";

/// A loopback address that no server uses by default, and so far above a port stands its claim: a
/// server may listen on the port itself, on every address and for datagrams as well.
const ASIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const ABOVE: u16 = 20_000;

/// A place that nobody else has as long as this is kept.
#[derive(Debug)]
pub(super) struct Place {
    /// How it is reached.
    pub(super) address: Address,
    port: u16,
    _claim: UdpSocket,
    socket: PathBuf,
}

/// Whether the command says where its server is to listen.
///
/// # Errors
/// When it does not, or says so twice.
pub fn is_said(command: &str) -> Result<(), String> {
    let words = [PORT, SOCKET, TLS_PORT];
    match words.iter().filter(|word| command.contains(*word)).count() {
        1 => Ok(()),
        0 => Err(format!(
            "`{command}` has no `{PORT}`, which stands for the port it is to listen on \
             (or `{SOCKET}`, a UNIX socket, or `{TLS_PORT}`)"
        )),
        _ => Err(format!(
            "`{command}` has more than one of `{PORT}`, `{SOCKET}` and `{TLS_PORT}`; it is tried \
             over one"
        )),
    }
}

/// Whether the command's server is spoken to over plain TCP.
pub fn is_tcp(command: &str) -> bool {
    command.contains(PORT)
}

/// What the command's server is spoken to over: `tcp`, `unix` or `tls`.
#[must_use]
pub fn over(command: &str) -> &'static str {
    match () {
        () if command.contains(SOCKET) => "unix",
        () if command.contains(TLS_PORT) => "tls",
        () => "tcp",
    }
}

/// The words of a command line as a shell would cut them: quotes keep spaces, of both kinds.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(opening), _) if opening == letter => quote = None,
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

impl Place {
    /// A place of the kind that the command has a word for.
    pub(super) fn claim(command: &str) -> Result<Place, String> {
        let (port, claim) = claim_port()?;
        let socket = env::temp_dir().join(format!("touchstone-{}-{port}.sock", process::id()));
        let listener = format!("127.0.0.1:{port}");
        let address = if command.contains(SOCKET) {
            Address::Unix(socket.clone())
        } else if command.contains(TLS_PORT) {
            Address::parse(&format!("tls:{listener}"), &Trust::Anybody)?
        } else {
            Address::Tcp(listener)
        };
        Ok(Place {
            address,
            port,
            _claim: claim,
            socket,
        })
    }

    /// The command line with the place in it.
    pub(super) fn fill(&self, command: &str) -> String {
        let port = self.port.to_string();
        let line = command.replace(PORT, &port).replace(TLS_PORT, &port);
        line.replace(SOCKET, &self.socket.to_string_lossy())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Most commands have no such file, and some servers take theirs away.
        let _ = fs::remove_file(&self.socket);
    }
}

/// A port that nobody has, below those that the kernel deals out to connecting clients.
///
/// Between finding it free and the server's binding it, another trial could find it free as well,
/// and talk to the wrong server. So it is claimed by a datagram socket, kept as long as the server.
///
/// # Errors
/// When there is none.
pub fn claim_port() -> Result<(u16, UdpSocket), String> {
    let dealt = || -> std::io::Result<u16> {
        Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port())
    };
    for _ in 0..100 {
        let port = dealt().map_err(|error| format!("no free port: {error}"))?;
        let port = 10_000 + port % 20_000;
        let is_free = || {
            let all = (Ipv4Addr::UNSPECIFIED, port);
            TcpListener::bind(all).is_ok() && UdpSocket::bind(all).is_ok()
        };
        if let Ok(claim) = UdpSocket::bind((ASIDE, port + ABOVE))
            && is_free()
        {
            return Ok((port, claim));
        }
    }
    Err("no free port between 10000 and 29999".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_listen_wherever_it_likes_on_a_port_that_is_claimed() {
        let (port, claim) = claim_port().unwrap();
        let all = (Ipv4Addr::UNSPECIFIED, port);
        assert!(TcpListener::bind(all).is_ok() && UdpSocket::bind(all).is_ok());
        assert!(UdpSocket::bind(claim.local_addr().unwrap()).is_err());
    }

    #[test]
    fn quotes_keep_words_together() {
        let line = r#"sh  -c 'exec mine -p 1 "$@"' sh "" -m 64"#;
        let cut = ["sh", "-c", r#"exec mine -p 1 "$@""#, "sh", "", "-m", "64"];
        assert_eq!(words(line), cut);
        assert_eq!(words(" "), [""; 0]);
    }
}
