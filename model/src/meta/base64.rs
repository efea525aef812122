//! Keys in base64. Law: `spec/meta/flags.md`.
//!
//! It never knows what a key is for: text comes in, bytes go out, and back.

use alloc::vec::Vec;

use spec::{Dialect, req};

use crate::framing::Line;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What the text of a line stands for; nothing where it is no base64.
pub(crate) fn decode(text: &[u8], line: &Line, dialect: &Dialect) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| is_digit(*byte))
        .collect();
    if digits.is_empty() || !digits.len().is_multiple_of(4) {
        return None;
    }
    line.note_if(
        digits.len() != text.len(),
        req!("meta.flags.base64.foreign"),
    );
    let data = digits
        .iter()
        .position(|digit| *digit == b'=')
        .unwrap_or(digits.len());
    if !matches!(digits.get(data..)?, b"" | b"=" | b"==") {
        line.deviating(
            dialect,
            req!("meta.flags.base64.malformed.padding"),
            Some(()),
        )?;
    }
    let mut bytes = Vec::new();
    for block in digits.chunks(4) {
        let word = block.iter().fold(0_u32, |word, digit| {
            word.wrapping_mul(64).wrapping_add(value(*digit))
        });
        let [_, decoded @ ..] = word.to_be_bytes();
        let padding = block.iter().filter(|digit| **digit == b'=').count();
        if padding > 2 {
            return None;
        }
        bytes.extend(decoded.iter().take(3_usize.saturating_sub(padding)));
        if padding > 0 {
            break;
        }
    }
    line.note_if(encode(&bytes) != digits, req!("meta.flags.base64.spare"));
    line.note(req!("meta.flags.base64.key"));
    Some(bytes)
}

/// These bytes in base64, padded.
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for block in bytes.chunks(3) {
        let mut at = block.iter().copied();
        let mut next = || at.next().unwrap_or_default();
        let word = u32::from_be_bytes([0, next(), next(), next()]);
        let digits = [word >> 18, word >> 12, word >> 6, word].map(digit);
        text.extend(digits.iter().take(block.len().saturating_add(1)));
        text.extend(b"==".iter().take(3_usize.saturating_sub(block.len())));
    }
    text
}

fn is_digit(byte: u8) -> bool {
    byte == b'=' || ALPHABET.contains(&byte)
}

fn value(digit: u8) -> u32 {
    (0..)
        .zip(ALPHABET)
        .find(|(_, byte)| **byte == digit)
        .map_or(0, |(value, _)| value)
}

fn digit(bits: u32) -> u8 {
    let place = usize::try_from(bits & 63).unwrap_or_default();
    ALPHABET.get(place).copied().unwrap_or_default()
}
