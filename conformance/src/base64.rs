//! Keys in base64, as the meta commands write them: the standard alphabet, padded.
//!
//! It reads nothing that is not exactly so; what a server makes of that is the law's business.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes as text.
#[must_use]
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | group.get(at).copied().map_or(0, u32::from)
        });
        for at in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or_default();
            match ALPHABET.get(letter) {
                Some(letter) if at <= group.len() => text.push(char::from(*letter)),
                _ => text.push('='),
            }
        }
    }
    text
}

/// The bytes that the text stands for, if it stands for any.
#[must_use]
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = text.get(..text.len() - padding.min(2))?;
    let mut bytes = Vec::new();
    for group in letters.chunks(4) {
        let mut bits = 0_u32;
        for at in 0..4 {
            let value = match group.get(at) {
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        let [_, whole @ ..] = bits.to_be_bytes();
        bytes.extend(whole.iter().take(group.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let text = encode(&bytes);
            assert_eq!(text.len() % 4, 0);
            assert_eq!(decode(text.as_bytes()).unwrap_or_default(), bytes);
        }
        assert_eq!(encode(b"foo!"), "Zm9vIQ==");
    }

    #[test]
    fn what_is_no_base64_decodes_to_nothing() {
        for text in ["", "a", "Zm9", "Zm=v", "Zm9*", "===="] {
            assert_eq!(
                decode(text.as_bytes()).filter(|bytes| !bytes.is_empty()),
                None,
                "{text}"
            );
        }
    }
}
