//! `lru_crawler metadump` and `mgdump`: every live item, for an operator. Law:
//! `spec/administration.md`.
//!
//! A dump shows keys, and so is forbidden by `-X`; it changes nothing.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use spec::req;

use super::settings::{BAD_CLASS, are_classes, disabled};
use crate::framing::Line;
use crate::meta::base64;
use crate::reply::Reply;
use crate::ruling::Ruling;
use crate::state::Item;
use crate::{Model, Time};

/// `lru_crawler metadump <classes|all|hash>` and `lru_crawler mgdump …`
pub(crate) fn dump(model: &mut Model, line: &Line, now: Time) -> Ruling {
    let unknown = req!("administration.dump.keys.unknown");
    let meta = line.argument(1) == Some(b"metadump");
    let [classes] = line.arguments_from(2) else {
        return Reply::Error.because(req!("administration.dump.bad"));
    };
    if !meta && model.dialect.has(unknown) {
        return Reply::Error.because(unknown);
    }
    if model.crawler_stopped {
        return disabled();
    }
    if !model.options.dumps {
        let told: &[u8] = if meta {
            b"ERROR metadump not allowed\r\n"
        } else {
            b"ERROR key dump not allowed\r\n"
        };
        return Reply::Verbatim(told.into()).because(req!("administration.dump.forbidden"));
    }
    if *classes != b"hash" && !are_classes(classes) {
        return Reply::Verbatim(BAD_CLASS.into()).because(req!("administration.dump.class"));
    }
    if meta {
        items(model, now)
    } else {
        keys(model, now)
    }
}

/// The keys of all live items.
fn live(model: &mut Model, now: Time) -> Vec<Vec<u8>> {
    let keys: Vec<Vec<u8>> = model.items.keys().cloned().collect();
    let alive = |key: &Vec<u8>| model.find(key, now).is_ok();
    keys.into_iter().filter(alive).collect()
}

/// A line for each item, which ends with LF alone.
fn items(model: &mut Model, now: Time) -> Ruling {
    let shorter = req!("administration.dump.line.shorter");
    let is_shorter = model.dialect.has(shorter);
    let mut text = String::from(if is_shorter { "" } else { "OK\r\n" });
    for key in live(model, now) {
        let size = model.items.get(&key).map_or(0, |item| {
            model.room_of(&key, item.value.len() as u64, item.flags)
        });
        if let Some(item) = model.items.get(&key) {
            text.push_str(&line_of(&key, item, size));
            text.push_str(&if is_shorter {
                String::from("\n")
            } else {
                format!(" flags={} \n", item.flags)
            });
        }
    }
    text.push_str("END\r\n");
    Reply::Verbatim(text.into_bytes())
        .because(if is_shorter {
            shorter
        } else {
            req!("administration.dump.line")
        })
        .also(req!("administration.dump.live"))
        .also(req!("administration.dump.escaped"))
        .also(req!("administration.dump.expiry"))
        .also(req!("administration.dump.fetched"))
}

fn line_of(key: &[u8], item: &Item, size: u64) -> String {
    let expires = match item.expires {
        Some(Time(at)) => format!("{at}"),
        None => String::from("-1"),
    };
    format!(
        "key={} exp={expires} la={} cas={} fetch={} cls=1 size={size}",
        escaped(key),
        item.accessed.0.max(item.stored.0),
        item.unique,
        if item.fetched { "yes" } else { "no" },
    )
}

/// The key as URIs have it: all but letters, digits and `-._~` as `%` and two hexadecimal digits.
pub(super) fn escaped(key: &[u8]) -> String {
    let mut text = String::new();
    for byte in key {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A request for each item, that would fetch it.
fn keys(model: &mut Model, now: Time) -> Ruling {
    let mut text = b"OK\r\n".to_vec();
    for key in live(model, now) {
        text.extend_from_slice(b"mg ");
        if model.items.get(&key).is_some_and(|item| item.base64) {
            text.extend_from_slice(&base64::encode(&key));
            text.extend_from_slice(b" b");
        } else {
            text.extend_from_slice(&key);
        }
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"EN\r\n");
    Reply::Verbatim(text)
        .because(req!("administration.dump.keys"))
        .also(req!("administration.dump.keys-base64"))
}
