//! Who looks on in a simulation: is shown what a connection has to say as soon as it has it, long
//! before its client reads it. So it is known what was carried out before what.
//!
//! A release build has nobody who looks on.

#[cfg(debug_assertions)]
use std::sync::{Arc, Mutex, PoisonError};

use super::Connection;
#[cfg(debug_assertions)]
use super::State;
#[cfg(debug_assertions)]
use crate::limits::OUTPUT_HIGH_BYTES;

/// What a connection has said, sent or not.
#[cfg(debug_assertions)]
#[derive(Debug, Default)]
pub struct Told {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// All that was complete of what came has been carried out.
    pub is_drained: bool,
}

/// Who is shown it.
#[cfg(debug_assertions)]
#[derive(Debug, Default)]
pub(super) struct Onlooker {
    told: Option<Arc<Mutex<Told>>>,
    /// How many of the bytes that are queued he has seen.
    seen_bytes: usize,
}

#[cfg(debug_assertions)]
impl Connection {
    /// The same connection, and from now on what it has to say is added here.
    #[must_use]
    pub fn watched_by(mut self, told: &Arc<Mutex<Told>>) -> Self {
        self.onlooker.told = Some(Arc::clone(told));
        self
    }

    /// Shows what is new, after what could be carried out was.
    pub(super) fn show(&mut self) {
        let queued = self.output.queued_bytes();
        if let Some(told) = &self.onlooker.told {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            self.output
                .read_from(self.onlooker.seen_bytes, &mut told.bytes);
            let busy = matches!(self.state, State::Keys(_) | State::Dumping(_));
            told.is_drained = !busy && queued < OUTPUT_HIGH_BYTES;
        }
        self.onlooker.seen_bytes = queued;
    }

    /// Notes that bytes were taken which he has seen.
    pub(super) const fn note_taken(&mut self) {
        self.onlooker.seen_bytes = self.output.queued_bytes();
    }
}

#[cfg(not(debug_assertions))]
impl Connection {
    pub(super) const fn show(&mut self) {}

    pub(super) const fn note_taken(&mut self) {}
}
