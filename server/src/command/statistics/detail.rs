//! `stats detail`: requests counted by prefix.

use super::super::Context;
use crate::protocol::{Error, Reply};

/// Turns the counting on or off, or shows what was counted.
pub(super) fn detail(context: &Context<'_>, word: Option<&[u8]>) -> Reply {
    if !context.shared.settings.allows_dump {
        return Error::DetailNotAllowed.into();
    }
    let prefixes = &context.shared.prefixes;
    match word {
        Some(b"on") => prefixes.switch(true),
        Some(b"off") => prefixes.switch(false),
        Some(b"dump") => return Reply::Lines(dump(context)),
        _ => return Error::DetailUsage.into(),
    }
    Reply::Ok
}

fn dump(context: &Context<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    context.shared.prefixes.visit(|prefix, tally| {
        text.extend_from_slice(b"PREFIX ");
        text.extend_from_slice(prefix);
        let counts = format!(
            " get {} hit {} set {} del {}\r\n",
            tally.gets, tally.hits, tally.sets, tally.deletes
        );
        text.extend_from_slice(counts.as_bytes());
    });
    text
}
