//! Lines that are none, and requests of which a byte is lost, doubled or another.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::history::Request;

/// Lines that are no command, or one that is written oddly.
pub(super) fn lines() -> BoxedStrategy<Request> {
    const LINES: [&str; 14] = [
        "\r\n",
        "\n",
        " get a\r\n",
        "get  a\r\n",
        "get a\n",
        "get a \r\n",
        "GET a\r\n",
        "set a 0 0\r\n",
        "set a\r\n",
        "incr a\r\n",
        "ms a\r\n",
        "nonsense\r\n",
        "mg\r\n",
        "get\r\n",
    ];
    select(LINES.to_vec())
        .prop_map(|line| Request::Bytes(line.into()))
        .boxed()
}

/// A whole request of which one byte is lost, doubled or another. A space may leave of the unique
/// one that an item has, under another name with each server: so it is of a key nobody stores.
pub(super) fn bytes() -> BoxedStrategy<Request> {
    const WHOLE: [&str; 14] = [
        "set a 0 0 2\r\n10\r\n",
        "append b 7 100 1 noreply\r\n0\r\n",
        "cas unheard 0 0 1 18446744073709551615\r\nx\r\n",
        "get a b\r\n",
        "gets a\r\n",
        "gat 100 a\r\n",
        "incr a 1\r\n",
        "touch a 0\r\n",
        "delete a\r\n",
        "mg a s v\r\n",
        "ms a 2 T0\r\nxy\r\n",
        "md a q\r\n",
        "ma a N0 J5 v\r\n",
        "mn\r\n",
    ];
    let byte = select(b"\0\t\n\r -09aAmz\x7f\x80\xff".as_slice());
    let what = select(vec![
        Spoil::Lose,
        Spoil::Double,
        Spoil::Replace,
        Spoil::Insert,
    ]);
    (
        select(WHOLE.to_vec()),
        any::<prop::sample::Index>(),
        byte,
        what,
    )
        .prop_map(|(whole, at, byte, what)| {
            let mut bytes = whole.as_bytes().to_vec();
            let at = at.index(bytes.len());
            let found = bytes.remove(at);
            let put: &[u8] = match what {
                Spoil::Lose => &[],
                Spoil::Double => &[found, found],
                Spoil::Replace => &[byte],
                Spoil::Insert => &[byte, found],
            };
            bytes.splice(at..at, put.iter().copied());
            Request::Bytes(bytes)
        })
        .boxed()
}

/// What happens to a byte.
#[derive(Clone, Copy, Debug)]
enum Spoil {
    Lose,
    Double,
    Replace,
    Insert,
}
