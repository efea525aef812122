//! How long commands take, in histograms.
//!
//! It never holds a time by itself: only how many were no longer than each of a few bounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The bounds, in microseconds. What takes longer than the last is counted as well.
pub(super) const BOUNDS: [u64; 16] = [
    2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000,
    2_500_000,
];

macro_rules! commands {
    ($($name:ident $word:literal $($opcode:literal)*,)*) => {
        /// A command, as far as they are told apart here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Command {
            $(#[doc = concat!("`", $word, "`")] $name,)*
            /// Any other.
            Other,
        }

        impl Command {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)* Self::Other];

            pub(super) fn of_word(word: &[u8]) -> Self {
                $(if word == $word.as_bytes() { return Self::$name; })*
                Self::Other
            }

            pub(super) fn of_opcode(opcode: u8) -> Self {
                match opcode {
                    $($($opcode => Self::$name,)*)*
                    _ => Self::Other,
                }
            }

            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* Self::Other => "other" }
            }
        }
    };
}

commands! {
    Get "get" 0x00 0x09 0x0c 0x0d,
    Gets "gets",
    Gat "gat" 0x1d 0x1e 0x23 0x24,
    Set "set" 0x01 0x11,
    Add "add" 0x02 0x12,
    Replace "replace" 0x03 0x13,
    Append "append" 0x0e 0x19,
    Prepend "prepend" 0x0f 0x1a,
    Cas "cas",
    Incr "incr" 0x05 0x15,
    Decr "decr" 0x06 0x16,
    Delete "delete" 0x04 0x14,
    Touch "touch" 0x1c,
    MetaGet "mg",
    MetaSet "ms",
    MetaDelete "md",
    MetaArithmetic "ma",
}

const COMMANDS: usize = Command::ALL.len();

/// What was measured of each command.
#[derive(Debug, Default)]
pub struct Latencies {
    commands: [Histogram; COMMANDS],
}

#[derive(Debug, Default)]
struct Histogram {
    /// How many took no longer than this bound, but longer than the one before.
    counts: [AtomicU64; BOUNDS.len()],
    /// How many there were.
    count: AtomicU64,
    nanoseconds: AtomicU64,
}

/// A histogram as it stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// For each bound, how many took no longer.
    pub(super) within: [u64; BOUNDS.len()],
    pub(super) count: u64,
    pub(super) nanoseconds: u64,
}

impl Latencies {
    /// Notes that a command took so long.
    pub fn note(&self, command: Command, took: Duration) {
        let Some(histogram) = self.commands.get(command as usize) else {
            return;
        };
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bound = BOUNDS.iter().position(|bound| nanoseconds <= bound * 1000);
        if let Some(count) = bound.and_then(|bound| histogram.counts.get(bound)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        histogram.count.fetch_add(1, Ordering::Relaxed);
        histogram
            .nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn read(&self, command: Command) -> Reading {
        let mut reading = Reading::default();
        let Some(histogram) = self.commands.get(command as usize) else {
            return reading;
        };
        let mut sum = 0_u64;
        for (within, count) in reading.within.iter_mut().zip(&histogram.counts) {
            sum = sum.saturating_add(count.load(Ordering::Relaxed));
            *within = sum;
        }
        // Others may count meanwhile: the whole is never less than its parts.
        reading.count = histogram.count.load(Ordering::Relaxed).max(sum);
        reading.nanoseconds = histogram.nanoseconds.load(Ordering::Relaxed);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_counted_within_its_bound_and_all_above() {
        let latencies = Latencies::default();
        for microseconds in [2, 3, 2_500_000, 2_500_001] {
            latencies.note(Command::Get, Duration::from_micros(microseconds));
        }
        let read = latencies.read(Command::Get);
        assert_eq!(read.within[..3], [1, 2, 2]);
        assert_eq!((read.within[BOUNDS.len() - 1], read.count), (3, 4));
        assert_eq!(read.nanoseconds, 5_000_006_000);
        assert_eq!(latencies.read(Command::Set), Reading::default());
    }
}
