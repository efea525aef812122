//! What a server bounds, so that no client can make it grow. Law: `spec/limits.md`.
//!
//! It never looks behind the command word: how long a line may be depends on that alone, and so is
//! known before the line has ended.

use alloc::borrow::Cow;

use spec::{Dialect, req};

use crate::framing::Line;
use crate::reply::Reply;
use crate::ruling::Ruling;

/// The longest line, without its LF, of any command but the retrieval commands.
const LINE_MAX_BYTES: usize = 2048;

/// The longest line of a retrieval command: some thousand keys of the longest kind.
const RETRIEVAL_LINE_MAX_BYTES: usize = 1 << 20;

/// Whether the line, which may still go on, is longer than its command may be.
pub(crate) fn is_overlong(line: &[u8], dialect: &Dialect) -> bool {
    let most = match command(line) {
        b"get" | b"gets" => RETRIEVAL_LINE_MAX_BYTES,
        b"gat" | b"gats" if !dialect.has(req!("limits.line.touching.closed")) => {
            RETRIEVAL_LINE_MAX_BYTES
        }
        _ => LINE_MAX_BYTES,
    };
    line.len() > most
}

/// Closes on a line that is too long, whether it has ended by now or not.
pub(crate) fn overlong(line: &[u8], dialect: &Dialect) -> Ruling {
    let told = req!("limits.line.closes.told");
    let ruling = if dialect.has(told) {
        Reply::ClientError(Cow::Borrowed("line too long")).because(told)
    } else {
        Reply::Nothing.because(req!("limits.line.closes.silent"))
    };
    let mut ruling = ruling
        .also(req!("limits.line.closes"))
        .also(req!("limits.line.owed"))
        .closing();
    let lost = req!("limits.line.owed.lost");
    if dialect.has(lost) {
        ruling.retracts = true;
        ruling.because.push(lost);
    }
    let closed = req!("limits.line.touching.closed");
    if dialect.has(closed) && command(line).starts_with(b"gat") {
        ruling.because.push(closed);
    }
    ruling
}

/// Notes that a line may be so long.
pub(crate) fn explain(line: &Line) {
    line.note_if(
        line.length_bytes == LINE_MAX_BYTES.saturating_add(1),
        req!("limits.line.accepted"),
    );
    if line.length_bytes > LINE_MAX_BYTES.saturating_add(1) {
        let touching = line.command().starts_with(b"gat");
        line.note_if(touching, req!("limits.line.touching"));
        line.note_if(!touching, req!("limits.line.retrieval"));
    }
}

/// The command word of a line that may still go on.
fn command(line: &[u8]) -> &[u8] {
    let mut words = line.split(|byte| *byte == b' ');
    words.find(|word| !word.is_empty()).unwrap_or_default()
}
