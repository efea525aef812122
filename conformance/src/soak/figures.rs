//! What a soak found, in figures.
//!
//! Whether they are good is said in one place: [`Figures::troubles`].

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use crate::faults::matrix::shown;
use crate::faults::{Footprint, MEBIBYTE, Waits};

/// So much a server may grow in the part of a soak that is judged, whatever it takes.
const GROWTH_FREE: f64 = 8.0 * MEBIBYTE as f64;
/// Or so large a part of what it takes.
const GROWTH_SHARE: f64 = 0.1;
/// Fewer samples are not judged.
const SAMPLES_MIN: usize = 4;

/// What the server took at one moment at which nobody strained it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Since the beginning.
    pub at: Duration,
    /// What it took.
    pub taken: Footprint,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// How long it took.
    pub time: Duration,
    /// Requests whose replies were ruled on.
    pub requests: u64,
    /// Of these, those whose item was gone.
    pub forgotten: u64,
    /// What was wrong while nothing was done to the server.
    pub errors: Vec<String>,
    /// How often something was wrong while something was.
    pub excused: u64,
    /// Storms, and the operations in them.
    pub storms: u64,
    /// Operations that were judged in these.
    pub operations: u64,
    /// What came of each fault: how often it was held, known and broken.
    pub faults: BTreeMap<&'static str, [u64; 3]>,
    /// What was broken, once for each fault.
    pub broken: BTreeMap<&'static str, String>,
    /// That the server ended, or let another client wait too long.
    pub fatal: Option<String>,
    /// How long the innocent client waited.
    pub waits: Waits,
    /// What the server took when it had begun, and when all had left; nothing where it is not seen.
    pub first: Option<Footprint>,
    /// What it took when all had left.
    pub last: Option<Footprint>,
    /// What it took meanwhile.
    pub samples: Vec<Sample>,
    /// When everything had been done to it once: what it takes until then, it may keep.
    pub settled: Option<Duration>,
    /// The figures are of less than was asked for.
    pub is_cut_short: bool,
}

impl Figures {
    /// The samples that are judged.
    fn judged(&self) -> &[Sample] {
        let begin = self.settled.unwrap_or(Duration::MAX);
        let settled = self.samples.iter().position(|sample| sample.at >= begin);
        let settled = settled.unwrap_or(self.samples.len());
        self.samples.get(settled..).unwrap_or_default()
    }

    /// How much more it took at least in the second half of what is judged than it did at least in
    /// the first, and what that was: what was taken for a while and given back is no growth.
    fn growth(&self) -> Option<(f64, f64)> {
        let judged = self.judged();
        if judged.len() < SAMPLES_MIN {
            return None;
        }
        let (first, second) = judged.split_at(judged.len() / 2);
        let least = |samples: &[Sample]| {
            let taken = samples.iter().map(|sample| sample.taken.resident_bytes);
            taken.min().unwrap_or_default() as f64
        };
        Some((least(second) - least(first), least(first)))
    }

    /// How fast its memory grows, in bytes a second, by least squares; nothing of too few
    /// samples.
    #[must_use]
    pub fn slope(&self) -> Option<f64> {
        let samples = self.judged();
        if samples.len() < SAMPLES_MIN {
            return None;
        }
        let points = samples.iter().map(|sample| {
            let Sample { at, taken } = sample;
            (at.as_secs_f64(), taken.resident_bytes as f64)
        });
        let points: Vec<(f64, f64)> = points.collect();
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (at, bytes) = (mean(|point| point.0), mean(|point| point.1));
        let shared = points
            .iter()
            .map(|point| (point.0 - at) * (point.1 - bytes));
        let spread = points.iter().map(|point| (point.0 - at).powi(2));
        Some(shared.sum::<f64>() / spread.sum::<f64>())
    }

