//! What the manual of the daemon shows and lists is what the daemon says.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const DAEMON: &str = env!("CARGO_BIN_EXE_touchstoned");
const README: &str = include_str!("../README.md");

/// What a shell prints for this line of the manual, with the daemon in its path.
fn shown(command: &str) -> String {
    let folder = Path::new(DAEMON).parent().expect("it lies in a folder");
    let said = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .output()
        .expect("a shell starts");
    String::from_utf8(said.stdout).expect("it is text")
}

#[test]
fn what_stands_below_a_prompt_of_a_console_is_what_is_said() {
    let blocks: Vec<_> = README.split("```console\n").skip(1).collect();
    assert!(blocks.len() >= 3, "there are blocks to play");
    for block in blocks {
        let indent = block.chars().take_while(|letter| *letter == ' ').count();
        let lines = block.lines().map(|line| line.get(indent..).unwrap_or(line));
        let lines: Vec<&str> = lines.take_while(|line| *line != "```").collect();
        let command = lines[0].strip_prefix("$ ").expect("a prompt comes first");
        assert_eq!(shown(command).lines().collect::<Vec<_>>(), lines[1..]);
    }
}

/// The names in the row of a table that begins so.
fn row(head: &str) -> BTreeSet<&'static str> {
    let opening = format!("\n| {head} |");
    let row = README.split(&opening).nth(1).expect("there is such a row");
    let row = row.lines().next().expect("it has a line");
    let names = row.split('`').skip(1).step_by(2);
    names.collect()
}

#[test]
fn every_option_stands_in_the_row_of_what_it_does() {
    let help = shown("touchstoned -h");
    let lines: Vec<&str> = help.lines().collect();
    let mut found = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for pair in lines.windows(2) {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let (name, about) = (pair[0].trim(), pair[1].trim());
        let is_option = indent(pair[0]) <= 4;
        if is_option && !name.starts_with('-') {
            continue;
        }
        if !is_option && (indent(pair[0]) != 8 || indent(pair[1]) != 12) {
            continue;
        }
        let kind = match about {
            _ if about.starts_with("refused:") => 2,
            _ if about.starts_with("no effect:") || about.starts_with("accepted;") => 1,
            _ => 0,
        };
        let end = if is_option { [',', ' '] } else { ['=', ' '] };
        found[kind].insert(name.split(end).next().expect("a name"));
    }
    assert!(
        found.iter().all(|names| names.len() > 2),
        "the help was read"
    );
    assert_eq!(found, [row("works"), row("no effect"), row("refused")]);
}

/// A daemon that ends with its test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().expect("it can be killed");
        self.0.wait().expect("it ends");
    }
}

impl Daemon {
    /// A daemon on a port of its own with these options, and the port.
    fn start(options: &str) -> (Daemon, u16) {
        Daemon::start_and_find(options, "touchstoned: 127.0.0.1:", ',')
    }

    /// A daemon, and the port of its figures.
    fn start_with_figures() -> (Daemon, u16) {
        let said = "touchstoned: figures at http://127.0.0.1:";
        Daemon::start_and_find("--metrics 0", said, '/')
    }

    fn start_and_find(options: &str, before: &str, behind: char) -> (Daemon, u16) {
        let options = format!("-l 127.0.0.1 -p -1 -t 1 {options}");
        let child = Command::new(DAEMON)
            .args(options.split_whitespace())
            .stderr(Stdio::piped())
            .spawn();
        let mut daemon = Daemon(child.expect("it starts"));
        let log = BufReader::new(daemon.0.stderr.take().expect("it has a log"));
        let port = log.lines().map_while(Result::ok).find_map(|line| {
            let place = line.strip_prefix(before)?;
            place.split_once(behind)?.0.parse::<u16>().ok()
        });
        (daemon, port.expect("a port"))
    }
}

/// The names and values of a kind of `stats`, with what options add, while an item is stored.
fn stats(options: &str, kind: &str) -> Vec<(String, String)> {
    let (_daemon, port) = Daemon::start(options);
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!("set k 0 0 1\r\nv\r\nstats {kind}\r\nquit\r\n");
    client.write_all(request.as_bytes()).expect("it is sent");
    let mut said = String::new();
    client.read_to_string(&mut said).expect("it is answered");
    let lines = said.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
        let name = name.rsplit(':').next().unwrap_or(name);
        Some((name.to_owned(), value.to_owned()))
    });
    lines.collect()
}

