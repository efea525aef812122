//! TLS: whom a server meets, whom it sends away, and what everybody else notices of it.
//! Law: `spec/listeners.md`.

mod doors;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use doors::{Daemon, Folder, Place, all_with, said, until};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use spec::req;

const PLAIN: Place = Place::Host("127.0.0.1");
const HOST: &str = "127.0.0.1";
const OTHER_HOST: &str = "127.0.0.3";
/// An option that a server without TLS does not name.
const TLS: &str = "ssl_chain_cert";
const MN: &[u8] = b"mn\r\n";
const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS12, &version::TLS13];

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
    fn new() -> Authority {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named("authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("it is signed").pem();
        let issuer = Issuer::new(params, key);
        Authority {
            issuer,
            certificate,
        }
    }

    fn vouch(&self) -> Identity {
        let names = [HOST.to_owned(), OTHER_HOST.to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name = named("one of many");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it is signed");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// Whoever has the name of its authority looks as if it vouched for itself.
fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// A client that trusts an authority, and may have a certificate of its own.
fn client_of(
    versions: &[&'static SupportedProtocolVersion],
    trusted: &Authority,
    own: Option<&Identity>,
) -> Arc<ClientConfig> {
    let read = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let mut roots = RootCertStore::empty();
    roots.add(read(&trusted.certificate)).expect("it is one");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("they are known")
        .with_root_certificates(roots);
    Arc::new(match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).expect("PEM");
            let chain = vec![read(&own.certificate)];
            config.with_client_auth_cert(chain, key).expect("a pair")
        }
    })
}

fn tls(trusted: &Authority, own: Option<&Identity>) -> Place {
    Place::Tls(HOST, client_of(BOTH, trusted, own))
}

/// Writes a server's certificate and key, and who vouches for its clients.
fn write(folder: &Folder, identity: &Identity, clients: &Authority) {
    let write = |name, text: &str| fs::write(folder.file(name), text).expect("it is written");
    write("chain", &identity.certificate);
    write("key", &identity.key);
    write("clients", &clients.certificate);
}

fn options(folder: &Folder, more: &str) -> String {
    let file = |name| folder.file(name).display().to_string();
    format!(
        "-Z -o ssl_chain_cert={},ssl_key={},ssl_ca_cert={} -p {{port}} {more}",
        file("chain"),
        file("key"),
        file("clients")
    )
}

#[test]
fn over_tls_all_is_as_without_it() {
    let authority = Authority::new();
    let place = tls(&authority, None);
    all_with(TLS, &[req!("listeners.tls")], |subject| {
        let folder = Folder::new();
        write(&folder, &authority.vouch(), &authority);
        let options = options(&folder, "-l 127.0.0.1");
        let server = Daemon::start(subject, &options).up_at(&place);
        let value = "x".repeat(1_000_000);
        let set = format!("set k 0 0 1000000\r\n{value}\r\nget k k k\r\nmn\r\n");
        let found = format!("VALUE k 0 1000000\\r\\n{value}\\r\\n").repeat(3);
        let said = server.ask(&place, set.as_bytes());
        let expected = format!("STORED\\r\\n{found}END\\r\\nMN\\r\\n");
        assert!(
            said == Some(expected),
            "{} bytes",
            said.map_or(0, |said| said.len())
        );
        // What was decrypted already is no reason to wait for the network.
        let sets = format!("set k 0 0 9000\r\n{}\r\n", "y".repeat(9000)).repeat(200);
        let said = server.ask(&place, sets.as_bytes()).expect("it is served");
        assert!(said == "STORED\\r\\n".repeat(200));
    });
}

/// A process that ends with its test, however that does.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How much this client is told to what it asks, until a noop is answered; it reads meanwhile.
fn told_until_noop(client: &mut TcpStream, requests: String) -> usize {
    let mut writer = client.try_clone().expect("a second hand");
    let writing = std::thread::spawn(move || writer.write_all(requests.as_bytes()));
    let mut said = Vec::new();
    let timeout = Some(Duration::from_secs(60));
    client.set_read_timeout(timeout).expect("it is set");
    let mut buffer = vec![0; 1 << 16];
    while !said.ends_with(b"MN\r\n") {
        let length = match client.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.expect("it answers"),
        };
        assert!(length > 0, "closed after {} bytes", said.len());
        said.extend(buffer.iter().take(length));
    }
    let written = writing.join().expect("it does not panic");
    written.expect("it is read");
    said.len()
}

