//! What is asked: the same batches of every server, made before anybody's time is taken.
//!
//! All batches of a workload are as long as each other, and so are their replies: keys and values
//! have fixed lengths.

use crate::reach::Way;

/// As many items are stored before, where they are small.
const KEYS: usize = 100_000;
/// As many batches are made; then they begin again.
const BATCHES: usize = 256;

/// A kind of work.
pub(crate) struct Workload {
    /// How it is called.
    pub(crate) name: &'static str,
    /// On how many connections at once.
    pub(crate) connections: usize,
    /// How many operations a batch has; a key of a get is one.
    pub(crate) depth: usize,
    /// How long the values are.
    value: usize,
    /// How many keys there are; they are stored before.
    keys: usize,
    work: Work,
    /// How the servers are reached.
    pub(crate) way: Way,
    /// How many more clients are connected and say nothing.
    pub(crate) idle: usize,
    /// How many gets one more client sends at once, all the time. Then it is told how long the
    /// others wait, rather than what is taken of a processor.
    pub(crate) flood: usize,
}

#[derive(Clone, Copy)]
enum Work {
    Get,
    GetMany,
    MetaGet,
    QuietMetaGet,
    Set,
    QuietMetaSet,
    Incr,
    /// Ten gets, then a set.
    Mixed,
}

/// Bytes that go out together, and what they are answered.
#[derive(Clone)]
pub(crate) struct Batch {
    /// What is sent.
    pub(crate) request: Vec<u8>,
    /// What comes back.
    pub(crate) reply: Vec<u8>,
    /// Whether every byte of it is known before; else its length is.
    pub(crate) is_exact: bool,
}

const fn small(name: &'static str, connections: usize, depth: usize, work: Work) -> Workload {
    Workload {
        name,
        connections,
        depth,
        value: 100,
        keys: KEYS,
        work,
        way: Way::Tcp,
        idle: 0,
        flood: 0,
    }
}

const fn large(name: &'static str, value: usize, work: Work) -> Workload {
    Workload {
        name,
        connections: 1,
        depth: 1,
        value,
        keys: 32,
        ..small("", 1, 1, work)
    }
}

/// All of them.
pub(crate) const WORKLOADS: [Workload; 25] = [
    small("get, 1 connection", 1, 1, Work::Get),
    small("get, 50 connections", 50, 1, Work::Get),
    small("get, 1000 connections", 1000, 1, Work::Get),
    Workload {
        idle: 10_000,
        ..small("get, 50 connections beside 10000 idle", 50, 1, Work::Get)
    },
    Workload {
        flood: 1000,
        ..small("wait, 50 connections beside 1000 at once", 50, 1, Work::Get)
    },
    Workload {
        way: Way::Unix,
        ..small("get, UNIX socket, 64 at once", 8, 64, Work::Get)
    },
    Workload {
        way: Way::Tls,
        ..small("get, TLS, 50 connections", 50, 1, Work::Get)
    },
    Workload {
        way: Way::Tls,
        ..small("get, TLS, 64 at once", 8, 64, Work::Get)
    },
    small("get, 16 at once", 8, 16, Work::Get),
    small("get, 64 at once", 8, 64, Work::Get),
    small("get of 10 keys", 8, 10, Work::GetMany),
    small("get of 100 keys", 8, 100, Work::GetMany),
    small("mg, 64 at once", 8, 64, Work::MetaGet),
    small("quiet mg, 64 at once", 8, 64, Work::QuietMetaGet),
    small("set, 8 connections", 8, 1, Work::Set),
    small("set, 16 at once", 8, 16, Work::Set),
    small("set, 64 at once", 8, 64, Work::Set),
    small("quiet ms, 64 at once", 8, 64, Work::QuietMetaSet),
    small("incr, 64 at once", 8, 64, Work::Incr),
    small("10 get to 1 set, 22 at once", 8, 22, Work::Mixed),
    Workload {
        name: "set over the limit, 16 at once",
        keys: 3_000_000,
        value: 500,
        ..small("", 8, 16, Work::Set)
    },
    large("get of 100 KB", 100_000, Work::Get),
    large("set of 100 KB", 100_000, Work::Set),
    large("get of 1 MB", 1_000_000, Work::Get),
    large("set of 1 MB", 1_000_000, Work::Set),
];

