//! What a watcher is told, and what it costs the others: nothing but memory, and little of that.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use server::roster::Addresses;
use server::{Connection, Settings, Shared, Time};

use crate::common::{Server, replies};

const NOW: Time = Time::from_seconds(1_800_000_000);

const EVERYTHING: &str = "watch fetchers mutations evictions deletions connevents";

fn server(options: &[&str]) -> Arc<Shared> {
    let settings = Settings::parse(options.iter().copied()).expect("good options");
    Arc::new(Shared::new(settings, NOW))
}

/// A connection without a socket that has just been opened.
fn client(shared: &Arc<Shared>, address: &str) -> Connection {
    let addresses = Addresses {
        client: address.to_owned(),
        listener: String::new(),
    };
    let mut connection = Connection::between(Arc::clone(shared), addresses);
    connection.receive(b"", NOW);
    connection
}

/// All that a connection says to this.
fn say(connection: &mut Connection, bytes: &[u8]) -> String {
    connection.receive(bytes, NOW);
    heard(connection)
}

/// All that a connection has to say.
fn heard(connection: &mut Connection) -> String {
    let mut said = Vec::new();
    loop {
        let bytes = connection.transmit();
        if bytes.is_empty() {
            return String::from_utf8_lossy(&said).into_owned();
        }
        said.extend_from_slice(&bytes);
    }
}

/// A connection that watches.
fn watcher(shared: &Arc<Shared>, line: &str) -> Connection {
    let mut watcher = client(shared, "tcp:[::1]:4711");
    let said = say(&mut watcher, format!("{line}\r\n").as_bytes());
    assert_eq!(said, "OK\r\n");
    watcher
}

/// What is asked, line by line, and what a watcher of everything is told of it.
fn told(options: &[&str], script: &str) -> String {
    let shared = server(options);
    let mut watcher = watcher(&shared, EVERYTHING);
    let mut client = client(&shared, "tcp:127.0.0.1:1234");
    let mut transcript = heard(&mut watcher);
    for line in script.lines().map(str::trim) {
        let bytes = line.replace(" ⏎ ", "\r\n") + "\r\n";
        transcript.push_str(&format!("> {line}\n"));
        let _ = say(&mut client, bytes.as_bytes());
        transcript.push_str(&heard(&mut watcher));
    }
    transcript
}

#[test]
fn a_watcher_is_told_of_what_classic_commands_do() {
    transcript!(told(
        &[],
        "get none
         set k 0 0 3 ⏎ abc
         get k none
         gat 100 k
         touch k 50
         append k 0 0 1 ⏎ d
         add k 0 9 1 ⏎ a
         replace none 0 9 1 ⏎ a
         prepend none 0 9 1 ⏎ a
         cas k 0 0 1 999 ⏎ a
         cas none 0 0 1 1 ⏎ a
         gets k
         cas k 0 0 1 2 ⏎ 7
         incr k 5
         incr none 1
         set k 0 0 1 ⏎ abc
         delete k
         delete none
         set dead 0 -1 1 ⏎ a
         get dead
         set flushed 0 0 1 ⏎ a
         flush_all
         get flushed
         set ,\u{1}\u{fc} 0 0 1 noreply ⏎ a
         version
         nonsense"
    ));
}

#[test]
fn a_watcher_is_told_of_what_meta_commands_do() {
    transcript!(told(
        &[],
        "mg none v
         mg made v N30
         ms k 2 T30 ⏎ ab
         ms k 2 MA ⏎ cd
         ms k 2 MP ⏎ cd
         ms k 2 ME ⏎ cd
         ms none 2 MR ⏎ cd
         ms k 2 C999 ⏎ cd
         ms none 2 C1 ⏎ cd
         mg k v t
         me k
         ma number N30 J5
         ma number
         ma none
         md k I
         md k x
         md k
         md none
         ms AAEK 1 b ⏎ a"
    ));
}

#[test]
fn a_watcher_is_told_what_was_refused() {
    let shared = server(&["-I", "1k"]);
    let mut watcher = watcher(&shared, "watch mutations");
    let mut client = client(&shared, "");
    let block = "x".repeat(2000);
    for line in ["set k 0 0 2000", "add k 0 0 2000", "ms k 2000"] {
        let said = say(&mut client, format!("{line}\r\n{block}\r\n").as_bytes());
        assert_eq!(said, "SERVER_ERROR object too large for cache\r\n");
    }
    transcript!(heard(&mut watcher));
}