/// What is listed in these rows is what is said, and what is in the last ones is not; nothing but 0
/// is said of what is to be so.
fn listed(said: &[(String, String)], rows: &[&str], zero: &str, absent: &[&str]) {
    let names: BTreeSet<&str> = said.iter().map(|(name, _)| name.as_str()).collect();
    let never = row(zero);
    let rows = rows.iter().flat_map(|head| row(head));
    assert_eq!(names, rows.chain(never.iter().copied()).collect());
    let is_nothing = |value: &str| ["0", "0.00", "no", "yes"].contains(&value);
    let nothing = said.iter().filter(|(_, value)| is_nothing(value));
    let nothing: BTreeSet<&str> = nothing.map(|(name, _)| name.as_str()).collect();
    assert!(never.is_subset(&nothing), "{never:?}");
    for head in absent {
        assert!(
            !row(head).is_empty() && row(head).is_disjoint(&names),
            "{head}"
        );
    }
}

#[test]
fn the_line_of_a_canary_says_what_stands_below_it() {
    let (_daemon, port) = Daemon::start("");
    let start = README
        .find("$ printf 'stats\\r\\nquit\\r\\n' | nc")
        .expect("it is there");
    let lines: Vec<&str> = README[start..].lines().map(str::trim).collect();
    let command = lines[0].trim_start_matches("$ ");
    assert!(command.contains(" 11311 "), "{command}");
    let said = shown(&command.replace("11311", &port.to_string()));
    let said: Vec<&str> = said.lines().map(str::trim).collect();
    let end = lines
        .iter()
        .position(|line| *line == "```")
        .expect("its end");
    assert_eq!(said, lines[1..end]);
}

#[test]
fn every_setting_stands_in_a_row() {
    let path = std::env::temp_dir().join(format!("touchstoned-rows-{}", std::process::id()));
    std::fs::write(&path, "-m 64\n").expect("it is written");
    let options = format!("-o debugtime --config {}", path.display());
    let said = stats(&options, "settings");
    std::fs::remove_file(path).expect("it is there");
    let rows = ["settings as in memcached", "settings of ours only"];
    let absent = ["settings with `-Z` also", "settings left out"];
    let fixed = "settings with one value: yes, no or 0";
    listed(&said, &rows, fixed, &absent);
}

#[test]
fn every_figure_of_a_class_and_of_a_client_stands_in_a_row() {
    let rows = ["items as in memcached", "items of the one queue"];
    listed(&stats("", "items"), &rows, "items always 0", &[]);
    let rows = ["slabs as in memcached", "slabs whose chunk is a byte"];
    listed(&stats("", "slabs"), &rows, "slabs always 0", &[]);
    let conns = stats("", "conns");
    let names: BTreeSet<&str> = conns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, row("of each client in `stats conns`"));
    let sizes = |options: &str| stats(options, "sizes");
    assert_eq!(
        sizes(""),
        [("sizes_status".to_owned(), "disabled".to_owned())]
    );
    let sized = sizes("-o track_sizes");
    assert!(
        sized[0]
            .0
            .parse::<u32>()
            .is_ok_and(|size| size.is_multiple_of(32))
    );
}

#[test]
fn every_statistic_stands_in_a_row_and_none_that_is_left_out_is_said() {
    let said = stats("-o idle_timeout=60", "");
    let rows = ["as in memcached", "ours only"];
    listed(&said, &rows, "always 0", &["with `-Z` also", "left out"]);
}

#[test]
fn every_metric_of_ours_stands_in_a_row_and_what_is_always_0_is_0() {
    let (_daemon, port) = Daemon::start_with_figures();
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = b"GET /metrics HTTP/1.1\r\n\r\n";
    client.write_all(request).expect("it is sent");
    let mut said = String::new();
    client.read_to_string(&mut said).expect("it is answered");
    let kinds = said.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names: BTreeSet<&str> = kinds.filter_map(|kind| kind.split(' ').next()).collect();
    let ours = |name: &&str| name.starts_with("touchstone_");
    let own: BTreeSet<&str> = names.iter().copied().filter(ours).collect();
    assert_eq!(own, row("metrics of ours"));
    for name in row("metrics always 0") {
        let lines = said.lines().filter(|line| line.starts_with(name));
        let values: Vec<_> = lines.filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(values, ["0"], "{name}");
    }
    assert!(row("metrics of the exporter left out").is_disjoint(&names));
}

#[test]
fn what_shows_that_it_is_safe_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a root");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let cases = read("conformance/src/faults/cases.toml");
    let table = README.split("| shown by |\n").nth(1).expect("a table");
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let shown = rows.filter_map(|line| line.rsplit('|').nth(1));
    let names: Vec<&str> = shown
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let is_there = match name.split_once(":") {
            Some((path, test)) => read(path).contains(&format!("fn {test}()")),
            None if name.contains('/') => root.join(name).is_dir(),
            None => cases.contains(&format!("\"{name}\"")),
        };
        assert!(is_there, "{name}");
    }
}
