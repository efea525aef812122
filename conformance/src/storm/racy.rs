//! Servers that lose one race each on purpose, so that a storm can be known to find it.
//!
//! Each is a small memcached: a thread for each connection, one locked table. Where it is racy it
//! lets go of the lock between looking and doing, as a real one might by mistake. It never is wrong
//! for one client alone, and without a race it is right for many. It knows only what a storm asks.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A race that a server may lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// None: it is right.
    None,
    /// Two that count read the same number.
    LosesUpdates,
    /// The same, but only where the number gains a digit and needs another item.
    LosesDigits,
    /// `STORED` is said before the item is there.
    AnswersEarly,
    /// Two `cas` with one unique find it unchanged.
    CasTwice,
    /// What was deleted while somebody counted is there again.
    RevivesDeleted,
    /// Two `add` find no item.
    AddsTwice,
    /// A flush walks over the table and passes one item by.
    SparesOne,
    /// A value is read in two halves.
    TearsValues,
    /// Two that append read the same value.
    LosesBlocks,
    /// A unique is taken before the lock, so that an older one may come last.
    SwapsUniques,
    /// What was deleted while `replace` looked is stored all the same.
    ReplacesNothing,
    /// A `touch` writes back the item that it read.
    TouchesBack,
    /// What is moved to another page gets another unique.
    RenewsMoved,
}

/// Each race, what to call it, and what it does to whom.
pub const RACES: [(&str, Race); 13] = [
    ("loses-updates", Race::LosesUpdates),
    ("loses-digits", Race::LosesDigits),
    ("answers-early", Race::AnswersEarly),
    ("cas-twice", Race::CasTwice),
    ("revives-deleted", Race::RevivesDeleted),
    ("adds-twice", Race::AddsTwice),
    ("spares-one", Race::SparesOne),
    ("tears-values", Race::TearsValues),
    ("loses-blocks", Race::LosesBlocks),
    ("swaps-uniques", Race::SwapsUniques),
    ("replaces-nothing", Race::ReplacesNothing),
    ("touches-back", Race::TouchesBack),
    ("renews-moved", Race::RenewsMoved),
];

#[derive(Clone, Debug)]
struct Item {
    data: Vec<u8>,
    unique: u64,
}

#[derive(Debug, Default)]
struct Table {
    items: HashMap<String, Item>,
    unique: u64,
}

/// Starts one on a free port of this machine; it ends with the process.
///
/// # Errors
/// When there is no port.
pub fn start(race: Race) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let table = Arc::new(Mutex::new(Table::default()));
    if race == Race::RenewsMoved {
        let table = Arc::clone(&table);
        thread::spawn(move || move_pages(&table));
    }
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let mut served = Served {
                    race,
                    table,
                    late: None,
                };
                // A client that is gone is no error of ours.
                let _ = served.attend(stream);
            });
        }
    });
    Ok(address)
}

/// Moves every item now and then, whatever clients do.
#[expect(clippy::disallowed_methods, reason = "it is done in real time")]
fn move_pages(table: &Mutex<Table>) {
    loop {
        thread::sleep(Duration::from_millis(20));
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { items, unique } = &mut *table;
        for item in items.values_mut() {
            *unique += 1;
            item.unique = *unique;
        }
    }
}

struct Served {
    race: Race,
    table: Arc<Mutex<Table>>,
    /// What was answered and is not stored yet.
    late: Option<(String, Vec<u8>)>,
}

