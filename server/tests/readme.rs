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

/// The names and values of `stats`, with what options add.
fn stats() -> Vec<(String, String)> {
    let options = "-l 127.0.0.1 -p -1 -t 1 -o idle_timeout=60".split(' ');
    let child = Command::new(DAEMON)
        .args(options)
        .stderr(Stdio::piped())
        .spawn();
    let mut daemon = Daemon(child.expect("it starts"));
    let log = BufReader::new(daemon.0.stderr.take().expect("it has a log"));
    let port = log.lines().map_while(Result::ok).find_map(|line| {
        let place = line.strip_prefix("touchstoned: 127.0.0.1:")?;
        place.split_once(',')?.0.parse::<u16>().ok()
    });
    let mut client = TcpStream::connect(("127.0.0.1", port.expect("a port"))).expect("it listens");
    client.write_all(b"stats\r\nquit\r\n").expect("it is sent");
    let mut said = String::new();
    client.read_to_string(&mut said).expect("it is answered");
    let lines = said.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
        Some((name.to_owned(), value.to_owned()))
    });
    lines.collect()
}

#[test]
fn every_statistic_stands_in_a_row_and_none_that_is_left_out_is_said() {
    let stats = stats();
    let said: BTreeSet<&str> = stats.iter().map(|(name, _)| name.as_str()).collect();
    let (same, own, never) = (row("as in memcached"), row("ours only"), row("always 0"));
    let listed: BTreeSet<&str> = same.iter().chain(&own).chain(&never).copied().collect();
    assert_eq!(said, listed);
    let zero = |name: &str| {
        stats
            .iter()
            .any(|(each, value)| each == name && value == "0")
    };
    assert!(never.iter().all(|name| zero(name)));
    let absent = [row("with `-Z` also"), row("left out")];
    assert!(
        absent
            .iter()
            .all(|names| !names.is_empty() && names.is_disjoint(&said))
    );
}
