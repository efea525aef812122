//! `touchstoned`: a memcached server.
//!
//! It only turns a command line into a running server; what it does then is in the library.

#![forbid(unsafe_code)]
#![warn(
    clippy::expect_used,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]

/// Tells the operator a line. A log that takes nothing, on a disk that is full, ends nobody.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "touchstoned: {}", format_args!($($words)*));
    }};
}

#[cfg(target_os = "linux")]
mod locked;
mod service;

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::chown;
use std::panic;
use std::process::{self, ExitCode};
use std::sync::{Arc, Once};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{self, Uid, User};
use server::Shared;
use server::heap;
use server::net::{self, Clock};
use server::protocol::VERSION;
use server::settings::{Purpose, Settings};

/// Descriptors that are not clients' connections.
const OWN_DESCRIPTORS: u64 = 64;

/// The longest file of options, in bytes.
const OPTIONS_BYTES_MAX: u64 = 1024 * 1024;

/// Options that are wrong.
const EXIT_USAGE: u8 = 64;
/// No file of users, or a bad one.
const EXIT_USERS: u8 = 1;
/// No such user.
const EXIT_USER: u8 = 67;
/// No such address, or no thread.
const EXIT_SYSTEM: u8 = 71;

/// What may be done with the program.
const LICENSE: &str = "MIT or Apache-2.0, at your choice.\n";

fn main() -> ExitCode {
    heed_panics();
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    if arguments
        .iter()
        .any(|argument| argument == "--check-config")
    {
        let (report, is_good) = Settings::check(arguments, &read_options);
        print!("{report}");
        return ExitCode::from(if is_good { 0 } else { EXIT_USAGE });
    }
    let settings = match Settings::parse_with(arguments, &read_options) {
        Ok(settings) => settings,
        Err(problem) => return fail(problem.exit_code(), &problem.to_string()),
    };
    match settings.purpose {
        Purpose::Version => print!("{}", version()),
        Purpose::Help => print!("{}\n{}", version(), Settings::help()),
        Purpose::License => print!("{}\n{LICENSE}", version()),
        Purpose::Manual => print!("{}", Settings::manual()),
        Purpose::Completions(shell) => print!("{}", Settings::completions(shell)),
        Purpose::Serve => return serve(settings),
    }
    ExitCode::SUCCESS
}

/// The text of a file of options.
fn read_options(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    // One byte more tells a file that is too long: the options of a part of it are not those.
    file.take(OPTIONS_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > OPTIONS_BYTES_MAX {
        let problem = format!("it is longer than {OPTIONS_BYTES_MAX} bytes");
        return Err(io::Error::other(problem));
    }
    Ok(text)
}

fn version() -> String {
    format!(
        "memcached {VERSION}\ntouchstoned {}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Tells of a panic in one line. One in a connection's task ends that connection; any other would
/// leave a process that takes clients and serves none, so it ends all, once.
fn heed_panics() {
    let end = Once::new();
    panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or("for no reason");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        if tokio::task::try_id().is_some() {
            say!("panic: {said:?} at {place}");
            return;
        }
        end.call_once(|| {
            say!("ends by a panic: {said:?} at {place}");
            process::exit(i32::from(EXIT_SYSTEM));
        });
    }));
}

