//! The command line: what is refused and how, and how the process ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::Settings;
use server::settings::Purpose;

fn run(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_touchstoned"))
        .args(options)
        .output()
        .expect("it starts")
}

fn refusal(options: &[&str]) -> String {
    let refused = Settings::parse(options.iter().copied());
    refused.expect_err("it is refused").to_string()
}

#[test]
fn a_bad_option_is_refused_by_name_value_and_range() {
    for (options, problem) in [
        (
            &["-p", "65536"][..],
            "-p: `65536` is not a port, -1 to 65535",
        ),
        (&["-p", "-2"], "-p: `-2` is not a port, -1 to 65535"),
        (&["--port=abc"], "--port: `abc` is not a port, -1 to 65535"),
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
            &["stray"],
            "`stray` is no option; all options begin with `-`",
        ),
    ] {
        assert_eq!(refusal(options), problem);
    }
    assert!(refusal(&["-m", "1", "-I", "1m"]).starts_with("-I: an item of"));
}

#[test]
fn a_bad_extended_option_is_refused_likewise() {
    for (options, problem) in [
        (
            &["-o", "nonsense"][..],
            "-o: there is no extended option `nonsense`; there are idle_timeout, \
             track_sizes, lru_crawler, no_lru_crawler, watcher_logbuf_size, debugtime, \
             ssl_chain_cert, ssl_key, ssl_ca_cert, ssl_verify_mode, ssl_min_version, \
             ssl_keyformat, and those without an effect here, which -h lists",
        ),
        (
            &["-o", "idle_timeout=abc"],
            "-o idle_timeout: `abc` is not a number of seconds, 0 to 31536000",
        ),
        (
            &["-o", "modern,hot_lru_pct=80"],
            "-o hot_lru_pct: `80` is not a number, 1 to 79",
        ),
        (
            &["-o", "hashpower"],
            "-o hashpower: needs a number, 12 to 32",
        ),
        (
            &["-o", "modern=1"],
            "-o modern: takes no value, but was given `1`",
        ),
        (
            &["-o", "ext_path=/tmp/x:1G"],
            "-o ext_path: refused: there is no storage but memory here",
        ),
        (
            &["-e", "/tmp/x"],
            "-e: refused: items do not outlive the server here",
        ),
    ] {
        assert_eq!(refusal(options), problem);
    }
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
fn a_long_name_may_be_shortened_as_long_as_it_is_one_options_only() {
    for (short, whole) in [
        ("--memory-l=32", "--memory-limit=32"),
        ("--por=1", "--port=1"),
        ("--c=5", "--conn-limit=5"),
        ("--t=1", "--threads=1"),
        ("--n=1", "--napi-ids=1"),
        ("--a=/x", "--auth-file=/x"),
        ("--lo", "--lock-memory"),
        ("--disable-c", "--disable-cas"),
        ("--enable-sh", "--enable-shutdown"),
        ("--listen-b=5", "--listen-backlog=5"),
        // A whole name is itself, whatever else begins with it.
        ("--listen=127.0.0.1", "-l127.0.0.1"),
        // It is counted once, whatever is behind it.
        ("--verb=3", "-v"),
    ] {
        let shortened = Settings::parse([short]).map_err(|problem| problem.to_string());
        let whole = Settings::parse([whole]).map_err(|problem| problem.to_string());
        assert_eq!(shortened, whole, "{short}");
    }
    for (options, problem) in [
        (&["--ver"][..], "--ver: may be --verbose or --version"),
        (
            &["--unix", "x"],
            "--unix: may be --unix-socket or --unix-mask",
        ),
        (&["--por"], "--port: needs a port, -1 to 65535"),
        (
            &["--vers=3"],
            "--version: takes no value, but was given `3`",
        ),
        (&["--MEM=1"], "--MEM: there is no such option; see -h"),
        (&["--=3"], "--: there is no such option; see -h"),
        // Ours are not shortened: they would make two of what memcached knows as one.
        (
            &["--config=/x", "--conf=/x"],
            "--config: /x: no file is read here",
        ),
        (
            &["--check-conf"],
            "--check-conf: there is no such option; see -h",
        ),
    ] {
        assert_eq!(refusal(options), problem);
    }
}

#[test]
fn options_are_taken_one_after_the_other() {
    // What asks for no server is answered before what is wrong behind it.
    for options in [&["-V", "-Q"][..], &["-VQ"], &["--version", "-p", "x"]] {
        let settings = Settings::parse(options.iter().copied());
        assert!(settings.is_ok_and(|settings| settings.purpose != Purpose::Serve));
    }
    assert_eq!(
        refusal(&["-Q", "-V"]),
        "-Q: there is no such option; see -h"
    );
    // Behind a bare `--` there are no options.
    assert!(Settings::parse(["-v", "--"]).is_ok());
    assert_eq!(
        refusal(&["--", "-v"]),
        "`-v` is no option; all options begin with `-`"
    );
    // A space before a value is none of it.
    assert!(Settings::parse(["-p", " 1"]).is_ok_and(|settings| settings.port == 1));
}

#[test]
fn the_version_is_memcacheds_first_and_ours_second() {
    let output = run(&["-V"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("memcached 1.6.45\ntouchstoned "), "{text}");
}

#[test]
fn a_refused_option_ends_the_process_with_one_line_and_memcacheds_code() {
    for (options, code) in [
        (&["-p", "99999"][..], 64),
        (&["-U", "70000"], 64),
        (&["-I", "10"], 64),
        (&["-m", "1", "-I", "1m"], 64),
        (&["-B", "other"], 64),
        (&["-t", "0"], 1),
        (&["-c", "0"], 1),
        (&["-f", "1"], 1),
        (&["-n", "0"], 1),
        (&["-R", "0"], 1),
        (&["-Q"], 1),
        (&["-p"], 1),
        (&["-o", "nonsense"], 1),
        (&["-o", "idle_timeout"], 1),
    ] {
        let output = run(options);
        assert_eq!(output.status.code(), Some(code), "{options:?}");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("touchstoned: -"), "{text}");
    }
}

#[test]
fn help_version_and_licence_end_the_process_with_0() {
    for option in ["-h", "--help", "-V", "--version", "-i", "--license"] {
        let output = run(&[option]);
        assert!(output.status.success(), "{option}");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.starts_with("memcached 1.6.45\n"), "{text}");
    }
}

