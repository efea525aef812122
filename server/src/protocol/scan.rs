//! Where a byte first stands.
//!
//! It never looks far by itself: lines and words are short, and are looked through eight bytes at a
//! time; what is longer is left to `memchr`, which is faster there and takes longer to begin.

use memchr::memchr;

/// How many bytes are looked through before it pays to do better.
const NEAR_LEN: usize = 64;

/// How many bytes are looked through for either of two.
const EITHER_LEN: usize = 256;

/// Where that byte first stands, if it does.
#[inline]
pub(super) fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (near, far) = bytes.split_at(bytes.len().min(NEAR_LEN));
    let (words, rest) = near.as_chunks::<8>();
    let mut start = 0;
    for word in words {
        if let Some(at) = position_in(*word, wanted) {
            return Some(start | at);
        }
        start += 8;
    }
    if !far.is_empty() {
        return memchr(wanted, far).map(|at| start.saturating_add(at));
    }
    if rest.is_empty() {
        return None;
    }
    // What is left over is looked through with bytes that have been: no shorter read.
    match near.last_chunk() {
        Some(last) => position_in(*last, wanted).map(|at| near.len() - 8 + at),
        None => near.iter().position(|&byte| byte == wanted),
    }
}

/// Where either of two bytes first stands, if it is near: in so many bytes as a key may have, and a
/// few.
#[inline]
pub(super) fn position_of_either(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    let near = bytes.get(..EITHER_LEN).unwrap_or(bytes);
    let (words, rest) = near.as_chunks::<8>();
    let mut start = 0;
    for word in words {
        let equal = equal_in(*word, one) | equal_in(*word, other);
        if equal != 0 {
            return Some(start | (equal.trailing_zeros() / 8) as usize);
        }
        start += 8;
    }
    let at = rest.iter().position(|&byte| byte == one || byte == other)?;
    Some(start | at)
}

#[inline(always)]
fn position_in(word: [u8; 8], wanted: u8) -> Option<usize> {
    let equal = equal_in(word, wanted);
    (equal != 0).then(|| (equal.trailing_zeros() / 8) as usize)
}

/// A bit for each byte that is the one wanted, and maybe for some behind the first.
#[inline(always)]
const fn equal_in(word: [u8; 8], wanted: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = LOW << 7;
    let differ = u64::from_le_bytes(word) ^ u64::from_le_bytes([wanted; 8]);
    differ.wrapping_sub(LOW) & !differ & HIGH
}

#[cfg(test)]
mod tests {
    use super::{position, position_of_either};

    #[test]
    fn the_first_of_two_bytes_is_found_wherever_both_stand() {
        for len in 0..80 {
            for at in 0..len {
                for behind in at..len {
                    let mut bytes = vec![b'!'; len];
                    for (place, byte) in [(behind, b'\n'), (at, b' ')] {
                        bytes.splice(place..=place, [byte]);
                    }
                    assert_eq!(position_of_either(&bytes, b' ', b'\n'), Some(at));
                    assert_eq!(position_of_either(&bytes, b'\n', b' '), Some(at));
                }
            }
        }
        assert_eq!(position_of_either(&[b'!'; 80], b' ', b'\n'), None);
    }

    #[test]
    fn a_byte_is_found_where_it_first_stands_and_nowhere_else() {
        for len in 0..150 {
            let mut bytes = vec![b'!'; len];
            assert_eq!(position(&bytes, b' '), None);
            for at in (0..len).rev() {
                if let Some(place) = bytes.get_mut(at) {
                    *place = b' ';
                }
                assert_eq!(position(&bytes, b' '), Some(at));
            }
        }
    }
}
