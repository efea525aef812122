//! Datagrams: each is answered, and forgotten.
//!
//! It never waits for room to answer: what does not fit into the socket is lost, as datagrams are.

use std::io;
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::Arc;

use tokio::net::UdpSocket;

use super::Clock;
use crate::counters::Counter;
use crate::session::datagram;
use crate::shared::Shared;

/// Longer datagrams than this there are none.
const DATAGRAM_BYTES: usize = 65536;

/// Binds a socket for datagrams.
pub(super) fn bind(address: SocketAddr) -> io::Result<StdUdpSocket> {
    let socket = StdUdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Answers datagrams for ever.
pub(super) async fn answer(socket: StdUdpSocket, shared: Arc<Shared>, clock: Clock) {
    let Ok(socket) = UdpSocket::from_std(socket) else {
        return;
    };
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let bytes = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    loop {
        // An error is about an answer that nobody wanted to have: the next datagram is another.
        let Ok((length, sender)) = socket.recv_from(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let counters = shared.ledger.worker(0);
        counters.add(Counter::BytesRead, bytes(length));
        let datagram = buffer.get(..length).unwrap_or_default();
        for answer in datagram::answer(&shared, datagram, clock.now()) {
            if let Ok(written) = socket.try_send_to(&answer, sender) {
                counters.add(Counter::BytesWritten, bytes(written));
            }
        }
    }
}
