//! What the law leaves to a server in the words of one reply, written a second time: it knows
//! nothing of the relation that is measured.

use super::spoil::{HEADER_BYTES, frames};

/// Whether a server may choose the second number where the first is ruled, for this key where the
/// reply names it.
pub(crate) type MayBe<'a> = dyn Fn(Option<&[u8]>, u64, u64) -> bool + 'a;

/// Whether the other says the same, up to the numbers that a server chooses, and up to so many
/// seconds in what is said of a deadline.
pub(crate) fn reads_alike(reply: &[u8], other: &[u8], seconds: u64, may_be: &MayBe<'_>) -> bool {
    if let Some(all) = frames(reply).filter(|_| !reply.is_empty()) {
        let also = frames(other).filter(|also| also.len() == all.len());
        let pairs = also.map(|also| all.into_iter().zip(also));
        return pairs.is_some_and(|mut pairs| {
            pairs.all(|(one, also)| frames_alike(&reply[one], &other[also], may_be))
        });
    }
    let is_version = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        bytes.starts_with(b"VERSION ") && end == Some(bytes.len() - 1)
    };
    if is_version(reply) && is_version(other) {
        return true;
    }
    let (ours, theirs) = (tokens(reply), tokens(other));
    let lawful = |((key, ours), (also_key, theirs)): (&Token<'_>, &Token<'_>)| {
        let ((ours, behind), (theirs, also_behind)) = (cut(ours), cut(theirs));
        let named = |name: &str| {
            let number = |word: &[u8]| number(word.strip_prefix(name.as_bytes())?);
            number(ours).zip(number(theirs))
        };
        let free = ["l", "la=", "cls=", "size="];
        let near = |(one, other): (u64, u64)| one.abs_diff(other) <= seconds;
        let uniques = unique(key.is_some(), ours).zip(unique(also_key.is_some(), theirs));
        behind == also_behind
            && (ours == theirs
                || free.iter().any(|name| named(name).is_some())
                || ["t", "exp="]
                    .iter()
                    .any(|name| named(name).is_some_and(near))
                || uniques.is_some_and(|(ours, theirs)| may_be(*key, ours, theirs)))
    };
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(lawful)
}

/// Whether two frames say the same: the unique may be another, and what a version is.
fn frames_alike(one: &[u8], other: &[u8], may_be: &MayBe<'_>) -> bool {
    const VERSION_OPCODE: u8 = 0x0b;
    let parts = |frame: &[u8]| {
        let mut bytes = frame.to_vec();
        let unique = u64::from_be_bytes(bytes[16..HEADER_BYTES].try_into().unwrap());
        bytes[16..HEADER_BYTES].fill(0);
        if bytes[1] == VERSION_OPCODE && bytes[2..8] == [0; 6] {
            bytes.truncate(HEADER_BYTES);
            bytes[8..12].fill(0);
        }
        (bytes, unique)
    };
    let ((one, ruled), (other, seen)) = (parts(one), parts(other));
    one == other && (ruled == seen || may_be(None, ruled, seen))
}

/// A word of a reply; where it is the last of a `VALUE` line, with the key of that.
pub(crate) type Token<'a> = (Option<&'a [u8]>, &'a [u8]);

pub(crate) fn tokens(reply: &[u8]) -> Vec<Token<'_>> {
    let lines = reply.split_inclusive(|byte| *byte == b'\n');
    let words = lines.flat_map(|line| {
        let mut of = line.split(|byte| *byte == b' ');
        let key = of.nth(1).filter(|_| line.starts_with(b"VALUE "));
        let words = line.split(|byte| *byte == b' ').enumerate();
        words.map(move |(nth, word)| (key.filter(|_| nth == 4), word))
    });
    words.collect()
}

/// The unique that a word is: behind its name, or bare.
pub(crate) fn unique(bare: bool, word: &[u8]) -> Option<u64> {
    let named = word.strip_prefix(b"cas=").or(word.strip_prefix(b"c"));
    number(named.or(bare.then_some(word))?)
}

pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A word, and what stands behind its line's end.
pub(crate) fn cut(word: &[u8]) -> (&[u8], &[u8]) {
    word.split_at(
        word.iter()
            .position(|byte| *byte == b'\r')
            .unwrap_or(word.len()),
    )
}
