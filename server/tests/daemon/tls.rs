//! TLS: who is met, who is sent away, and what everybody else notices of it.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use server::Settings;
use server::net::{self, Clock};
use server::settings::Clients;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, version,
};

use crate::common;

/// Somebody who vouches for others.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("it is signed").pem();
        let issuer = Issuer::new(params, key);
        Self {
            issuer,
            certificate,
        }
    }

    fn vouch(&self, last_year: i32) -> Identity {
        let names = ["localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("a name");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it is signed");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A server with its files in a folder of its own.
struct Server {
    folder: PathBuf,
    server: common::Server,
}

impl Server {
    /// Starts with this certificate, and clients known by this authority.
    fn start(test: &str, identity: &Identity, clients: &Authority, options: &str) -> Self {
        let name = format!("touchstoned-tls-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder is made");
        write(&folder, identity);
        fs::write(folder.join("clients"), &clients.certificate).expect("it is written");
        let shown = folder.display();
        let tls = format!(
            "-p 0 -Z -o ssl_chain_cert={shown}/chain,ssl_key={shown}/key \
             -o ssl_ca_cert={shown}/clients"
        );
        let options = tls + " " + options;
        let server = common::Server::start_by(Clock::start(), &options);
        Self { folder, server }
    }

    /// What is said to some requests over TLS, and over which version of it.
    fn ask(
        &self,
        config: ClientConfig,
        request: &[u8],
    ) -> std::io::Result<(Vec<u8>, Option<ProtocolVersion>)> {
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("it is configured");
        let mut stream = StreamOwned::new(client, self.server.connect());
        stream.write_all(request)?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said)?;
        Ok((said, stream.conn.protocol_version()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write(folder: &std::path::Path, identity: &Identity) {
    fs::write(folder.join("chain"), &identity.certificate).expect("it is written");
    fs::write(folder.join("key"), &identity.key).expect("it is written");
}

/// A client that trusts an authority, and may have a certificate of its own.
fn client(trusted: &Authority, own: Option<&Identity>) -> ClientConfig {
    client_of(&[&version::TLS12, &version::TLS13], trusted, own)
}

fn client_of(
    versions: &[&'static tokio_rustls::rustls::SupportedProtocolVersion],
    trusted: &Authority,
    own: Option<&Identity>,
) -> ClientConfig {
    let read = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let mut roots = RootCertStore::empty();
    roots.add(read(&trusted.certificate)).expect("it is one");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("they are known")
        .with_root_certificates(roots);
    match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).expect("PEM");
            let chain = vec![read(&own.certificate)];
            config.with_client_auth_cert(chain, key).expect("a pair")
        }
    }
}

const VERSION: &[u8] = b"version\r\nquit\r\n";
const SAID: &[u8] = b"VERSION 1.6.45\r\n";

#[test]
fn clients_are_served_over_either_version_with_values_of_any_length() {
    let authority = Authority::new();
    let server = Server::start("valid", &authority.vouch(2999), &authority, "");
    let (said, version) = server
        .ask(client(&authority, None), VERSION)
        .expect("served");
    assert_eq!((&said[..], version), (SAID, Some(ProtocolVersion::TLSv1_3)));
    let old = client_of(&[&version::TLS12], &authority, None);
    let (said, version) = server.ask(old, VERSION).expect("served");
    assert_eq!((&said[..], version), (SAID, Some(ProtocolVersion::TLSv1_2)));
    let value = "x".repeat(1_000_000);
    let request = format!("set k 0 0 1000000\r\n{value}\r\nget k k k\r\nquit\r\n");
    let (said, _) = server
        .ask(client(&authority, None), request.as_bytes())
        .expect("served");
    assert_eq!(said.len(), 8 + 3 * (19 + 1_000_000 + 2) + 5);
}

#[test]
fn who_does_not_trust_the_certificate_is_not_served() {
    let authority = Authority::new();
    let expired = Server::start("expired", &authority.vouch(2001), &authority, "");
    let error = expired
        .ask(client(&authority, None), VERSION)
        .expect_err("expired");
    assert!(
        error.to_string().to_lowercase().contains("expired"),
        "{error}"
    );
    let server = Server::start("stranger", &authority.vouch(2999), &authority, "");
    let other = Authority::new();
    let error = server
        .ask(client(&other, None), VERSION)
        .expect_err("a stranger");
    assert!(error.to_string().contains("certificate"), "{error}");
    // And the server goes on.
    assert_eq!(
        server
            .ask(client(&authority, None), VERSION)
            .expect("served")
            .0,
        SAID
    );
}

#[test]
fn clients_show_what_the_mode_asks_for() {
    let (authority, other) = (Authority::new(), Authority::new());
    let known = authority.vouch(2999);
    let expired = authority.vouch(2001);
    let stranger = other.vouch(2999);
    for (mode, nobody, stranger_served) in [(0, true, true), (1, true, false), (2, false, false)] {
        let options = format!("-o ssl_verify_mode={mode}");
        let identity = authority.vouch(2999);
        let server = Server::start(&format!("mode{mode}"), &identity, &authority, &options);
        let is_served = |own: Option<&Identity>| {
            let said = server.ask(client(&authority, own), VERSION);
            said.is_ok_and(|(said, _)| said == SAID)
        };
        assert!(is_served(Some(&known)), "{mode}");
        assert_eq!(is_served(None), nobody, "{mode}");
        assert_eq!(is_served(Some(&stranger)), stranger_served, "{mode}");
        assert_eq!(is_served(Some(&expired)), mode == 0, "{mode}");
    }
}

#[test]
fn a_listener_may_ask_for_more_or_less_than_the_others() {
    let authority = Authority::new();
    let known = authority.vouch(2999);
    let identity = authority.vouch(2999);
    let served = |prefix: &str, own: Option<&Identity>| {
        let options = format!("-l {prefix}:127.0.0.1 -o ssl_verify_mode=2");
        let server = Server::start(prefix, &identity, &authority, &options);
        let said = server.ask(client(&authority, own), VERSION);
        said.is_ok_and(|(said, _)| said == SAID)
    };
    assert!(served("btls", None));
    assert!(!served("mtls", None));
    assert!(served("mtls", Some(&known)));
    let options = "-l notls:127.0.0.1";
    let server = Server::start("notls", &identity, &authority, options);
    let mut client = server.server.connect();
    client.write_all(VERSION).expect("it reads");
    let mut said = Vec::new();
    client.read_to_end(&mut said).expect("it closes");
    assert_eq!(said, SAID);
}

#[test]
fn plain_text_is_closed_cleanly_and_nothing_of_it_is_done() {
    let authority = Authority::new();
    let server = Server::start("plain", &authority.vouch(2999), &authority, "");
    for request in [
        &b"set k 0 0 1\r\na\r\nget k\r\n"[..],
        &[0x80; 100],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut client = server.server.connect();
        client.write_all(request).expect("it reads");
        let mut said = Vec::new();
        client
            .read_to_end(&mut said)
            .expect("it is closed, not reset");
        // An alert, in the terms of TLS.
        assert!(said.is_empty() || said.starts_with(&[21, 3]), "{said:?}");
    }
    assert_eq!(
        server
            .ask(client(&authority, None), VERSION)
            .expect("served")
            .0,
        SAID
    );
    let (said, _) = server
        .ask(client(&authority, None), b"get k\r\nquit\r\n")
        .expect("served");
    assert_eq!(said, b"END\r\n");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a deadline is measured")]
fn a_handshake_that_does_not_end_is_given_up_after_ten_seconds() {
    let authority = Authority::new();
    let server = Server::start("stalled", &authority.vouch(2999), &authority, "");
    let mut client = server.server.connect();
    let patience = Some(Duration::from_secs(30));
    client.set_read_timeout(patience).expect("a timeout is set");
    let begin = Instant::now();
    // So begins a record of a handshake.
    client.write_all(&[22, 3, 1]).expect("it reads");
    let mut said = Vec::new();
    let ended = client.read_to_end(&mut said).map_err(|error| error.kind());
    assert!(
        matches!(ended, Ok(_) | Err(ErrorKind::ConnectionReset)),
        "{ended:?}"
    );
    let waited = begin.elapsed().as_secs();
    assert!((9..20).contains(&waited), "{waited} s");
}

#[test]
fn a_client_that_ends_without_a_word_gets_what_it_is_owed() {
    let authority = Authority::new();
    let server = Server::start("half", &authority.vouch(2999), &authority, "");
    let name = ServerName::try_from("localhost").expect("a name");
    let config = Arc::new(client(&authority, None));
    let tls = ClientConnection::new(config, name).expect("it is configured");
    let mut stream = StreamOwned::new(tls, server.server.connect());
    stream.write_all(b"version\r\n").expect("it reads");
    stream.sock.shutdown(Shutdown::Write).expect("it is open");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).expect("it closes");
    assert_eq!(said, SAID);
}

#[test]
fn refresh_certs_reads_the_files_again_and_bad_ones_change_nothing() {
    let (first, second) = (Authority::new(), Authority::new());
    let server = Server::start("refresh", &first.vouch(2999), &first, "");
    let refresh = b"refresh_certs\r\nquit\r\n";
    write(&server.folder, &second.vouch(2999));
    assert_eq!(
        server.ask(client(&first, None), refresh).expect("served").0,
        b"OK\r\n"
    );
    assert!(server.ask(client(&first, None), VERSION).is_err());
    fs::write(server.folder.join("chain"), "nothing").expect("it is written");
    let (said, _) = server.ask(client(&second, None), refresh).expect("served");
    assert_eq!(said, b"SERVER_ERROR cannot read the certificates\r\n");
    assert_eq!(
        server
            .ask(client(&second, None), VERSION)
            .expect("served")
            .0,
        SAID
    );
}

#[test]
fn statistics_tell_what_tls_is_spoken_with() {
    let authority = Authority::new();
    let server = Server::start("statistics", &authority.vouch(2999), &authority, "");
    let mut stranger = server.server.connect();
    stranger.write_all(b"version\r\n").expect("it reads");
    stranger
        .read_to_end(&mut Vec::new())
        .expect("it is closed, not reset");
    let asked = b"stats\r\nstats settings\r\nquit\r\n";
    let (said, _) = server.ask(client(&authority, None), asked).expect("served");
    let said = String::from_utf8(said).expect("text");
    let folder = server.folder.display();
    for line in [
        "ssl_handshake_errors 1".to_owned(),
        "ssl_enabled yes".to_owned(),
        format!("ssl_chain_cert {folder}/chain"),
        format!("ssl_key {folder}/key"),
        "ssl_verify_mode 0".to_owned(),
        "ssl_min_version tlsv1.2".to_owned(),
    ] {
        assert!(said.contains(&format!("STAT {line}\r\n")), "{line}: {said}");
    }
    assert!(said.contains("STAT time_since_server_cert_refresh "));
}

#[test]
fn a_hangup_reads_the_certificates_again() {
    let (first, second) = (Authority::new(), Authority::new());
    let server = Server::start("hangup", &first.vouch(2999), &first, "");
    write(&server.folder, &second.vouch(2999));
    assert!(server.ask(client(&second, None), VERSION).is_err());
    kill(Pid::this(), Signal::SIGHUP).expect("it is us");
    let served = || server.ask(client(&second, None), VERSION).is_ok();
    assert!(
        (0..1000).any(|_| served()),
        "the certificate is still the first"
    );
    assert!(server.ask(client(&first, None), VERSION).is_err());
}

#[test]
fn what_cannot_be_a_way_of_tls_is_refused() {
    let refusal = |options: &[&str]| {
        let problem = Settings::parse(options.iter().copied()).expect_err("refused");
        String::from(problem)
    };
    let problem = "-Z: needs -o ssl_chain_cert=<a file of certificates>";
    assert_eq!(refusal(&["-Z"]), problem);
    let problem = "-Z: clients are known by -o ssl_ca_cert=<a file of certificates>";
    let chain = "ssl_chain_cert=c";
    assert_eq!(refusal(&["-Z", "-o", chain, "-l", "mtls:a"]), problem);
    assert_eq!(
        refusal(&["-Z", "-o", chain, "-o", "ssl_verify_mode=1"]),
        problem
    );
    let problem = "-l: `notls:a`: there is no TLS without -Z";
    assert_eq!(refusal(&["-l", "notls:a"]), problem);
    let problem = "-Z: there is no TLS on the socket file of -s";
    assert_eq!(refusal(&["-Z", "-o", chain, "-s", "x"]), problem);
    for option in [
        "ssl_verify_mode=4",
        "ssl_min_version=4",
        "ssl_chain_cert",
        "ssl_keyformat=DER",
        "ssl_x=1",
    ] {
        let (name, _) = option.split_once('=').unwrap_or((option, ""));
        assert!(refusal(&["-o", option]).contains(name), "{option}");
    }
    let settings = Settings::parse(["-o", "ssl_verify_mode=3,ssl_min_version=3"]).expect("good");
    assert_eq!(settings.tls.clients, Clients::Known);
    assert!(settings.tls.is_new_only);
    let settings = Settings::parse(["-Z", "-o", "ssl_chain_cert=/nonexistent"]).expect("good");
    let error = net::listen(&settings)
        .expect_err("there is no such file")
        .to_string();
    assert!(
        error.starts_with("-o ssl_chain_cert: /nonexistent: "),
        "{error}"
    );
}
