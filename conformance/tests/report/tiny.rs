//! Servers on a loopback port that somebody may have written on one afternoon.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use conformance::target::Target;
use conformance::target::address::{Address, Trust};
use conformance::target::foreign::Foreign;
use conformance::target::guard::Permits;

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tiny {
    /// It knows get, set and delete.
    Basic,
    /// It stops to listen, and closes, when it is asked to add.
    Dies,
    /// It answers with what a terminal would obey.
    Hostile,
}

/// What a terminal, or a runner of builds, would obey.
const HOSTILE: &[u8] = b"\x1b[2J\0\xc3\xa9\rSTORED\r\n::error::x\r\n";

type Items = Arc<Mutex<BTreeMap<String, (String, Vec<u8>)>>>;

/// The server, running, as a target.
pub(crate) fn target(kind: Tiny) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
    let address = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        let items = Items::default();
        let dead = Arc::new(Mutex::new(false));
        for stream in listener.incoming().flatten() {
            if *dead.lock().expect("nobody panics") {
                return;
            }
            let (items, dead) = (Arc::clone(&items), Arc::clone(&dead));
            thread::spawn(move || {
                let death = attend(kind, &stream, &items).is_none() && kind == Tiny::Dies;
                if death {
                    *dead.lock().expect("nobody panics") = true;
                    // Wakes the listener, until it is gone as well.
                    while TcpStream::connect(address).is_ok() {}
                }
            });
        }
    });
    Target::Foreign(Foreign {
        address: Address::parse(&address.to_string(), &Trust::Anybody).expect("it is one"),
        permits: Permits::default(),
        seed: 1,
        dialect: Box::default(),
    })
}

/// Answers one client; nothing when the server dies of it.
fn attend(kind: Tiny, stream: &TcpStream, items: &Items) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader
            .read_line(&mut line)
            .ok()
            .is_none_or(|length| length == 0)
        {
            return Some(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let reply = match words.as_slice() {
            // It reads a whole request, so that it does not matter how its bytes arrive.
            [_, _, _, _, length, ..] if kind == Tiny::Hostile => {
                let mut block = vec![0; length.parse::<usize>().unwrap_or(0) + 2];
                let _ = reader.read_exact(&mut block);
                HOSTILE.to_vec()
            }
            _ if kind == Tiny::Hostile => HOSTILE.to_vec(),
            ["add", ..] if kind == Tiny::Dies => return None,
            ["set", key, flags, _, length, ..] => {
                let mut block = vec![0; length.parse::<usize>().unwrap_or(0) + 2];
                if reader.read_exact(&mut block).is_err() {
                    return Some(());
                }
                block.truncate(block.len() - 2);
                let item = ((*flags).to_owned(), block);
                items
                    .lock()
                    .expect("nobody panics")
                    .insert((*key).to_owned(), item);
                b"STORED\r\n".to_vec()
            }
            ["get", keys @ ..] => values(keys, items),
            ["delete", key] => match items.lock().expect("nobody panics").remove(*key) {
                Some(_) => b"DELETED\r\n".to_vec(),
                None => b"NOT_FOUND\r\n".to_vec(),
            },
            // It takes the block for a command, but says so in one write.
            [_, _, _, _, length, ..] => {
                let mut block = vec![0; length.parse::<usize>().unwrap_or(0) + 2];
                let _ = reader.read_exact(&mut block);
                b"ERROR\r\nERROR\r\n".to_vec()
            }
            _ => b"ERROR\r\n".to_vec(),
        };
        if writer.write_all(&reply).is_err() {
            return Some(());
        }
    }
}

fn values(keys: &[&str], items: &Items) -> Vec<u8> {
    let mut reply = Vec::new();
    let items = items.lock().expect("nobody panics");
    for key in keys {
        if let Some((flags, value)) = items.get(*key) {
            reply.extend(format!("VALUE {key} {flags} {}\r\n", value.len()).bytes());
            reply.extend(value);
            reply.extend(b"\r\n");
        }
    }
    reply.extend(b"END\r\n");
    reply
}
