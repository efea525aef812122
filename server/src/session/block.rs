//! A data block that comes in pieces.
//!
//! It takes no memory before its bytes come, but for a first piece, and none beyond its length: the
//! store keeps that memory if the value is large.

use bytes::buf::{BufMut, Limit};

use super::{Connection, State};
use crate::limits::{BLOCK_FIRST_BYTES, READ_BYTES, SMALL_BLOCK_BYTES};
use crate::simulated::{self, Refusal};
use crate::time::Time;

/// What has come of a block, and what it belongs to.
#[derive(Debug)]
pub(super) struct Block {
    /// The line or the head before it, which has been read and was good.
    pub(super) line: Box<[u8]>,
    pub(super) bytes: Vec<u8>,
    /// How long it is with its end.
    length: usize,
    /// When its line came.
    pub(super) since: Time,
}

impl Block {
    /// How many bytes of it are still to come.
    pub(super) fn left(&self) -> usize {
        self.length.saturating_sub(self.bytes.len())
    }

    /// Whether its memory is counted: what all clients have not finished is bounded.
    const fn is_counted(&self) -> bool {
        self.length > SMALL_BLOCK_BYTES
    }

    /// Makes room for some more bytes, for as many as there are if that is wanted, but not for
    /// more than are to come. Tells whether there is memory.
    fn make_room(&mut self, len: usize) -> bool {
        let room = self.bytes.capacity() - self.bytes.len();
        let more = len.max(self.bytes.len()).min(self.left());
        let is_there = room >= len || self.bytes.try_reserve_exact(more).is_ok();
        is_there && !simulated::refuses(Refusal::Block)
    }
}

impl Connection {
    /// Keeps the line of a block until all of that has come.
    pub(super) fn expect_block(&mut self, line: &[u8], length: usize, rest: &[u8]) -> usize {
        self.state = State::Block(Block {
            line: line.into(),
            bytes: Vec::with_capacity(length.min(BLOCK_FIRST_BYTES.max(rest.len()))),
            length,
            since: self.now,
        });
        0
    }

    /// Where the next bytes are to be read to, if that is known: into the rest of a large block.
    /// Then [`Connection::arrived`] is to be called.
    pub fn room(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let State::Block(block) = &mut self.state else {
            return None;
        };
        if !block.is_counted() || !self.input.is_empty() || !self.gate.is_open {
            return None;
        }
        let left = block.left();
        if block.bytes.len() == block.bytes.capacity() && !block.make_room(left.min(READ_BYTES)) {
            return None;
        }
        let room = block.bytes.capacity() - block.bytes.len();
        Some((&mut block.bytes).limit(room.min(left)))
    }

    /// Learns that so many bytes have come where they were given room.
    pub fn arrived(&mut self, len: usize, now: Time) {
        let read = self.note_arrival(len, now);
        self.note_block(len);
        self.note_progress(read);
        self.show();
    }

    /// Takes what there is of the block. None when that is nothing.
    pub(super) fn step_block(&mut self, input: &[u8]) -> Option<usize> {
        let State::Block(block) = &mut self.state else {
            return None;
        };
        let more = input.get(..block.left().min(input.len()))?;
        if more.is_empty() {
            return None;
        }
        if !block.make_room(more.len()) {
            self.abandon_block();
            return Some(0);
        }
        block.bytes.extend_from_slice(more);
        self.note_block(more.len());
        Some(more.len())
    }

    /// Finishes the block if all of it has come, and gives it up if nobody has room for more.
    fn note_block(&mut self, len: usize) {
        let State::Block(block) = &self.state else {
            return;
        };
        let (is_counted, left) = (block.is_counted(), block.left());
        let is_large = block.length > READ_BYTES / 2;
        if is_counted {
            if !self.shared.hold(len) {
                return self.abandon_block();
            }
            self.held_bytes = self.held_bytes.saturating_add(len);
        }
        if left == 0 {
            self.is_behind_block = is_large;
            self.under_way = None;
            self.finish_block();
        }
    }
}
