//! A thread that serves its share of the connections.
//!
//! It never blocks on one of them: one read for each wake, all that is complete carried out, then
//! written; a client that does not read is not read from.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{self, JoinSet, LocalSet};
use tokio::time;
use tokio_rustls::TlsAcceptor;

use super::Clock;
use super::endpoint::Stream;
use super::tls::Certificates;
use crate::limits::{HANDSHAKE_TIME, HASTY_PARTING, LAST_WORDS, PARTING, READ_BYTES, UNREAD_CHECK};
use crate::observed::{self, Command, SAMPLE};
use crate::protocol::KEY_LEN_MAX;
use crate::session::Connection;
use crate::settings::Clients;
use crate::shared::Shared;
use crate::users::Question;

/// A thread and the way to give it connections.
#[derive(Debug)]
pub(super) struct Worker {
    connections: UnboundedSender<(Stream, Connection)>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What all workers are given.
#[derive(Clone, Debug)]
pub(super) struct Means {
    pub(super) clock: Clock,
    pub(super) shared: Arc<Shared>,
    /// As many permits as passwords are hashed at once.
    pub(super) hashing: Arc<Semaphore>,
    pub(super) certificates: Option<Arc<Certificates>>,
}

/// What the connections of one worker share.
pub(super) struct Desk {
    clock: Clock,
    means: Means,
    buffer: RefCell<Vec<u8>>,
    stopping: Notify,
    is_stopping: Cell<bool>,
    /// How many wakes there are until one is looked at, where any is.
    unlooked: Cell<u32>,
}

/// So many pieces of a reply are written at once, if it has as many.
const PIECES_MAX: usize = 16;

/// What a wake that is looked at has read, and when.
type Looked = Option<(Command, Instant)>;

impl Desk {
    pub(super) fn new(means: Means) -> Self {
        Self {
            clock: means.clock.clone(),
            means,
            buffer: RefCell::new(vec![0; READ_BYTES]),
            stopping: Notify::new(),
            is_stopping: Cell::new(false),
            unlooked: Cell::new(0),
        }
    }

    /// Serves a client over what is no socket.
    #[cfg(debug_assertions)]
    pub(super) async fn serve<S>(&self, stream: S, connection: Connection) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        converse(stream, connection, self).await
    }

    /// Lets all conversations say what is owed, and end.
    pub(super) fn close(&self) {
        self.is_stopping.set(true);
        self.stopping.notify_waiters();
    }

    /// Looks at what was read, if it is time to.
    fn look(&self, bytes: &[u8]) -> Looked {
        self.means.shared.settings.metrics?;
        let left = self.unlooked.get();
        if left > 0 {
            self.unlooked.set(left - 1);
            return None;
        }
        self.unlooked.set(SAMPLE - 1);
        let first = observed::first(bytes);
        if let Some(key) = first.key.filter(|key| key.len() <= KEY_LEN_MAX) {
            let Shared {
                observed, store, ..
            } = &*self.means.shared;
            observed.see(key, first.value_len, store, self.clock.now());
        }
        Some((first.command, Clock::instant()))
    }

    /// What was read has been answered.
    fn note(&self, looked: Looked) {
        if let Some((command, since)) = looked {
            let took = Clock::instant().duration_since(since);
            let latencies = &self.means.shared.observed.latencies;
            latencies.note(command, took);
        }
    }
}

impl Worker {
    pub(super) fn start(number: usize, shared: &Arc<Shared>, means: Means) -> io::Result<Self> {
        let (connections, arriving) = mpsc::unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || LocalSet::new().block_on(&runtime, work(arriving, means)))?;
        Ok(Self {
            connections,
            shared: Arc::clone(shared),
            thread,
        })
    }

    /// Lets it send what it owes, and end.
    pub(super) fn stop(self) -> JoinHandle<()> {
        self.thread
    }

    /// Gives it a connection. The queue is bounded by the limit of connections.
    pub(super) fn take(&self, stream: Stream) {
        let connection = Connection::between(Arc::clone(&self.shared), stream.addresses());
        let connection = match &stream {
            Stream::Tcp(_, terms) => connection.speaking(terms.protocol),
            Stream::Unix(..) => connection,
        };
        let _ = self.connections.send((stream, connection));
    }
}

