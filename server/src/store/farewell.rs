//! Who is told of live items that are given up for want of memory.
//!
//! It never delays that: whoever listens is called under a shard's lock, and may not ask the store
//! for anything.

use std::fmt;

use super::item::Item;
use crate::time::Time;

type Listener = dyn Fn(&Item<'_>, Time) + Send + Sync;

/// The one listener, where there is one.
#[derive(Default)]
pub(super) struct Farewell(Option<Box<Listener>>);

impl Farewell {
    /// One who calls this.
    pub(super) fn to(listener: impl Fn(&Item<'_>, Time) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(listener)))
    }

    /// Tells of an item that goes.
    pub(super) fn bid(&self, item: &Item<'_>, second: u32) {
        if let Some(listener) = &self.0 {
            listener(item, Time::from_seconds(second.into()));
        }
    }
}

impl fmt::Debug for Farewell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Farewell")
    }
}
