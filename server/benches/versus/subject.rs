//! A server that is measured: a process, its connections, and what it has taken so far.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use crate::common::free_port;
use crate::reach::{Stream, Way};
use crate::workload::{Batch, Workload};
use crate::{idle, null};

/// What is started.
pub(crate) enum Kind {
    /// Its name, and a command line with `{port}` in it.
    Command(String, String),
    /// Whoever answers so much for so much.
    Null(Batch),
}

/// A running server.
pub(crate) struct Subject {
    /// How it is called.
    pub(crate) name: String,
    /// Whether it reads what it is asked.
    pub(crate) is_server: bool,
    /// All of its connections.
    pub(crate) streams: Vec<Box<dyn Stream>>,
    /// One connection more, and what is sent on it all the time.
    pub(crate) torrent: Option<(Box<dyn Stream>, Batch)>,
    process: Child,
    idle: Option<Child>,
    way: Way,
    port: u16,
}

impl Subject {
    /// Starts it, and stores what the workload wants to be there. None where it cannot be reached
    /// that way.
    pub(crate) fn start(kind: Kind, workload: &Workload) -> Option<Subject> {
        let way = workload.way;
        let port = free_port();
        let (name, mut command, is_server) = match kind {
            Kind::Command(name, line) => {
                let line = way.listening(&line, port)?;
                let mut words = line.split_whitespace();
                let mut command = on_the_first_core(words.next().unwrap());
                command.args(words);
                (name, command, true)
            }
            Kind::Null(_) if way != Way::Tcp || workload.flood > 0 => return None,
            Kind::Null(batch) => {
                let mut command = on_the_first_core(&env::current_exe().unwrap().to_string_lossy());
                null::ask_for(&mut command, port, &batch);
                ("null".to_owned(), command, false)
            }
        };
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut subject = Subject {
            process: spawned.unwrap_or_else(|error| panic!("{name} cannot be started: {error}")),
            name,
            is_server,
            streams: Vec::new(),
            torrent: None,
            idle: None,
            way,
            port,
        };
        for _ in 0..workload.connections {
            subject.streams.push(way.connect(port));
        }
        if is_server {
            subject.fill(workload);
        }
        subject.torrent = workload.torrent().map(|batch| (way.connect(port), batch));
        if workload.idle > 0 {
            subject.idle = Some(idlers(port, workload.idle));
        }
        Some(subject)
    }

    /// Whether it answers a batch as it should; some servers lack some commands.
    pub(crate) fn knows(&mut self, batch: &Batch) -> bool {
        if !self.is_server {
            return true;
        }
        let stream = &mut self.streams[0];
        stream.write_all(&batch.request).unwrap();
        let mut told = vec![0; batch.reply.len()];
        let mut len = 0;
        while len < told.len() {
            len += stream.read(&mut told[len..]).unwrap();
            if batch.is_exact && told[..len] != batch.reply[..len] {
                println!("SKIPPED {}: it answers otherwise", self.name);
                return false;
            }
        }
        true
    }

    fn fill(&mut self, workload: &Workload) {
        let stream = &mut self.streams[0];
        for (request, count) in workload.stores() {
            stream.write_all(&request).unwrap();
            let mut told = vec![0; count * b"STORED\r\n".len()];
            stream.read_exact(&mut told).unwrap();
            assert_eq!(told, b"STORED\r\n".repeat(count), "{}", self.name);
        }
    }

    /// The time that its threads have run, in nanoseconds.
    pub(crate) fn time(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let time = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        tasks.filter_map(Result::ok).filter_map(time).sum()
    }

    /// The memory that it has, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        for process in self.idle.iter_mut().chain([&mut self.process]) {
            let _ = process.kill();
            let _ = process.wait();
        }
        self.way.clean(self.port);
    }
}

/// A process with so many connections that say nothing, once it has them.
fn idlers(port: u16, count: usize) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    idle::ask_for(&mut command, port, count);
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let said_all = process.stdout.take().map(BufReader::new);
    said_all.unwrap().read_line(&mut said).unwrap();
    assert_eq!(said.trim(), count.to_string(), "not all are connected");
    process
}

fn on_the_first_core(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}
