//! Where a server that is already running listens, and how to reach it.
//!
//! Plain TCP, a UNIX socket, or TLS over TCP; what is said there is not its business. Who speaks
//! over it is in `socket.rs`, who may speak what in `foreign.rs`.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::secure::Secure;

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Whom a TLS client believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Servers that the authorities in this PEM file vouch for.
    Authorities(PathBuf),
    /// Anybody: the certificate is not looked at.
    Anybody,
}

/// Where a server listens.
#[derive(Clone)]
pub enum Address {
    /// `HOST:PORT`
    Tcp(String),
    /// `unix:PATH`
    Unix(PathBuf),
    /// `tls:HOST:PORT`, and how its certificate is looked at.
    Tls(String, Arc<ClientConfig>),
}

/// A connection to a server, whatever it runs over.
pub trait Wire: Read + Write + Send + Sync {
    /// How long a read may take.
    fn patience(&mut self, read: Duration, write: Duration);
    /// Sends no more; reads on.
    fn finish(&mut self);
    /// The same connection once more, for another thread.
    ///
    /// # Errors
    /// When the system has no more to give.
    fn twin(&self) -> io::Result<Box<dyn Wire>>;
}

impl Address {
    /// Reads `HOST:PORT`, `unix:PATH` or `tls:HOST:PORT`.
    ///
    /// # Errors
    /// When it is none of these, or the authorities cannot be read.
    pub fn parse(text: &str, trust: &Trust) -> Result<Address, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err("`unix:` needs the path of a socket behind it".to_owned()),
                path => Ok(Address::Unix(PathBuf::from(path))),
            };
        }
        if let Some(place) = text.strip_prefix("tls:") {
            return Ok(Address::Tls(checked(place)?, Arc::new(client(trust)?)));
        }
        checked(text).map(Address::Tcp)
    }

    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there, or not in time.
    pub fn connect(&self) -> io::Result<Box<dyn Wire>> {
        match self {
            Address::Tcp(place) => Ok(Box::new(dial(place)?)),
            Address::Unix(path) => Ok(Box::new(UnixStream::connect(path)?)),
            Address::Tls(place, config) => {
                let host = place
                    .rsplit_once(':')
                    .map_or(place.as_str(), |(host, _)| host);
                let name = ServerName::try_from(bare(host).to_owned()).map_err(io::Error::other)?;
                let connection =
                    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                let stream = Secure::agree(connection, dial(place)?, CONNECT_MAX)?;
                Ok(Box::new(stream))
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(place) => f.write_str(place),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tls(place, _) => write!(f, "tls:{place}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn checked(place: &str) -> Result<String, String> {
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    if host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(format!(
            "`{place}` is no HOST:PORT; a target is `127.0.0.1:11211`, `[::1]:11211`, \
             `unix:/run/memcached.sock` or `tls:cache.example:11211`"
        ));
    }
    Ok(place.to_owned())
}

/// The host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn dial(place: &str) -> io::Result<TcpStream> {
    let mut refused = io::Error::other(format!("`{place}` names no host"));
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// What TCP and UNIX sockets do alike.
macro_rules! stream_is_a_wire {
    ($stream:ty) => {
        impl Wire for $stream {
            fn patience(&mut self, read: Duration, write: Duration) {
                let _ = self.set_read_timeout(Some(read));
                let _ = self.set_write_timeout(Some(write));
            }

            fn finish(&mut self) {
                let _ = self.shutdown(Shutdown::Write);
            }

            fn twin(&self) -> io::Result<Box<dyn Wire>> {
                Ok(Box::new(self.try_clone()?))
            }
        }
    };
}

stream_is_a_wire!(TcpStream);
stream_is_a_wire!(UnixStream);

/// Datagrams to and from one server: each write is one, and each read.
#[derive(Debug)]
pub struct Datagrams(UdpSocket);

impl Datagrams {
    /// To the server there, on the port that it has for TCP.
    ///
    /// # Errors
    /// When the place has no such port.
    pub fn to(address: &Address) -> io::Result<Datagrams> {
        let Address::Tcp(place) = address else {
            return Err(io::Error::other("datagrams go to a HOST:PORT"));
        };
        let mut refused = io::Error::other(format!("`{place}` names no host"));
        for address in place.to_socket_addrs()? {
            let any = match address {
                SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
            };
            let socket = UdpSocket::bind(any)?;
            match socket
                .connect(address)
                .and_then(|()| wait_until_up(&socket))
            {
                Ok(()) => return Ok(Datagrams(socket)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Whether the server there answers a datagram: one may be lost, but not one after the other.
    #[must_use]
    pub fn are_answered_at(address: &Address) -> bool {
        const ASKED_MAX: usize = 3;
        const PATIENCE: Duration = Duration::from_millis(500);
        let Ok(mut datagrams) = Datagrams::to(address) else {
            return false;
        };
        datagrams.patience(PATIENCE, PATIENCE);
        // The first of one, with the number 1: what every memcached can tell.
        let question = b"\0\x01\0\0\0\x01\0\0version\r\n";
        (0..ASKED_MAX).any(|_| {
            let asked = datagrams.write(question).is_ok();
            asked && datagrams.read(&mut [0; 2048]).is_ok()
        })
    }
}

/// A server may accept connections before it listens for datagrams. An empty one is nothing to a
/// server, and refused where there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "a real server is waited for in real time"
)]
fn wait_until_up(socket: &UdpSocket) -> io::Result<()> {
    const TRIES_MAX: u32 = 200;
    for _ in 0..TRIES_MAX {
        let sent = socket.send(&[]);
        if sent.is_ok() && socket.take_error()?.is_none() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(io::Error::other("nobody listens for datagrams"))
}

impl Read for Datagrams {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }
}

impl Write for Datagrams {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire for Datagrams {
    fn patience(&mut self, read: Duration, write: Duration) {
        let _ = self.0.set_read_timeout(Some(read));
        let _ = self.0.set_write_timeout(Some(write));
    }

    fn finish(&mut self) {}

    fn twin(&self) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(Datagrams(self.0.try_clone()?)))
    }
}

/// A TLS client that believes so.
fn client(trust: &Trust) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Trust::Authorities(file) = trust else {
        let verifier = Arc::new(Gullible(provider));
        let config = config
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        return Ok(config.with_no_client_auth());
    };
    let unread = |problem: &dyn fmt::Display| {
        format!(
            "{}: {problem}; `--tls-ca FILE` names a PEM file",
            file.display()
        )
    };
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unread(&error))? {
        let certificate = certificate.map_err(|error| unread(&error))?;
        // A bundle may hold what is no authority; it is no reason to refuse the others.
        let _ = authorities.add(certificate);
    }
    if authorities.is_empty() {
        return Err(unread(&"there is no certificate in it"));
    }
    Ok(config
        .with_root_certificates(authorities)
        .with_no_client_auth())
}

/// Believes any certificate, as the user asked.
#[derive(Debug)]
struct Gullible(Arc<CryptoProvider>);

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
