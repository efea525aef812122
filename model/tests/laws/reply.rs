//! Replies of every form, made up.
//!
//! Only such as a server may say: an empty list is read as no values, whatever was asked.

use model::{Code, Packet, Reply, Value};
use quickcheck::{Arbitrary, Gen};

/// The replies that are one word.
pub(crate) const WORDS: [Reply; 9] = [
    Reply::Stored,
    Reply::NotStored,
    Reply::Exists,
    Reply::NotFound,
    Reply::Deleted,
    Reply::Touched,
    Reply::Ok,
    Reply::Reset,
    Reply::Error,
];

/// The codes of meta replies.
pub(crate) const CODES: [Code; 7] = [
    Code::Hd,
    Code::En,
    Code::Ns,
    Code::Ex,
    Code::Nf,
    Code::Mn,
    Code::Me,
];

/// Any reply that has bytes of its own.
#[derive(Clone, Debug)]
pub(crate) struct AnyReply(pub(crate) Reply);

impl Arbitrary for AnyReply {
    fn arbitrary(g: &mut Gen) -> AnyReply {
        AnyReply(match u8::arbitrary(g) % 12 {
            0 => Reply::Number(u64::arbitrary(g)),
            1 => Reply::Values(some(g, value)),
            2 => Reply::Version(word(g).into()),
            3 => Reply::Stats(once(g, |g| (word(g), word(g)))),
            4 => Reply::ClientError(sentence(g).into()),
            5 => Reply::ServerError(sentence(g).into()),
            6 => Reply::Meta(code(g), some(g, |g| word(g).into_bytes())),
            7 => Reply::MetaValue(Vec::arbitrary(g), some(g, |g| word(g).into_bytes())),
            9 => Reply::Packets(vec![packet(g, 0x00)]),
            10 => {
                let mut list = once(g, |g| Packet {
                    key: word(g).into_bytes(),
                    ..packet(g, 0x10)
                });
                list.push(packet(g, 0x10));
                Reply::Packets(list)
            }
            8 => Reply::Dump(once(g, |g| format!("ITEM {}", sentence(g)).into_bytes())),
            _ => g.choose(&WORDS).expect("there are words").clone(),
        })
    }
}

fn packet(g: &mut Gen, opcode: u8) -> Packet {
    Packet {
        opcode,
        status: u16::arbitrary(g),
        opaque: u32::arbitrary(g),
        unique: u64::arbitrary(g),
        extras: some(g, u8::arbitrary),
        key: Vec::new(),
        value: Vec::arbitrary(g),
    }
}

fn value(g: &mut Gen) -> Value {
    Value {
        key: word(g).into_bytes(),
        flags: u32::arbitrary(g),
        data: Vec::arbitrary(g),
        unique: Option::arbitrary(g),
    }
}

fn code(g: &mut Gen) -> Code {
    *g.choose(&CODES).expect("there are codes")
}

fn word(g: &mut Gen) -> String {
    let letters = ["a", "END", "9", ":", "\r", "é", "_"];
    (0..=u8::arbitrary(g) % 4)
        .map(|_| *g.choose(&letters).expect("there are letters"))
        .chain(["z"])
        .collect()
}

fn sentence(g: &mut Gen) -> String {
    once(g, word).join(" ")
}

/// None, one or a few.
fn some<T>(g: &mut Gen, one: impl Fn(&mut Gen) -> T) -> Vec<T> {
    (0..u8::arbitrary(g) % 4).map(|_| one(g)).collect()
}

/// One or a few.
fn once<T>(g: &mut Gen, one: impl Fn(&mut Gen) -> T) -> Vec<T> {
    (0..=u8::arbitrary(g) % 3).map(|_| one(g)).collect()
}
