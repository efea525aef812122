//! How a server is reached: over TCP, a UNIX socket or TLS.
//!
//! A peer's command says where it listens by `-p {port}`; for the other ways that is replaced or
//! added to, in options that memcached has as well.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, process};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::common::{connect, once_there};

/// A connection.
pub(crate) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// The way to a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Tcp,
    Unix,
    Tls,
}

const TCP: &str = "-l 127.0.0.1 -p {port}";

impl Way {
    /// The command line of a server that is reached so. None where it does not say how it listens.
    pub(crate) fn listening(self, line: &str, port: u16) -> Option<String> {
        let line = match self {
            Way::Tcp => line.to_owned(),
            _ if !line.contains(TCP) => return None,
            Way::Unix => line.replace(TCP, &format!("-s {}", socket(port).display())),
            Way::Tls => {
                let (chain, key) = certificate();
                let files = format!(
                    "-Z -o ssl_chain_cert={},ssl_key={}",
                    chain.display(),
                    key.display()
                );
                format!("{line} {files}")
            }
        };
        Some(line.replace("{port}", &port.to_string()))
    }

    /// A connection, once the server listens.
    pub(crate) fn connect(self, port: u16) -> Box<dyn Stream> {
        match self {
            Way::Tcp => Box::new(connect(port)),
            Way::Unix => Box::new(once_there(|| UnixStream::connect(socket(port)))),
            Way::Tls => {
                let name = ServerName::try_from("localhost").unwrap();
                let client = ClientConnection::new(Arc::new(trusting()), name).unwrap();
                Box::new(StreamOwned::new(client, connect(port)))
            }
        }
    }

    /// Takes away what was put on the disk.
    pub(crate) fn clean(self, port: u16) {
        if self == Way::Unix {
            let _ = fs::remove_file(socket(port));
        }
    }
}

fn socket(port: u16) -> PathBuf {
    env::temp_dir().join(format!("versus-{port}"))
}

/// Where a certificate and its key are put.
fn files() -> (PathBuf, PathBuf) {
    let name = |what| format!("versus-{}.{what}", process::id());
    (
        env::temp_dir().join(name("chain")),
        env::temp_dir().join(name("key")),
    )
}

/// A certificate that vouches for itself, and its key; they are made when they are first wanted.
fn certificate() -> (PathBuf, PathBuf) {
    let (chain, key) = files();
    if !chain.exists() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&chain, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    }
    (chain, key)
}

/// Takes the certificate away.
pub(crate) fn clean() {
    let (chain, key) = files();
    let _ = (fs::remove_file(chain), fs::remove_file(key));
}

fn trusting() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let (chain, _) = certificate();
    roots
        .add(CertificateDer::from_pem_file(chain).unwrap())
        .unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
