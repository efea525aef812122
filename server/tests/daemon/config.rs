//! Options in a file: what it may say, and how it is told what is wrong with it.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Output};

use server::Settings;

const DEBIAN: &str = "\
# memcached default config file
-d

# Log memcached's output
logfile /var/log/memcached.log
# -v

-m 64   # as much as there is
-p 11211
-u memcache
-l 127.0.0.1
-P \"/run/memcached/it is.pid\"
";

fn read(text: &str, arguments: &[&str]) -> Result<Settings, String> {
    let read = |path: &str| {
        assert_eq!(path, "/etc/memcached.conf");
        Ok(text.to_owned())
    };
    Settings::parse_with(arguments.iter().copied(), &read).map_err(Into::into)
}

const FILE: [&str; 2] = ["--config", "/etc/memcached.conf"];

#[test]
fn the_file_that_debian_ships_is_understood() {
    let settings = read(DEBIAN, &FILE).expect("it is good");
    assert!(settings.is_daemon);
    assert_eq!(settings.memory_bytes, 64 * 1024 * 1024);
    assert_eq!(settings.user.as_deref(), Some("memcache"));
    assert_eq!(
        settings.pid_file.as_deref(),
        Some("/run/memcached/it is.pid")
    );
    assert_eq!(settings.config_path.as_deref(), Some("/etc/memcached.conf"));
    assert_eq!(
        settings.warnings,
        ["/etc/memcached.conf:5: logfile: has no effect: lines go to standard error"]
    );
}

#[test]
fn what_stands_behind_the_file_goes_before_what_it_says() {
    let with = |more: &[&str]| read("-m 64\n-p 1", &[&FILE[..], more].concat());
    assert_eq!(with(&[]).map(|settings| settings.port), Ok(1));
    assert_eq!(with(&["-p", "2"]).map(|settings| settings.port), Ok(2));
    let before = read("-p 1", &["-p", "2", FILE[0], FILE[1]]);
    assert_eq!(before.map(|settings| settings.port), Ok(1));
}

#[test]
fn words_are_cut_as_a_shell_would_but_none_is_run() {
    for (line, socket) in [
        ("-s /a", "/a"),
        ("  -s\t/a  ", "/a"),
        ("-s/a", "/a"),
        ("--unix-socket=/a", "/a"),
        ("-s '/a b'", "/a b"),
        ("-s \"/a 'b\"", "/a 'b"),
        ("-s \"/a \\\"b\"", "/a \"b"),
        ("-s /a\\ b", "/a b"),
        ("-s /a\\#b", "/a#b"),
        ("-s '/a#b'", "/a#b"),
        ("-s /a#b", "/a"),
        ("-s $(id);*", "$(id);*"),
        ("-v -s /a -t 2", "/a"),
    ] {
        let settings = read(line, &FILE).expect(line);
        assert_eq!(settings.socket_path.as_deref(), Some(socket), "{line}");
    }
    assert_eq!(
        read("-s ''", &FILE).map(|_| ()),
        Err("/etc/memcached.conf:1: -s: `` is not a path".to_owned())
    );
}

#[test]
fn a_bad_line_is_told_by_file_number_option_value_and_range() {
    for (text, problem) in [
        (
            "\n# \n-p 99999",
            "3: -p: `99999` is not a port, -1 to 65535",
        ),
        ("-m", "1: -m: needs a number of megabytes, 1 to 16777216"),
        (
            "-m 64 65",
            "1: `65` is no option; all options begin with `-`",
        ),
        (
            "listen 0.0.0.0",
            "1: `listen` is no option; all options begin with `-`",
        ),
        ("-Q", "1: -Q: there is no such option; see -h"),
        (
            "-o modern,nonsense",
            "1: -o: there is no extended option `nonsense`; there are idle_timeout, \
             track_sizes, lru_crawler, no_lru_crawler, watcher_logbuf_size, debugtime, \
             ssl_chain_cert, ssl_key, ssl_ca_cert, ssl_verify_mode, ssl_min_version, \
             ssl_keyformat, and those without an effect here, which -h lists",
        ),
        (
            "-e /x",
            "1: -e: refused: items do not outlive the server here",
        ),
        (
            "-h",
            "1: -h: asks for no server; write it on the command line",
        ),
        ("-s 'a", "1: there is no second '"),
        ("-s a\\", "1: a backslash takes the character behind it"),
        ("--config /b", "1: --config: a file names no other"),
    ] {
        let said = read(text, &FILE).map(|_| ());
        assert_eq!(said, Err(format!("/etc/memcached.conf:{problem}")));
    }
    assert_eq!(
        Settings::parse(FILE).map(|_| ()).map_err(String::from),
        Err("--config: /etc/memcached.conf: no file is read here".to_owned())
    );
}

