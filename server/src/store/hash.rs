//! The hash of a key: which shard it belongs to, which bucket, and its tag.
//!
//! Each store mixes keys with two secrets of its own, so that nobody outside can tell which keys
//! meet. Every word of a key is multiplied by a secret, all 128 bits of the product go on, and
//! nothing the client chose is added before that: a difference between two keys becomes one that
//! nobody can foresee, so no word further on takes it back. Who has neither the secrets nor sees a
//! hash has nothing to try but chance. One reply tells of hashes: a dump goes by buckets, so
//! that it misses nothing and repeats nothing, however often it stops on its way. Who may have one
//! sees which keys are neighbours; `-X` forbids it to all.
//!
//! `ahash` does the same wherever a build does not ask for AES instructions, at a dependency's
//! price.
//! It never outlives the process.

use super::wide;

/// Sets what is left over at the end of a key apart; even, so that a factor stays odd.
const LAST: u64 = 0x2434_5a88_85a3_08d2;

/// All bytes of a key that is shorter than a word.
fn short(key: &[u8]) -> u64 {
    key.iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// How a store hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasher {
    secrets: [u64; 2],
}

impl Hasher {
    /// Hashes with these secrets.
    pub(super) const fn new(secrets: [u64; 2]) -> Self {
        let [first, second] = secrets;
        // An odd factor loses nothing of what it multiplies.
        Self {
            secrets: [first | 1, second | 1],
        }
    }

    /// The hash of a key.
    pub(super) fn hash(self, key: &[u8]) -> u64 {
        let [first, second] = self.secrets;
        let mut hash = first ^ wide(key.len());
        let last = if let Some(last) = key.last_chunk::<8>() {
            // What is left over at the end is hashed with bytes that have been: no shorter read.
            let (words, rest) = key.as_chunks::<8>();
            let before = words.len() - usize::from(rest.is_empty());
            for word in words.iter().take(before) {
                hash = fold(hash ^ u64::from_le_bytes(*word), second);
            }
            u64::from_le_bytes(*last)
        } else {
            short(key)
        };
        fold(fold(hash ^ last, second ^ LAST), first)
    }
}

/// The two halves of a product, laid over each other.
fn fold(left: u64, right: u64) -> u64 {
    let (low, high) = left.carrying_mul(right, 0);
    low ^ high
}
