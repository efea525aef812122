//! What a server is started with: memcached's command line.
//!
//! It never touches the system. An option that is unknown, or has a value out of its range, is
//! refused with one line that names it. `options.rs` holds the table of all options.

mod command_line;
mod completions;
mod config;
mod extended;
mod listener;
mod manual;
mod options;
mod tls;

use std::net::SocketAddr;
use std::{fmt, io};

use command_line::CommandLine;
pub use command_line::Read;
pub use completions::Shell;
pub use listener::{Listener, Security};
pub use tls::{Clients, Tls};

/// One mebibyte.
const MEBIBYTE: usize = 1024 * 1024;

/// What the program is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Serve.
    #[default]
    Serve,
    /// Say its version.
    Version,
    /// Say its options.
    Help,
    /// Say its licence.
    License,
    /// Say its manual page.
    Manual,
    /// Say what a shell needs to complete its options.
    Completions(Shell),
}

/// What is wrong with a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    text: String,
    exit_code: u8,
}

impl Problem {
    /// An option that there is not, or that cannot have its value.
    fn plain(text: String) -> Self {
        Self { text, exit_code: 1 }
    }

    /// What memcached calls a bad use (`EX_USAGE`): a port, a size or a protocol that there is not.
    fn usage(text: String) -> Self {
        Self {
            text,
            exit_code: 64,
        }
    }

    /// How the process ends, as memcached's does.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl From<Problem> for String {
    fn from(problem: Problem) -> Self {
        problem.text
    }
}

/// What a connection speaks, from its first byte to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Lines.
    Text,
    /// Frames.
    Binary,
}

