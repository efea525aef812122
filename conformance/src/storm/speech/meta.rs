//! The meta commands, one line each. None of them flushes: that is asked as text.

use std::io;

use super::{Asked, Hearing, Manner, strange};
use crate::linear::history::{Reply, Request, Value, Values};

pub(super) fn write(asked: &[Asked], manner: Manner, values: &Values) -> Vec<u8> {
    let each = asked.iter().map(|asked| one(asked, manner, values));
    each.collect::<Vec<_>>().concat()
}

fn one(Asked { name, request }: &Asked, manner: Manner, values: &Values) -> Vec<u8> {
    let quiet = if manner.quiet { " q" } else { "" };
    let exptime = manner.exptime;
    let block = |value: Value, flags: String| {
        let data = values.bytes(value);
        let line = format!("ms {name} {} T{exptime} {flags}{quiet}\r\n", data.len());
        [line.as_bytes(), &data, b"\r\n"].concat()
    };
    // A number that nobody is told is not asked for.
    let number = if manner.quiet { "" } else { " v" };
    match request {
        Request::Get => format!("mg {name} v c\r\n").into_bytes(),
        Request::Set(value) => block(*value, "MS".to_owned()),
        Request::Add(value) => block(*value, "ME".to_owned()),
        Request::Replace(value) => block(*value, "MR".to_owned()),
        Request::Append(value) => block(*value, "MA".to_owned()),
        Request::Prepend(value) => block(*value, "MP".to_owned()),
        Request::Cas(value, unique) => block(*value, format!("C{unique}")),
        Request::Incr(delta) => format!("ma {name} D{delta}{number}{quiet}\r\n").into_bytes(),
        Request::Decr(delta) => format!("ma {name} MD D{delta}{number}{quiet}\r\n").into_bytes(),
        Request::Delete => format!("md {name}{quiet}\r\n").into_bytes(),
        Request::Touch => format!("mg {name} T{exptime}{quiet}\r\n").into_bytes(),
        Request::Flush => Vec::new(),
    }
}

pub(super) fn read(hearing: &mut Hearing<'_>, asked: &[Asked]) -> io::Result<Vec<Reply>> {
    let mut reply = |asked: &Asked| told(hearing, asked.request);
    asked.iter().map(&mut reply).collect()
}

fn told(hearing: &mut Hearing<'_>, request: Request) -> io::Result<Reply> {
    let line = hearing.line()?;
    let words: Vec<&str> = line.split(' ').collect();
    Ok(match words.as_slice() {
        ["VA", length, flags @ ..] => {
            let data = hearing.block(&line, length)?;
            match request {
                Request::Get => Reply::Found(hearing.values.of(&data), unique(&line, flags)?),
                _ => Reply::Number(number(&line, &data)?),
            }
        }
        ["EN"] if request == Request::Get => Reply::Miss,
        ["EN" | "NF"] => Reply::NotFound,
        ["NS"] => Reply::NotStored,
        ["EX"] => Reply::Exists,
        ["HD"] => match request {
            Request::Delete | Request::Touch => Reply::Done,
            Request::Get | Request::Incr(_) | Request::Decr(_) => return Err(strange(&line)),
            _ => Reply::Stored,
        },
        ["SERVER_ERROR", ..] => Reply::NoRoom,
        ["CLIENT_ERROR", "cannot", ..] => Reply::NotNumeric,
        _ => return Err(strange(&line)),
    })
}

fn unique(line: &str, flags: &[&str]) -> io::Result<u64> {
    let unique = flags.iter().find_map(|flag| flag.strip_prefix('c'));
    let unique = unique.and_then(|unique| unique.parse().ok());
    unique.ok_or_else(|| strange(line))
}

fn number(line: &str, data: &[u8]) -> io::Result<u64> {
    let digits = std::str::from_utf8(data).map_err(|_| strange(line))?;
    digits.parse().map_err(|_| strange(line))
}