fn serve(mut settings: Settings) -> ExitCode {
    heap::share();
    find_users(&mut settings);
    heed_manager(&mut settings);
    for warning in &settings.warnings {
        say!("{warning}");
    }
    raise_descriptor_limit(settings.connections_max);
    if settings.dumps_core
        && let Err(error) = raise_core_limit()
    {
        return fail(EXIT_SYSTEM, &format!("-r: {error}"));
    }
    #[cfg(target_os = "linux")]
    locked::ask(&settings);
    let users = match net::read_users(&settings) {
        Ok(users) => users,
        Err(problem) => return fail(EXIT_USERS, &problem),
    };
    let listening = match listen(&settings) {
        Ok(listening) => listening,
        Err(error) => return fail(EXIT_SYSTEM, &format!("cannot listen on {error}")),
    };
    if let Err(problem) = give_up_root(&settings) {
        return fail(EXIT_USER, &problem);
    }
    #[cfg(target_os = "linux")]
    locked::see(&mut settings);
    if settings.is_daemon
        && let Err(error) = unistd::daemon(false, settings.verbosity > 0)
    {
        return fail(EXIT_SYSTEM, &format!("-d: {error}"));
    }
    #[cfg(target_os = "linux")]
    locked::lock(&settings);
    if let Some(path) = &settings.pid_file
        && let Err(error) = fs::write(path, format!("{}\n", process::id()))
    {
        say!("-P: {path}: {error}");
    }
    write_ports(&listening);
    let pid_file = settings.pid_file.clone();
    announce(&settings, &listening);
    let clock = Clock::start();
    let shared = Arc::new(Shared::new(settings, clock.now()));
    shared.set_users(users);
    // The sockets listen: who connects from now on is served as soon as the threads run.
    service::tell("READY=1");
    let served = net::serve(listening, &shared, clock, || service::tell("STOPPING=1"));
    if let Some(path) = pid_file {
        let _ = fs::remove_file(path);
    }
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(EXIT_SYSTEM, &error.to_string()),
    }
}

/// With `-S` alone the file of users is the one that memcached would read.
#[expect(
    clippy::disallowed_methods,
    reason = "memcached has the name of the file from there"
)]
fn find_users(settings: &mut Settings) {
    if settings.has_sasl_login && settings.users_path.is_none() {
        settings.users_path = std::env::var("MEMCACHED_SASL_PWDB").ok();
    }
    // A daemon changes its folder, and reads the files again.
    let tls = &mut settings.tls;
    for path in [
        &mut tls.chain_path,
        &mut tls.key_path,
        &mut tls.authorities_path,
    ] {
        if let Some(Ok(whole)) = path.as_ref().map(std::path::absolute) {
            *path = Some(whole.to_string_lossy().into_owned());
        }
    }
    let whole = settings.users_path.as_ref().map(std::path::absolute);
    if let Some(Ok(path)) = whole {
        settings.users_path = Some(path.to_string_lossy().into_owned());
    } else if settings.needs_login() {
        let warning = "-S: nobody can log in: name a file of users by -Y or MEMCACHED_SASL_PWDB";
        settings.warnings.push(warning.to_owned());
    }
}

/// Stays in the foreground where a service manager waits to hear of us, as it asks of those it
/// starts.
fn heed_manager(settings: &mut Settings) {
    if !service::is_awaited() {
        return;
    }
    if std::mem::take(&mut settings.is_daemon) {
        let warning = "-d: has no effect: the service manager keeps us in the background";
        settings.warnings.push(warning.to_owned());
    }
    settings.warn_of_hidden_socket();
}

/// Listens, or takes what the service manager listens on already.
fn listen(settings: &Settings) -> io::Result<net::Listening> {
    let given = service::sockets()?;
    if given.is_empty() {
        return net::listen(settings);
    }
    say!("-l, -p, -U and -s have no effect: the service manager listens");
    net::take(given, settings)
}

/// Writes the ports to the file that memcached would write them to. Who waits for it never reads
/// half of it.
#[expect(
    clippy::disallowed_methods,
    reason = "memcached has the name of the file from there"
)]
fn write_ports(listening: &net::Listening) {
    let Ok(path) = std::env::var("MEMCACHED_PORT_FILENAME") else {
        return;
    };
    let part = format!("{path}.lck");
    let written = fs::write(&part, listening.ports()).and_then(|()| fs::rename(&part, &path));
    if let Err(error) = written {
        say!("MEMCACHED_PORT_FILENAME: {path}: {error}");
    }
}

