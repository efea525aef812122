//! Where servers can be reached, and what is spoken there: addresses, protocols, socket files.
//! Law: `spec/listeners.md`. What is said over TLS is in `tls.rs`.

mod doors;

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use doors::{Daemon, Folder, Place, Subject, all, stays, until};
use spec::req;

const HERE: Place = Place::Host("127.0.0.1");
const THERE: Place = Place::Host("127.0.0.3");
const ELSEWHERE: Place = Place::Host("127.0.0.4");

const TEXT: &[u8] = b"mn with some more words.\r\n";
const SET: &[u8] = b"set k 0 0 1\r\na\r\n";
const GET: &[u8] = b"get k\r\n";
const FOUND: &str = "VALUE k 0 1\\r\\na\\r\\nEND\\r\\n";

/// A frame of binary that asks for nothing.
fn noop() -> Vec<u8> {
    [&[0x80, 0x0a][..], &[0; 22]].concat()
}

#[test]
fn every_address_is_served_and_no_other() {
    let rules = [
        req!("listeners.several"),
        req!("listeners.port"),
        req!("listeners.only"),
    ];
    all(&rules, |subject| {
        let options = "-l 127.0.0.1:{port} -l 127.0.0.3 -p {port}";
        let server = Daemon::start(subject, options).up_at(&HERE);
        assert_eq!(server.ask(&HERE, SET).as_deref(), Some("STORED\\r\\n"));
        assert_eq!(server.ask(&THERE, GET).as_deref(), Some(FOUND));
        assert_eq!(server.ask(&ELSEWHERE, GET), None);
    });
}

#[test]
fn a_server_that_cannot_have_all_its_addresses_serves_at_none() {
    all(&[req!("listeners.taken")], |subject| {
        let first = Daemon::start(subject, "-l 127.0.0.3 -p {port}").up_at(&THERE);
        let options = "-l 127.0.0.1,127.0.0.3 -p {port}";
        let mut second = Daemon::start_on(subject, options, first.port);
        assert!(second.refuses(true));
        assert_eq!(second.ask(&HERE, GET), None);
        assert_eq!(first.ask(&THERE, GET).as_deref(), Some("END\\r\\n"));
    });
}

#[test]
fn an_address_has_the_protocol_that_it_is_given() {
    all(&[req!("listeners.protocol")], |subject| {
        for everywhere in ["", "-B ascii", "-B binary"] {
            let options = format!(
                "{everywhere} -l 127.0.0.1 -l proto[ascii]:127.0.0.3 -l proto[binary]:127.0.0.4 \
                 -p {{port}}"
            );
            let mut server = Daemon::start(subject, &options).up_at(&HERE);
            let mut speaks = |place| {
                let text = server.hear(place, TEXT);
                let frame = server.hear(place, &noop());
                (text == "MN\\r\\n", frame.starts_with("\\x81\\n"))
            };
            let own = match everywhere {
                "" => (true, true),
                "-B ascii" => (true, false),
                _ => (false, true),
            };
            assert_eq!(speaks(&HERE), own, "{everywhere}");
            assert_eq!(speaks(&THERE), (true, false), "{everywhere}");
            assert_eq!(speaks(&ELSEWHERE), (false, true), "{everywhere}");
        }
    });
}

#[test]
fn a_protocol_that_there_is_not_is_refused() {
    all(&[req!("listeners.protocol.unknown")], |subject| {
        let mut server = Daemon::start(subject, "-l proto[morse]:127.0.0.1 -p {port}");
        let ignored = subject.has(req!("listeners.protocol.unknown.ignored"));
        assert_eq!(server.refuses(!ignored), !ignored);
    });
}

/// Whether somebody who has not logged in is served there, where the server starts at all.
fn serves_a_stranger(subject: &Subject, options: &str, request: &[u8], refusal: &str) -> bool {
    let mut server = Daemon::start(subject, options);
    until(|| server.status().is_some() || server.reaches(&THERE));
    let said = server.ask(&THERE, request).unwrap_or_default();
    !(said.is_empty() || said.contains(refusal))
}