/// What a server is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the program is to do.
    pub purpose: Purpose,
    /// The addresses to listen on; none means loopback.
    pub listen: Vec<Listener>,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// Whether the TCP port was asked for.
    has_port: bool,
    /// Whether there are TCP listeners: `-p 0` beside a UDP port wants none.
    pub has_tcp: bool,
    /// The UDP port; 0 lets the system choose.
    pub udp_port: u16,
    /// Whether there are sockets for UDP (`-U`).
    pub has_udp: bool,
    /// What connections speak; none lets each tell by its first byte (`-B`).
    pub protocol: Option<Protocol>,
    /// Where the figures are served (`--metrics`).
    pub metrics: Option<SocketAddr>,
    /// The socket file to listen on, instead of any address (`-s`).
    pub socket_path: Option<String>,
    /// Who may connect to that (`-a`).
    pub socket_mode: u32,
    /// Whether binary clients log in by SASL (`-S`).
    pub has_sasl_login: bool,
    /// Whether text clients log in by a first `set` (`-Y`).
    pub has_text_login: bool,
    /// The file that says who may log in.
    pub users_path: Option<String>,
    /// What TLS is spoken with.
    pub tls: Tls,
    /// How many threads serve connections.
    pub threads: usize,
    /// The memory that items may take, in bytes.
    pub memory_bytes: usize,
    /// The largest item, its overhead included, in bytes.
    pub item_bytes_max: usize,
    /// How many clients are served at once.
    pub connections_max: usize,
    /// How many connections may wait to be accepted.
    pub backlog: u32,
    /// Whether items have uniques (not `-C`).
    pub has_uniques: bool,
    /// Whether full memory makes items go (not `-M`).
    pub evicts: bool,
    /// Whether `flush_all` is allowed (not `-F`).
    pub allows_flush: bool,
    /// Whether keys may be listed (not `-X`).
    pub allows_dump: bool,
    /// Whether `watch` is allowed (not `-W`).
    pub allows_watch: bool,
    /// How many bytes may wait for a watcher.
    pub watcher_buffer_bytes: usize,
    /// Whether `shutdown` is allowed (`-A`).
    pub allows_shutdown: bool,
    /// What ends the prefix of a key.
    pub prefix_delimiter: u8,
    /// Whether requests are counted by prefix from the start (`-D`).
    pub counts_prefixes: bool,
    /// How talkative the server is.
    pub verbosity: u32,
    /// After how many seconds without a request a connection is closed.
    pub idle_timeout_seconds: Option<u64>,
    /// Whether `stats sizes` lists sizes.
    pub tracks_sizes: bool,
    /// Whether expired items are cleared away before anybody asks for them.
    pub sweeps: bool,
    /// Whether all memory is kept out of the swap (`-k`).
    pub locks_memory: bool,
    /// Whether core files may be as large as the system allows (`-r`).
    pub dumps_core: bool,
    /// The user to become.
    pub user: Option<String>,
    /// Whether to go into the background.
    pub is_daemon: bool,
    /// Where the process id is written.
    pub pid_file: Option<String>,
    /// The file of options that was read (`--config`).
    pub config_path: Option<String>,
    /// Whether clients may stop and move the clock.
    pub turns_clock: bool,
    /// What is worth saying about the options, one line each.
    pub warnings: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            purpose: Purpose::Serve,
            listen: Vec::new(),
            port: 11211,
            has_port: false,
            has_tcp: true,
            udp_port: 0,
            has_udp: false,
            metrics: None,
            socket_path: None,
            socket_mode: 0o700,
            protocol: None,
            has_sasl_login: false,
            has_text_login: false,
            users_path: None,
            tls: Tls::default(),
            threads: 4,
            memory_bytes: 64 * MEBIBYTE,
            item_bytes_max: MEBIBYTE,
            connections_max: 1024,
            backlog: 1024,
            has_uniques: true,
            evicts: true,
            allows_flush: true,
            allows_dump: true,
            allows_watch: true,
            watcher_buffer_bytes: 256 * 1024,
            allows_shutdown: false,
            prefix_delimiter: b':',
            counts_prefixes: false,
            verbosity: 0,
            idle_timeout_seconds: None,
            tracks_sizes: false,
            sweeps: true,
            locks_memory: false,
            dumps_core: false,
            user: None,
            is_daemon: false,
            pid_file: None,
            config_path: None,
            turns_clock: false,
            warnings: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads a command line, without the program's name, that names no file of options.
    ///
    /// # Errors
    ///
    /// One line that names the option, what it was given, and what it takes.
    pub fn parse<I>(arguments: I) -> Result<Self, Problem>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::parse_with(arguments, &|_| {
            Err(io::Error::other("no file is read here"))
        })
    }

    /// Reads a command line whose file of options is read so.
    ///
    /// # Errors
    ///
    /// One line that names the option, what it was given, and what it takes; and where that stands,
    /// if it is in a file.
    pub fn parse_with<I>(arguments: I, read: Read<'_>) -> Result<Self, Problem>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut line = CommandLine::new(read, false);
        let arguments = &mut arguments.into_iter().map(Into::into);
        line.take_all(arguments)
            .and_then(|()| line.settings.conclude())
            .map_err(|Problem { text, exit_code }| Problem {
                text: printable(&text),
                exit_code,
            })?;
        let mut settings = line.settings;
        settings.warnings = settings
            .warnings
            .iter()
            .map(|line| printable(line))
            .collect();
        Ok(settings)
    }

    /// What each option does here, and all that is wrong with them, one line each; and whether
    /// nothing is.
    pub fn check<I>(arguments: I, read: Read<'_>) -> (String, bool)
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut line = CommandLine::new(read, true);
        let arguments = &mut arguments.into_iter().map(Into::into);
        let taken = line.take_all(arguments);
        let before = line.settings.warnings.len();
        let concluded = taken.and_then(|()| line.settings.conclude());
        let _ = line.endure(concluded);
        line.settings.warn_of_hidden_socket();
        let warnings = line.settings.warnings.iter().skip(before).cloned();
        line.effects.extend(warnings);
        line.effects.push(match line.wrong {
            0 => "good".to_owned(),
            wrong => format!("wrong: {wrong}"),
        });
        let lines = line.effects.iter().map(|line| printable(line) + "\n");
        (lines.collect(), line.wrong == 0)
    }

    /// What can be said once all options are there.
    fn conclude(&mut self) -> Result<(), Problem> {
        if self.purpose != Purpose::Serve {
            return Ok(());
        }
        if self.has_udp && !self.has_port {
            self.port = self.udp_port;
        }
        // Somebody must be able to get there.
        self.has_tcp |= !self.has_udp;
        self.agree()
            .and_then(|()| self.close_ways_around())
            .map_err(Problem::usage)?;
        self.warn_of_open_doors();
        Ok(())
    }

    /// Who asks for an address that others reach gets it, and is told.
    fn warn_of_open_doors(&mut self) {
        if let Some(address) = self.metrics.filter(|address| !address.ip().is_loopback()) {
            let warning = format!("--metrics {address}: whoever reaches it reads all figures");
            self.warnings.push(warning);
        }
        let is_open = |listener: &&Listener| !listener.is_local();
        if !self.needs_login()
            && let Some(listener) = self.listen.iter().find(is_open)
        {
            let text = &listener.text;
            let warning = format!("-l {text}: whoever reaches it is served: see -S, -Y and -Z");
            self.warnings.push(warning);
        }
    }

    /// Whoever starts it as a service may look for its socket file in vain, and is told.
    pub fn warn_of_hidden_socket(&mut self) {
        if let Some(path) = &self.socket_path
            && (path.starts_with("/tmp/") || path.starts_with("/var/tmp/"))
        {
            let warning = format!(
                "-s {path}: a service may have a /tmp of its own, where nobody else sees it"
            );
            self.warnings.push(warning);
        }
    }

    /// What no option can be blamed for alone.
    fn agree(&self) -> Result<(), String> {
        let mut listeners = self.listen.iter().filter(|_| !self.tls.is_on);
        if let Some(listener) = listeners.find(|one| one.security.is_some()) {
            let text = &listener.text;
            return Err(format!("-l: `{text}`: there is no TLS without -Z"));
        }
        let asks_clients = |one: &Listener| one.security == Some(Security::Mutual);
        self.tls.check(self.listen.iter().any(asks_clients))?;
        if self.tls.is_on && self.socket_path.is_some() {
            return Err("-Z: there is no TLS on the socket file of -s".to_owned());
        }
        if self.item_bytes_max > self.memory_bytes / 2 {
            return Err(format!(
                "-I: an item of {} bytes is more than half of the {} bytes of -m",
                self.item_bytes_max, self.memory_bytes
            ));
        }
        Ok(())
    }

    /// What clients are to show at a listener; none where they are met in plain text.
    #[must_use]
    pub fn clients_at(&self, listener: &Listener) -> Option<Clients> {
        let usual = if self.tls.is_on {
            Some(self.tls.clients)
        } else {
            None
        };
        match listener.security {
            None => usual,
            Some(Security::Plain) => None,
            Some(Security::Basic) => Some(Clients::Anybody),
            Some(Security::Mutual) => Some(Clients::Known),
        }
    }

    /// Whether a client is to say who it is.
    #[must_use]
    pub const fn needs_login(&self) -> bool {
        self.has_sasl_login || self.has_text_login
    }

    /// Lets nobody speak a protocol in which he could not log in.
    fn close_ways_around(&mut self) -> Result<(), String> {
        if self.needs_login() && self.has_udp {
            let port = self.udp_port;
            return Err(format!("-U: `{port}`: nobody can log in over UDP"));
        }
        let (only, option, other) = match (self.has_sasl_login, self.has_text_login) {
            (true, false) => (Protocol::Binary, "-S", "ascii"),
            (false, true) => (Protocol::Text, "-Y", "binary"),
            _ => return Ok(()),
        };
        if *self.protocol.get_or_insert(only) != only {
            return Err(format!("{option}: nobody can log in with -B {other}"));
        }
        for listener in &mut self.listen {
            let protocol = listener.protocol.get_or_insert(Some(only));
            if *protocol.get_or_insert(only) != only {
                let text = &listener.text;
                return Err(format!("{option}: nobody can log in at -l {text}"));
            }
        }
        Ok(())
    }

    /// The text that `-h` prints.
    #[must_use]
    pub fn help() -> String {
        manual::help()
    }

    /// The manual page, in the language of `man`.
    #[must_use]
    pub fn manual() -> String {
        manual::page()
    }

    /// What a shell is told so that it can complete options.
    #[must_use]
    pub fn completions(shell: Shell) -> String {
        completions::script(shell)
    }
}

/// A line for a terminal, whatever it repeats of what was given.
fn printable(line: &str) -> String {
    let shown = |char: char| match char {
        char if char.is_control() => char.escape_default().to_string(),
        char => char.to_string(),
    };
    line.chars().map(shown).collect()
}