/// The options of memcached 1.6.45, by their long names and letters.
const LONG: &str = "unix-mask a enable-shutdown A port p unix-socket s udp-port U memory-limit m \
    disable-evictions M conn-limit c lock-memory k help h license i version V enable-coredumps r \
    verbose v daemon d listen l user u pidfile P slab-growth-factor f slab-min-size n threads t \
    enable-largepages L max-reqs-per-event R disable-cas C listen-backlog b protocol B \
    max-item-size I enable-sasl S auth-file Y disable-flush-all F disable-dumping X \
    disable-watch W memory-file e extended o napi-ids N";

/// Its extended options.
const EXTENDED: &str = "maxconns_fast no_maxconns_fast hashpower no_hashexpand slab_reassign \
    no_slab_reassign slab_automove no_slab_automove slab_automove_ratio slab_automove_window \
    slab_automove_freeratio tail_repair_time hash_algorithm lru_crawler no_lru_crawler \
    lru_crawler_sleep lru_crawler_tocrawl lru_maintainer no_lru_maintainer hot_lru_pct \
    warm_lru_pct hot_max_factor warm_max_factor temporary_ttl idle_timeout watcher_logbuf_size \
    worker_logbuf_size slab_sizes slab_chunk_max no_chunked_items track_sizes inline_ascii_resp \
    no_inline_ascii_resp modern no_modern drop_privileges no_drop_privileges resp_obj_mem_limit \
    read_buf_mem_limit sock_cookie_id ext_path ext_page_size ext_wbuf_size ext_threads \
    ext_io_depth ext_item_size ext_item_age ext_low_ttl ext_drop_unread ext_recache_rate \
    ext_compact_under ext_drop_under ext_max_frag ext_max_sleep";

