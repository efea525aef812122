//! How long a client waited for its replies, and the few figures that say it.
//!
//! Every wait is kept: a tail that was thrown away cannot be looked at. Beside it stands what the
//! same client waited for an echo of its own process at the same time, for a machine that is busy
//! lets everybody wait, and a server is not to be blamed for that.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use super::stage::now;

/// What an innocent client should not wait longer for in 99 of 100 requests. It is a target, and
/// shown; whether a rule holds is settled by [`INNOCENT_MAX`](super::INNOCENT_MAX).
pub const TARGET: Duration = Duration::from_millis(10);

/// The waits of one client, or of several together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    served: Vec<Duration>,
    echoed: Vec<Duration>,
}

/// What is said of waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// What half of them do not exceed, by the nearest rank.
    pub median: Duration,
    /// What 99 of 100 do not exceed.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Waits {
    /// One more, and what the echo took; nothing where that could not be heard.
    pub fn add(&mut self, served: Duration, echoed: Option<Duration>) {
        self.served.push(served);
        self.echoed.extend(echoed);
    }

    /// All of these as well.
    pub fn join(&mut self, others: &Waits) {
        self.served.extend_from_slice(&others.served);
        self.echoed.extend_from_slice(&others.echoed);
    }

    /// How long the server let it wait; nothing where it never asked.
    #[must_use]
    pub fn served(&self) -> Option<Spread> {
        Spread::of(&self.served)
    }

    /// How long the machine did.
    #[must_use]
    pub fn echoed(&self) -> Option<Spread> {
        Spread::of(&self.echoed)
    }
}

impl Spread {
    fn of(waits: &[Duration]) -> Option<Spread> {
        let mut sorted = waits.to_vec();
        sorted.sort_unstable();
        let of = |share: usize| {
            let rank = (sorted.len() * share).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Spread {
            count: sorted.len(),
            median: of(50)?,
            p99: of(99)?,
            max: of(100)?,
        })
    }
}

/// A thread that says again what it is told, over a socket as a server would.
#[derive(Debug)]
pub(super) struct Echo(UnixStream);

impl Echo {
    /// Starts it; it ends with this.
    pub(super) fn start() -> io::Result<Echo> {
        let (here, mut there) = UnixStream::pair()?;
        let mut byte = [0];
        thread::spawn(move || {
            while there.read_exact(&mut byte).is_ok() && there.write_all(&byte).is_ok() {}
        });
        Ok(Echo(here))
    }

    /// How long it takes to be heard again.
    pub(super) fn hear(&mut self) -> io::Result<Duration> {
        let asked = now();
        self.0.write_all(b"?")?;
        self.0.read_exact(&mut [0])?;
        Ok(now().saturating_duration_since(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_nearest_rank() {
        let mut waits = Waits::default();
        assert_eq!((waits.served(), waits.echoed()), (None, None));
        for number in (1..=200).rev() {
            let echoed = (number <= 50).then_some(Duration::from_millis(number));
            waits.add(Duration::from_millis(2 * number), echoed);
        }
        let spread = |count, [median, p99, max]: [u64; 3]| {
            let [median, p99, max] = [median, p99, max].map(Duration::from_millis);
            Some(Spread {
                count,
                median,
                p99,
                max,
            })
        };
        assert_eq!(waits.served(), spread(200, [200, 396, 400]));
        assert_eq!(waits.echoed(), spread(50, [25, 50, 50]));
    }

    #[test]
    fn an_echo_is_heard_again_and_again() {
        let mut echo = Echo::start().unwrap();
        for _ in 0..3 {
            assert!(echo.hear().is_ok());
        }
    }
}
