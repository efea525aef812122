//! Sockets, threads and signals.
//!
//! It never looks into the bytes it moves. One thread takes connections and deals them out to the
//! workers; each worker is a thread with a runtime of its own and shares nothing but [`Shared`].

mod clock;
mod endpoint;
mod log;
mod metrics;
mod reload;
#[cfg(debug_assertions)]
pub mod simulated;
mod tls;
mod udp;
mod worker;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time;

use crate::counters::Counter;
use crate::limits::HASHES_MAX;
use crate::log::Kind;
use crate::protocol::Error;
use crate::settings::{self, Settings, Tls};
use crate::shared::Shared;
pub use clock::Clock;
use endpoint::{Endpoint, Listener, Stream, Terms};
pub use reload::read_users;
use tls::Certificates;
use worker::{Means, Worker};

/// How long to wait before accepting again when the system has no room for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long the memory of dead items is left alone between two slices.
const SWEEP_PAUSE: Duration = Duration::from_millis(250);

/// How long that is where a slice found much: there may be more.
const SWEEP_BREATH: Duration = Duration::from_millis(5);

/// About how many items of each part of the store are looked at in a slice.
const SWEEP_SLICE: usize = 1024;

/// How often to look whether a client asked for an end.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// How often to look whether all that was owed is sent.
const END_CHECK: Duration = Duration::from_millis(5);

/// Sockets that are bound and listen.
#[derive(Debug)]
pub struct Listening {
    endpoints: Vec<Endpoint>,
    datagrams: Vec<UdpSocket>,
    metrics: Option<TcpListener>,
    certificates: Option<Arc<Certificates>>,
    signals: Signals,
}

impl Listening {
    /// What does not depend on where clients come to. Needs a runtime.
    fn nowhere(settings: &Settings) -> io::Result<Self> {
        Ok(Self {
            // Before the first socket: a signal that ended us now would leave a socket file behind.
            signals: Signals::heed()?,
            endpoints: Vec::new(),
            datagrams: Vec::new(),
            metrics: bind_metrics(settings)?,
            certificates: certificates(&settings.tls)?,
        })
    }

    /// Where they listen: addresses, and socket files with `unix:` before them.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.endpoints.iter().map(Endpoint::name).collect()
    }

    /// Where the figures are served.
    #[must_use]
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// The ports they have, one on a line, as memcached tells them to who asks for a file of them.
    #[must_use]
    pub fn ports(&self) -> String {
        let tcp = self.endpoints.iter().filter_map(Endpoint::address);
        let udp = self
            .datagrams
            .iter()
            .filter_map(|socket| socket.local_addr().ok());
        let tcp = tcp.map(|address| ("TCP", address));
        let all = tcp.chain(udp.map(|address| ("UDP", address)));
        let line = |(kind, address): (&str, SocketAddr)| {
            let family = if address.is_ipv4() { "INET" } else { "INET6" };
            format!("{kind} {family}: {}\n", address.port())
        };
        all.map(line).collect()
    }
}

/// Sockets that somebody else has bound for the server.
#[derive(Debug, Default)]
pub struct Given {
    /// Those that listen at addresses.
    pub tcp: Vec<TcpListener>,
    /// Those that listen at files.
    pub unix: Vec<UnixListener>,
    /// Those for datagrams.
    pub datagrams: Vec<UdpSocket>,
}

impl Given {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.unix.is_empty() && self.datagrams.is_empty()
    }
}

/// Takes sockets instead of those that the settings ask for; what is spoken there they say.
///
/// # Errors
///
/// When a socket is not to be used, or a certificate.
pub fn take(given: Given, settings: &Settings) -> io::Result<Listening> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _guard = runtime.enter();
    let terms = Terms {
        protocol: settings.protocol,
        clients: settings.clients_at(&settings::Listener::loopback()),
    };
    let tcp = given.tcp.into_iter();
    let tcp = tcp.map(|socket| Endpoint::given_tcp(socket, terms));
    let unix = given.unix.into_iter().map(Endpoint::given_unix);
    for socket in &given.datagrams {
        socket.set_nonblocking(true)?;
    }
    Ok(Listening {
        endpoints: tcp.chain(unix).collect::<io::Result<_>>()?,
        datagrams: given.datagrams,
        ..Listening::nowhere(settings)?
    })
}

