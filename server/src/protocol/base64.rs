//! Keys in base64, as meta commands carry them.
//!
//! Bytes that are not of base64 are skipped; digits come in fours, and padding only at the end.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The most bytes that a key in base64 can stand for.
pub(super) const DECODED_LEN_MAX: usize = 187;

/// Decodes into a buffer and tells how many bytes it took.
pub(super) fn decode(text: &[u8], into: &mut [u8; DECODED_LEN_MAX]) -> Option<usize> {
    let mut quad = [0; 4];
    let mut quad_len = 0;
    let mut len: usize = 0;
    let mut is_ended = false;
    for byte in text.iter().copied().filter(|&byte| is_digit(byte)) {
        if is_ended {
            return None;
        }
        *quad.get_mut(quad_len)? = byte;
        quad_len += 1;
        if quad_len == quad.len() {
            let (bytes, count) = decode_quad(quad)?;
            let end = len.checked_add(count)?;
            into.get_mut(len..end)?.copy_from_slice(bytes.get(..count)?);
            (quad_len, len, is_ended) = (0, end, count < bytes.len());
        }
    }
    (quad_len == 0 && len > 0).then_some(len)
}

/// Encodes, giving the bytes to `put` four at a time.
pub(crate) fn encode(bytes: &[u8], mut put: impl FnMut(&[u8; 4])) {
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let mut quad = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
        let used = group.len().saturating_add(1);
        for padding in quad.iter_mut().skip(used) {
            *padding = b'=';
        }
        put(&quad);
    }
}

fn decode_quad(quad: [u8; 4]) -> Option<([u8; 3], usize)> {
    let count = match quad {
        [_, _, b'=', b'='] => 1,
        [_, _, _, b'='] => 2,
        _ => 3,
    };
    let mut bits: u32 = 0;
    for (at, &byte) in quad.iter().enumerate() {
        let six = if at > count { 0 } else { value(byte)? };
        bits = bits << 6 | six;
    }
    let [_, bytes @ ..] = bits.to_be_bytes();
    Some((bytes, count))
}

fn is_digit(byte: u8) -> bool {
    byte == b'=' || ALPHABET.contains(&byte)
}

fn value(byte: u8) -> Option<u32> {
    let at = ALPHABET.iter().position(|&letter| letter == byte)?;
    u32::try_from(at).ok()
}

fn digit(bits: u32) -> u8 {
    let at = usize::try_from(bits & 63).unwrap_or(0);
    ALPHABET.get(at).copied().unwrap_or(b'A')
}