#[test]
fn a_recording_reaches_a_server_over_tls() {
    let authority = Authority::new();
    let place = tls(&authority, None);
    all_with(TLS, &[req!("listeners.tls")], |subject| {
        let folder = Folder::new();
        write(&folder, &authority.vouch(), &authority);
        let server = Daemon::start(subject, &options(&folder, "-l 127.0.0.1")).up_at(&place);
        let proxy = Command::new(env!("CARGO_BIN_EXE_touchstone"))
            .args(["record", "--listen", "127.0.0.1:0", "--upstream"])
            .arg(format!("tls:{HOST}:{}", server.port))
            .args([
                "--tls-ca".into(),
                folder.file("clients"),
                folder.file("session"),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tool is built");
        let Ended(proxy) = &mut Ended(proxy);
        let mut told = BufReader::new(proxy.stdout.take().expect("it is piped"));
        let mut line = String::new();
        told.read_line(&mut line).expect("it says where");
        let listener = line.split_whitespace().nth(2).expect("clients of …");
        let mut client = TcpStream::connect(listener).expect("it listens");
        // Much in both directions at once. memcached 1.6.18 itself stops then, without a recorder.
        let (times, length) = match subject.has(req!("listeners.tls.hangup.ignored")) {
            true => (1, 10),
            false => (40, 300_000),
        };
        let set = format!("set k 0 0 {length}\r\n{}\r\n", "x".repeat(length));
        let requests = format!("{}{}mn\r\n", set.repeat(times), "get k\r\n".repeat(times));
        let said = told_until_noop(&mut client, requests);
        let value = format!("VALUE k 0 {length}\r\n\r\nEND\r\n").len() + length;
        assert_eq!(said, times * (b"STORED\r\n".len() + value) + MN.len());
        drop(client);
        let line = format!("kill -INT {}", proxy.id());
        let sent = Command::new("sh").args(["-c", &line]).status();
        assert!(sent.expect("there is a shell").success());
        assert_eq!(proxy.wait().expect("it ends").code(), Some(0));
    });
}

#[test]
fn what_comes_without_tls_is_neither_done_nor_answered() {
    let authority = Authority::new();
    let place = tls(&authority, None);
    all_with(TLS, &[req!("listeners.tls.plain")], |subject| {
        let folder = Folder::new();
        write(&folder, &authority.vouch(), &authority);
        let options = options(&folder, "-l 127.0.0.1");
        let server = Daemon::start(subject, &options).up_at(&place);
        for request in [
            &b"set k 0 0 1\r\na\r\nget k\r\nversion\r\n"[..],
            &[0x80; 100],
            b"GET / HTTP/1.1\r\n\r\n",
        ] {
            let mut stream = TcpStream::connect((HOST, server.port)).expect("it listens");
            let timeout = Some(Duration::from_secs(10));
            stream.set_read_timeout(timeout).expect("it is set");
            stream.write_all(request).expect("it reads");
            let mut bytes = Vec::new();
            if let Err(error) = stream.read_to_end(&mut bytes) {
                use std::io::ErrorKind::{TimedOut, WouldBlock};
                assert!(!matches!(error.kind(), TimedOut | WouldBlock), "it is open");
            }
            // An alert, in the terms of TLS.
            assert!(bytes.is_empty() || bytes.starts_with(&[21, 3]), "{bytes:?}");
        }
        assert_eq!(
            server.ask(&place, b"get k\r\n").as_deref(),
            Some("END\\r\\n")
        );
    });
}

#[test]
fn handshakes_that_never_end_keep_nobody_waiting() {
    let authority = Authority::new();
    let place = tls(&authority, None);
    all_with(TLS, &[req!("listeners.tls.silent")], |subject| {
        let folder = Folder::new();
        write(&folder, &authority.vouch(), &authority);
        let options = options(&folder, "-t 2 -l 127.0.0.1");
        let server = Daemon::start(subject, &options).up_at(&place);
        let silent = (0..100).map(|number| {
            let mut stream = TcpStream::connect((HOST, server.port)).expect("it listens");
            let begun: &[u8] = if number % 2 == 0 {
                b""
            } else {
                &hello([3, 3])[..20]
            };
            stream.write_all(begun).expect("it reads");
            stream
        });
        let silent: Vec<_> = silent.collect();
        for _ in 0..8 {
            assert_eq!(server.ask(&place, MN).as_deref(), Some("MN\\r\\n"));
        }
        drop(silent);
    });
}

/// The first message of a client that knows no version newer than this.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x13, 0xc0, 0x09, 0xc0, 0x2f, 0xc0, 0x2b, 0x00, 0x2f];
    // Curves, the form of points, and what signatures are known.
    let extensions: &[u8] = &[
        0, 10, 0, 6, 0, 4, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0, 0, 13, 0, 10, 0, 8, 4, 3, 4, 1, 2, 3,
        2, 1,
    ];
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("it is short");
    let body = [
        &version[..],
        &[7; 32],
        &[0, 0, length(&suites)],
        &suites,
        &[1, 0, 0, length(extensions)],
        extensions,
    ]
    .concat();
    let message = [&[1, 0, 0, length(&body)][..], &body].concat();
    [&[22, 3, 1, 0, length(&message)][..], &message].concat()
}

/// Whether the server goes on with such a client: it answers with a `ServerHello`, not an alert.
fn meets(server: &Daemon, version: [u8; 2]) -> bool {
    let mut wire = server.connect(&PLAIN).expect("it listens");
    let mut reply = [0; 1];
    let sent = wire.write_all(&hello(version));
    sent.is_ok() && matches!(wire.read(&mut reply), Ok(1)) && reply == [22]
}

#[test]
fn old_versions_are_refused() {
    let authority = Authority::new();
    let new = Place::Tls(HOST, client_of(&[&version::TLS13], &authority, None));
    let old = Place::Tls(HOST, client_of(&[&version::TLS12], &authority, None));
    let rules = [req!("listeners.tls.old"), req!("listeners.tls.version")];
    all_with(TLS, &rules, |subject| {
        for (more, serves_old) in [("", true), ("-o ssl_min_version=3", false)] {
            let folder = Folder::new();
            write(&folder, &authority.vouch(), &authority);
            let options = options(&folder, &format!("-l 127.0.0.1 {more}"));
            let server = Daemon::start(subject, &options).up_at(&new);
            assert_eq!(server.ask(&new, MN).as_deref(), Some("MN\\r\\n"));
            let said = server.ask(&old, MN);
            assert_eq!(said.as_deref() == Some("MN\\r\\n"), serves_old, "{more}");
            assert_eq!(meets(&server, [3, 3]), serves_old, "{more}");
            assert!(!meets(&server, [3, 2]), "1.1 {more}");
            assert!(!meets(&server, [3, 1]), "1.0 {more}");
        }
    });
}

#[test]
fn clients_show_what_the_mode_asks_for() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (known, stranger) = (authority.vouch(), other.vouch());
    let rules = [
        req!("listeners.tls.anybody"),
        req!("listeners.tls.if-shown"),
        req!("listeners.tls.known"),
    ];
    all_with(TLS, &rules, |subject| {
        for (mode, nobody, strangers) in [
            ("", true, true),
            ("-o ssl_verify_mode=0", true, true),
            ("-o ssl_verify_mode=1", true, false),
            ("-o ssl_verify_mode=2", false, false),
        ] {
            let folder = Folder::new();
            write(&folder, &authority.vouch(), &authority);
            let options = options(&folder, &format!("{mode} -l 127.0.0.1"));
            let server = Daemon::start(subject, &options).up_at(&tls(&authority, Some(&known)));
            let is_served = |own| {
                let said = server.ask(&tls(&authority, own), MN);
                said.as_deref() == Some("MN\\r\\n")
            };
            assert!(is_served(Some(&known)), "{mode}");
            assert_eq!(is_served(None), nobody, "{mode}");
            assert_eq!(is_served(Some(&stranger)), strangers, "{mode}");
        }
    });
}