/// One line for whoever starts it by hand: what to paste where.
fn announce(settings: &Settings, listening: &net::Listening) {
    let addresses = listening.addresses();
    let Some(first) = addresses.first().filter(|_| !settings.is_daemon) else {
        return;
    };
    if let Some(address) = listening.metrics() {
        say!("figures at http://{address}/");
    }
    if let Some(path) = &settings.config_path {
        say!("{path}: {}", effective(settings));
    }
    say!(
        "{}, {} MB; Django: CACHES = {{\"default\": {{\"BACKEND\": \
         \"django.core.cache.backends.memcached.PyMemcacheCache\", \
         \"LOCATION\": \"{first}\"}}}}",
        addresses.join(", "),
        settings.memory_bytes / (1024 * 1024)
    );
}

/// What is in effect, whoever said so.
fn effective(settings: &Settings) -> String {
    format!(
        "-m {} -c {} -t {} -I {} -b {} -p {} -U {}; `stats settings` has them all",
        settings.memory_bytes / (1024 * 1024),
        settings.connections_max,
        settings.threads,
        settings.item_bytes_max,
        settings.backlog,
        settings.port,
        settings.udp_port,
    )
}

/// Lets core files be as large as the system allows.
fn raise_core_limit() -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE)?;
    setrlimit(Resource::RLIMIT_CORE, hard, hard)
}

/// Asks for as many descriptors as the clients need, and says so when they are not to be had.
fn raise_descriptor_limit(clients: usize) {
    let wanted = u64::try_from(clients)
        .unwrap_or(u64::MAX)
        .saturating_add(OWN_DESCRIPTORS);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    if soft < wanted
        && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted))
            .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard))
            .is_ok()
        && hard < wanted
        && getrlimit(Resource::RLIMIT_NOFILE).is_ok_and(|(soft, _)| soft < wanted)
    {
        say!("-c {clients}: the system allows {hard} descriptors only");
    }
}

/// Users that a server started as root becomes when no `-u` says which.
///
/// memcached refuses to start then. But in a container everybody is root at first, and a first try
/// is to work; only who asks for root stays it.
const HARMLESS_USERS: [&str; 2] = ["memcache", "nobody"];

/// Who has no rights where nobody has a name, as in a container of one file.
const NOBODY: u32 = 65534;

/// Gives up root's rights. Who is not root stays who he is.
fn give_up_root(settings: &Settings) -> Result<(), String> {
    if !unistd::geteuid().is_root() {
        return Ok(());
    }
    let known = |name: &str| User::from_name(name).ok().flatten();
    let (name, user, group) = if let Some(name) = &settings.user {
        let user = known(name).ok_or_else(|| format!("-u: there is no user `{name}`"))?;
        (user.name, user.uid, user.gid)
    } else {
        let nobody = (NOBODY.to_string(), NOBODY.into(), NOBODY.into());
        let named = HARMLESS_USERS.into_iter().find_map(known);
        let user = named.map_or(nobody, |user| (user.name, user.uid, user.gid));
        if is_alone(user.1) {
            say!("started as root, and the system has no other user here");
            return Ok(());
        }
        let name = &user.0;
        say!("started as root: going on as `{name}` (-u names another)");
        user
    };
    if let Some(path) = &settings.socket_path {
        chown(path, Some(user.as_raw()), Some(group.as_raw()))
            .map_err(|error| format!("-s: {path}: {error}"))?;
    }
    unistd::setgroups(&[group])
        .and_then(|()| unistd::setgid(group))
        .and_then(|()| unistd::setuid(user))
        .map_err(|error| format!("-u: cannot become `{name}`: {error}"))
}

/// Whether this user is none that the process can become, because root is none outside either: it
/// is alone in a space of users of its own.
fn is_alone(user: Uid) -> bool {
    let Ok(map) = fs::read_to_string("/proc/self/uid_map") else {
        return false;
    };
    let is_in = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(first)), _, Some(Ok(count))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return true;
        };
        let user = u64::from(user.as_raw());
        first <= user && user - first < count
    };
    !map.lines().any(is_in)
}

fn fail(code: u8, problem: &str) -> ExitCode {
    say!("{problem}");
    ExitCode::from(code)
}
