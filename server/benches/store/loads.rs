//! Loads: which key is asked for next, and what is done with it. The same every time.
//!
//! Nothing here knows a store.

pub(super) const REQUESTS: usize = 3_000_000;
pub(super) const KEYS: u32 = 1_000_000;

/// Memory for all keys with values of this length, in MiB.
const FOOTPRINT: usize = 240;
pub(super) const VALUE_LEN: usize = 200;

/// So many requests come in a second of those whose items expire.
const SECOND: usize = 20_000;

/// What is asked for beside keys of a Zipf distribution.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    Nothing,
    /// Every fifth request is for a key that nobody asked for before.
    Scan,
    /// Every other request stores.
    Stores,
    /// All keys one after another, again and again, and nothing else.
    Loop(usize),
    /// Every tenth request deletes.
    Deletes,
    /// Every fifth request gets and touches.
    Touches,
    /// Values of 30 to 6,000 bytes.
    Sizes,
    /// Items expire after 10, 30 or 60 seconds.
    Expiry,
    /// Every tenth of the way, each key is another.
    Shift,
    /// Two threads, each with requests of its own.
    Threads,
}

/// What is done with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Get,
    Store,
    Delete,
    GetAndTouch,
}

/// A request: for which key, and what for, and when.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub(super) number: usize,
    pub(super) act: Act,
    /// The second, where items expire.
    pub(super) second: u64,
}

/// A load: its name, how skewed it is, the share of its keys there is memory for in percent, and
/// what else is asked for.
pub(super) struct Load(
    pub(super) &'static str,
    f64,
    pub(super) usize,
    pub(super) Beside,
);

pub(super) const LOADS: [Load; 24] = [
    Load("zipf 0.7", 0.7, 1, Beside::Nothing),
    Load("zipf 0.7", 0.7, 10, Beside::Nothing),
    Load("zipf 0.7", 0.7, 30, Beside::Nothing),
    Load("zipf 0.9", 0.9, 1, Beside::Nothing),
    Load("zipf 0.9", 0.9, 10, Beside::Nothing),
    Load("zipf 0.9", 0.9, 30, Beside::Nothing),
    Load("zipf 0.99", 0.99, 1, Beside::Nothing),
    Load("zipf 0.99", 0.99, 10, Beside::Nothing),
    Load("zipf 0.99", 0.99, 30, Beside::Nothing),
    Load("zipf 1.2", 1.2, 1, Beside::Nothing),
    Load("zipf 1.2", 1.2, 10, Beside::Nothing),
    Load("zipf 1.2", 1.2, 30, Beside::Nothing),
    Load("scans, a fifth", 0.99, 10, Beside::Scan),
    Load("stores, half", 0.99, 10, Beside::Stores),
    Load("loop, 90 % fit", 0.99, 10, Beside::Loop(111_000)),
    Load("deletes, a tenth", 0.99, 10, Beside::Deletes),
    Load("touches, a fifth", 0.99, 10, Beside::Touches),
    Load("sizes, 30 B to 6 KB", 0.99, 10, Beside::Sizes),
    Load("sizes, 30 B to 6 KB", 0.99, 30, Beside::Sizes),
    Load("expiry, 10 to 60 s", 0.99, 10, Beside::Expiry),
    Load("shifting keys", 0.99, 10, Beside::Shift),
    Load("shifting keys", 0.99, 30, Beside::Shift),
    Load("threads, two", 0.99, 10, Beside::Threads),
    Load("threads, two", 0.99, 30, Beside::Threads),
];

impl Load {
    /// In whole megabytes: memcached takes no others.
    pub(super) const fn mebibytes(&self) -> usize {
        self.2 * FOOTPRINT / 100
    }

    /// The length of a key's value: the same for all, or of its own.
    pub(super) fn length(&self, number: usize) -> usize {
        if self.3 != Beside::Sizes {
            return VALUE_LEN;
        }
        let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        // Most are short: each doubling is as likely as the others.
        let doubling = 30 << (mixed % 8);
        (doubling + usize::try_from(mixed >> 8).unwrap_or(0) % doubling).min(6000)
    }

    /// For how long the item of a key lives, where it does not live for ever.
    pub(super) const fn seconds(&self, number: usize) -> Option<u64> {
        match (self.3, number % 3) {
            (Beside::Expiry, 0) => Some(10),
            (Beside::Expiry, 1) => Some(30),
            (Beside::Expiry, _) => Some(60),
            _ => None,
        }
    }

    pub(super) const fn threads(&self) -> usize {
        match self.3 {
            Beside::Threads => 2,
            _ => 1,
        }
    }

    /// What is missed, in percent, by who tells of a request whether it was missed.
    pub(super) fn missed(&self, mut asked: impl FnMut(Request) -> bool) -> f64 {
        let (gets, missed) = self.missed_by(0, &mut asked);
        missed as f64 / gets as f64 * 100.0
    }

    /// How many gets there were of one of its threads, and how many of them missed.
    pub(super) fn missed_by(
        &self,
        thread: usize,
        mut asked: impl FnMut(Request) -> bool,
    ) -> (usize, usize) {
        let mut stream = Stream::new(self, thread);
        let (mut gets, mut missed) = (0, 0);
        let requests = REQUESTS / self.threads();
        for at in 0..requests {
            let request = stream.next(at);
            let is_miss = asked(request);
            if at >= requests / 2 {
                gets += usize::from(request.act == Act::Get);
                missed += usize::from(is_miss && request.act == Act::Get);
            }
        }
        (gets, missed)
    }
}

/// The requests of a load: ranks, the n-th wanted in proportion to 1 / n to some power.
pub(super) struct Stream {
    sums: Vec<f64>,
    beside: Beside,
    state: u64,
    fresh: usize,
}

impl Stream {
    pub(super) fn new(load: &Load, thread: usize) -> Self {
        let mut sum = 0.0;
        let weigh = |rank: u32| {
            sum += f64::from(rank).powf(-load.1);
            sum
        };
        Self {
            sums: (1..=KEYS).map(weigh).collect(),
            beside: load.3,
            state: 88_172_645_463_325_252 + thread as u64,
            fresh: 10_000_000,
        }
    }

    fn chance(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }

    /// The request that comes in that place.
    pub(super) fn next(&mut self, at: usize) -> Request {
        let (mut number, act) = self.draw(at);
        if self.beside == Beside::Shift {
            number += at / (REQUESTS / 10) * 50_000;
        }
        Request {
            number,
            act,
            second: (at / SECOND) as u64,
        }
    }

    fn draw(&mut self, at: usize) -> (usize, Act) {
        match self.beside {
            Beside::Loop(keys) => return (at % keys, Act::Get),
            Beside::Scan if at.is_multiple_of(5) => {
                self.fresh += 1;
                return (self.fresh, Act::Get);
            }
            _ => {}
        }
        let (one_in, other) = match self.beside {
            Beside::Stores => (2, Act::Store),
            Beside::Deletes => (10, Act::Delete),
            Beside::Touches => (5, Act::GetAndTouch),
            _ => (0, Act::Get),
        };
        let is_other = one_in > 0 && self.chance().is_multiple_of(one_in);
        let act = if is_other { other } else { Act::Get };
        let share = self.chance() as f64 / (1_u64 << 53) as f64;
        let sum = share * self.sums.last().copied().unwrap_or(0.0);
        (self.sums.partition_point(|&other| other < sum), act)
    }
}