async fn work(mut arriving: UnboundedReceiver<(Stream, Connection)>, means: Means) {
    let desk = Rc::new(Desk::new(means));
    let mut conversations = JoinSet::new();
    while let Some((stream, connection)) = arriving.recv().await {
        let desk = Rc::clone(&desk);
        conversations.spawn_local(async move {
            // A connection that breaks off is over; nobody is left to tell.
            let _ = welcome(stream, connection, &desk).await;
        });
        while conversations.try_join_next().is_some() {}
    }
    desk.close();
    let all_said = async { while conversations.join_next().await.is_some() {} };
    let _ = time::timeout(LAST_WORDS, all_said).await;
}

async fn welcome(stream: Stream, mut connection: Connection, desk: &Desk) -> io::Result<()> {
    connection.receive(&[], desk.clock.now());
    match stream {
        Stream::Tcp(stream, terms) => {
            stream.set_nodelay(true)?;
            let stream = TcpStream::from_std(stream)?;
            match terms.clients {
                None => converse(stream, connection, desk).await,
                // TLS takes room that others shall not.
                Some(clients) => Box::pin(greet(stream, clients, connection, desk)).await,
            }
        }
        Stream::Unix(stream, _) => converse(UnixStream::from_std(stream)?, connection, desk).await,
    }
}

/// Begins to speak TLS. Who does not, or shows too little, is told so in the terms of TLS.
async fn greet(
    stream: TcpStream,
    clients: Clients,
    mut connection: Connection,
    desk: &Desk,
) -> io::Result<()> {
    let certificates = desk.means.certificates.as_deref();
    let manners = certificates.and_then(|certificates| certificates.manners(clients));
    let Some(manners) = manners else {
        return Ok(());
    };
    let greeting = TlsAcceptor::from(manners).accept(stream).into_fallible();
    let greeting = time::timeout(HANDSHAKE_TIME, greeting);
    match unless(greeting, pin!(desk.stopping.notified())).await {
        Some(Ok(Ok(stream))) => converse(stream, connection, desk).await,
        Some(Ok(Err((error, stream)))) => {
            connection.fail_tls(&error.to_string());
            drop(connection);
            part(stream, desk).await
        }
        _ => Ok(()),
    }
}

/// Moves bytes between a socket and its connection until either has had enough.
async fn converse<S>(mut stream: S, mut connection: Connection, desk: &Desk) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stopping = pin!(desk.stopping.notified());
    let mut looked = None;
    loop {
        if desk.is_stopping.get() {
            connection.finish();
        }
        let told = deliver(&mut stream, &mut connection, desk).await;
        if !told.inspect_err(|_| connection.break_off())? {
            return Ok(());
        }
        desk.note(looked.take());
        if connection.is_closed() {
            drop(connection);
            return part(stream, desk).await;
        }
        if let Some(question) = connection.question() {
            let is_right = find_out(question, desk).await;
            connection.learn(is_right, desk.clock.now());
            continue;
        }
        let deadline = connection.next_deadline();
        let listening = unless(
            listen(&mut stream, &mut connection, desk, &mut looked),
            stopping.as_mut(),
        );
        let heard = match deadline {
            None => listening.await,
            Some(deadline) => {
                let wait = desk.clock.now().until(deadline);
                match time::timeout(wait, listening).await {
                    Ok(heard) => heard,
                    Err(_) => {
                        connection.tick(desk.clock.now());
                        None
                    }
                }
            }
        };
        let heard = heard.unwrap_or(Ok(()));
        heard.inspect_err(|_| connection.break_off())?;
    }
}

/// Says all that there is to say, and sees it off. Tells whether the client took it.
async fn deliver<S>(stream: &mut S, connection: &mut Connection, desk: &Desk) -> io::Result<bool>
where
    S: AsyncWrite + Unpin,
{
    if !say(stream, connection, desk).await? {
        return Ok(false);
    }
    // Over TLS what was written may wait to be sent.
    let mut flushing = pin!(stream.flush());
    if let Some(sent) = at_once(flushing.as_mut()).await {
        return sent.map(|()| true);
    }
    match time::timeout(connection.unread_limit(), flushing).await {
        Ok(sent) => sent.map(|()| true),
        Err(_) => {
            connection.give_up();
            Ok(false)
        }
    }
}