#[test]
fn no_listener_is_a_way_around_the_login() {
    let rules = [
        req!("listeners.protocol.login"),
        req!("listeners.protocol.login-datagrams"),
    ];
    all(&rules, |subject| {
        let folder = Folder::new();
        let users = folder.file("users");
        fs::write(&users, "alice:secret\n").expect("it is written");
        let login = format!("-Y {}", users.display());

        let options = format!("{login} -l 127.0.0.1 -l proto[binary]:127.0.0.3 -p {{port}}");
        let get = [&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 12], b"k"].concat();
        let served = serves_a_stranger(subject, &options, &get, "unauthenticated");
        let hole = subject.has(req!("listeners.protocol.login.binary"));
        assert_eq!(served, hole, "{login}");

        if is_sasl_there(subject) {
            let options = "-S -l 127.0.0.1 -l proto[ascii]:127.0.0.3 -p {port}";
            let served = serves_a_stranger(subject, options, GET, "unauthenticated");
            let hole = subject.has(req!("listeners.protocol.login.text"));
            assert_eq!(served, hole, "-S");
        }

        for login in ["-S", &login] {
            let options = format!("{login} -U {{port}} -l 127.0.0.1 -p {{port}}");
            let mut server = Daemon::start(subject, &options);
            until(|| server.status().is_some() || server.reaches(&HERE));
            assert_eq!(datagram(server.port), None, "{login}");
        }
    });
}

/// Debian's memcached starts with `-S` only where the library finds its own files.
fn is_sasl_there(subject: &Subject) -> bool {
    let mut server = Daemon::start(subject, "-S -l 127.0.0.1 -p {port}");
    until(|| server.status().is_some() || server.reaches(&HERE));
    server.status().is_none()
}