impl Workload {
    /// The requests that store every item, some together, and how many replies each has.
    pub(crate) fn stores(&self) -> impl Iterator<Item = (Vec<u8>, usize)> + '_ {
        const TOGETHER: usize = 16;
        (0..self.keys.div_ceil(TOGETHER)).map(|part| {
            let keys = part * TOGETHER..self.keys.min((part + 1) * TOGETHER);
            let count = keys.len();
            (keys.flat_map(|number| self.store(number)).collect(), count)
        })
    }

    fn store(&self, number: usize) -> Vec<u8> {
        let value = self.initial();
        let line = format!("set {} 0 0 {}\r\n", key(number), value.len());
        [line.as_bytes(), &value, b"\r\n"].concat()
    }

    fn initial(&self) -> Vec<u8> {
        match self.work {
            // Its length stays as it is, however often it is counted.
            Work::Incr => b"1000000000".to_vec(),
            _ => vec![b'x'; self.value],
        }
    }

    /// What goes out, batch after batch.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        // Another key each time, far from the last; a prime is in step with no number of keys.
        let key_of = |at: usize| at * 7919 % self.keys;
        let count = BATCHES.min(64_000_000 / (self.depth * self.value)).max(8);
        let batch = |number: usize| self.batch(|at| key_of(number * self.depth + at));
        (0..count).map(batch).collect()
    }

    /// What one more client sends, all the time.
    pub(crate) fn torrent(&self) -> Option<Batch> {
        let all = Self {
            depth: self.flood,
            ..*self
        };
        (self.flood > 0).then(|| all.batch(|at| at * 7919 % self.keys))
    }

    fn batch(&self, key_of: impl Fn(usize) -> usize) -> Batch {
        let value = String::from_utf8(self.initial()).unwrap();
        let length = value.len();
        let (mut request, mut reply) = (String::new(), String::new());
        for at in 0..self.depth {
            let number = key_of(at);
            let key = key(number);
            let set = format!("set {key} 0 0 {length}\r\n{value}\r\n");
            let get = (
                format!("get {key}\r\n"),
                format!("VALUE {key} 0 {length}\r\n{value}\r\n"),
            );
            let (asked, told) = match self.work {
                Work::Get => (get.0, get.1 + "END\r\n"),
                Work::Mixed if at % 11 < 10 => (get.0, get.1 + "END\r\n"),
                Work::GetMany => (format!(" {key}"), get.1),
                Work::MetaGet => (
                    format!("mg {key} v\r\n"),
                    format!("VA {length}\r\n{value}\r\n"),
                ),
                Work::QuietMetaGet => (
                    format!("mg {key} v q\r\n"),
                    format!("VA {length}\r\n{value}\r\n"),
                ),
                Work::Set | Work::Mixed => (set, "STORED\r\n".to_owned()),
                Work::QuietMetaSet => {
                    (format!("ms {key} {length} q\r\n{value}\r\n"), String::new())
                }
                Work::Incr => (format!("incr {key} 1\r\n"), format!("{value}\r\n")),
            };
            request += &asked;
            reply += &told;
        }
        match self.work {
            Work::GetMany => {
                request = format!("get{request}\r\n");
                reply += "END\r\n";
            }
            Work::QuietMetaGet | Work::QuietMetaSet => {
                request += "mn\r\n";
                reply += "MN\r\n";
            }
            _ => {}
        }
        Batch {
            request: request.into_bytes(),
            reply: reply.into_bytes(),
            is_exact: !matches!(self.work, Work::Incr),
        }
    }
}

fn key(number: usize) -> String {
    format!("key:{number:016}")
}