#[test]
fn a_watcher_is_told_of_what_is_given_up_for_want_of_memory() {
    let shared = server(&["-m", "8"]);
    let mut watcher = watcher(&shared, "watch evictions");
    let mut client = client(&shared, "");
    let block = "x".repeat(100_000);
    let _ = say(&mut client, b"set old 0 100 1\r\na\r\nget old\r\n");
    let mut told = String::new();
    for item in 0..2000 {
        let set = format!("set new{item} 0 0 100000\r\n{block}\r\n");
        assert_eq!(say(&mut client, set.as_bytes()), "STORED\r\n");
        told.push_str(&heard(&mut watcher));
    }
    let old = "type=eviction key=old fetch=yes ttl=100 la=0 clsid=1 size=1\n";
    let new = "type=eviction key=new7 fetch=no ttl=-1 la=0 clsid=1 size=100000\n";
    assert!(told.contains(old), "{told}");
    assert!(told.contains(new), "{told}");
    let evictions = shared.store.tally().evictions;
    assert_eq!(
        told.lines().count(),
        usize::try_from(evictions).expect("few")
    );
}

#[test]
fn a_watcher_is_told_who_comes_and_who_goes_and_why() {
    let shared = server(&["-A"]);
    let mut watcher = watcher(&shared, "watch connevents");
    let mut transcript = String::new();
    let mut note = |what: &str, told: String| transcript.push_str(&format!("# {what}\n{told}"));
    let over = |address: &str, said: &[u8]| {
        let mut gone = client(&shared, address);
        let _ = say(&mut gone, said);
    };
    over("tcp:127.0.0.1:1234", b"quit\r\n");
    note("quits", heard(&mut watcher));
    over("tcp:[::1]:1234", b"get k\r\n");
    note("leaves", heard(&mut watcher));
    over("/run/socket", b"GET / HTTP/1.1\r\n");
    note("is a browser", heard(&mut watcher));
    over("tcp:127.0.0.1:1234", &[b'x'; 5000]);
    note("says too long a line", heard(&mut watcher));
    over("tcp:127.0.0.1:1234", &[0x80; 24]);
    note("says a broken frame", heard(&mut watcher));
    let mut idle = client(&shared, "tcp:127.0.0.1:1234");
    idle.give_up();
    drop(idle);
    note("says nothing", heard(&mut watcher));
    let mut plain = client(&shared, "tcp:127.0.0.1:1234");
    plain.fail_tls("no TLS,\nbut \u{7}");
    drop(plain);
    note("has no TLS", heard(&mut watcher));
    let mut reset = client(&shared, "tcp:127.0.0.1:1234");
    reset.break_off();
    drop(reset);
    note("is cut off", heard(&mut watcher));
    transcript!(transcript);
}

#[test]
fn a_server_that_ends_tells_no_watcher_anything_more() {
    let shared = server(&["-A"]);
    let mut watcher = watcher(&shared, "watch connevents fetchers");
    let mut client = client(&shared, "");
    let _ = say(&mut client, b"shutdown\r\nget k\r\n");
    assert_eq!(heard(&mut watcher), "");
}

#[test]
fn a_watcher_hears_of_what_it_named_and_of_nothing_else() {
    let shared = server(&[]);
    let mut deletions = watcher(&shared, "watch deletions");
    let mut default = watcher(&shared, "watch");
    let mut inside = watcher(
        &shared,
        "watch sysevents rawcmds proxyreqs proxyevents proxyuser",
    );
    let mut client = client(&shared, "");
    let _ = say(&mut client, b"set k 0 0 1\r\na\r\ndelete k\r\n");
    assert_eq!(
        heard(&mut deletions),
        "ts=1800000000.000000 gid=3 type=deleted key=k cmd=delete clsid=1 size=1\n"
    );
    assert_eq!(heard(&mut default).matches("type=item_get").count(), 2);
    assert_eq!(heard(&mut inside), "");
}

#[test]
fn the_twenty_first_watcher_is_told_so_and_a_seat_left_is_free() {
    let shared = server(&[]);
    let mut watchers: Vec<_> = (0..20).map(|_| watcher(&shared, "watch")).collect();
    let mut late = client(&shared, "");
    let refused = "WATCHER_TOO_MANY log watcher limit reached\r\n";
    assert_eq!(say(&mut late, b"watch mutations\r\n"), refused);
    assert_eq!(say(&mut late, b"get k\r\n"), "END\r\n");
    watchers.pop();
    assert_eq!(say(&mut late, b"watch mutations\r\n"), "OK\r\n");
    assert_eq!(shared.watchers.count(), 20);
}

#[test]
fn what_a_watcher_says_is_not_listened_to() {
    let shared = server(&[]);
    let mut watcher = watcher(&shared, "watch mutations");
    let mut client = client(&shared, "");
    let ignored = say(&mut watcher, b"get k\r\nquit\r\nset k 0 0 1\r\nwatch");
    assert_eq!(ignored, "");
    assert!(!watcher.is_closed());
    let _ = say(&mut client, b"set k 0 0 1\r\na\r\n");
    assert!(heard(&mut watcher).contains("key=k"));
    watcher.finish();
    assert!(watcher.is_closed());
}

