//! A bar on standard error while a trial runs, where somebody watches.
//!
//! It is drawn on a terminal only, and wiped when all is done: nothing of it is ever in a log.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

const WIDTH: usize = 40;

/// How much of a trial is done.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    done: AtomicUsize,
    shown: bool,
}

impl Progress {
    /// Of so many cases none is done yet.
    #[must_use]
    pub fn new(total: usize, shown: bool) -> Progress {
        Progress {
            total,
            done: AtomicUsize::new(0),
            shown: shown && total > 0,
        }
    }

    /// One more is done.
    pub fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let hundredth = |done: usize| (done * 100).checked_div(self.total);
        if self.shown && hundredth(done) != hundredth(done - 1) {
            let mut terminal = std::io::stderr().lock();
            let _ = write!(terminal, "\r{}", bar(done, self.total));
            let _ = terminal.flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// Whether somebody watches standard error: a terminal that can move its cursor, and no build.
#[must_use]
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal() && is_clever() && !is_set("CI")
}

/// Whether what is printed may be coloured: a terminal, and nobody asked for none.
#[must_use]
pub fn may_colour() -> bool {
    std::io::stdout().is_terminal() && is_clever() && !is_set("NO_COLOR")
}

/// Whether a terminal can do more than print.
fn is_clever() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn bar(done: usize, total: usize) -> String {
    let full = (done * WIDTH).checked_div(total).unwrap_or(0).min(WIDTH);
    format!("[{:<WIDTH$}] {done} of {total}", "=".repeat(full))
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn the_bar_fills_and_keeps_its_width() {
        let empty = bar(0, 8);
        let full = bar(8, 8);
        assert!(empty.contains(&" ".repeat(40)), "{empty}");
        assert!(full.contains(&"=".repeat(40)), "{full}");
        assert_eq!(empty.len(), full.len());
    }
}
