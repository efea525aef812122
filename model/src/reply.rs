//! What a server may say, and how it is printed and read.
//!
//! A reply never knows why it is given: that is the ruling's. Printing and reading, which is in
//! `reply/read.rs`, are inverse.

mod packet;
mod read;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use packet::Packet;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `STORED`
    Stored,
    /// `NOT_STORED`
    NotStored,
    /// `EXISTS`
    Exists,
    /// `NOT_FOUND`
    NotFound,
    /// `DELETED`
    Deleted,
    /// `TOUCHED`
    Touched,
    /// `OK`
    Ok,
    /// `RESET`
    Reset,
    /// A counter's new value, alone on its line.
    Number(u64),
    /// `VALUE …` for each hit, then `END`.
    Values(Vec<Value>),
    /// `VERSION …`
    Version(Cow<'static, str>),
    /// `STAT name value` lines, then `END`.
    Stats(Vec<(String, String)>),
    /// `ERROR`
    Error,
    /// `CLIENT_ERROR …`
    ClientError(Cow<'static, str>),
    /// `SERVER_ERROR …`
    ServerError(Cow<'static, str>),
    /// A meta reply without a value: its code and the flags it returns.
    Meta(Code, Vec<Vec<u8>>),
    /// `VA <size> <flags>` and the value.
    MetaValue(Vec<u8>, Vec<Vec<u8>>),
    /// Lines that begin with `ITEM` or `PREFIX`, then `END`.
    Dump(Vec<Vec<u8>>),
    /// Binary replies: one, or one for each statistic and an empty one.
    Packets(Vec<Packet>),
    /// Bytes that stand for themselves: what only a deviation says.
    Verbatim(Vec<u8>),
    /// Not a byte.
    Nothing,
}

/// The code of a meta reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// `HD`: done.
    Hd,
    /// `EN`: no such item.
    En,
    /// `NS`: not stored.
    Ns,
    /// `EX`: the unique differs.
    Ex,
    /// `NF`: nothing to act on.
    Nf,
    /// `MN`: the answer to a noop.
    Mn,
    /// `ME`: what is known of an item.
    Me,
}

/// One hit of a retrieval command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The key, as it was asked for.
    pub key: Vec<u8>,
    /// The client flags.
    pub flags: u32,
    /// The data block.
    pub data: Vec<u8>,
    /// The unique, where the command asks for it.
    pub unique: Option<u64>,
}

pub(crate) const MALFORMED: Reply = Reply::ClientError(Cow::Borrowed("bad command line format"));

impl Reply {
    /// Appends the reply as it goes over the wire.
    pub fn print(&self, out: &mut Vec<u8>) {
        match self {
            Reply::Stored => line(out, "STORED"),
            Reply::NotStored => line(out, "NOT_STORED"),
            Reply::Exists => line(out, "EXISTS"),
            Reply::NotFound => line(out, "NOT_FOUND"),
            Reply::Deleted => line(out, "DELETED"),
            Reply::Touched => line(out, "TOUCHED"),
            Reply::Ok => line(out, "OK"),
            Reply::Reset => line(out, "RESET"),
            Reply::Error => line(out, "ERROR"),
            Reply::Number(number) => line(out, &number.to_string()),
            Reply::Version(version) => words(out, &[b"VERSION", version.as_bytes()]),
            Reply::ClientError(text) => words(out, &[b"CLIENT_ERROR", text.as_bytes()]),
            Reply::ServerError(text) => words(out, &[b"SERVER_ERROR", text.as_bytes()]),
            Reply::Values(values) => {
                values.iter().for_each(|value| value.print(out));
                line(out, "END");
            }
            Reply::Stats(stats) => {
                for (name, value) in stats {
                    words(out, &[b"STAT", name.as_bytes(), value.as_bytes()]);
                }
                line(out, "END");
            }
            Reply::Meta(code, flags) => meta(out, code.text(), flags),
            Reply::MetaValue(data, flags) => {
                out.extend_from_slice(b"VA ");
                meta(out, &data.len().to_string(), flags);
                out.extend_from_slice(data);
                line(out, "");
            }
            Reply::Dump(lines) => {
                lines.iter().for_each(|line| words(out, &[line]));
                line(out, "END");
            }
            Reply::Packets(packets) => packets.iter().for_each(|packet| packet.print(out)),
            Reply::Verbatim(bytes) => out.extend_from_slice(bytes),
            Reply::Nothing => {}
        }
    }
}

impl Value {
    pub(crate) fn print(&self, out: &mut Vec<u8>) {
        let (flags, length) = (self.flags.to_string(), self.data.len().to_string());
        let unique = self.unique.map(|unique| unique.to_string());
        let mut parts = alloc::vec![
            b"VALUE".as_slice(),
            self.key.as_slice(),
            flags.as_bytes(),
            length.as_bytes()
        ];
        parts.extend(unique.as_ref().map(String::as_bytes));
        words(out, &parts);
        out.extend_from_slice(&self.data);
        line(out, "");
    }
}

impl Code {
    /// The two letters.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Code::Hd => "HD",
            Code::En => "EN",
            Code::Ns => "NS",
            Code::Ex => "EX",
            Code::Nf => "NF",
            Code::Mn => "MN",
            Code::Me => "ME",
        }
    }

    /// The code of these two letters.
    fn of(letters: &[u8]) -> Option<Code> {
        let codes = [
            Code::Hd,
            Code::En,
            Code::Ns,
            Code::Ex,
            Code::Nf,
            Code::Mn,
            Code::Me,
        ];
        let mut codes = codes.into_iter();
        codes.find(|code| code.text().as_bytes() == letters)
    }
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn words(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(&words.join(&b' '));
    line(out, "");
}

fn meta(out: &mut Vec<u8>, first: &str, flags: &[Vec<u8>]) {
    out.extend_from_slice(first.as_bytes());
    for flag in flags {
        out.push(b' ');
        out.extend_from_slice(flag);
    }
    line(out, "");
}
