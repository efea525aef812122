//! A thread that serves its share of the connections.
//!
//! It never blocks on one of them: one read for each wake, all that is complete carried out, then
//! written; a client that does not read is not read from.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::LocalSet;
use tokio::time;

use super::Clock;
use crate::roster::Addresses;
use crate::session::Connection;
use crate::shared::Shared;

/// How much is read at once. All connections of a worker read into one buffer.
const READ_BYTES: usize = 64 * 1024;

/// How long a client may go on sending after it has been told that the connection is closed.
const PARTING: Duration = Duration::from_secs(1);

/// A thread and the way to give it connections.
#[derive(Debug)]
pub(super) struct Worker {
    connections: UnboundedSender<(StdStream, Connection)>,
    shared: Arc<Shared>,
}

/// What the connections of one worker share.
struct Desk {
    clock: Clock,
    buffer: RefCell<Vec<u8>>,
}

impl Worker {
    pub(super) fn start(number: usize, shared: &Arc<Shared>, clock: Clock) -> io::Result<Self> {
        let (connections, arriving) = mpsc::unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || LocalSet::new().block_on(&runtime, work(arriving, clock)))?;
        Ok(Self {
            connections,
            shared: Arc::clone(shared),
        })
    }

    /// Gives it a connection. The queue is bounded by the limit of connections.
    pub(super) fn take(&self, stream: StdStream) {
        let name = |address: io::Result<SocketAddr>| {
            address.map_or_else(|_| String::new(), |address| format!("tcp:{address}"))
        };
        let addresses = Addresses {
            client: name(stream.peer_addr()),
            listener: name(stream.local_addr()),
        };
        let connection = Connection::between(Arc::clone(&self.shared), addresses);
        let _ = self.connections.send((stream, connection));
    }
}

async fn work(mut arriving: UnboundedReceiver<(StdStream, Connection)>, clock: Clock) {
    let desk = Rc::new(Desk {
        clock,
        buffer: RefCell::new(vec![0; READ_BYTES]),
    });
    while let Some((stream, connection)) = arriving.recv().await {
        if let Ok(stream) = TcpStream::from_std(stream) {
            let _ = stream.set_nodelay(true);
            let desk = Rc::clone(&desk);
            tokio::task::spawn_local(async move {
                let _ = converse(stream, connection, &desk).await;
            });
        }
    }
}

/// Moves bytes between a socket and its connection until either has had enough.
async fn converse<S>(mut stream: S, mut connection: Connection, desk: &Desk) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    connection.receive(&[], desk.clock.now());
    loop {
        loop {
            let bytes = connection.transmit();
            if bytes.is_empty() {
                break;
            }
            stream.write_all(&bytes).await?;
            connection.receive(&[], desk.clock.now());
        }
        if connection.is_closed() {
            drop(connection);
            return part(stream, desk).await;
        }
        match connection.next_deadline() {
            None => listen(&mut stream, &mut connection, desk).await?,
            Some(deadline) => {
                let wait = desk.clock.now().until(deadline);
                match time::timeout(wait, listen(&mut stream, &mut connection, desk)).await {
                    Ok(read) => read?,
                    Err(_) => connection.tick(desk.clock.now()),
                }
            }
        }
    }
}

/// Closes a connection so that the client gets all that was said: a socket that is closed while
/// bytes wait to be read may lose what was written before.
async fn part<S>(mut stream: S, desk: &Desk) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.shutdown().await?;
    let drained = poll_fn(|context| {
        loop {
            let mut buffer = desk.buffer.borrow_mut();
            let mut buffer = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    });
    let _ = time::timeout(PARTING, drained).await;
    Ok(())
}

/// Reads once and carries out what is complete.
async fn listen<S>(stream: &mut S, connection: &mut Connection, desk: &Desk) -> io::Result<()>
where
    S: AsyncRead + Unpin,
{
    poll_fn(|context| {
        let mut buffer = desk.buffer.borrow_mut();
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            connection.finish();
        }
        connection.receive(buffer.filled(), desk.clock.now());
        Poll::Ready(Ok(()))
    })
    .await
}
