//! Values too large for a segment, each in memory of its own.
//!
//! It never copies one: whoever is served such a value shares it, and it stays readable after the
//! item is gone.

use bytes::Bytes;

/// What a value takes here beside its bytes.
const OVERHEAD_BYTES: usize = 64;

/// The values that lie aside, by handle.
#[derive(Debug, Default)]
pub(super) struct Aside {
    values: Vec<Option<Bytes>>,
    vacant: Vec<u32>,
}

impl Aside {
    /// What a value of that length takes.
    pub(super) const fn cost(len: usize) -> usize {
        len.saturating_add(OVERHEAD_BYTES)
    }

    pub(super) fn put(&mut self, value: Bytes) -> u32 {
        if let Some(handle) = self.vacant.pop()
            && let Some(place) = self.values.get_mut(handle as usize)
        {
            *place = Some(value);
            return handle;
        }
        self.values.push(Some(value));
        u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn value(&self, handle: u32) -> Option<&Bytes> {
        self.values.get(handle as usize)?.as_ref()
    }

    pub(super) fn value_mut(&mut self, handle: u32) -> Option<&mut Bytes> {
        self.values.get_mut(handle as usize)?.as_mut()
    }

    pub(super) fn take(&mut self, handle: u32) -> Option<Bytes> {
        let value = self.values.get_mut(handle as usize)?.take()?;
        self.vacant.push(handle);
        Some(value)
    }
}