/// Writes all that there is to say. Tells whether the client took it.
async fn say<S>(stream: &mut S, connection: &mut Connection, desk: &Desk) -> io::Result<bool>
where
    S: AsyncWrite + Unpin,
{
    loop {
        connection.prepare();
        if !connection.output().has_remaining() {
            return Ok(true);
        }
        while connection.output().has_remaining() {
            match write(stream, connection, desk).await? {
                Some(0) => return Ok(false),
                Some(written) => connection.sent(written),
                None => {
                    connection.give_up();
                    return Ok(false);
                }
            }
        }
        if !connection.is_at_rest() {
            connection.receive(&[], desk.clock.now());
        }
        if connection.output().has_remaining() {
            // So much is owed, as by a dump, that others are served in between.
            task::yield_now().await;
        }
    }
}

/// Writes some of what is to be sent, and tells how many bytes: none where the client reads nothing
/// for too long.
async fn write<S>(stream: &mut S, connection: &Connection, desk: &Desk) -> io::Result<Option<usize>>
where
    S: AsyncWrite + Unpin,
{
    let output = connection.output();
    let mut writing = pin!(poll_fn(|context| {
        let stream = Pin::new(&mut *stream);
        if output.chunk().len() == output.remaining() {
            return stream.poll_write(context, output.chunk());
        }
        let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
        let count = output.chunks_vectored(&mut pieces);
        stream.poll_write_vectored(context, pieces.get(..count).unwrap_or_default())
    }));
    if let Some(written) = at_once(writing.as_mut()).await {
        return written.map(Some);
    }
    let wait = desk.means.shared.unread.wait(output.remaining());
    let mut waited = Duration::ZERO;
    while waited < connection.unread_limit() {
        if let Ok(written) = time::timeout(UNREAD_CHECK, writing.as_mut()).await {
            return written.map(Some);
        }
        waited = waited.saturating_add(UNREAD_CHECK);
        if wait.as_ref().is_some_and(|wait| wait.is_over(waited)) {
            break;
        }
    }
    Ok(None)
}

/// Compares a password with a hash, on a thread that nobody waits for.
async fn find_out(question: Question, desk: &Desk) -> bool {
    let Ok(_turn) = desk.means.hashing.acquire().await else {
        return false;
    };
    let answer = task::spawn_blocking(move || question.answer());
    answer.await.unwrap_or(false)
}

/// What a future comes to, if that is there: then no timer is needed.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// What a future comes to, unless another is done before.
async fn unless<T>(
    future: impl Future<Output = T>,
    mut other: Pin<&mut impl Future<Output = ()>>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => other.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Closes a connection so that the client gets all that was said: a socket that is closed while
/// bytes wait to be read may lose what was written before.
async fn part<S>(mut stream: S, desk: &Desk) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = time::timeout(PARTING, stream.shutdown()).await;
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
    let wait = if desk.is_stopping.get() {
        HASTY_PARTING
    } else {
        PARTING
    };
    let _ = time::timeout(wait, drained).await;
    Ok(())
}

/// Reads once and carries out what is complete.
async fn listen<S>(
    stream: &mut S,
    connection: &mut Connection,
    desk: &Desk,
    looked: &mut Looked,
) -> io::Result<()>
where
    S: AsyncRead + Unpin,
{
    if let Some(mut room) = connection.room() {
        let len = heard(stream.read_buf(&mut room).await)?;
        if len == 0 {
            connection.finish();
        }
        connection.arrived(len, desk.clock.now());
        return Ok(());
    }
    poll_fn(|context| {
        let mut buffer = desk.buffer.borrow_mut();
        let limit = connection.read_limit().min(buffer.len());
        let mut buffer = ReadBuf::new(buffer.get_mut(..limit).unwrap_or_default());
        heard(ready!(
            Pin::new(&mut *stream).poll_read(context, &mut buffer)
        ))?;
        if buffer.filled().is_empty() {
            connection.finish();
        } else {
            *looked = desk.look(buffer.filled());
        }
        connection.receive(buffer.filled(), desk.clock.now());
        Poll::Ready(Ok(()))
    })
    .await
}

/// What came of a read. So ends a client of TLS who does not say that it ends, as if it did: what
/// it asked for before was whole.
fn heard<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(T::default()),
        read => read,
    }
}
