//! `lru_crawler metadump` and `mgdump`: every live item, one line each.
//!
//! It never gathers all of them: the session asks for some items after others, as the client reads,
//! and nobody else waits for more than these.

use super::{Context, memory};
use crate::protocol::{Error, Tokens, base64, escape};
use crate::simulated::{self, Mistake};
use crate::store::{Item, Place};

/// What a line tells of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything but its value.
    Metadata,
    /// A request that fetches it.
    Request,
}

/// A dump that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dump {
    form: Form,
    /// Where it goes on. Nowhere, if the classes asked for hold nothing: all items are of class 1.
    next: Option<Place>,
}

/// Begins a dump, where the line asks for one.
///
/// # Errors
///
/// When it may not, or cannot, be had.
#[must_use]
pub fn begin(context: &Context<'_>, words: Tokens<'_>) -> Option<Result<Dump, Error>> {
    let mut rest = words;
    let form = match rest.next()? {
        b"metadump" => Form::Metadata,
        b"mgdump" => Form::Request,
        _ => return None,
    };
    let (Some(classes), None) = (rest.next(), rest.next()) else {
        return Some(Err(Error::Unknown));
    };
    if !context.shared.settings.allows_dump {
        return Some(Err(match form {
            Form::Metadata => Error::MetadumpNotAllowed,
            Form::Request => Error::KeyDumpNotAllowed,
        }));
    }
    let checked = memory::check(context, classes);
    let mut listed = classes.split(|&byte| byte == b',');
    let has_items = listed.any(|class| matches!(class, b"all" | b"hash" | b"1"));
    Some(checked.map(|()| Dump {
        form,
        next: has_items.then(Place::default),
    }))
}

impl Dump {
    /// The lines of the next items; none when there are no more.
    pub fn next(&mut self, context: &Context<'_>) -> Option<Vec<u8>> {
        let store = &context.shared.store;
        let mut lines = Vec::new();
        self.next = store.visit(self.next?, context.now, |item| match self.form {
            Form::Metadata => describe(context, item, &mut lines),
            Form::Request => request(item, &mut lines),
        });
        if simulated::errs(Mistake::EndsDumpEarly) {
            self.next = None;
        }
        Some(lines)
    }

    /// What stands behind the last line.
    #[must_use]
    pub const fn end(&self) -> &'static [u8] {
        match self.form {
            Form::Metadata => b"END\r\n",
            Form::Request => b"EN\r\n",
        }
    }
}

fn describe(context: &Context<'_>, item: &Item, lines: &mut Vec<u8>) {
    let expiry = match item.expiry().second() {
        Some(second) => second.to_string(),
        None => String::from("-1"),
    };
    let store = &context.shared.store;
    let fetched = if item.marks().fetched { "yes" } else { "no" };
    let facts = format!(
        "key={} exp={expiry} la={} cas={} fetch={fetched} cls=1 size={} flags={} \n",
        escape(item.key()),
        item.accessed(),
        item.unique(),
        store.cost(item.key().len(), item.value().len(), item.flags()),
        item.flags(),
    );
    lines.extend_from_slice(facts.as_bytes());
}

fn request(item: &Item, lines: &mut Vec<u8>) {
    lines.extend_from_slice(b"mg ");
    if item.marks().encoded {
        base64::encode(item.key(), |quad| lines.extend_from_slice(quad));
        lines.extend_from_slice(b" b");
    } else {
        lines.extend_from_slice(item.key());
    }
    lines.extend_from_slice(b"\r\n");
}
