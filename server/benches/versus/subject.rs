//! A server that is measured: a process, its connections, and what it has taken so far.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use crate::common::{connect, free_port};
use crate::null;
use crate::workload::{Batch, Workload};

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
    pub(crate) streams: Vec<TcpStream>,
    process: Child,
}

impl Subject {
    /// Starts it, and stores what the workload wants to be there.
    pub(crate) fn start(kind: Kind, workload: &Workload) -> Subject {
        let port = free_port();
        let (name, mut command, is_server) = match kind {
            Kind::Command(name, line) => {
                let line = line.replace("{port}", &port.to_string());
                let mut words = line.split_whitespace();
                let mut command = on_the_first_core(words.next().unwrap());
                command.args(words);
                (name, command, true)
            }
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
        };
        for _ in 0..workload.connections {
            subject.streams.push(connect(port));
        }
        if is_server {
            subject.fill(workload);
        }
        subject
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
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn on_the_first_core(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}
