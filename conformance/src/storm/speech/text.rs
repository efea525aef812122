//! The classic commands: a line, perhaps a data block, and one line back.

use std::io;

use super::{Asked, Hearing, Manner, strange};
use crate::linear::history::{Reply, Request, Value, Values};

pub(super) fn write(asked: &[Asked], manner: Manner, values: &Values) -> Vec<u8> {
    let Some(Asked { name, request }) = asked.first() else {
        return Vec::new();
    };
    let end = if manner.quiet { " noreply\r\n" } else { "\r\n" };
    let exptime = manner.exptime;
    let block = |command: &str, value: Value, unique: &str| {
        let data = values.bytes(value);
        let length = data.len();
        let line = format!("{command} {name} 0 {exptime} {length}{unique}{end}");
        [line.as_bytes(), &data, b"\r\n"].concat()
    };
    match request {
        Request::Get => {
            let names: Vec<&str> = asked.iter().map(|asked| asked.name.as_str()).collect();
            format!("gets {}\r\n", names.join(" ")).into_bytes()
        }
        Request::Set(value) => block("set", *value, ""),
        Request::Add(value) => block("add", *value, ""),
        Request::Replace(value) => block("replace", *value, ""),
        Request::Append(value) => block("append", *value, ""),
        Request::Prepend(value) => block("prepend", *value, ""),
        Request::Cas(value, unique) => block("cas", *value, &format!(" {unique}")),
        Request::Incr(delta) => format!("incr {name} {delta}{end}").into_bytes(),
        Request::Decr(delta) => format!("decr {name} {delta}{end}").into_bytes(),
        Request::Delete => format!("delete {name}{end}").into_bytes(),
        Request::Touch => format!("touch {name} {exptime}{end}").into_bytes(),
        Request::Flush => format!("flush_all{end}").into_bytes(),
    }
}

pub(super) fn read(hearing: &mut Hearing<'_>, asked: &[Asked]) -> io::Result<Vec<Reply>> {
    match asked {
        [Asked { request, .. }] if *request != Request::Get => Ok(vec![told(hearing, *request)?]),
        _ => found(hearing, asked),
    }
}

/// What `gets` found, up to `END`.
fn found(hearing: &mut Hearing<'_>, asked: &[Asked]) -> io::Result<Vec<Reply>> {
    let mut replies = vec![Reply::Miss; asked.len()];
    loop {
        let line = hearing.line()?;
        let words: Vec<&str> = line.split(' ').collect();
        let [_, name, _, length, unique] = words.as_slice() else {
            return if line == "END" {
                Ok(replies)
            } else {
                Err(strange(&line))
            };
        };
        let unique: u64 = unique.parse().map_err(|_| strange(&line))?;
        let data = hearing.block(&line, length)?;
        let at = asked.iter().position(|asked| asked.name == *name);
        match at.and_then(|at| replies.get_mut(at)) {
            Some(reply) => *reply = Reply::Found(hearing.values.of(&data), unique),
            None => return Err(strange(&line)),
        }
    }
}

fn told(hearing: &mut Hearing<'_>, request: Request) -> io::Result<Reply> {
    let line = hearing.line()?;
    Ok(match line.as_str() {
        "STORED" => Reply::Stored,
        "NOT_STORED" => Reply::NotStored,
        "EXISTS" => Reply::Exists,
        "NOT_FOUND" => Reply::NotFound,
        "DELETED" if request == Request::Delete => Reply::Done,
        "TOUCHED" if request == Request::Touch => Reply::Done,
        "OK" if request == Request::Flush => Reply::Done,
        line if line.starts_with("SERVER_ERROR") => Reply::NoRoom,
        line if line.starts_with("CLIENT_ERROR cannot") => Reply::NotNumeric,
        line => Reply::Number(line.parse().map_err(|_| strange(line))?),
    })
}
