//! The figures, for Prometheus and for people: one page, one list, one word.
//!
//! It never speaks more of HTTP than that: a request is a line and a head that nobody reads, the
//! reply is whole, and then the connection is closed. A few clients are served at once, each for a
//! few seconds; more are turned away. What is said is made in `observed`.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time;

use super::{ACCEPT_PAUSE, Clock};
use crate::limits::{METRICS_CLIENTS_MAX, METRICS_HEAD_LEN_MAX, METRICS_TIME};
use crate::observed::{Process, STEP, exposition, hits_and_misses};
use crate::process;
use crate::shared::Shared;

/// The page that shows the figures as they move. It asks for them by itself.
const PAGE: &str = include_str!("metrics.html");

/// Binds the socket.
pub(super) fn bind(address: SocketAddr) -> io::Result<StdTcpListener> {
    let socket = StdTcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Tells the windows how many hits and misses there have been, for ever.
pub(super) async fn step(shared: Arc<Shared>) {
    loop {
        let (hits, misses) = hits_and_misses(&shared);
        shared.observed.windows.step(hits, misses);
        time::sleep(STEP).await;
    }
}

/// Serves for ever.
pub(super) async fn serve(socket: StdTcpListener, shared: Arc<Shared>, clock: Clock) {
    let Ok(socket) = TcpListener::from_std(socket) else {
        return;
    };
    let seats = Arc::new(Semaphore::new(METRICS_CLIENTS_MAX));
    loop {
        let Ok((stream, _)) = socket.accept().await else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Who finds no seat is turned away by the close.
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            continue;
        };
        let (shared, clock) = (Arc::clone(&shared), clock.clone());
        tokio::task::spawn_local(async move {
            let _ = time::timeout(METRICS_TIME, answer(stream, &shared, &clock)).await;
            drop(seat);
        });
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared, clock: &Clock) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !ends(&head) && head.len() <= METRICS_HEAD_LEN_MAX {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    let reply = if ends(&head) {
        reply(&head, shared, clock)
    } else {
        Reply::text("431 Request Header Fields Too Large", "too long\n")
    };
    let is_short = head.starts_with(b"HEAD ");
    stream.write_all(reply.written(is_short).as_bytes()).await?;
    stream.shutdown().await?;
    // What still comes must not take the reply with it.
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

fn ends(head: &[u8]) -> bool {
    let found = |end: &[u8]| head.windows(end.len()).any(|bytes| bytes == end);
    found(b"\r\n\r\n") || found(b"\n\n")
}

/// What is said to a request.
struct Reply {
    status: &'static str,
    kind: &'static str,
    body: String,
}

impl Reply {
    fn text(status: &'static str, body: &str) -> Self {
        let (kind, body) = ("text/plain; charset=utf-8", body.to_owned());
        Self { status, kind, body }
    }

    /// As it goes out; without its body to who asked for the head only.
    fn written(&self, is_short: bool) -> String {
        let Self { status, kind, body } = self;
        let length = body.len();
        let body = if is_short { "" } else { body };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; \
             style-src 'unsafe-inline'; connect-src 'self'\r\nConnection: close\r\n\r\n{body}"
        )
    }
}

fn reply(head: &[u8], shared: &Shared, clock: &Clock) -> Reply {
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let mut words = line.unwrap_or_default().split(|&byte| byte == b' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if !matches!(method, Some(b"GET" | b"HEAD")) {
        return Reply::text("405 Method Not Allowed", "GET and HEAD only\n");
    }
    let path = target.split(|&byte| byte == b'?').next();
    match path.unwrap_or_default() {
        b"/metrics" => Reply {
            status: "200 OK",
            kind: "text/plain; version=0.0.4; charset=utf-8",
            body: exposition(shared, process(), clock.now()),
        },
        b"/healthz" if shared.is_stopping() => Reply::text("503 Service Unavailable", "ending\n"),
        b"/healthz" => Reply::text("200 OK", "ok\n"),
        b"/" => Reply {
            status: "200 OK",
            kind: "text/html; charset=utf-8",
            body: PAGE.to_owned(),
        },
        _ => Reply::text("404 Not Found", "there are /, /metrics and /healthz\n"),
    }
}

/// What the system says of the process.
fn process() -> Process {
    let [user, system] = process::processor_times();
    Process {
        processor_seconds: (user.as_secs_f64(), system.as_secs_f64()),
        resident_bytes: process::resident_bytes(),
    }
}
