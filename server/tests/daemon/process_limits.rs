//! What a server asks the system for beside sockets: core files (`-r`), memory that stays where it
//! is (`-k`), and one heap for all of its threads. Read off `/proc`, and where the system forbids
//! it, off what is said.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The address space that the C library reserves for the heap of a thread.
const HEAP_BYTES: u64 = 64 << 20;

/// What a shell does before it becomes the server: it gives up root's right to lock memory, and may
/// lock little.
const NO_RIGHT: &str = "ulimit -l 64; \
    [ $(id -u) != 0 ] || set -- setpriv --bounding-set=-ipc_lock,-sys_resource";

/// Starts a server by a shell that does something first, looks at what the system says of it, and
/// tells what it has said.
fn behind(first: &str, options: &str, look: impl FnOnce(&dyn Fn(&str) -> String)) -> String {
    let folder = std::env::temp_dir().join(format!("touchstoned-limits-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder is made");
    let [ports, id] = ["ports", "id"].map(|name| folder.join(name));
    let options = format!("-u root -p -1 -l 127.0.0.1 -P {} {options}", id.display());
    let mut process = Command::new("sh")
        .args(["-c", &format!("{first}; exec \"$@\" \"$0\" {options}")])
        .arg(env!("CARGO_BIN_EXE_touchstoned"))
        .env("MEMCACHED_PORT_FILENAME", &ports)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    while !ports.exists() {
        // With `-d` the first process ends, and well.
        let ended = process.try_wait().expect("it is a child");
        let lives = ended.is_none_or(|status| status.success());
        assert!(lives, "it does not start with {options}");
        thread::yield_now();
    }
    let id = fs::read_to_string(id).expect("it is written before the ports");
    let id: i32 = id.trim().parse().expect("a process id");
    // Whatever is seen, nothing is left running.
    let looked = catch_unwind(AssertUnwindSafe(|| {
        look(&|file| fs::read_to_string(format!("/proc/{id}/{file}")).expect("it runs"));
    }));
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("it runs");
    let output = process.wait_with_output().expect("it ends");
    looked.unwrap_or_else(|panic| resume_unwind(panic));
    assert!(output.status.success());
    fs::remove_dir_all(&folder).expect("it is there");
    String::from_utf8(output.stderr).expect("text")
}

/// The first words behind a name in a file of `/proc`.
fn words_behind(text: &str, name: &str) -> [String; 2] {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let mut words = line.expect("it is there").split_whitespace();
    [(); 2].map(|()| words.next().expect("a word").to_owned())
}

fn locked(file: &dyn Fn(&str) -> String) -> u64 {
    let [kibibytes, _] = words_behind(&file("status"), "VmLck:");
    kibibytes.parse().expect("a number")
}

/// How many heaps the C library has set up for single threads: each begins where 64 MiB do, and
/// reserves as much.
fn heaps_of_threads(maps: &str) -> usize {
    let reserved: BTreeMap<u64, (u64, &str)> = maps
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (start, end) = words.next()?.split_once('-')?;
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).ok());
            Some((start?, (end?, words.next()?)))
        })
        .collect();
    let is_heap = |(start, (end, rights)): (&u64, &(u64, &str))| {
        let rest = reserved.get(end).filter(|rest| rest.1 == "---p");
        *rights == "rw-p"
            && start % HEAP_BYTES == 0
            && rest.is_some_and(|rest| rest.0 == start + HEAP_BYTES)
    };
    reserved.iter().filter(|&mapped| is_heap(mapped)).count()
}

/// All of it in one test, for the limits of one process at a time.
#[test]
fn core_files_and_memory_are_as_large_and_as_fixed_as_the_system_allows() {
    let core = |file: &dyn Fn(&str) -> String| words_behind(&file("limits"), "Max core file size");
    behind("ulimit -S -c 0", "", |file| {
        assert_eq!(core(file)[0], "0");
        assert_eq!(locked(file), 0);
    });
    behind("ulimit -S -c 0", "-r", |file| {
        let [soft, hard] = core(file);
        assert_eq!(soft, hard);
    });

    // In the background too, where it is another process than the one that was started.
    for options in ["-k", "-k -d -v"] {
        let mut kibibytes = 0;
        let said = behind("true", options, |file| kibibytes = locked(file));
        let is_refused = said.contains("touchstoned: -k: memory is not locked: ");
        assert_ne!(kibibytes > 0, is_refused, "{options}: {kibibytes}: {said}");
    }
    let said = behind(NO_RIGHT, "-k", |file| assert_eq!(locked(file), 0));
    let refusal = "touchstoned: -k: memory is not locked: the system allows 65536 bytes only: \
                   raise `LimitMEMLOCK` or `ulimit -l`\n";
    assert!(said.contains(refusal), "{said}");

    let mut maps = String::new();
    behind("true", "-t 4", |file| maps = file("maps"));
    assert_eq!(heaps_of_threads(&maps), 0, "{maps}");
}