    /// All that is not as it must be.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        troubles.extend(self.fatal.clone());
        if !self.errors.is_empty() {
            troubles.push(format!(
                "{} errors outside fault windows",
                self.errors.len()
            ));
        }
        if self.requests == 0 {
            troubles.push("no request was answered".to_owned());
        }
        if self.forgotten * 2 > self.requests {
            troubles.push("more is forgotten than remembered".to_owned());
        }
        let broken = self.broken.iter();
        troubles.extend(broken.map(|(fault, why)| format!("{fault}: {why}")));
        if let Some((growth, taken)) = self.growth()
            && growth > GROWTH_FREE.max(GROWTH_SHARE * taken)
        {
            let grown = growth / MEBIBYTE as f64;
            troubles.push(format!("memory grows: by {grown:.1} MiB, and on"));
        }
        // Before the end its clients are still there.
        let ended = self.last.filter(|_| !self.is_cut_short);
        if let (Some(first), Some(last)) = (self.first, ended) {
            if last.descriptors > first.descriptors {
                let (first, last) = (first.descriptors, last.descriptors);
                troubles.push(format!("{last} descriptors are left, of {first} at first"));
            }
            if last.threads > first.threads {
                let (first, last) = (first.threads, last.threads);
                troubles.push(format!("{last} threads are left, of {first} at first"));
            }
        }
        troubles
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = if self.is_cut_short { ", cut short" } else { "" };
        writeln!(
            f,
            "time         {:.1} min{cut}",
            self.time.as_secs_f64() / 60.0
        )?;
        writeln!(
            f,
            "load         {} requests ruled on by the model, {} of them forgotten",
            self.requests, self.forgotten
        )?;
        writeln!(
            f,
            "errors       {} outside fault windows, {} within",
            self.errors.len(),
            self.excused
        )?;
        for error in self.errors.iter().take(5) {
            writeln!(f, "             {error}")?;
        }
        let (storms, operations) = (self.storms, self.operations);
        writeln!(f, "storms       {storms}, with {operations} operations")?;
        let sum = |place: usize| -> u64 {
            let counts = self.faults.values().filter_map(|counts| counts.get(place));
            counts.sum()
        };
        writeln!(
            f,
            "faults       {} of {} kinds: {} held, {} known, {} broken",
            sum(0) + sum(1) + sum(2),
            self.faults.len(),
            sum(0),
            sum(1),
            sum(2)
        )?;
        writeln!(f, "             {}", shown::Figures::HEAD)?;
        writeln!(f, "waits in ms  {}", shown::Figures(&self.waits))?;
        self.memory(f)?;
        let troubles = self.troubles();
        for trouble in &troubles {
            writeln!(f, "BROKEN       {trouble}")?;
        }
        if troubles.is_empty() {
            writeln!(f, "it holds")?;
        }
        Ok(())
    }
}

impl Figures {
    fn memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return writeln!(
                f,
                "memory       not seen: the system does not tell, or another process serves"
            );
        };
        let mebibytes = |bytes: u64| bytes as f64 / MEBIBYTE as f64;
        let (from, to) = (
            mebibytes(first.resident_bytes),
            mebibytes(last.resident_bytes),
        );
        let peak = mebibytes(last.peak_bytes);
        writeln!(
            f,
            "memory       {from:.1} MiB at first, {to:.1} at last, {peak:.1} at most"
        )?;
        match self.slope() {
            Some(slope) => writeln!(
                f,
                "             slope {:+.3} MiB a minute over {} samples",
                slope * 60.0 / MEBIBYTE as f64,
                self.judged().len()
            )?,
            None => writeln!(
                f,
                "             not judged: not everything was done to it once"
            )?,
        }
        let samples = self.samples.iter();
        let most = samples.map(|sample| sample.taken.descriptors).max();
        writeln!(
            f,
            "descriptors  {} at first, {} at last, {} at most between faults",
            first.descriptors,
            last.descriptors,
            most.unwrap_or_default()
        )?;
        writeln!(
            f,
            "threads      {} at first, {} at last",
            first.threads, last.threads
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(bytes_a_second: u64) -> Figures {
        let sample = |second: u64| Sample {
            at: Duration::from_secs(second),
            taken: Footprint {
                resident_bytes: 50 * MEBIBYTE + second * bytes_a_second,
                peak_bytes: 0,
                reserved_bytes: 0,
                descriptors: 9,
                threads: 3,
            },
        };
        Figures {
            time: Duration::from_secs(90),
            requests: 1,
            first: Some(sample(0).taken),
            last: Some(sample(0).taken),
            samples: (0..90).map(sample).collect(),
            settled: Some(Duration::from_secs(20)),
            ..Figures::default()
        }
    }

    #[test]
    fn the_slope_is_that_of_the_samples_and_growth_is_told() {
        let slope = growing(1_000).slope().expect("there are samples");
        assert!((slope - 1_000.0).abs() < 1e-6, "{slope}");
        assert_eq!(growing(1_000).troubles(), Vec::<String>::new());
        let troubles = growing(MEBIBYTE).troubles();
        assert!(
            troubles
                .iter()
                .any(|trouble| trouble.contains("memory grows"))
        );
    }

    #[test]
    fn what_is_taken_until_all_was_done_once_is_no_growth() {
        let figures = Figures {
            settled: None,
            ..growing(MEBIBYTE)
        };
        assert_eq!(figures.troubles(), Vec::<String>::new());
        assert!(figures.to_string().contains("not judged"), "{figures}");
    }

    #[test]
    fn what_is_left_behind_is_told() {
        let mut figures = growing(0);
        let first = figures.samples.first().map(|sample| sample.taken);
        figures.first = first;
        figures.last = first.map(|first| Footprint {
            descriptors: 10,
            threads: 4,
            ..first
        });
        assert_eq!(figures.troubles().len(), 2);
    }
}