impl Served {
    fn attend(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let quiet = words.last() == Some(&"noreply");
            let reply = match words.as_slice() {
                ["version"] => "VERSION 0\r\n".to_owned().into_bytes(),
                ["gets", keys @ ..] => self.get(keys),
                [verb @ ("incr" | "decr"), key, delta, ..] => self.count(verb, key, delta),
                ["delete", key, ..] => told(self.lock().items.remove(*key).is_some(), "DELETED"),
                ["touch", key, ..] => self.touch(key),
                ["flush_all", ..] => self.flush(),
                [verb, key, _, _, length, rest @ ..] => {
                    let mut data = vec![0; length.parse().unwrap_or(0) + 2];
                    reader.read_exact(&mut data)?;
                    data.truncate(data.len() - 2);
                    let unique = rest.first().and_then(|word| word.parse().ok()).unwrap_or(0);
                    self.store(verb, key, data, unique)
                }
                _ => b"ERROR\r\n".to_vec(),
            };
            if !quiet {
                reader.get_mut().write_all(&reply)?;
            }
            if let Some((key, data)) = self.late.take() {
                window();
                self.lock().put(&key, data);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect("no client panics")
    }

    fn get(&self, keys: &[&str]) -> Vec<u8> {
        let mut reply = Vec::new();
        for key in keys {
            let Some(mut item) = self.lock().items.get(*key).cloned() else {
                continue;
            };
            if self.race == Race::TearsValues && item.data.len() > 1000 {
                window();
                if let Some(now) = self.lock().items.get(*key)
                    && now.data.len() == item.data.len()
                {
                    let half = item.data.len() / 2;
                    let parts = item
                        .data
                        .iter()
                        .take(half)
                        .chain(now.data.iter().skip(half));
                    item.data = parts.copied().collect();
                }
            }
            let head = format!("VALUE {key} 0 {} {}\r\n", item.data.len(), item.unique);
            reply.extend_from_slice(head.as_bytes());
            reply.extend_from_slice(&item.data);
            reply.extend_from_slice(b"\r\n");
        }
        reply.extend_from_slice(b"END\r\n");
        reply
    }

    fn count(&self, verb: &str, key: &str, delta: &str) -> Vec<u8> {
        let mut table = self.lock();
        let Some(item) = table.items.get(key) else {
            return told(false, "");
        };
        let text = String::from_utf8_lossy(&item.data).into_owned();
        let (Ok(old), Ok(delta)) = (text.parse::<u64>(), delta.parse::<u64>()) else {
            return b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n".to_vec();
        };
        let new = match verb {
            "incr" => old.wrapping_add(delta),
            _ => old.saturating_sub(delta),
        }
        .to_string();
        let is_racy = match self.race {
            Race::LosesUpdates | Race::RevivesDeleted => true,
            Race::LosesDigits => new.len() > text.len(),
            _ => false,
        };
        if is_racy {
            drop(table);
            window();
            table = self.lock();
            let now = table.items.get(key).map(|item| item.data.as_slice());
            let is_changed = now.is_some_and(|now| now != text.as_bytes());
            if self.race == Race::RevivesDeleted && is_changed {
                drop(table);
                return self.count(verb, key, &delta.to_string());
            }
        }
        table.put(key, new.clone().into_bytes());
        format!("{new}\r\n").into_bytes()
    }

    fn touch(&self, key: &str) -> Vec<u8> {
        let item = self.lock().items.get(key).cloned();
        let is_there = item.is_some();
        if let Some(item) = item.filter(|_| self.race == Race::TouchesBack) {
            window();
            self.lock().items.insert(key.to_owned(), item);
        }
        told(is_there, "TOUCHED")
    }

    fn flush(&self) -> Vec<u8> {
        let mut table = self.lock();
        let spared = table.items.keys().max().cloned();
        let spared = spared.filter(|_| self.race == Race::SparesOne);
        table.items.retain(|key, _| Some(key) == spared.as_ref());
        b"OK\r\n".to_vec()
    }

    fn store(&mut self, verb: &str, key: &str, data: Vec<u8>, unique: u64) -> Vec<u8> {
        let mut table = self.lock();
        if self.race == Race::SwapsUniques {
            table.unique += 1;
            let early = table.unique;
            drop(table);
            window();
            table = self.lock();
            if let Some(reply) = refusal(verb, table.items.get(key), unique) {
                return reply;
            }
            let data = joined(verb, table.items.get(key), data);
            table.items.insert(
                key.to_owned(),
                Item {
                    data,
                    unique: early,
                },
            );
            return b"STORED\r\n".to_vec();
        }
        if let Some(reply) = refusal(verb, table.items.get(key), unique) {
            return reply;
        }
        let data = joined(verb, table.items.get(key), data);
        let is_racy = match self.race {
            Race::CasTwice => verb == "cas",
            Race::AddsTwice => verb == "add",
            Race::ReplacesNothing => verb == "replace",
            Race::LosesBlocks => matches!(verb, "append" | "prepend"),
            _ => false,
        };
        if self.race == Race::AnswersEarly && verb == "set" {
            drop(table);
            self.late = Some((key.to_owned(), data));
            return b"STORED\r\n".to_vec();
        }
        if is_racy {
            drop(table);
            window();
            table = self.lock();
        }
        table.put(key, data);
        b"STORED\r\n".to_vec()
    }
}

impl Table {
    fn put(&mut self, key: &str, data: Vec<u8>) {
        self.unique += 1;
        let unique = self.unique;
        self.items.insert(key.to_owned(), Item { data, unique });
    }
}

/// Lets others run where a race is lost.
fn window() {
    for _ in 0..4 {
        thread::yield_now();
    }
}

fn told(is_there: bool, done: &str) -> Vec<u8> {
    let word = if is_there { done } else { "NOT_FOUND" };
    format!("{word}\r\n").into_bytes()
}

fn refusal(verb: &str, item: Option<&Item>, unique: u64) -> Option<Vec<u8>> {
    let word = match (verb, item) {
        ("add", Some(_)) | ("replace" | "append" | "prepend", None) => "NOT_STORED",
        ("cas", None) => "NOT_FOUND",
        ("cas", Some(item)) if item.unique != unique => "EXISTS",
        _ => return None,
    };
    Some(format!("{word}\r\n").into_bytes())
}

fn joined(verb: &str, item: Option<&Item>, block: Vec<u8>) -> Vec<u8> {
    match (verb, item) {
        ("append", Some(item)) => [item.data.as_slice(), &block].concat(),
        ("prepend", Some(item)) => [block.as_slice(), &item.data].concat(),
        _ => block,
    }
}
