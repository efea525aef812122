//! What a recording holds, and what its judge makes of servers that obey, that lie, and that do
//! what a server may.

#![allow(clippy::unwrap_used, reason = "only tests are here")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread;

use conformance::liars::{self, Server};
use conformance::record::peer::Recorded;
use conformance::record::proxy::Proxy;
use conformance::record::{Plan, Recorder, Tally};
use conformance::refine::Freedom;
use conformance::serve::Service;
use conformance::target::START;
use conformance::target::address::{Address, Trust};
use conformance::{cases, replay};
use model::{Host, Model, Options};
use spec::Dialect;
use spec::exchange::{Exchange, Peer, Protocol, Received, replay as play};

/// A file of this test's own, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("touchstone-{}-{name}.exchange", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn recorded<P: Peer>(peer: P, file: &Scratch, plan: &Plan) -> Recorded<P> {
    Recorded::new(peer, Recorder::create(&file.0, plan).unwrap())
}

fn finish<P: Peer>(recorded: Recorded<P>) -> Tally {
    recorded.into_recorder().finish().unwrap()
}

/// Sends, and reads what comes at once.
fn ask<P: Peer>(recorded: &mut Recorded<P>, client: u8, bytes: &[u8]) -> Vec<u8> {
    recorded.send(client, bytes);
    match recorded.receive(client, true) {
        Received::Bytes(bytes) => bytes,
        Received::Nothing | Received::Closed => Vec::new(),
    }
}

fn model() -> Model {
    Model::new(Options::default(), Dialect::default())
}

fn host() -> Host {
    Host::new(model(), START)
}

fn fresh() -> Plan {
    Plan {
        fresh: true,
        ..Plan::default()
    }
}

/// The law's examples that need a plain server and clients who all speak text, or all binary.
fn plain_examples() -> Vec<Exchange> {
    let mut examples = cases::all().unwrap();
    let law = Dialect::default();
    examples.retain(|example| {
        let header = &example.header;
        let mut protocols = header.protocols.iter();
        let alike = protocols.all(|protocol| *protocol == Protocol::Binary);
        alike
            && header.options.is_empty()
            && header.holds_for("law")
            && law.has(example.requirement)
    });
    examples
}

/// What the judge says of this peer, to which the example was played.
fn judged<P: Peer>(example: &Exchange, peer: P, file: &Scratch) -> Tally {
    let mut recorded = recorded(peer, file, &fresh());
    let _ = play(example, &mut recorded);
    finish(recorded)
}

#[test]
fn whoever_obeys_is_never_accused() {
    let file = Scratch::new("obeys");
    let (mut agreed, mut unknown) = (0, 0);
    for example in plain_examples() {
        let tally = judged(&example, host(), &file);
        let place = format!("{}:{}", example.file, example.line);
        assert!(tally.findings.is_empty(), "{place}: {}", tally.findings[0]);
        agreed += tally.agreed;
        unknown += tally.unknown.values().sum::<u64>();
        fs::remove_file(&file.0).unwrap();
    }
    println!("{agreed} agreed, {unknown} unknown");
    assert!(agreed > 10 * unknown, "{agreed} agreed, {unknown} unknown");
}

#[test]
fn a_recording_loses_no_byte_and_replays() {
    let file = Scratch::new("replays");
    let mut replayed = 0;
    for example in plain_examples() {
        let mut recorded = recorded(host(), &file, &fresh());
        let events = play(&example, &mut recorded);
        finish(recorded);
        let text = file.text();
        fs::remove_file(&file.0).unwrap();
        let place = format!("{}:{}", example.file, example.line);
        // Who watches is told things when they come; the last of them may stay unread.
        let watches = example
            .steps
            .iter()
            .any(|step| step.text.contains("> watch"));
        let (false, Ok(events)) = (watches, events) else {
            continue;
        };
        let again = replay::read("recorded", &text).unwrap_or_else(|e| panic!("{place}: {e}"));
        let again = play(&again[0], &mut host());
        let again = again.unwrap_or_else(|failure| panic!("{place}: {failure:?}\n{text}"));
        let bytes = |events: &[spec::exchange::Event]| {
            let all =
                (1..=9_u8).flat_map(|client| events.iter().filter(move |e| e.client == client));
            all.flat_map(|event| event.bytes.clone())
                .collect::<Vec<u8>>()
        };
        // The replay fences each client once more.
        let (before, after) = (bytes(&events), bytes(&again));
        assert!(after.len() >= before.len(), "{place}\n{text}");
        replayed += 1;
    }
    assert!(replayed > 100, "{replayed}");
}

