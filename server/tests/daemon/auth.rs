//! Who may log in, in either protocol, and what everybody else is told.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::users::Judgement;
use server::{Connection, Settings, Shared, Time, Users};

const NOW: Time = Time::from_seconds(1_800_000_000);

/// What `openssl passwd -6 -salt saltstring` makes of `Hello world!`.
const HASHED: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJu\
                      esI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

fn server(options: &str, users: &str) -> Arc<Shared> {
    let settings = Settings::parse(options.split_whitespace()).expect("the options are good");
    let shared = Shared::new(settings, NOW);
    shared.set_users(Users::parse(users.as_bytes()).expect("the users are good"));
    Arc::new(shared)
}

fn connect(options: &str, users: &str) -> Connection {
    Connection::new(server(options, users))
}

/// What is said to some bytes; questions are answered on the spot.
fn ask(client: &mut Connection, bytes: &[u8]) -> String {
    client.receive(bytes, NOW);
    let mut said = Vec::new();
    loop {
        if let Some(question) = client.question() {
            client.learn(question.answer(), NOW);
        }
        let bytes = client.transmit();
        if bytes.is_empty() {
            break;
        }
        said.extend_from_slice(&bytes);
    }
    if client.is_closed() {
        said.extend_from_slice(b"(closed)\r\n");
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// What a stranger is told, each attempt on a connection of its own.
fn play(script: &[&str]) -> String {
    let mut transcript = String::new();
    for line in script {
        let mut client = connect("-Y users", "alice:secret\nbob:two words\n");
        let bytes = line.replace(" ⏎ ", "\r\n").replace('⏎', "\r\n") + "\r\n";
        transcript.push_str(&format!("> {line}\n"));
        for line in ask(&mut client, bytes.as_bytes()).lines() {
            transcript.push_str(&format!("< {line}\n"));
        }
    }
    transcript
}

#[test]
fn a_text_client_logs_in_by_its_first_set() {
    transcript!(play(&[
        "set auth 0 0 12 ⏎ alice secret ⏎ get auth ⏎ set k 0 0 12 ⏎ alice secret",
        "set auth 0 0 13 ⏎ bob two words ⏎ mn",
        "set any 99 -1 12 noreply ⏎ alice secret",
        "set auth 0 0 11 ⏎ alice wrong ⏎ set auth 0 0 12 ⏎ alice secret",
        "set auth 0 0 12 ⏎ Alice secret",
        "set auth 0 0 6 ⏎ alice ",
        "set auth 0 0 11 ⏎ alicesecret",
        "set auth 0 0 10 ⏎ alice secret",
        "set auth 0 0 16384 ⏎ x",
        "set auth 0 0 16385 ⏎ x",
        "set auth 0 0 abc",
        "set auth 0 0",
        "setx auth 0 0 12",
        "get k1 ⏎ version ⏎ stats",
        "mn",
        "quit",
    ]));
}

#[test]
fn wherever_an_attempt_is_cut_it_is_the_same() {
    let bytes = b"set a 0 0 11\r\nalice wrong\r\nset a 0 0 12\r\nalice secret\r\nget a\r\n";
    for cut in 1..bytes.len() {
        let mut client = connect("-Y users", "alice:secret");
        let (first, second) = bytes.split_at(cut);
        let said = ask(&mut client, first) + &ask(&mut client, second);
        let all = "CLIENT_ERROR authentication failure\r\nSTORED\r\nEND\r\n";
        assert_eq!(said, all, "{cut}");
    }
}

#[test]
fn ten_attempts_may_fail_and_no_more() {
    let mut client = connect("-Y users", "alice:secret");
    let attempt = b"set a 0 0 11\r\nalice wrong\r\n";
    for _ in 0..9 {
        let said = ask(&mut client, attempt);
        assert_eq!(said, "CLIENT_ERROR authentication failure\r\n");
    }
    let said = ask(&mut client, attempt);
    assert_eq!(said, "CLIENT_ERROR authentication failure\r\n(closed)\r\n");
}

#[test]
fn a_stranger_has_thirty_seconds_and_a_friend_has_all_the_time() {
    let mut client = connect("-Y users", "alice:secret");
    ask(&mut client, b"version\r\n");
    client.tick(NOW.after(Duration::from_millis(29_999)));
    assert!(!client.is_closed());
    client.tick(NOW.after(Duration::from_secs(30)));
    assert!(client.is_closed());

    let mut client = connect("-Y users", "alice:secret");
    let said = ask(&mut client, b"set a 0 0 12\r\nalice secret\r\n");
    assert_eq!(said, "STORED\r\n");
    assert_eq!(client.next_deadline(), None);
}

#[test]
fn a_stranger_has_a_short_line_even_for_keys() {
    for (length, said) in [
        (2048, "CLIENT_ERROR unauthenticated\r\n"),
        (2049, "(closed)\r\n"),
    ] {
        let mut client = connect("-Y users", "alice:secret");
        let line = format!("get {}\r\n", "k".repeat(length - 4));
        assert_eq!(ask(&mut client, line.as_bytes()), said);
        let mut client = connect("-Y users", "alice:secret");
        let unended = line.get(..length).expect("it is longer");
        let closed = ask(&mut client, unended.as_bytes());
        assert_eq!(closed.is_empty(), length == 2048, "{closed}");
    }
}

#[test]
fn a_hashed_entry_is_a_question_and_nothing_is_carried_out_before_its_answer() {
    let mut client = connect("-Y users", &format!("alice:{HASHED}\nbob:b\n"));
    let bytes = b"set a 0 0 18\r\nalice Hello world!\r\nset k 0 0 1\r\nx\r\nget k\r\n";
    client.receive(bytes, NOW);
    assert!(client.transmit().is_empty());
    assert!(!client.wants_input() && !client.is_closed());
    let said = ask(&mut client, b"");
    assert_eq!(said, "STORED\r\nSTORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n");
}

#[test]
fn while_two_hashes_are_checked_others_log_in_and_are_served() {
    let users = format!("alice:{HASHED}\ncarol:{HASHED}\nbob:b\n");
    let shared = server("-Y users", &users);
    let [mut alice, mut carol, mut bob, mut late] =
        [(); 4].map(|()| Connection::new(Arc::clone(&shared)));
    let right = |name: &str| format!("set a 0 0 18\r\n{name} Hello world!\r\nget k\r\n");
    alice.receive(right("alice").as_bytes(), NOW);
    carol.receive(b"set a 0 0 11\r\ncarol wrong\r\nget k\r\n", NOW);
    let questions = [alice.question(), carol.question()].map(|question| question.expect("slow"));

    let said = ask(
        &mut bob,
        b"set a 0 0 5\r\nbob b\r\nset k 0 0 1\r\nx\r\nget k\r\n",
    );
    assert_eq!(said, "STORED\r\nSTORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n");
    let said = ask(&mut late, right("alice").as_bytes());
    assert_eq!(said, "STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n");
    assert!(alice.transmit().is_empty() && carol.transmit().is_empty());

    let [to_alice, to_carol] = questions.map(|question| question.answer());
    alice.learn(to_alice, NOW);
    carol.learn(to_carol, NOW);
    let said = ask(&mut alice, b"");
    assert_eq!(said, "STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n");
    let said = ask(&mut carol, b"");
    assert_eq!(
        said,
        "CLIENT_ERROR authentication failure\r\nCLIENT_ERROR unauthenticated\r\n"
    );
}

#[test]
fn an_unknown_user_takes_as_long_as_one_whose_password_is_hashed() {
    let users = Users::parse(format!("alice:{HASHED}\nbob:b\n").as_bytes()).expect("good");
    let judge = |name: &str, password: &str| match users.judge(name.as_bytes(), password.as_bytes())
    {
        Judgement::Known(is_right) => (false, is_right),
        Judgement::Slow(question) => (true, question.answer()),
    };
    assert_eq!(judge("alice", "Hello world!"), (true, true));
    assert_eq!(judge("alice", "Hello world"), (true, false));
    assert_eq!(judge("mallory", "Hello world!"), (true, false));
    assert_eq!(judge("bob", "b"), (false, true));
    assert_eq!(judge("bob", "Hello world!"), (true, false));
    assert_eq!(judge("alice", HASHED), (true, false));
    assert_eq!(judge("alice", &"x".repeat(257)), (false, false));
}

#[test]
fn a_file_of_users_is_taken_whole_or_not_at_all() {
    let refusal = |text: &str| {
        Users::parse(text.as_bytes())
            .expect_err("it is refused")
            .to_string()
    };
    let good = "# who may\n\nalice:secret\r\nbob:with:colon\n";
    assert_eq!(
        Users::parse(good.as_bytes()).expect("it is good").count(),
        2
    );
    for (text, problem) in [
        ("alice:a\nbob\n", "line 2: it is not `user:password`"),
        (":x", "line 1: a user has a name and a password"),
        ("a:", "line 1: a user has a name and a password"),
        ("a:$6$x$y", "line 1: this is no hash of `openssl passwd -6`"),
        (
            "a:$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA",
            "line 1: this hash is of a kind that is not known: use `openssl passwd -6`",
        ),
    ] {
        assert_eq!(refusal(text), problem);
    }
    let rounds = |count: u32| HASHED.replace("$6$", &format!("a:$6$rounds={count}$"));
    assert!(Users::parse(rounds(100_000).as_bytes()).is_ok());
    let problem = "line 1: hashing so often would hold up the others";
    assert_eq!(refusal(&rounds(100_001)), problem);
    let many = "a:b\n".repeat(1024);
    assert!(Users::parse(many.as_bytes()).is_ok());
    let problem = "line 1025: more than 1024 users are too many";
    assert_eq!(refusal(&(many + "a:b")), problem);
}

#[test]
fn nobody_speaks_a_protocol_in_which_he_could_not_log_in() {
    let refusal = |options: &[&str]| {
        Settings::parse(options.iter().copied())
            .expect_err("refused")
            .to_string()
    };
    let problem = "-S: nobody can log in with -B ascii";
    assert_eq!(refusal(&["-S", "-B", "ascii"]), problem);
    let problem = "-Y: nobody can log in with -B binary";
    assert_eq!(refusal(&["-Y", "f", "-B", "binary"]), problem);

    let version = [&[0x80, 0x0b][..], &[0; 22]].concat();
    let mut binary = connect("-Y users", "alice:secret");
    assert_eq!(ask(&mut binary, &version), "");
    let mut text = connect("-S", "alice:secret");
    assert_eq!(
        ask(&mut text, b"get key-of-somebody-else\r\n"),
        "(closed)\r\n"
    );
}

#[test]
fn with_both_options_each_protocol_has_its_own_way_through_the_gate() {
    let shared = server("-S -Y users", "alice:secret");
    let mut text = Connection::new(Arc::clone(&shared));
    assert_eq!(
        ask(&mut text, b"get key\r\n"),
        "CLIENT_ERROR unauthenticated\r\n"
    );
    let said = ask(&mut text, b"set a 0 0 12\r\nalice secret\r\nmn\r\n");
    assert_eq!(said, "STORED\r\nMN\r\n");
    let mut binary = Connection::new(Arc::clone(&shared));
    let token = b"\0alice\0secret";
    let head = [0x80, 0x21, 0, 5, 0, 0, 0, 0, 0, 0, 0, 18];
    let attempt = [&head[..], &[0; 12], b"PLAIN", token].concat();
    assert!(ask(&mut binary, &attempt).ends_with("Authenticated"));
    let mut stranger = Connection::new(shared);
    let noop = [&[0x80, 0x0a][..], &[0; 22]].concat();
    assert!(ask(&mut stranger, &noop).ends_with("Auth failure.(closed)\r\n"));
}

/// A server as a process, with a file of users.
struct Daemon {
    process: Child,
    port: u16,
    file: PathBuf,
    log: BufReader<ChildStderr>,
}

impl Daemon {
    fn start(test: &str, users: &str) -> Self {
        let file = std::env::temp_dir().join(format!("users-{}-{test}", std::process::id()));
        fs::write(&file, users).expect("it is written");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let mut process = Command::new(env!("CARGO_BIN_EXE_touchstoned"))
            .args(["-u", "root", "-t", "1", "-p", &port.to_string(), "-Y"])
            .arg(&file)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let mut daemon = Self {
            process,
            port,
            file,
            log,
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = daemon.process.try_wait().expect("it is our child");
            assert!(ended.is_none(), "it ended: {ended:?}");
        }
        daemon
    }

    /// What an attempt is answered with.
    fn log_in(&self, claim: &str) -> String {
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let attempt = format!("set a 0 0 {}\r\n{claim}\r\n", claim.len());
        client.write_all(attempt.as_bytes()).expect("it reads");
        client.shutdown(Shutdown::Write).expect("it is open");
        let mut said = String::new();
        client.read_to_string(&mut said).expect("it closes");
        said
    }

    fn hang_up(&self) {
        let number = i32::try_from(self.process.id()).expect("a process id is small");
        kill(Pid::from_raw(number), Signal::SIGHUP).expect("it runs");
    }

    /// Waits until it has said this on its log.
    fn wait_for_line(&mut self, what: &str) {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            let length = self.log.read_line(&mut line).expect("it says lines");
            assert!(length > 0, "it never says `{what}`");
        }
    }

    /// Waits until an attempt is answered so.
    fn wait_until(&self, claim: &str, answer: &str) {
        for _ in 0..1000 {
            if self.log_in(claim) == answer {
                return;
            }
        }
        panic!("`{claim}` is never answered with {answer}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.file);
    }
}

const IN: &str = "STORED\r\n";
const OUT: &str = "CLIENT_ERROR authentication failure\r\n";

#[test]
fn who_needs_no_hash_is_served_while_others_wait_for_theirs() {
    let digest = "x".repeat(86);
    let users = format!("alice:$6$rounds=100000$saltstring${digest}\nbob:b\n");
    let daemon = Daemon::start("hashes", &users);
    thread::scope(|scope| {
        let attempts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| daemon.log_in("alice wrong")))
            .collect();
        assert_eq!(daemon.log_in("bob b"), "STORED\r\n");
        assert!(attempts.iter().any(|attempt| !attempt.is_finished()));
        for attempt in attempts {
            let said = attempt.join().expect("it is answered");
            assert!(said.starts_with("CLIENT_ERROR"), "{said}");
        }
    });
}