/// What a datagram is answered.
fn datagram(port: u16) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
    socket.connect(("127.0.0.1", port)).expect("it has a name");
    let timeout = Some(Duration::from_millis(300));
    socket.set_read_timeout(timeout).expect("a timeout is set");
    let request = [&[0, 1, 0, 0, 0, 1, 0, 0][..], b"mn\r\n"].concat();
    // Nobody there is no error of ours.
    let _ = socket.send(&request);
    let mut buffer = vec![0; 2000];
    let length = socket.recv(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

#[test]
fn datagrams_are_answered_only_where_that_was_asked_for() {
    all(&[req!("listeners.datagrams")], |subject| {
        let server = Daemon::start(subject, "-l 127.0.0.1 -p {port}").up_at(&HERE);
        assert_eq!(datagram(server.port), None);
        let options = "-l 127.0.0.1 -p {port} -U {port}";
        let server = Daemon::start(subject, options).up_at(&HERE);
        let answered =
            until(|| datagram(server.port).is_some_and(|said| said.ends_with(b"MN\r\n")));
        assert!(answered);
    });
}

#[test]
fn a_datagram_is_no_way_to_flood_somebody() {
    all(&[req!("udp.response.bounded")], |subject| {
        const BOUND_BYTES: usize = 2 << 20;
        let options = "-l 127.0.0.1 -p {port} -U {port}";
        let server = Daemon::start(subject, options).up_at(&HERE);
        let set = format!("set k 0 0 100000\r\n{}\r\n", "x".repeat(100_000));
        assert_eq!(
            server.ask(&HERE, set.as_bytes()).as_deref(),
            Some("STORED\\r\\n")
        );
        assert!(until(|| datagram(server.port).is_some()));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        let timeout = Some(Duration::from_secs(1));
        socket.set_read_timeout(timeout).expect("a timeout is set");
        let get = format!("get{}\r\n", " k".repeat(200));
        let request = [&[0, 1, 0, 0, 0, 1, 0, 0][..], get.as_bytes()].concat();
        let sent = socket.send_to(&request, ("127.0.0.1", server.port));
        sent.expect("it is sent");
        let mut buffer = [0; 2000];
        let mut received = 0;
        while let Ok(length) = socket.recv(&mut buffer) {
            received += length;
        }
        println!("{received} bytes for {}", request.len());
        // Who sends all may lose most of it on the way.
        let sends_all = subject.has(req!("udp.response.bounded.all"));
        assert!(sends_all || received <= BOUND_BYTES, "{received} bytes");
    });
}

#[test]
fn the_file_of_users_is_read_again_on_a_hangup_and_a_bad_one_is_not() {
    let rules = [
        req!("authentication.reload"),
        req!("authentication.reload-bad"),
        req!("authentication.reload-empty"),
    ];
    all(&rules, |subject| {
        let folder = Folder::new();
        let users = folder.file("users");
        let write = |text: &str| fs::write(&users, text).expect("it is written");
        write("alice:secret\n");
        let options = format!("-Y {} -l 127.0.0.1 -p {{port}}", users.display());
        let mut server = Daemon::start(subject, &options).up_at(&HERE);
        let is_known = |token: &str| {
            let login = format!("set login 0 0 {}\r\n{token}\r\n", token.len());
            server.ask(&HERE, login.as_bytes()).as_deref() == Some("STORED\\r\\n")
        };
        assert!(is_known("alice secret"));
        write("bob:hidden\n");
        server.signal("HUP");
        assert!(until(|| is_known("bob hidden")));
        assert!(!is_known("alice secret"));
        write("mallory:x\nno colon\n");
        server.signal("HUP");
        assert!(stays(|| is_known("bob hidden")), "a bad line");
        assert!(!is_known("mallory x"));
        write("");
        server.signal("HUP");
        if subject.has(req!("authentication.reload-empty.locked-out")) {
            assert!(until(|| !is_known("bob hidden")), "nobody in it");
            write("bob:hidden\n");
            server.signal("HUP");
            assert!(until(|| is_known("bob hidden")));
        } else {
            assert!(stays(|| is_known("bob hidden")), "nobody in it");
        }
        fs::remove_file(&users).expect("it is removed");
        server.signal("HUP");
        assert!(stays(|| is_known("bob hidden")), "no file");
        assert!(server.status().is_none(), "it lives on");
    });
}

/// Starts a server at this file.
fn start_at(subject: &Subject, path: &Path, more: &str) -> Daemon {
    let options = format!("-s {} -p {{port}} {more}", path.display());
    Daemon::start(subject, &options)
}

#[test]
fn a_socket_file_is_served_and_nothing_besides() {
    let rules = [
        req!("listeners.unix"),
        req!("listeners.unix.alone"),
        req!("listeners.unix.rights"),
    ];
    all(&rules, |subject| {
        let folder = Folder::new();
        for (more, rights) in [("", 0o700), ("-a 0660", 0o660), ("-a 777", 0o777)] {
            let path = folder.file(&format!("socket{rights:o}"));
            let place = Place::File(path.clone());
            let more = format!("{more} -l 127.0.0.1");
            let server = start_at(subject, &path, &more).up_at(&place);
            let said = server.ask(&place, &[SET, GET].concat());
            let expected = format!("STORED\\r\\n{FOUND}");
            assert_eq!(said, Some(expected));
            assert_eq!(server.ask(&HERE, GET), None);
            let mode = fs::metadata(&path).expect("it is there").permissions();
            assert_eq!(mode.mode() & 0o777, rights);
        }
    });
}

#[test]
fn rights_that_are_no_octal_number_are_refused() {
    all(&[req!("listeners.unix.rights-bad")], |subject| {
        let taken = subject.has(req!("listeners.unix.rights-bad.none"));
        for rights in ["x", "8", "0o700"] {
            let folder = Folder::new();
            let path = folder.file("socket");
            let mut server = start_at(subject, &path, &format!("-a {rights}"));
            assert_eq!(server.refuses(!taken), !taken, "{rights}");
        }
    });
}

#[test]
fn the_file_of_a_dead_server_is_replaced() {
    all(&[req!("listeners.unix.dead")], |subject| {
        let folder = Folder::new();
        let path = folder.file("socket");
        let place = Place::File(path.clone());
        start_at(subject, &path, "").up_at(&place).kill();
        assert!(path.exists(), "a dead server leaves its file");
        let server = start_at(subject, &path, "").up_at(&place);
        assert_eq!(server.ask(&place, GET).as_deref(), Some("END\\r\\n"));
    });
}

#[test]
fn the_file_of_a_living_server_is_not_stolen() {
    all(&[req!("listeners.unix.living")], |subject| {
        let folder = Folder::new();
        let path = folder.file("socket");
        let place = Place::File(path.clone());
        let first = start_at(subject, &path, "").up_at(&place);
        assert_eq!(first.ask(&place, SET).as_deref(), Some("STORED\\r\\n"));
        let mut second = start_at(subject, &path, "");
        let stolen = subject.has(req!("listeners.unix.living.stolen"));
        assert_eq!(second.refuses(!stolen), !stolen);
        let said = first.ask(&place, GET);
        assert_eq!(said.as_deref() != Some(FOUND), stolen, "{said:?}");
    });
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    all(&[req!("listeners.unix.other")], |subject| {
        let folder = Folder::new();
        let path = folder.file("letter");
        fs::write(&path, "dear").expect("it is written");
        assert!(start_at(subject, &path, "").refuses(true));
        assert_eq!(fs::read(&path).expect("it is there"), b"dear");
    });
}

#[test]
fn a_path_that_is_too_long_is_refused() {
    all(&[req!("listeners.unix.length")], |subject| {
        let folder = Folder::new();
        let path = folder.file(&"x".repeat(120));
        let cut = subject.has(req!("listeners.unix.length.cut"));
        assert_eq!(start_at(subject, &path, "").refuses(!cut), !cut);
    });
}

#[test]
fn a_server_that_is_told_to_end_takes_its_file_along() {
    all(&[req!("listeners.unix.removed")], |subject| {
        let folder = Folder::new();
        let path = folder.file("socket");
        let place = Place::File(path.clone());
        let mut server = start_at(subject, &path, "").up_at(&place);
        // Whoever answers is ready for signals, too.
        assert_eq!(server.ask(&place, GET).as_deref(), Some("END\\r\\n"));
        server.signal("TERM");
        assert!(server.ended().is_some_and(|status| status.success()));
        let left = subject.has(req!("listeners.unix.removed.left"));
        assert_eq!(path.exists(), left);
    });
}

#[test]
fn all_listeners_share_one_limit() {
    let rules = [req!("listeners.limit"), req!("listeners.limit.told")];
    all(&rules, |subject| {
        let options = "-c 60 -l 127.0.0.1 -l 127.0.0.3 -p {port}";
        let server = Daemon::start(subject, options).up_at(&HERE);
        let mut clients = Vec::new();
        let mut served = 0;
        for place in [&HERE, &THERE].into_iter().cycle().take(80) {
            let mut client = server.connect(place).expect("it is told why not");
            let mut reply = [0; 64];
            let asked = client.write_all(b"mn\r\n");
            let length = asked.and_then(|()| client.read(&mut reply)).unwrap_or(0);
            let reply = reply.get(..length).unwrap_or_default();
            if reply == b"MN\r\n" {
                served += 1;
            } else {
                assert_eq!(reply, b"ERROR Too many open connections\r\n");
            }
            clients.push(client);
        }
        assert!((1..=60).contains(&served), "{served} are served");
        let all = subject.has(req!("limits.connections.count.files"));
        assert_eq!(served < 60, all, "{served} are served");
    });
}