#[test]
fn liars_are_found_out_while_they_are_recorded() {
    let file = Scratch::new("liars");
    let examples = plain_examples();
    let mut caught = BTreeSet::new();
    let mut free = Vec::new();
    let heard = liars::liars().filter(|liar| {
        // Who knows nothing may say nothing, and nothing is no wrong answer; statistics are not
        // judged; a command that the law lacks may be one of the server's; and what is answered
        // late is answered right: how long a server may think nobody knows.
        let counts = liar.caught_by.name.contains("statistics");
        let other = ["any-case", "waits-for-the-block"].contains(&liar.name);
        !counts && !liar.is_content_free() && !other
    });
    for liar in heard {
        let found = examples.iter().any(|example| {
            let server = Server::new(Some(liar.lie), model(), START);
            let tally = judged(example, server, &file);
            let _ = fs::remove_file(&file.0);
            tally.violations > 0
        });
        if found {
            caught.insert(liar.name);
        } else {
            free.push(liar.name);
        }
    }
    println!("{} liars caught", caught.len());
    assert!(free.is_empty(), "not caught: {}", free.join(", "));
}

#[test]
fn a_miss_is_a_freedom_only_where_memory_may_be_short() {
    let lost = |plan: &Plan, name: &str| {
        let file = Scratch::new(name);
        let server = Server::new(
            Some(liars::named("always-miss").unwrap().lie),
            model(),
            START,
        );
        let mut recorded = recorded(server, &file, plan);
        ask(&mut recorded, 1, b"set k 0 0 1\r\na\r\n");
        ask(&mut recorded, 1, b"get k\r\n");
        finish(recorded)
    };
    let tally = lost(&Plan::default(), "pressure");
    assert_eq!(tally.violations, 0);
    assert_eq!(tally.freedoms.get(&Freedom::Eviction), Some(&1));
    assert_eq!(lost(&fresh(), "room").violations, 1);
}

#[test]
fn what_was_there_before_is_unknown_until_it_is_stored_again() {
    let file = Scratch::new("before");
    let mut server = host();
    server.send(9, b"set k 0 0 1\r\na\r\n");
    let mut recorded = recorded(server, &file, &Plan::default());
    ask(&mut recorded, 1, b"add k 0 0 1\r\nb\r\n");
    ask(&mut recorded, 1, b"get k\r\n");
    ask(&mut recorded, 1, b"append k 0 0 1\r\nc\r\n");
    assert_eq!(
        ask(&mut recorded, 1, b"get k\r\n"),
        b"VALUE k 0 2\r\nac\r\nEND\r\n"
    );
    let tally = finish(recorded);
    assert_eq!((tally.agreed, tally.violations), (2, 0), "{tally}");
    assert_eq!(tally.unknown.values().sum::<u64>(), 2, "{tally}");
}

/// What the judge says of a session in which so many clients say (`>`) and are told (`<`) this.
fn overheard(name: &str, session: &[(u8, &str)]) -> Tally {
    let file = Scratch::new(name);
    let mut recorder = Recorder::create(&file.0, &fresh()).unwrap();
    let clients: Vec<u8> = (0..3).map(|_| recorder.connect().unwrap()).collect();
    for (client, line) in session {
        let client = *clients.get(usize::from(*client)).unwrap();
        let (said, line) = line.split_at(1);
        let bytes = line.trim().replace(" ⏎ ", "\r\n") + "\r\n";
        match said {
            ">" => recorder.sent(client, bytes.as_bytes(), START),
            _ => recorder.received(client, bytes.as_bytes(), START),
        };
    }
    let tally = recorder.finish().unwrap();
    println!("{name}: {tally}");
    tally
        .findings
        .iter()
        .for_each(|finding| println!("{finding}"));
    tally
}