/// A server that kept its items in a file would have to mistrust it.
#[test]
fn a_file_of_items_is_neither_read_nor_written() {
    let file = std::env::temp_dir().join(format!("items-{}", std::process::id()));
    let meta = file.with_extension("meta");
    std::fs::write(&meta, [0xff; 4096]).expect("it can be written");
    for option in ["-e", "--memory-file"] {
        let output = run(&[option, file.to_str().expect("text")]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        let refused =
            format!("touchstoned: {option}: refused: items do not outlive the server here");
        assert_eq!(said.trim_end(), refused);
        assert!(output.stdout.is_empty() && !file.exists(), "{output:?}");
    }
    let kept = std::fs::read(&meta).expect("it is there");
    std::fs::remove_file(&meta).expect("it can be removed");
    assert_eq!(kept, [0xff; 4096]);
}

#[test]
fn every_option_of_memcached_is_known_by_both_its_names() {
    let words: Vec<&str> = LONG.split_whitespace().collect();
    for pair in words.chunks(2) {
        for shown in [format!("--{}", pair[0]), format!("-{}", pair[1])] {
            if let Err(problem) = Settings::parse([shown.as_str()]) {
                let problem = problem.to_string();
                assert!(!problem.contains("no such option"), "{problem}");
            }
        }
    }
    assert!(Settings::parse(["-D", ":"]).is_ok());
}

#[test]
fn every_extended_option_is_known_and_in_the_help() {
    let help = Settings::help();
    for word in EXTENDED.split_whitespace() {
        if let Err(problem) = Settings::parse(["-o", word]) {
            let problem = problem.to_string();
            assert!(
                !problem.contains("there is no extended option"),
                "{problem}"
            );
        }
        let line = format!("        {word}");
        let ends = ["=", "\n"].map(|end| format!("{line}{end}"));
        assert!(ends.iter().any(|line| help.contains(line)), "{word}");
    }
}

#[test]
fn an_option_without_effect_says_what_it_does_here() {
    let settings = Settings::parse(["-o", "hashpower=20,,no_slab_reassign", "-L", "-f", "1.1"]);
    assert_eq!(
        settings.expect("they are accepted").warnings,
        [
            "-o hashpower: has no effect: the table of items grows by itself here, and its hash \
             is keyed",
            "-o no_slab_reassign: has no effect: there are no slabs here",
            "-L: has no effect: large pages are for the system to give",
            "-f: has no effect: there are no slabs here",
        ]
    );
}

#[test]
fn who_lets_the_system_choose_ports_reads_them_from_a_file() {
    let name = format!("touchstoned-ports-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut process = Command::new(env!("CARGO_BIN_EXE_touchstoned"))
        .args(["-p", "-1", "-U", "-1", "-l", "127.0.0.1"])
        .env("MEMCACHED_PORT_FILENAME", &path)
        .stdin(Stdio::null())
        .spawn()
        .expect("it starts");
    let text = loop {
        if let Ok(text) = std::fs::read_to_string(&path) {
            break text;
        }
        std::thread::yield_now();
    };
    std::fs::remove_file(&path).expect("it is there");
    let ports: Vec<(&str, u16)> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(kind, port)| (kind, port.parse().expect("a port")))
        .collect();
    let [("TCP INET", tcp), ("UDP INET", udp)] = ports[..] else {
        panic!("{text}");
    };
    assert!(udp > 0);
    TcpStream::connect(("127.0.0.1", tcp)).expect("it listens there");
    let number = i32::try_from(process.id()).expect("a process id is small");
    kill(Pid::from_raw(number), Signal::SIGTERM).expect("it runs");
    assert!(process.wait().expect("it ends").success());
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