/// Binds the sockets that the settings ask for.
///
/// # Errors
///
/// When an address is not to be had; the text names it.
pub fn listen(settings: &Settings) -> io::Result<Listening> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _guard = runtime.enter();
    let mut listening = Listening::nowhere(settings)?;
    if let Some(path) = &settings.socket_path {
        let endpoint = Endpoint::unix(Path::new(path), settings.socket_mode)
            .map_err(|error| named(path, &error))?;
        listening.endpoints.push(endpoint);
        return Ok(listening);
    }
    let loopback = [settings::Listener::loopback()];
    let listeners = match &settings.listen[..] {
        [] => &loopback,
        listen => listen,
    };
    for listener in listeners {
        let terms = Terms {
            protocol: listener.protocol.unwrap_or(settings.protocol),
            clients: settings.clients_at(listener),
        };
        let mut unbound = None;
        let already = listening.endpoints.len();
        for address in resolve(listener, settings.port)? {
            if settings.has_tcp {
                match Endpoint::tcp(address, settings.backlog, terms) {
                    Ok(endpoint) => listening.endpoints.push(endpoint),
                    Err(error) => {
                        unbound = Some(named(address, &error));
                        continue;
                    }
                }
            }
            if settings.has_udp {
                let address = SocketAddr::new(address.ip(), settings.udp_port);
                let socket = udp::bind(address)
                    .map_err(|error| named(format_args!("UDP {address}"), &error))?;
                listening.datagrams.push(socket);
            }
        }
        // A name may have an address that this machine has not, as long as it has another.
        if let Some(error) = unbound.filter(|_| listening.endpoints.len() == already) {
            return Err(error);
        }
    }
    Ok(listening)
}

fn bind_metrics(settings: &Settings) -> io::Result<Option<TcpListener>> {
    let bind = |address| {
        metrics::bind(address).map_err(|error| named(format_args!("--metrics {address}"), &error))
    };
    settings.metrics.map(bind).transpose()
}

fn certificates(tls: &Tls) -> io::Result<Option<Arc<Certificates>>> {
    if !tls.is_on {
        return Ok(None);
    }
    let certificates = Certificates::read(tls);
    let certificates = certificates.map_err(|problem| io::Error::other(format!("-o {problem}")))?;
    Ok(Some(Arc::new(certificates)))
}

/// The addresses of a host; several where it has several names.
fn resolve(listener: &settings::Listener, port: u16) -> io::Result<BTreeSet<SocketAddr>> {
    let port = listener.port.unwrap_or(port);
    let host = listener.host.as_deref().unwrap_or("0.0.0.0");
    let found = (host, port).to_socket_addrs();
    let text = &listener.text;
    found
        .map(Iterator::collect)
        .map_err(|error| named(text, &error))
}

/// An error that says where.
fn named(place: impl Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}

/// Serves until a signal or a client asks for an end; then says so, sends what is owed, and ends.
///
/// # Errors
///
/// When the system refuses threads, runtimes or signals.
pub fn serve(
    listening: Listening,
    shared: &Arc<Shared>,
    clock: Clock,
    ending: impl FnOnce(),
) -> io::Result<()> {
    let certificates = listening.certificates;
    if let Some(certificates) = certificates.clone() {
        shared.refresh_certificates_by(move || certificates.refresh());
    }
    let clock = if shared.settings.turns_clock {
        clock.turned_by(&shared.turning)
    } else {
        clock
    };
    let means = Means {
        clock: clock.clone(),
        shared: Arc::clone(shared),
        hashing: Arc::new(Semaphore::new(HASHES_MAX)),
        certificates,
    };
    let workers =
        (0..shared.settings.threads).map(|number| Worker::start(number, shared, means.clone()));
    let workers = Rc::new(workers.collect::<io::Result<Vec<_>>>()?);
    let log = log::start(shared, clock.clone())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let served = LocalSet::new().block_on(&runtime, async {
        if let Some(socket) = listening.metrics {
            tokio::task::spawn_local(metrics::step(Arc::clone(shared)));
            let serving = metrics::serve(socket, Arc::clone(shared), clock.clone());
            tokio::task::spawn_local(serving);
        }
        tokio::task::spawn_local(sweep(Arc::clone(shared), clock.clone()));
        let mut doors = JoinSet::new();
        for socket in listening.datagrams {
            doors.spawn_local(udp::answer(socket, Arc::clone(shared), clock.clone()));
        }
        let served = async {
            for endpoint in listening.endpoints {
                let listener = endpoint.listen()?;
                doors.spawn_local(deal(listener, Rc::clone(&workers), Arc::clone(shared)));
            }
            until_stopped(shared, &clock, listening.signals).await
        };
        let served = served.await;
        shared.stop();
        ending();
        // Nobody new comes in; who asks for figures hears that it ends for as long as it does.
        doors.shutdown().await;
        end(Rc::into_inner(workers).unwrap_or_default()).await;
        served
    });
    log.finish(shared);
    served
}

