//! Stands between clients and a server, and carries bytes.
//!
//! Two threads for each connection, one for each direction. Each tells the recorder before it
//! passes bytes on, so that what is written down is never younger than what the other side has
//! seen.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::SystemTime;

use model::Time;

use super::{Finding, Recorder, Tally};
use crate::target::address::{Address, Wire};

/// A port on which clients are listened to, and the server behind it.
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    upstream: Address,
    /// None once the recording has ended.
    recorder: Arc<Mutex<Option<Recorder>>>,
    /// What is done with a finding, once clients are let in.
    tell: OnceLock<Tell>,
}

/// What is done with a finding, as soon as there is one.
pub type Tell = fn(&Finding);

impl Proxy {
    /// Listens, once the server has been seen to accept.
    ///
    /// # Errors
    /// When it cannot listen, or the server does not accept; the text says which.
    pub fn bind(listen: &str, upstream: &Address) -> Result<(TcpListener, Address), String> {
        let server = upstream.connect();
        server
            .and_then(|server| server.twin().map(drop))
            .map_err(|error| format!("the server at {upstream} cannot be reached: {error}"))?;
        let listener = TcpListener::bind(listen)
            .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        Ok((listener, upstream.clone()))
    }

    /// A proxy that tells this recorder.
    #[must_use]
    pub fn new((listener, upstream): (TcpListener, Address), recorder: Recorder) -> Proxy {
        Proxy {
            listener,
            upstream,
            recorder: Arc::new(Mutex::new(Some(recorder))),
            tell: OnceLock::new(),
        }
    }

    /// Where clients are listened to.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Lets clients in, each in threads of its own, from another thread; findings are told at once.
    pub fn start(&self, tell: Tell) -> io::Result<()> {
        let (listener, upstream) = (self.listener.try_clone()?, self.upstream.clone());
        let recorder = Arc::clone(&self.recorder);
        let tell = *self.tell.get_or_init(|| tell);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that has gone away closes its clients' connections.
                if let Ok(server) = upstream.connect() {
                    let _ = attend(&recorder, client, server, tell);
                }
            }
        });
        Ok(())
    }

    /// Ends the recording; connections stay, and are not recorded any more.
    ///
    /// # Errors
    /// When the file could not be written.
    pub fn finish(&self) -> io::Result<Tally> {
        match lock(&self.recorder).take() {
            Some(mut recorder) => {
                let last = recorder.conclude();
                if let Some(tell) = self.tell.get() {
                    last.iter().for_each(tell);
                }
                recorder.finish()
            }
            None => Ok(Tally::default()),
        }
    }
}

fn attend(
    recorder: &Arc<Mutex<Option<Recorder>>>,
    client: TcpStream,
    mut server: Box<dyn Wire>,
    tell: Tell,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let number = lock(recorder).as_mut().and_then(Recorder::connect);
    let with = move |recorder: &Mutex<Option<Recorder>>,
                     event: &dyn Fn(&mut Recorder, u8, Time) -> Vec<Finding>| {
        if let (Some(recorder), Some(number)) = (lock(recorder).as_mut(), number) {
            event(recorder, number, now()).iter().for_each(tell);
        }
    };
    let (told, mut from, mut to) = (Arc::clone(recorder), client.try_clone()?, server.twin()?);
    thread::spawn(move || {
        carry(&mut from, &mut to, |bytes| {
            with(&told, &|recorder, client, now| {
                recorder.sent(client, bytes, now)
            });
        });
        with(&told, &|recorder, client, now| {
            recorder.ended(client, now);
            Vec::new()
        });
        to.finish();
    });
    let told = Arc::clone(recorder);
    thread::spawn(move || {
        carry(&mut server, &mut &client, |bytes| {
            with(&told, &|recorder, client, now| {
                recorder.received(client, bytes, now)
            });
        });
        with(&told, &|recorder, client, now| recorder.closed(client, now));
        let _ = client.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Carries bytes until one side has enough; each piece is told of first.
fn carry(from: &mut impl Read, to: &mut impl Write, tell: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match from.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        tell(bytes);
        if to.write_all(bytes).is_err() {
            break;
        }
    }
}

fn lock(recorder: &Mutex<Option<Recorder>>) -> MutexGuard<'_, Option<Recorder>> {
    recorder.lock().expect("no recorder panics")
}

#[expect(clippy::disallowed_methods, reason = "real clients live in real time")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
