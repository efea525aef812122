//! The bytes of a value on their way into the store.
//!
//! It never copies: the store does, where it cannot keep the memory that the bytes came in.

use std::ops::Deref;

use bytes::Bytes;

use crate::sync::{Refusal, refuses};

/// A value that is to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    bytes: &'a [u8],
    /// What the bytes are the start of, where it holds little else and may be kept.
    memory: Option<&'a Bytes>,
}

impl<'a> Value<'a> {
    /// A value in memory of its own, which the store may keep.
    #[must_use]
    pub fn owned(memory: &'a Bytes) -> Self {
        Self {
            bytes: memory,
            memory: Some(memory),
        }
    }

    /// What is before this end, if it ends so.
    #[must_use]
    pub fn before(self, end: &[u8]) -> Option<Self> {
        let bytes = self.bytes.strip_suffix(end)?;
        Some(Self { bytes, ..self })
    }

    /// The bytes, in memory of their own: that which they came in, or a copy. None where the system
    /// has no memory for one.
    pub(super) fn keep(self) -> Option<Bytes> {
        if refuses(Refusal::Value) {
            return None;
        }
        if let Some(memory) = self.memory {
            return Some(memory.slice(..self.bytes.len()));
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.bytes.len()).ok()?;
        copy.extend_from_slice(self.bytes);
        Some(copy.into())
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Value<'a> {
    fn from(bytes: &'a T) -> Self {
        Self {
            bytes: bytes.as_ref(),
            memory: None,
        }
    }
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Value;

    #[test]
    fn memory_is_kept_and_what_came_in_others_memory_is_copied() {
        let memory = Bytes::from(b"value\r\n".to_vec());
        let owned = Value::owned(&memory).before(b"\r\n").unwrap();
        assert_eq!(&*owned, b"value");
        let kept = owned.keep().unwrap();
        assert_eq!(kept, "value");
        assert_eq!(kept.as_ptr(), memory.as_ptr());
        let passing = Value::from(&memory[..5]);
        let copied = passing.keep().unwrap();
        assert_eq!(copied, "value");
        assert_ne!(copied.as_ptr(), memory.as_ptr());
        assert!(Value::owned(&memory).before(b"\n\n").is_none());
    }
}
