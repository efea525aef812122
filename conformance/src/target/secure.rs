//! A connection over TLS that one thread may read while another writes.
//!
//! The state of TLS is one for both ways. It is held only while bytes are sealed or opened: nobody
//! waits for the network with it. Who reads never sends: what TLS itself has to say goes out before
//! what is written next, and a server that waits to be read is read. Whom a client believes is not
//! its business; see `address.rs`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::ClientConnection;

use super::address::Wire;

/// How many sealed bytes are read at once.
const READ_BYTES: usize = 1 << 14;

/// One hand on the connection.
#[derive(Debug)]
pub(super) struct Secure {
    state: Arc<Mutex<State>>,
    /// What is sealed and not sent. Who holds it sends: what was sealed first leaves first.
    sending: Arc<Mutex<Vec<u8>>>,
    socket: TcpStream,
}

#[derive(Debug)]
struct State {
    tls: ClientConnection,
    /// What has come and is not opened: there is room for so much opened and no more.
    sealed: Vec<u8>,
}

impl Secure {
    /// Agrees with the server at the other end of the socket.
    pub(super) fn agree(
        mut tls: ClientConnection,
        mut socket: TcpStream,
        patience: Duration,
    ) -> io::Result<Secure> {
        socket.patience(patience, patience);
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        // From here on nobody is in a hurry, unless they say so.
        socket.set_read_timeout(None)?;
        socket.set_write_timeout(None)?;
        let sealed = Vec::new();
        Ok(Secure {
            state: Arc::new(Mutex::new(State { tls, sealed })),
            sending: Arc::default(),
            socket,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics")
    }

    /// Seals these bytes, as far as there is room, and sends all that is sealed. What the server
    /// does not take in time is kept: a record that is cut short would be the end of all others.
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut sealed = self.sending.lock().expect("nobody panics");
        self.hand_over(&mut sealed)?;
        let mut state = self.state();
        let length = state.tls.writer().write(bytes)?;
        while state.tls.wants_write() {
            state.tls.write_tls(&mut *sealed)?;
        }
        drop(state);
        match self.hand_over(&mut sealed) {
            Err(error) if length == 0 || !is_late(&error) => Err(error),
            _ => Ok(length),
        }
    }

    fn hand_over(&self, sealed: &mut Vec<u8>) -> io::Result<()> {
        let mut sent = 0;
        let mut outcome = Ok(());
        while let Some(rest) = sealed.get(sent..).filter(|rest| !rest.is_empty()) {
            match (&self.socket).write(rest) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        sealed.drain(..sent);
        outcome
    }
}

/// Whether the server only did not take it in time.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl State {
    /// What was said, where it is here; nothing where more has to come.
    fn said(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read.map(Some),
            }
            if self.sealed.is_empty() {
                return Ok(None);
            }
            let taken = self.tls.read_tls(&mut self.sealed.as_slice())?;
            self.sealed.drain(..taken);
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// These bytes have come; none are the end.
    fn came(&mut self, sealed: &[u8]) -> io::Result<()> {
        self.sealed.extend_from_slice(sealed);
        if sealed.is_empty() {
            self.tls.read_tls(&mut io::empty())?;
        }
        Ok(())
    }
}

impl Read for Secure {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(length) = self.state().said(buffer)? {
                return Ok(length);
            }
            let mut sealed = [0; READ_BYTES];
            let length = self.socket.read(&mut sealed)?;
            self.state()
                .came(sealed.get(..length).unwrap_or_default())?;
        }
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send(&[]).map(drop)
    }
}

impl Wire for Secure {
    fn patience(&mut self, read: Duration, write: Duration) {
        self.socket.patience(read, write);
    }

    fn finish(&mut self) {
        self.state().tls.send_close_notify();
        // Who is gone need not be told.
        let _ = self.send(&[]);
        self.socket.finish();
    }

    fn twin(&self) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(Secure {
            state: Arc::clone(&self.state),
            sending: Arc::clone(&self.sending),
            socket: self.socket.try_clone()?,
        }))
    }
}