#[test]
fn clients_under_way_with_one_key_at_once_are_judged_by_any_order() {
    let session = |seen| {
        let seen: &str = seen;
        overheard(
            &format!("shared-{}", seen.len()),
            &[
                (0, "> set k 0 0 1 ⏎ a"),
                (0, "< STORED"),
                (0, "> set k 0 0 2 ⏎ bb"),
                (1, "> get k"),
                (1, seen),
                (0, "< STORED"),
                (1, "> get k"),
                (1, "< VALUE k 0 2 ⏎ bb ⏎ END"),
            ],
        )
    };
    for lawful in ["< VALUE k 0 1 ⏎ a ⏎ END", "< VALUE k 0 2 ⏎ bb ⏎ END"] {
        let tally = session(lawful);
        assert_eq!((tally.agreed, tally.ordered, tally.violations), (3, 2, 0));
        assert_eq!(tally.unknown.values().sum::<u64>(), 1, "what order it was");
    }
    let tally = session("< VALUE k 0 3 ⏎ ccc ⏎ END");
    assert_eq!((tally.agreed, tally.violations), (1, 1), "{tally}");
    let told = tally.findings[0].to_string();
    assert!(
        told.contains("the key held `a` before, and no order"),
        "{told}"
    );
    assert!(told.contains("concurrency.key"), "{told}");
    assert_eq!(
        session("< END").violations,
        1,
        "nothing was short of memory"
    );
}

#[test]
fn an_update_that_another_client_loses_is_found() {
    let tally = overheard(
        "lost",
        &[
            (0, "> set n 0 0 1 ⏎ 5"),
            (0, "< STORED"),
            (0, "> incr n 1"),
            (1, "> incr n 1"),
            (0, "< 6"),
            (1, "< 6"),
        ],
    );
    assert_eq!(tally.violations, 1, "{tally}");
    let told = tally.findings[0].to_string();
    assert!(told.contains("incr 1 → 6"), "{told}");
}

#[test]
fn a_silent_request_may_be_served_until_its_client_is_answered() {
    let session = |name, seen| {
        let seen: &str = seen;
        overheard(
            name,
            &[
                (0, "> set k 0 0 1 ⏎ a"),
                (0, "< STORED"),
                (0, "> set k 0 0 1 noreply ⏎ b"),
                (1, "> get k"),
                (1, "< VALUE k 0 1 ⏎ a ⏎ END"),
                (0, "> mn"),
                (1, "> get k"),
                (0, "< MN"),
                (1, seen),
                (1, "> get k"),
                (1, "< VALUE k 0 1 ⏎ b ⏎ END"),
            ],
        )
    };
    assert_eq!(session("silent-a", "< VALUE k 0 1 ⏎ a ⏎ END").violations, 0);
    assert_eq!(session("silent-b", "< VALUE k 0 1 ⏎ b ⏎ END").violations, 0);
    assert_eq!(session("silent-c", "< VALUE k 0 1 ⏎ c ⏎ END").violations, 1);
    let late = overheard(
        "silent-late",
        &[
            (0, "> set k 0 0 1 ⏎ a"),
            (0, "< STORED"),
            (1, "> get k"),
            (0, "> set k 0 0 1 noreply ⏎ b"),
            (0, "> mn"),
            (0, "< MN"),
            (2, "> get k"),
            (2, "< VALUE k 0 1 ⏎ a ⏎ END"),
            (1, "< VALUE k 0 1 ⏎ a ⏎ END"),
        ],
    );
    assert_eq!(late.violations, 1, "the fence was behind it");
}

