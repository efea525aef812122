//! A connection that is no socket: what each end has written and the other has not read yet.
//!
//! It reads and writes short, stalls and breaks as it is told; it never does so by itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection reads, and writes, short so often, and then no more: it would show nothing else.
const SHORT_MAX: u64 = 400;

/// How much is carried at once, and how much waits to be read before the writer has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The server reads so many bytes at once.
    pub read_max: usize,
    /// It writes so many at once.
    pub write_max: usize,
    /// So many that the client has not read are kept for it.
    pub window: usize,
}

/// What is between a client and the server.
#[derive(Debug)]
pub(super) struct Wire {
    shape: Shape,
    to_server: VecDeque<u8>,
    to_client: usize,
    /// The client does not read.
    pub(super) is_stalled: bool,
    /// The client has sent all.
    pub(super) has_ended: bool,
    /// The client has broken it off.
    pub(super) is_reset: bool,
    /// The server has said all.
    pub(super) is_shut: bool,
    /// The server waits for the client to read.
    pub(super) is_blocked: bool,
    /// How many bytes the server has read.
    pub(super) read: u64,
    /// How many it has written, and the client has got.
    pub(super) written: Vec<u8>,
    /// How often it read and wrote less than there was.
    pub(super) short: [u64; 2],
}

impl Wire {
    pub(super) fn new(shape: Shape) -> Rc<RefCell<Wire>> {
        Rc::new(RefCell::new(Wire {
            shape,
            to_server: VecDeque::new(),
            to_client: 0,
            is_stalled: false,
            has_ended: false,
            is_reset: false,
            is_shut: false,
            is_blocked: false,
            read: 0,
            written: Vec::new(),
            short: [0; 2],
        }))
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.to_server.extend(bytes);
    }

    /// The client reads, where it does. Tells whether the server may go on writing.
    pub(super) fn drain(&mut self) -> bool {
        if self.is_stalled {
            return false;
        }
        self.to_client = 0;
        std::mem::take(&mut self.is_blocked)
    }
}

/// The server's end.
pub(super) struct End(pub(super) Rc<RefCell<Wire>>);

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wire = self.0.borrow_mut();
        if wire.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if wire.to_server.is_empty() {
            return match wire.has_ended {
                true => Poll::Ready(Ok(())),
                false => Poll::Pending,
            };
        }
        let may = buffer.remaining().min(wire.to_server.len());
        let is_tired = wire.short[0] >= SHORT_MAX;
        let length = if is_tired {
            may
        } else {
            may.min(wire.shape.read_max)
        };
        wire.short[0] += u64::from(length < may);
        let (front, back) = wire.to_server.as_slices();
        let first = front.len().min(length);
        buffer.put_slice(front.get(..first).unwrap_or_default());
        buffer.put_slice(back.get(..length - first).unwrap_or_default());
        wire.to_server.drain(..length);
        wire.read += length as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut wire = self.0.borrow_mut();
        if wire.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let room = wire.shape.window.saturating_sub(wire.to_client);
        let is_tired = wire.short[1] >= SHORT_MAX;
        let most = if is_tired {
            room
        } else {
            room.min(wire.shape.write_max)
        };
        let length = bytes.len().min(most);
        wire.is_blocked = length == 0;
        if wire.is_blocked {
            return Poll::Pending;
        }
        wire.short[1] += u64::from(length < bytes.len());
        wire.to_client += length;
        let written = bytes.get(..length).unwrap_or_default();
        wire.written.extend_from_slice(written);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().is_shut = true;
        Poll::Ready(Ok(()))
    }
}