/// Lets the workers send what is owed, and end.
async fn end(workers: Vec<Worker>) {
    let threads: Vec<_> = workers.into_iter().map(Worker::stop).collect();
    while !threads.iter().all(JoinHandle::is_finished) {
        time::sleep(END_CHECK).await;
    }
    for thread in threads {
        // A worker that panicked has nothing left to say.
        let _ = thread.join();
    }
}

/// What an operator tells the process.
#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    graceful: Signal,
    hangup: Signal,
}

impl Signals {
    /// From now on none of them ends the process, and one that comes before it is waited for is
    /// kept.
    fn heed() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            graceful: signal(SignalKind::user_defined1())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

async fn until_stopped(
    shared: &Arc<Shared>,
    clock: &Clock,
    mut signals: Signals,
) -> io::Result<()> {
    while !shared.is_stopping() {
        let waiting = async {
            let asked = std::future::poll_fn(|context| {
                if signals.hangup.poll_recv(context).is_ready() {
                    let (shared, now) = (Arc::clone(shared), clock.now());
                    tokio::task::spawn_blocking(move || reload::reload(&shared, now));
                }
                if signals.terminate.poll_recv(context).is_ready() {
                    Poll::Ready("SIGTERM: ending")
                } else if signals.interrupt.poll_recv(context).is_ready() {
                    Poll::Ready("SIGINT: ending")
                } else if signals.graceful.poll_recv(context).is_ready() {
                    Poll::Ready("SIGUSR1: gracefully stopping")
                } else {
                    Poll::Pending
                }
            });
            shared.log.say(Kind::Operator, asked.await);
            shared.stop();
        };
        let _ = time::timeout(STOP_CHECK, waiting).await;
    }
    Ok(())
}

/// Clears dead items away, a slice at a time, so that their memory serves others.
async fn sweep(shared: Arc<Shared>, clock: Clock) {
    let mut pause = SWEEP_PAUSE;
    loop {
        time::sleep(pause).await;
        pause = SWEEP_PAUSE;
        if shared.is_sweeping() {
            let swept = shared.store.sweep(SWEEP_SLICE, clock.now());
            shared
                .ledger
                .worker(0)
                .add(Counter::CrawlerReclaimed, swept.items);
            if swept.is_much {
                pause = SWEEP_BREATH;
            }
        }
    }
}

/// Takes connections and deals them out, one worker after another.
async fn deal(listener: Listener, workers: Rc<Vec<Worker>>, shared: Arc<Shared>) {
    let mut turn = workers.iter().cycle();
    loop {
        match listener.accept().await {
            Ok(stream) if shared.roster.count() >= shared.settings.connections_max => {
                refuse(&stream, &shared);
            }
            Ok(stream) => {
                if let Some(worker) = turn.next() {
                    worker.take(stream);
                }
            }
            Err(error) => {
                let problem = format!("cannot take a connection: {error}");
                shared.log.say(Kind::System, problem);
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Tells a client that there are too many, without waiting for it to listen.
fn refuse(stream: &Stream, shared: &Shared) {
    shared.ledger.worker(0).count(Counter::RejectedConnections);
    if shared.verbosity() > 0 {
        let client = stream.addresses().client;
        let line = format!("{client}: refused: too many connections");
        shared.log.say(Kind::Client, line);
    }
    let line = format!("{}\r\n", Error::TooManyConnections.line());
    stream.say(line.as_bytes());
}