#[test]
fn what_the_checker_does_not_follow_is_unknown() {
    let followed = |name, request: &str, reply: &str| {
        overheard(
            name,
            &[
                (0, "> set k 0 0 1 ⏎ 5"),
                (0, "< STORED"),
                (0, request),
                (1, "> set k 0 0 1 ⏎ 6"),
                (1, "< STORED"),
                (0, reply),
            ],
        )
    };
    for (name, request, reply) in [
        ("ma", "> ma k v", "< VA 1 ⏎ 9"),
        ("expiring", "> set k 0 1 1 ⏎ 7", "< NOT_STORED"),
        (
            "long",
            "> append k 0 0 1 ⏎ 1",
            "< SERVER_ERROR out of memory storing object",
        ),
    ] {
        let tally = followed(name, request, reply);
        let expected = u64::from(name == "expiring");
        assert_eq!(tally.violations, expected, "{name}: {tally}");
    }
    for (name, request, reply) in [
        ("mg", "> mg k v c", "< VA 1 c77 ⏎ 6"),
        ("ms", "> ms k 1 ME ⏎ 8", "< NS"),
        ("md", "> md k", "< HD"),
        ("cas", "> cas k 0 0 1 99 ⏎ 8", "< EXISTS"),
        ("touch", "> touch k 0", "< TOUCHED"),
        ("gat", "> gats 0 k", "< VALUE k 0 1 3 ⏎ 5 ⏎ END"),
        ("decr", "> decr k 1", "< 5"),
    ] {
        let tally = followed(name, request, reply);
        assert_eq!((tally.agreed, tally.ordered), (3, 2), "{name}: {tally}");
    }
    for (name, request, reply) in [
        ("mg-wrong", "> mg k v c", "< VA 1 c77 ⏎ 7"),
        ("ms-wrong", "> ms k 1 MR ⏎ 8", "< NS"),
        ("md-wrong", "> md k", "< NF"),
        ("decr-wrong", "> decr k 1", "< 3"),
    ] {
        let tally = followed(name, request, reply);
        assert_eq!(tally.violations, 1, "{name}: {tally}");
    }
}

#[test]
fn clients_who_never_rest_are_judged_in_parts() {
    let mut session = vec![(0, "> set k 0 0 1 ⏎ a"), (0, "< STORED"), (0, "> get k")];
    for _ in 0..6_000 {
        session.push((1, "> set k 0 0 1 ⏎ b"));
        session.push((0, "< VALUE k 0 1 ⏎ b ⏎ END"));
        session.push((0, "> get k"));
        session.push((1, "< STORED"));
    }
    session[3 + 4] = (1, "> set k 0 0 1 ⏎ b");
    let tally = overheard("restless", &session);
    assert_eq!(tally.violations, 0, "{tally}");
    assert!(tally.ordered > 11_000, "{tally}");
}

#[test]
fn a_reply_to_no_request_ends_what_is_known_of_a_connection() {
    let file = Scratch::new("unasked");
    let echo = Server::new(Some(liars::named("echo").unwrap().lie), model(), START);
    let mut recorded = recorded(echo, &file, &fresh());
    ask(&mut recorded, 1, b"set k 0 0 1 noreply\r\na\r\n");
    ask(&mut recorded, 1, b"get k\r\n");
    let tally = finish(recorded);
    assert_eq!(tally.unknown.values().sum::<u64>(), 1, "{tally}");
}

#[test]
fn secrets_are_hashed_alike_and_keep_their_length() {
    let file = Scratch::new("redacted");
    let plan = Plan {
        redact: true,
        ..fresh()
    };
    let mut recorded = recorded(host(), &file, &plan);
    ask(&mut recorded, 1, b"set secretkey 7 0 11\r\nsecretvalue\r\n");
    ask(&mut recorded, 1, b"get secretkey other\r\n");
    ask(&mut recorded, 1, b"mg secretkey k v s Osecret\r\n");
    ask(&mut recorded, 1, b"set k1 0 0 2\r\n42\r\n");
    ask(&mut recorded, 1, b"set k2 0 0 2\r\n42\r\n");
    ask(&mut recorded, 1, b"secret command\r\n");
    let tally = finish(recorded);
    assert_eq!(tally.violations, 0);
    let text = file.text();
    assert!(!text.contains("secret") && !text.contains("42"), "{text}");
    let exchange = replay::read("redacted", &text).unwrap().remove(0);
    let sent: Vec<&str> = exchange
        .steps
        .iter()
        .map(|step| step.text.as_str())
        .collect();
    let key = sent[0].split(' ').nth(2).unwrap();
    assert_eq!(key.len(), "secretkey".len());
    assert_eq!(sent[1], "< STORED");
    assert!(sent[2].contains(key), "{text}");
    play(&exchange, &mut host()).unwrap_or_else(|failure| panic!("{failure:?}\n{text}"));
}