#[test]
fn of_several_files_the_first_that_is_there_is_read_and_no_other() {
    let both = ["--config", "/etc/own.conf,/etc/memcached.conf"];
    let read = |own: Result<&str, ErrorKind>, other: Result<&str, ErrorKind>| {
        let (own, other) = (own.map(str::to_owned), other.map(str::to_owned));
        let read = |path: &str| match path {
            "/etc/own.conf" => own.clone().map_err(Into::into),
            "/etc/memcached.conf" => other.clone().map_err(Into::into),
            _ => panic!("{path}"),
        };
        let settings = Settings::parse_with(both, &read)?;
        let path = settings.config_path.expect("one was read");
        Ok::<_, String>((path, settings.port, settings.threads))
    };
    let gone = Err(ErrorKind::NotFound);
    let own = "/etc/own.conf".to_owned();
    assert_eq!(read(Ok("-p 1"), Ok("-p 2\n-t 9")), Ok((own.clone(), 1, 4)));
    assert_eq!(read(Ok("-p 1"), gone), Ok((own, 1, 4)));
    let other = "/etc/memcached.conf".to_owned();
    assert_eq!(read(gone, Ok("-p 2\n-t 9")), Ok((other, 2, 9)));
    let neither = format!("--config: {}: entity not found", both[1]);
    assert_eq!(read(gone, gone), Err(neither));
    // One that is there and cannot be read was meant.
    let denied = read(Err(ErrorKind::PermissionDenied), Ok("-p 2"));
    let problem = "--config: /etc/own.conf: permission denied";
    assert_eq!(denied, Err(problem.to_owned()));
}

/// A file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("touchstoned-{name}-{}.conf", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).expect("it is written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn run(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_touchstoned"))
        .args(options)
        .output()
        .expect("it starts")
}

#[test]
fn a_file_that_is_wrong_ends_the_process_with_64() {
    let file = File::new("wrong", "-t 0\n");
    let output = run(&["--config", file.path()]);
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let path = file.path();
    let problem = "-t: `0` is not a number of threads, 1 to 256";
    assert_eq!(said, format!("touchstoned: {path}:1: {problem}\n"));
    let output = run(&["--config", "/nowhere/at all"]);
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_word_that_a_comment_cuts_off_is_told() {
    let warnings = |line: &str| read(line, &FILE).expect("it is good").warnings;
    assert_eq!(
        warnings("\n-s /a#b"),
        ["/etc/memcached.conf:2: a comment begins in the middle of a word; \\# is the character"]
    );
    for line in ["-s /a #b", "-s /a\\#b", "-s '/a#b'", "#-s"] {
        assert!(warnings(line).is_empty(), "{line}");
    }
}

#[test]
fn a_file_that_is_too_long_is_refused_whole() {
    let megabyte = 1024 * 1024;
    let options = |length: usize| format!("-p 99999\n#{}", "x".repeat(length - 10));
    for (length, problem) in [
        (megabyte, ":1: -p: `99999` is not a port, -1 to 65535"),
        (megabyte + 1, ": it is longer than 1048576 bytes"),
    ] {
        let file = File::new("long", &options(length));
        let output = run(&["--config", file.path()]);
        assert_eq!(output.status.code(), Some(64));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.ends_with(&format!("{}{problem}\n", file.path())),
            "{said}"
        );
    }
}

#[test]
fn options_are_checked_without_a_server_and_all_of_them() {
    let file = File::new("checked", "-m 64\n-t 0\n-f 1.1\n-Q\n");
    let output = run(&["--check-config", "--config", file.path()]);
    assert_eq!(output.status.code(), Some(64));
    let path = file.path();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!(
            "{path}:1: -m 64: memory for items\n\
             {path}:2: -t: `0` is not a number of threads, 1 to 256\n\
             {path}:3: -f: has no effect: there are no slabs here\n\
             {path}:4: -Q: there is no such option; see -h\n\
             wrong: 2\n"
        )
    );
    let output = run(&[
        "--check-config",
        "--",
        "-l",
        "0.0.0.0",
        "-o",
        "modern,track_sizes",
        "-C",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 6, "{said}");
    assert!(
        lines[0].starts_with("-l 0.0.0.0: where to listen"),
        "{said}"
    );
    assert_eq!(
        lines[1..],
        [
            "-o modern: has no effect: memcached ignores it too",
            "-o track_sizes: let `stats sizes` list sizes",
            "-C: keep no cas uniques",
            "-l 0.0.0.0: whoever reaches it is served: see -S, -Y and -Z",
            "good",
        ]
    );
    // What a service would hide.
    let output = run(&["--check-config", "--", "-s", "/tmp/a.sock"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let hidden =
        "-s /tmp/a.sock: a service may have a /tmp of its own, where nobody else sees it\n";
    assert!(said.contains(hidden), "{said}");
    // What is wrong only together.
    let output = run(&["--check-config", "--", "-m", "1"]);
    assert_eq!(output.status.code(), Some(64));
}
