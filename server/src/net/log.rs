//! Writes the lines of the log to standard error, on a thread of its own.
//!
//! It never keeps anybody waiting: a reader that stalls stalls this thread, and the queue before it
//! forgets. A flood of one kind is cut to a few lines each second, and counted.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Clock;
use crate::log::{Kind, Line};
use crate::shared::Shared;

/// How many lines of one kind are written each second.
const LINES_PER_SECOND: u64 = 10;

/// How long what was held back may go untold.
const PAUSE: Duration = Duration::from_secs(1);

/// How long, and how often, a process that ends waits for its last lines to be written.
const LAST_LINES_CHECK: Duration = Duration::from_millis(5);
const LAST_LINES_CHECKS: u32 = 200;

/// Lines of one kind in one second.
#[derive(Debug, Default)]
struct Flow {
    second: u64,
    written: u64,
    held_back: u64,
}

/// Writes what is said from now on.
///
/// # Errors
///
/// When the system has no thread for that.
pub(super) fn start(shared: &Arc<Shared>, clock: Clock) -> io::Result<Writer> {
    let Some(lines) = shared.log.open() else {
        return Ok(Writer(None));
    };
    // The queue is a part of what is shared: it would never end if this thread kept that alive.
    let shared = Arc::downgrade(shared);
    let lost = move || shared.upgrade().map(|shared| shared.log.take_lost());
    let builder = thread::Builder::new().name(String::from("log"));
    let thread = builder.spawn(move || write(&lines, lost, clock, &mut io::stderr()))?;
    Ok(Writer(Some(thread)))
}

/// The thread that writes, if it is ours.
pub(super) struct Writer(Option<JoinHandle<()>>);

impl Writer {
    /// Lets it write the last lines, unless their reader stalls.
    #[expect(clippy::disallowed_methods, reason = "a process that ends may wait")]
    pub(super) fn finish(self, shared: &Shared) {
        shared.log.end();
        let Some(thread) = self.0 else {
            return;
        };
        for _ in 0..LAST_LINES_CHECKS {
            if thread.is_finished() {
                return;
            }
            thread::sleep(LAST_LINES_CHECK);
        }
    }
}

fn write(
    lines: &Receiver<Option<Line>>,
    lost: impl Fn() -> Option<u64>,
    clock: Clock,
    output: &mut impl Write,
) {
    let mut flows = HashMap::<Kind, Flow>::new();
    loop {
        let line = match lines.recv_timeout(PAUSE) {
            Ok(Some(line)) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Ok(None) | Err(RecvTimeoutError::Disconnected) => return,
        };
        let second = clock.now().seconds();
        for flow in flows.values_mut().filter(|flow| flow.second < second) {
            let held_back = std::mem::take(&mut flow.held_back);
            *flow = Flow {
                second,
                ..Flow::default()
            };
            tell(output, held_back, "more of these lines were held back");
        }
        tell(
            output,
            lost().unwrap_or(0),
            "lines were lost: nobody read them",
        );
        let Some(Line { kind, text }) = line else {
            continue;
        };
        let begun = Flow {
            second,
            ..Flow::default()
        };
        let flow = flows.entry(kind).or_insert(begun);
        let is_free = matches!(kind, Kind::Operator | Kind::Talk);
        if is_free || flow.written < LINES_PER_SECOND {
            flow.written += 1;
            let _ = writeln!(output, "touchstoned: {text}");
        } else {
            flow.held_back += 1;
        }
    }
}

fn tell(output: &mut impl Write, count: u64, what: &str) {
    if count > 0 {
        let _ = writeln!(output, "touchstoned: {count} {what}");
    }
}