#[test]
fn an_address_may_ask_for_more_or_less_than_the_others() {
    let authority = Authority::new();
    let known = authority.vouch();
    let rules = [
        req!("listeners.tls.plain-listener"),
        req!("listeners.tls.known-listener"),
    ];
    let there = |own| Place::Tls(OTHER_HOST, client_of(BOTH, &authority, own));
    all_with(TLS, &rules, |subject| {
        let start = |more: &str| {
            let folder = Folder::new();
            write(&folder, &authority.vouch(), &authority);
            let server = Daemon::start(subject, &options(&folder, more));
            (folder, server)
        };
        let here = tls(&authority, Some(&known));
        let (_folder, server) = start("-l 127.0.0.1 -l notls:127.0.0.3");
        let server = server.up_at(&here);
        let plain = server.ask(&Place::Host(OTHER_HOST), MN);
        assert_eq!(plain.as_deref(), Some("MN\\r\\n"));

        for (mode, word, nobody) in [(2, "btls", true), (0, "mtls", false)] {
            let more = format!("-o ssl_verify_mode={mode} -l 127.0.0.1 -l {word}:127.0.0.3");
            let (_folder, mut server) = start(&more);
            until(|| server.status().is_some() || server.reaches(&here));
            if server.status().is_some() {
                assert_eq!(subject.dialect.name(), "memcached-1.6.18", "{word}");
                continue;
            }
            let is_served = |own| server.ask(&there(own), MN).as_deref() == Some("MN\\r\\n");
            assert!(is_served(Some(&known)), "{word}");
            assert_eq!(is_served(None), nobody, "{word}");
            let here = server.ask(&tls(&authority, None), MN);
            assert_eq!(here.as_deref() == Some("MN\\r\\n"), !nobody, "{word}");
        }
    });
}

