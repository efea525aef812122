//! The command line: what is refused and how, and how the process ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::Settings;

fn run(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_touchstoned"))
        .args(options)
        .output()
        .expect("it starts")
}

fn refusal(options: &[&str]) -> String {
    Settings::parse(options.iter().copied()).expect_err("it is refused")
}

#[test]
fn a_bad_option_is_refused_by_name_value_and_range() {
    for (options, problem) in [
        (
            &["-p", "65536"][..],
            "-p: `65536` is not a port, 0 to 65535",
        ),
        (&["-p", "-1"], "-p: `-1` is not a port, 0 to 65535"),
        (&["--port=abc"], "--port: `abc` is not a port, 0 to 65535"),
        (
            &["-m", "0"],
            "-m: `0` is not a number of megabytes, 1 to 16777216",
        ),
        (
            &["-m", "-1"],
            "-m: `-1` is not a number of megabytes, 1 to 16777216",
        ),
        (&["-m"], "-m: needs a number of megabytes, 1 to 16777216"),
        (&["-I", "1023"], "-I: `1023` is not a size, 1k to 1g"),
        (&["-t", "0"], "-t: `0` is not a number of threads, 1 to 256"),
        (
            &["-c", "0"],
            "-c: `0` is not a number of clients, 1 to 1000000",
        ),
        (&["-Q"], "-Q: there is no such option; see -h"),
        (
            &["--disable-cas=yes"],
            "--disable-cas: takes no value, but was given `yes`",
        ),
        (
            &["-o", "nonsense"],
            "-o: `nonsense` is not a list of extended options",
        ),
        (
            &["-o", "idle_timeout=abc"],
            "-o: `idle_timeout=abc` is not a list of extended options",
        ),
        (
            &["stray"],
            "`stray` is no option; all options begin with `-`",
        ),
    ] {
        assert_eq!(refusal(options), problem);
    }
    assert!(refusal(&["-m", "1", "-I", "1m"]).starts_with("-I: an item of"));
}

#[test]
fn options_may_be_written_in_every_way() {
    for options in [
        &["-p", "1", "-t", "2", "-C", "-v", "-v"][..],
        &["-p1", "-t2", "-Cvv"],
        &["-Cvvt2", "-p1"],
        &[
            "--port=1",
            "--threads",
            "2",
            "--disable-cas",
            "--verbose",
            "--verbose",
        ],
    ] {
        let settings = Settings::parse(options.iter().copied()).expect("it is understood");
        assert_eq!(settings.port, 1);
        assert_eq!(settings.threads, 2);
        assert!(!settings.has_uniques);
        assert_eq!(settings.verbosity, 2);
    }
}

#[test]
fn the_version_is_memcacheds_first_and_ours_second() {
    let output = run(&["-V"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("memcached 1.6.45\ntouchstoned "), "{text}");
}

#[test]
fn a_refused_option_ends_the_process_with_1_and_one_line() {
    let output = run(&["-p", "99999"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(text, "touchstoned: -p: `99999` is not a port, 0 to 65535\n");
}

#[test]
fn a_port_that_is_taken_ends_the_process_with_71() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").port().to_string();
    let output = run(&["-p", &port]);
    assert_eq!(output.status.code(), Some(71));
}

#[test]
fn a_signal_ends_the_process_with_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGUSR1] {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let mut process = Command::new(env!("CARGO_BIN_EXE_touchstoned"))
            .args(["-p", &port.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut client = loop {
            if let Ok(client) = TcpStream::connect(("127.0.0.1", port)) {
                break client;
            }
        };
        client
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout is set");
        client.write_all(b"version\r\n").expect("it reads");
        let mut line = String::new();
        let mut reader = BufReader::new(&mut client);
        reader.read_line(&mut line).expect("it answers");
        assert_eq!(line, "VERSION 1.6.45\r\n");
        let number = i32::try_from(process.id()).expect("a process id is small");
        kill(Pid::from_raw(number), signal).expect("it runs");
        assert!(process.wait().expect("it ends").success(), "{signal}");
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest);
    }
}