#[test]
fn what_is_not_understood_is_taken_for_a_secret() {
    let file = Scratch::new("odd");
    let plan = Plan {
        redact: true,
        ..fresh()
    };
    let mut recorded = recorded(host(), &file, &plan);
    ask(&mut recorded, 1, b"\x80\x00secret\r\n");
    ask(&mut recorded, 2, b"GET /secret HTTP/1.1\r\n");
    recorded.send(3, b"set k 0 0 11\r\nsecret");
    finish(recorded);
    assert!(!file.text().contains("secret"), "{}", file.text());
}

fn tcp(port: u16) -> Address {
    Address::parse(&format!("127.0.0.1:{port}"), &Trust::Anybody).unwrap()
}

#[test]
fn a_proxy_reaches_a_server_on_a_unix_socket() {
    let file = Scratch::new("unix");
    let path = file.0.with_extension("sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; b"get k\r\n".len()];
            if client.read_exact(&mut request).is_ok() {
                let _ = client.write_all(b"END\r\n");
            }
        }
    });
    let upstream = Address::parse(&format!("unix:{}", path.display()), &Trust::Anybody).unwrap();
    let bound = Proxy::bind("127.0.0.1:0", &upstream).unwrap();
    let proxy = Proxy::new(bound, Recorder::create(&file.0, &fresh()).unwrap());
    proxy.start(|finding| panic!("{finding}")).unwrap();
    let mut client = TcpStream::connect(proxy.address().unwrap()).unwrap();
    client.write_all(b"get k\r\n").unwrap();
    let mut reply = Vec::new();
    client.read_to_end(&mut reply).unwrap();
    let _ = fs::remove_file(&path);
    assert_eq!(reply, b"END\r\n");
    assert_eq!(proxy.finish().unwrap().agreed, 1);
}

#[test]
fn a_proxy_carries_records_and_leaves_a_private_file() {
    let file = Scratch::new("proxy");
    let service = Service::bind(0, None, Dialect::default()).unwrap();
    let upstream = tcp(service.port().unwrap());
    thread::spawn(move || service.run());
    let bound = Proxy::bind("127.0.0.1:0", &upstream).unwrap();
    let proxy = Proxy::new(bound, Recorder::create(&file.0, &Plan::default()).unwrap());
    proxy.start(|finding| panic!("{finding}")).unwrap();
    let mut client = TcpStream::connect(proxy.address().unwrap()).unwrap();
    client
        .write_all(b"set k 0 0 1\r\n\x00\r\nget k\r\n")
        .unwrap();
    let mut reply = vec![0; b"STORED\r\nVALUE k 0 1\r\na\r\nEND\r\n".len()];
    client.read_exact(&mut reply).unwrap();
    assert!(!file.0.exists(), "it has its name only when it is whole");
    let tally = proxy.finish().unwrap();
    assert_eq!((tally.agreed, tally.violations), (2, 0), "{tally}");
    let text = file.text();
    assert!(text.contains("> set k 0 0 1 ⏎ \\x00\n"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let problem = Recorder::create(&file.0, &Plan::default()).unwrap_err();
    assert!(problem.to_string().contains("already"), "{problem}");
}

#[test]
fn a_proxy_says_who_cannot_be_reached() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    let problem = Proxy::bind("127.0.0.1:0", &tcp(port)).unwrap_err();
    assert!(problem.contains("cannot be reached"), "{problem}");
}