#[test]
fn new_certificates_are_met_by_new_clients_and_bad_ones_by_nobody() {
    let (first, second) = (Authority::new(), Authority::new());
    let rules = [
        req!("listeners.tls.refresh"),
        req!("listeners.tls.refresh-keeps"),
        req!("listeners.tls.refresh-bad"),
    ];
    all_with(TLS, &rules, |subject| {
        let folder = Folder::new();
        write(&folder, &first.vouch(), &first);
        let options = options(&folder, "-l 127.0.0.1");
        let place = tls(&first, None);
        let server = Daemon::start(subject, &options).up_at(&place);
        let is_met = |who| server.ask(&tls(who, None), MN).as_deref() == Some("MN\\r\\n");
        let mut old = server.connect(&place).expect("it is served");
        let refresh = |who| server.ask(&tls(who, None), b"refresh_certs\r\n");

        write(&folder, &second.vouch(), &first);
        assert!(is_met(&first), "nothing is read unasked");
        assert_eq!(refresh(&first).as_deref(), Some("OK\\r\\n"));
        assert!(is_met(&second) && !is_met(&first));

        let is_told = |told: Option<String>| {
            let told = told.expect("it is served");
            assert!(told.ends_with("\\r\\n") && told != "OK\\r\\n", "{told}");
            assert_eq!(told.matches("\\n").count(), 1, "{told}");
        };
        fs::write(folder.file("chain"), "nothing\n").expect("it is written");
        is_told(refresh(&second));
        assert!(is_met(&second), "a file that holds no certificate");
        fs::remove_file(folder.file("chain")).expect("it is removed");
        is_told(refresh(&second));
        assert!(is_met(&second), "a file that is not there");
        let mut strange = second.vouch();
        strange.key = first.vouch().key;
        write(&folder, &strange, &first);
        is_told(refresh(&second));
        let half = subject.has(req!("listeners.tls.refresh-bad.half"));
        assert_eq!(is_met(&second), !half, "a key of another certificate");
        assert_eq!(said(old.as_mut(), MN), "MN\\r\\n", "the old one goes on");
    });
}

#[test]
fn a_hangup_reads_the_certificates_again() {
    let (first, second) = (Authority::new(), Authority::new());
    all_with(TLS, &[req!("listeners.tls.hangup")], |subject| {
        let folder = Folder::new();
        write(&folder, &first.vouch(), &first);
        let options = options(&folder, "-l 127.0.0.1");
        let mut server = Daemon::start(subject, &options).up_at(&tls(&first, None));
        write(&folder, &second.vouch(), &second);
        server.signal("HUP");
        let ignored = subject.has(req!("listeners.tls.hangup.ignored"));
        let refreshed = || server.reaches(&tls(&second, None));
        if ignored {
            assert!(!refreshed() && server.reaches(&tls(&first, None)));
        } else {
            assert!(until(refreshed));
        }
        assert!(server.status().is_none(), "it lives on");
    });
}
