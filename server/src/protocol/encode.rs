//! Replies, as bytes.
//!
//! Here, and nowhere else, a quiet reply is kept back.

use bytes::Bytes;

use super::reply::{Error, Reply};
use super::{Output, VERSION};

/// Writes a classic reply, unless it is to be kept back.
pub fn reply(reply: &Reply, quiet: bool, output: &mut Output) {
    if quiet {
        return;
    }
    match reply {
        Reply::Stored => line(b"STORED", output),
        Reply::NotStored => line(b"NOT_STORED", output),
        Reply::Exists => line(b"EXISTS", output),
        Reply::NotFound => line(b"NOT_FOUND", output),
        Reply::Deleted => line(b"DELETED", output),
        Reply::Touched => line(b"TOUCHED", output),
        Reply::Ok => line(b"OK", output),
        Reply::Reset => line(b"RESET", output),
        Reply::Version => {
            output.bytes(b"VERSION ");
            line(VERSION.as_bytes(), output);
        }
        Reply::Number(number) => {
            output.number(*number);
            output.bytes(b"\r\n");
        }
        Reply::Statistics(statistics) => {
            for (name, value) in statistics {
                output.bytes(b"STAT ");
                output.bytes(name.as_bytes());
                output.bytes(b" ");
                line(value.as_bytes(), output);
            }
            end(output);
        }
        Reply::Error(error) => self::error(*error, output),
    }
}

/// Writes an error.
pub fn error(error: Error, output: &mut Output) {
    line(error.line().as_bytes(), output);
}

/// Writes one value of a retrieval.
pub fn value(key: &[u8], flags: u32, unique: Option<u64>, value: &Bytes, output: &mut Output) {
    output.bytes(b"VALUE ");
    output.bytes(key);
    output.bytes(b" ");
    output.number(u64::from(flags));
    output.bytes(b" ");
    output.number(u64::try_from(value.len()).unwrap_or(u64::MAX));
    if let Some(unique) = unique {
        output.bytes(b" ");
        output.number(unique);
    }
    output.bytes(b"\r\n");
    output.value(value);
    output.bytes(b"\r\n");
}

/// Writes the end of a retrieval.
pub fn end(output: &mut Output) {
    line(b"END", output);
}

fn line(text: &[u8], output: &mut Output) {
    output.bytes(text);
    output.bytes(b"\r\n");
}