/// One worker, both threads that hash at work and more attempts behind them: who is in is answered
/// before the last of these.
#[test]
fn who_is_in_is_served_while_hashes_are_checked() {
    let digest = "x".repeat(86);
    let slow = |name: &str| format!("{name}:$6$rounds=100000$saltstring${digest}\n");
    let users = slow("alice") + &slow("carol") + "bob:b\n";
    let daemon = Daemon::start("served", &users);
    let connect = || TcpStream::connect(("127.0.0.1", daemon.port)).expect("it listens");
    let mut bob = connect();
    let mut told = [0; IN.len()];
    bob.write_all(b"set a 0 0 5\r\nbob b\r\n")
        .expect("it reads");
    bob.read_exact(&mut told).expect("he is in");
    let mut others: Vec<TcpStream> = (0..8).map(|_| connect()).collect();
    for (client, name) in others
        .iter_mut()
        .zip(["alice", "carol"].into_iter().cycle())
    {
        let attempt = format!("set a 0 0 11\r\n{name} wrong\r\n");
        client.write_all(attempt.as_bytes()).expect("it reads");
    }
    for _ in 0..3 {
        bob.write_all(b"mn\r\n").expect("it reads");
        let mut told = [0; 4];
        bob.read_exact(&mut told).expect("he is served");
        assert_eq!(&told, b"MN\r\n");
    }
    let waits = |client: &TcpStream| {
        client.set_nonblocking(true).expect("it is open");
        let waits = client.peek(&mut [0]).is_err();
        client.set_nonblocking(false).expect("it is open");
        waits
    };
    assert!(others.iter().any(waits));
    for client in &mut others {
        let mut told = [0; OUT.len()];
        client.read_exact(&mut told).expect("it is answered");
        assert_eq!(told, OUT.as_bytes());
    }
}

