//! What happens when somebody interrupts a trial: nothing of ours stays behind.
//!
//! Servers that were started are ended, with all that they started. On a server that we did not
//! start, whatever is under way is given up, for its keys to be deleted, and nothing more begins.
//! Whoever interrupts once more ends the program on the spot. A program that is not asked to finish
//! first, like somebody's tests, ends at once, as it would have without us.

use std::io::Write;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::target::group;

static LISTENS: Once = Once::new();
static FINISHES_FIRST: AtomicBool = AtomicBool::new(false);
static WAS_HEARD: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt lets this program clean up and say what it found.
pub fn finish_first() {
    FINISHES_FIRST.store(true, Ordering::SeqCst);
    listen();
}

/// Whether there was an interrupt.
#[must_use]
pub fn was_heard() -> bool {
    WAS_HEARD.load(Ordering::SeqCst)
}

/// From now on an interrupt ends what this program started.
pub(crate) fn listen() {
    LISTENS.call_once(|| {
        // Where there are no signals nobody can interrupt.
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) {
            thread::spawn(move || signals.forever().for_each(hear));
        }
    });
}

fn hear(signal: i32) {
    let is_first = !WAS_HEARD.swap(true, Ordering::SeqCst);
    group::end_all();
    if is_first && FINISHES_FIRST.load(Ordering::SeqCst) {
        let said = "interrupted: what was stored is being deleted; once more ends it at once";
        // Who has closed the terminal reads nothing.
        let _ = writeln!(std::io::stderr(), "{said}");
        return;
    }
    // These signals all have a default: the program ends.
    let _ = emulate_default_handler(signal);
}
