//! What does not fit into a record, each in a place of its own: large values, and numbers that few
//! items have.
//!
//! It never copies a value: whoever is served one shares it, and it stays readable after the item
//! is gone.

/// What a value takes here beside its bytes.
const OVERHEAD_BYTES: usize = 64;

/// What lies aside, by handle.
#[derive(Debug)]
pub(super) struct Aside<T> {
    places: Vec<Option<T>>,
    vacant: Vec<u32>,
}

/// What a value of that length takes.
pub(super) const fn cost(len: usize) -> usize {
    len.saturating_add(OVERHEAD_BYTES)
}

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            vacant: Vec::new(),
        }
    }
}

impl<T> Aside<T> {
    pub(super) fn put(&mut self, what: T) -> u32 {
        if let Some(handle) = self.vacant.pop()
            && let Some(place) = self.places.get_mut(handle as usize)
        {
            *place = Some(what);
            return handle;
        }
        self.places.push(Some(what));
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn at(&self, handle: u32) -> Option<&T> {
        self.places.get(handle as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, handle: u32) -> Option<&mut T> {
        self.places.get_mut(handle as usize)?.as_mut()
    }

    pub(super) fn take(&mut self, handle: u32) -> Option<T> {
        let taken = self.places.get_mut(handle as usize)?.take()?;
        self.vacant.push(handle);
        Some(taken)
    }

    /// What the places take, whether there is anything in them or not.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Option<T>>() + self.vacant.capacity() * size_of::<u32>()
    }
}