#[test]
fn a_hangup_reads_the_users_again_and_a_bad_file_changes_nothing() {
    let mut daemon = Daemon::start("hangup", &format!("alice:secret\ncarol:{HASHED}\n"));
    assert_eq!(daemon.log_in("alice secret"), IN);
    assert_eq!(daemon.log_in("carol Hello world!"), IN);
    assert_eq!(daemon.log_in("bob b"), OUT);
    fs::write(&daemon.file, "bob:b\n").expect("it is written");
    assert_eq!(daemon.log_in("bob b"), OUT);
    daemon.hang_up();
    daemon.wait_until("bob b", IN);
    assert_eq!(daemon.log_in("alice secret"), OUT);
    for (bad, problem) in [
        ("alice:secret\nnonsense\n", "line 2: it is not"),
        ("", "there is no user in it"),
    ] {
        fs::write(&daemon.file, bad).expect("it is written");
        daemon.hang_up();
        daemon.wait_for_line(problem);
        // What is said is already so.
        assert_eq!(daemon.log_in("bob b"), IN);
        assert_eq!(daemon.log_in("alice secret"), OUT);
    }
    fs::write(&daemon.file, "bob:b\ndave:d\n").expect("it is written");
    daemon.hang_up();
    daemon.wait_until("dave d", IN);
    assert_eq!(daemon.log_in("bob b"), IN);
}

#[test]
fn a_file_of_users_that_cannot_be_read_ends_the_process_with_1() {
    let output = Command::new(env!("CARGO_BIN_EXE_touchstoned"))
        .args(["-p", "0", "-Y", "/nonexistent/users"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(
        text.starts_with("touchstoned: -Y: /nonexistent/users: "),
        "{text}"
    );
}
