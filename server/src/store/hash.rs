//! The hash of a key: which shard it belongs to, which bucket, and its tag.
//!
//! Each store mixes keys with two secrets of its own, so that nobody outside can tell which keys
//! meet. It never outlives the process.

/// Sets what is left over at the end of a key apart.
const ODD: u64 = 0x2434_5a88_85a3_08d3;

/// How a store hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasher {
    secrets: [u64; 2],
}

impl Hasher {
    /// Hashes with these secrets.
    pub(super) const fn new(secrets: [u64; 2]) -> Self {
        Self { secrets }
    }

    /// The hash of a key.
    pub(super) fn hash(self, key: &[u8]) -> u64 {
        let [first, second] = self.secrets.map(|secret| secret | 1);
        let (words, rest) = key.as_chunks::<8>();
        let mut hash = first ^ u64::try_from(key.len()).unwrap_or(0);
        for word in words {
            hash = fold(hash ^ u64::from_le_bytes(*word), second);
        }
        let mut last = [0; 8];
        for (place, &byte) in last.iter_mut().zip(rest) {
            *place = byte;
        }
        fold(fold(hash ^ u64::from_le_bytes(last), second ^ ODD), first)
    }
}

/// The two halves of a product, laid over each other.
fn fold(left: u64, right: u64) -> u64 {
    let (low, high) = left.carrying_mul(right, 0);
    low ^ high
}
