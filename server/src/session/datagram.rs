//! A datagram: all that a client has to say, and all that it is told.
//!
//! Nothing of one is left for the next: a request that has not ended is dropped, and who asks for
//! a connection to be closed is not heard any further. It never answers what is not a whole request
//! in one datagram, and never makes an answer of more datagrams than its limit.

use std::sync::Arc;

use super::{Connection, State};
use crate::limits::{DATAGRAM_LEN_MAX, REPLY_DATAGRAMS_MAX};
use crate::shared::Shared;
use crate::simulated::{self, Mistake};
use crate::time::Time;

/// The length of the frame header before every request and in every datagram of a response.
const HEADER_LEN: usize = 8;

/// How much of a response fits into one datagram.
const PAYLOAD_LEN_MAX: usize = DATAGRAM_LEN_MAX - HEADER_LEN;

/// Answers a datagram with datagrams.
#[must_use]
pub fn answer(shared: &Arc<Shared>, datagram: &[u8], now: Time) -> Vec<Vec<u8>> {
    let Some((header, request)) = datagram.split_first_chunk::<HEADER_LEN>() else {
        return Vec::new();
    };
    let [id_high, id_low, _, _, total_high, total_low, _, _] = *header;
    if u16::from_be_bytes([total_high, total_low]) != 1 {
        return Vec::new();
    }
    let responses = responses(Connection::unlisted(Arc::clone(shared), now), request);
    let cut = |response: Vec<u8>| cut([id_high, id_low], &response);
    responses.into_iter().flat_map(cut).collect()
}

/// What the requests of a datagram are answered, each apart from the others.
fn responses(mut connection: Connection, mut request: &[u8]) -> Vec<Vec<u8>> {
    let mut responses = Vec::new();
    let mut response = Vec::new();
    let mut left = PAYLOAD_LEN_MAX * REPLY_DATAGRAMS_MAX;
    while let Some(used) = connection.step(request, 1) {
        request = request.get(used..).unwrap_or_default();
        if matches!(connection.state, State::Dumping(_)) {
            // It would go on for as long as there are items, to whoever was named as the sender.
            drop(connection.output.take_piece());
            responses.push(b"ERROR\r\n".to_vec());
            connection.state = State::Line;
            continue;
        }
        loop {
            let bytes = connection.output.take_piece();
            if bytes.is_empty() {
                break;
            }
            let Some(less) = left.checked_sub(bytes.len()) else {
                return responses;
            };
            left = less;
            response.extend_from_slice(&bytes);
        }
        let has_more = matches!(connection.state, State::Keys(_));
        if !response.is_empty() && !has_more {
            responses.push(std::mem::take(&mut response));
        }
        if matches!(connection.state, State::Closing) {
            break;
        }
    }
    responses
}

/// Cuts a response into datagrams.
fn cut(id: [u8; 2], response: &[u8]) -> Vec<Vec<u8>> {
    let total = response.len().div_ceil(PAYLOAD_LEN_MAX);
    let total = u16::try_from(total).unwrap_or(u16::MAX).to_be_bytes();
    let first = u16::from(simulated::errs(Mistake::MisnumbersDatagrams));
    (first..)
        .zip(response.chunks(PAYLOAD_LEN_MAX))
        .map(|(number, payload)| {
            [&id[..], &number.to_be_bytes(), &total, &[0, 0], payload].concat()
        })
        .collect()
}
