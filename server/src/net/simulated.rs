//! A worker's conversations over streams that are no sockets, for a simulation.
//!
//! It is the worker's own code that reads, writes, waits and closes; only what carries the bytes,
//! and the time, are somebody else's.

use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use super::Clock;
use super::worker::{Desk, Means};
use crate::limits::HASHES_MAX;
use crate::session::Connection;
use crate::shared::Shared;

/// A worker without a thread.
#[derive(Clone)]
pub struct Worker {
    desk: Rc<Desk>,
    clock: Clock,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

impl Worker {
    /// A worker of this server.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, clock: &Clock) -> Self {
        let means = Means {
            clock: clock.clone(),
            shared: Arc::clone(shared),
            hashing: Arc::new(Semaphore::new(HASHES_MAX)),
            certificates: None,
        };
        Self {
            desk: Rc::new(Desk::new(means)),
            clock: clock.clone(),
        }
    }

    /// Serves a client that has just come, until either has had enough.
    ///
    /// # Errors
    /// When the stream breaks off.
    pub async fn serve<S>(self, stream: S, mut connection: Connection) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        connection.receive(&[], self.clock.now());
        self.desk.serve(stream, connection).await
    }

    /// The server ends: whoever is owed something still gets it.
    pub fn close(&self) {
        self.desk.close();
    }
}
