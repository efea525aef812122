//! Bytes on their way out.
//!
//! Small pieces are gathered into one buffer; large values are passed on uncopied.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem;

use bytes::{Buf, Bytes};

/// Values longer than this are not copied.
const COPIED_LEN_MAX: usize = 16 * 1024;

/// So much room is made at once for what is gathered, where as much was gathered before.
const GATHERED_LEN_MAX: usize = 64 * 1024;

/// Numbers up to here are written without a loop: lengths mostly are such.
const SHORT_MAX: u16 = 9999;

/// A queue of bytes to be written.
#[derive(Debug, Default)]
pub struct Output {
    chunks: VecDeque<Bytes>,
    chunks_bytes: usize,
    /// What is gathered. It takes no memory while there is nothing.
    tail: Vec<u8>,
    /// How much was gathered last time.
    gathered_len: usize,
}

impl Output {
    /// Queues bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// Queues a value, which may be shared.
    #[inline]
    pub fn value(&mut self, value: &[u8], shared: Option<&Bytes>) {
        match shared {
            Some(shared) if shared.len() > COPIED_LEN_MAX => self.share(shared),
            _ => self.bytes(value),
        }
    }

    #[cold]
    fn share(&mut self, value: &Bytes) {
        self.seal();
        self.push(value.clone());
    }

    /// Makes room for so many bytes, and for as many as came last time.
    #[inline]
    pub(super) fn reserve(&mut self, len: usize) {
        if self.tail.capacity() == 0 {
            self.tail.reserve(len.max(self.gathered_len));
        } else {
            self.tail.reserve(len);
        }
    }

    /// Queues a number in decimal.
    #[inline]
    pub fn number(&mut self, number: u64) {
        match u16::try_from(number) {
            Ok(short @ ..=SHORT_MAX) => {
                let (digits, unused) = short_decimal(short);
                self.bytes(&digits);
                self.tail.truncate(self.tail.len().saturating_sub(unused));
            }
            _ => self.long_number(number),
        }
    }

    #[inline(never)]
    fn long_number(&mut self, number: u64) {
        let mut digits = [0; 20];
        self.bytes(decimal(number, &mut digits));
    }

    /// How many bytes are queued.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.chunks_bytes.saturating_add(self.tail.len())
    }

    /// Adds what is queued behind so many bytes of it.
    #[cfg(debug_assertions)]
    pub(crate) fn read_from(&self, mut past: usize, read: &mut Vec<u8>) {
        let chunks = self.chunks.iter().map(|chunk| &**chunk);
        for chunk in chunks.chain([self.tail.as_slice()]) {
            read.extend_from_slice(chunk.get(past..).unwrap_or_default());
            past = past.saturating_sub(chunk.len());
        }
    }

    /// Takes the next bytes to write; empty when there are none.
    pub fn take_piece(&mut self) -> Bytes {
        if self.chunks.is_empty() {
            self.seal();
        }
        let chunk = self.chunks.pop_front().unwrap_or_default();
        self.chunks_bytes = self.chunks_bytes.saturating_sub(chunk.len());
        chunk
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.gathered_len = self.tail.len().min(GATHERED_LEN_MAX);
            let tail = mem::take(&mut self.tail);
            self.push(Bytes::from(tail));
        }
    }

    fn push(&mut self, chunk: Bytes) {
        self.chunks_bytes = self.chunks_bytes.saturating_add(chunk.len());
        self.chunks.push_back(chunk);
    }
}

/// The pieces as they are to be written, one behind the other.
impl Buf for Output {
    fn remaining(&self) -> usize {
        self.queued_bytes()
    }

    fn chunk(&self) -> &[u8] {
        self.chunks.front().map_or(&self.tail, |chunk| chunk)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.chunks.iter().map(|chunk| &chunk[..]);
        let tail = (!self.tail.is_empty()).then_some(&self.tail[..]);
        let filled = slices.iter_mut().zip(pieces.chain(tail));
        filled
            .map(|(slice, piece)| *slice = IoSlice::new(piece))
            .count()
    }

    fn advance(&mut self, len: usize) {
        let mut left = len;
        if self.chunks.is_empty() && left == self.tail.len() {
            // As a rule one write takes all.
            self.gathered_len = left.min(GATHERED_LEN_MAX);
            self.tail = Vec::new();
            return;
        }
        while left > 0 {
            if self.chunks.is_empty() {
                self.seal();
            }
            let Some(chunk) = self.chunks.front_mut() else {
                return;
            };
            let sent = left.min(chunk.len());
            chunk.advance(sent);
            left -= sent;
            self.chunks_bytes = self.chunks_bytes.saturating_sub(sent);
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
    }
}

/// The digits of a number of at most four, and how many bytes behind them are none.
fn short_decimal(number: u16) -> ([u8; 4], usize) {
    let unused = [10, 100, 1000].map(|end| u32::from(number < end));
    let unused = unused.iter().sum::<u32>();
    let digits = [
        number / 1000,
        number / 100 % 10,
        number / 10 % 10,
        number % 10,
    ];
    let [a, b, c, d] = digits.map(|digit| digit.to_le_bytes()).map(|[low, _]| low);
    let text = u32::from_le_bytes([a, b, c, d]) | u32::from_le_bytes([b'0'; 4]);
    ((text >> (8 * unused)).to_le_bytes(), unused as usize)
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

#[cfg(test)]
mod tests {
    use super::Output;

    #[test]
    fn numbers_are_written_as_everybody_writes_them() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        for number in powers.flat_map(|power| [power - 1, power, power + 1, power / 5 * 7]) {
            let mut output = Output::default();
            output.number(number);
            assert_eq!(output.take_piece(), number.to_string());
        }
    }
}