#[test]
fn a_watcher_that_reads_nothing_is_told_how_much_it_missed() {
    let shared = server(&["-o", "watcher_logbuf_size=1"]);
    let mut watcher = watcher(&shared, "watch");
    let mut client = client(&shared, "");
    let _ = say(&mut client, &b"get some-key\r\n".repeat(1000));
    let told = heard(&mut watcher);
    let (lines, end) = told.rsplit_once("skipped=").expect("it is told");
    assert!(lines.len() > 900 && lines.len() <= 1024, "{}", lines.len());
    let skipped: usize = end.trim_end().parse().expect("a number");
    assert_eq!(lines.lines().count() + skipped, 1000);
    let statistics = say(&mut client, b"stats\r\n");
    for (name, count) in [
        ("log_watchers", 1),
        ("log_watcher_skipped", skipped),
        ("log_watcher_sent", lines.lines().count()),
    ] {
        assert!(statistics.contains(&format!("STAT {name} {count}\r\n")));
    }
    let _ = say(&mut client, b"stats reset\r\n");
    assert_eq!(shared.watchers.lines(), (0, 0));
    let _ = say(&mut client, b"get again\r\n");
    assert!(heard(&mut watcher).ends_with("cfd=1 size=0\n"));
}

#[test]
fn a_watcher_is_never_idle_and_never_late() {
    let shared = server(&["-o", "idle_timeout=1"]);
    let mut watcher = watcher(&shared, "watch");
    let wait = NOW.until(watcher.next_deadline().expect("it looks again"));
    assert!(wait <= Duration::from_millis(100));
    watcher.tick(NOW.after(Duration::from_secs(3600)));
    assert!(!watcher.is_closed());
}

#[test]
fn watching_may_be_forbidden_and_must_be_named_well() {
    let server = Server::start("");
    transcript!(server.play(
        "watch birds
         watch fetchers birds
         watch noreply
         watch FETCHERS
         get k"
    ));
    let server = Server::start("-W");
    transcript!(server.play("watch ⏎ watch birds ⏎ get k"));
}

/// A client over TCP that watches.
fn connect(server: &Server) -> TcpStream {
    let mut watcher = server.connect();
    watcher.write_all(b"watch\r\n").expect("it reads");
    let mut reply = [0; 4];
    watcher.read_exact(&mut reply).expect("it answers");
    assert_eq!(&reply, b"OK\r\n");
    watcher
}

#[test]
fn a_watcher_is_told_without_asking() {
    let server = Server::start("");
    let mut watcher = connect(&server);
    let mut client = server.connect();
    client.write_all(b"get k\r\n").expect("it reads");
    let line = "ts=1800000000.000000 gid=1 type=item_get key=k status=not_found clsid=0 cfd=1 \
        size=0\n";
    let mut told = vec![0; line.len()];
    watcher.read_exact(&mut told).expect("it is told");
    assert_eq!(String::from_utf8_lossy(&told), line);
}

#[test]
fn a_watcher_that_reads_nothing_keeps_nobody_waiting() {
    let server = Server::start("-t 1 -o watcher_logbuf_size=8");
    let _watcher = connect(&server);
    let mut client = server.connect();
    let key = "k".repeat(250);
    let requests = format!("get {key}\r\n").repeat(1000);
    for _ in 0..100 {
        client.write_all(requests.as_bytes()).expect("it reads");
        assert_eq!(replies(&mut client), b"END\r\n".repeat(1000));
    }
    client.write_all(b"stats\r\n").expect("it reads");
    let statistics = String::from_utf8(replies(&mut client)).expect("text");
    assert!(!statistics.contains("STAT log_watcher_skipped 0\r\n"));
}

#[test]
fn a_watcher_is_told_of_a_block_that_there_is_no_more_room_for() {
    let shared = server(&["-m", "16"]);
    let mut watcher = watcher(&shared, "watch mutations");
    let begun = |line: &str| {
        let mut client = client(&shared, "tcp:127.0.0.1:1234");
        let bytes = [line.as_bytes(), &vec![b'x'; 800_000]].concat();
        (say(&mut client, &bytes), client)
    };
    let held = [begun("set a 0 0 900000\r\n"), begun("set a 0 0 900000\r\n")];
    for (line, command) in [
        ("set k 0 0 900000\r\n", "set"),
        ("add k 0 9 900000\r\n", "add"),
        ("ms k 900000 MR\r\n", "replace"),
    ] {
        assert_eq!(
            begun(line).0,
            "SERVER_ERROR out of memory storing object\r\n"
        );
        let told = heard(&mut watcher);
        let (before, after) = ("status=no_memory cmd=", "size=900000\n");
        assert!(told.contains(&format!("{before}{command} ")), "{told}");
        assert!(told.ends_with(after), "{told}");
    }
    drop(held);
}
