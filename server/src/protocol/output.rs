//! Bytes on their way out.
//!
//! Small pieces are gathered into one buffer; large values are passed on uncopied.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Values longer than this are not copied.
const COPIED_LEN_MAX: usize = 16 * 1024;

/// A queue of bytes to be written.
#[derive(Debug, Default)]
pub struct Output {
    chunks: VecDeque<Bytes>,
    tail: BytesMut,
    queued_bytes: usize,
}

impl Output {
    /// Queues bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.queued_bytes = self.queued_bytes.saturating_add(bytes.len());
        self.tail.extend_from_slice(bytes);
    }

    /// Queues a value.
    pub fn value(&mut self, value: &Bytes) {
        if value.len() <= COPIED_LEN_MAX {
            return self.bytes(value);
        }
        self.queued_bytes = self.queued_bytes.saturating_add(value.len());
        self.seal();
        self.chunks.push_back(value.clone());
    }

    /// Queues a number in decimal.
    pub fn number(&mut self, number: u64) {
        let mut digits = [0; 20];
        self.bytes(decimal(number, &mut digits));
    }

    /// How many bytes are queued.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Takes the next bytes to write; empty when there are none.
    pub fn take(&mut self) -> Bytes {
        if self.chunks.is_empty() {
            self.seal();
        }
        let chunk = self.chunks.pop_front().unwrap_or_default();
        self.queued_bytes = self.queued_bytes.saturating_sub(chunk.len());
        chunk
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
    }
}

/// Writes a number in decimal and returns the digits.
pub(crate) fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0'.saturating_add(u8::try_from(number % 10).unwrap_or(0));
        number /= 10;
        start = at;
        if number == 0 {
            break;
        }
    }
    digits.get(start..).unwrap_or_default()
}
