//! However a client's bytes are split or joined on their way, the model says the same.

use std::collections::BTreeMap;

use model::{Host, Model, Options, Session, Time};
use spec::Dialect;
use spec::exchange::{Exchange, Peer, Received, examples, replay};

const START: Time = Time(1_800_000_000);

/// Exchanges that send more than this are split at some places only, around where lines may end.
const SPLIT_EVERYWHERE_BYTES: usize = 600;

/// A host that hands over each client's bytes in two parts, cut at the n-th byte the client sends.
struct Split {
    host: Host,
    cut: usize,
    sent: BTreeMap<u8, usize>,
}

impl Peer for Split {
    fn now(&mut self) -> u64 {
        self.host.now()
    }

    fn send(&mut self, client: u8, bytes: &[u8]) {
        let before = self.sent.entry(client).or_default();
        let (first, second) = bytes.split_at(self.cut.saturating_sub(*before).min(bytes.len()));
        *before += bytes.len();
        self.host.send(client, first);
        self.host.send(client, second);
    }

    fn receive(&mut self, client: u8, hurry: bool) -> Received {
        self.host.receive(client, hurry)
    }

    fn half_close(&mut self, client: u8) {
        self.host.half_close(client);
    }

    fn pass(&mut self, seconds: u64) {
        self.host.pass(seconds);
    }
}

/// What the law's own exchanges are, and a fresh host for each.
fn law() -> impl Iterator<Item = (Exchange, Host)> {
    let law = Dialect::default();
    let exchanges = examples().expect("the prose is in the grammar");
    exchanges
        .into_iter()
        .filter(move |exchange| {
            exchange.header.holds_for("law") && Dialect::default().has(exchange.requirement)
        })
        .map(move |exchange| {
            let options = Options::of(&exchange.header).expect("the model knows them");
            let host = Host::new(Model::new(options, law.clone()), START);
            (exchange, host)
        })
}

#[test]
fn an_exchange_goes_the_same_however_its_bytes_are_split() {
    for (exchange, host) in law() {
        let mut counting = Split {
            host: host.clone(),
            cut: 0,
            sent: BTreeMap::new(),
        };
        // Whether it goes well at all is asked in `exchanges.rs`.
        if replay(&exchange, &mut counting).is_err() {
            continue;
        }
        let most = counting.sent.values().copied().max().unwrap_or_default();
        let cuts: Vec<usize> = if most <= SPLIT_EVERYWHERE_BYTES {
            (1..most).collect()
        } else {
            let near = [1, 2, 3, most / 3, most / 2, 2047, 2048, 2049, 2050];
            near.into_iter().filter(|cut| *cut < most).collect()
        };
        for cut in cuts {
            let mut split = Split {
                host: host.clone(),
                cut,
                sent: BTreeMap::new(),
            };
            if let Err(failure) = replay(&exchange, &mut split) {
                panic!(
                    "{}:{} split at byte {cut}: expected `{}`, received `{}`",
                    exchange.file,
                    failure.line,
                    failure.expected,
                    failure.received.escape_ascii(),
                );
            }
        }
    }
}

/// What a fresh model says to one client, when its bytes come in parts of this size.
fn said(input: &[u8], part_bytes: usize) -> Vec<u8> {
    let mut model = Model::new(Options::default(), Dialect::default());
    let mut session = Session::new();
    let parts = input.chunks(part_bytes);
    let rulings = parts.flat_map(|part| session.receive(&mut model, part, START));
    rulings.flat_map(|ruling| ruling.bytes().to_vec()).collect()
}

#[test]
fn joined_requests_are_answered_as_single_ones() {
    let seeds: [&[u8]; 7] = [
        b"set a 1 0 3\r\na\r\n\r\nget a\r\ngets a b a\nmn\r\n",
        b"set a x 0 5\r\nget a\r\nget a\r\n\nmn\n\r\r\n",
        b"set a 0 0 3\r\nabcdef\r\nget a\r\nset a 0 0 0\r\n\r\nget a\r\n",
        b"set n 0 0 1 noreply\r\n9\r\nincr n 1 noreply\r\nget n\r\nincr n x noreply\n",
        b"ms k 2 c\r\nhi\r\nmg k v t f q\r\nmg none q\r\nmd k q\r\nma k\r\nmn\r\n",
        b"set a 0 0 2000000\r\nxx\r\n \r\n  get a\r\n\0\r\n\x80\r\nquit\r\nmn\r\n",
        b"set a 0 0 1\r\n1\r\ndelete a\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nmn\r\n",
    ];
    for seed in seeds {
        let whole = said(seed, seed.len());
        for part_bytes in 1..seed.len() {
            assert_eq!(
                said(seed, part_bytes).escape_ascii().to_string(),
                whole.escape_ascii().to_string(),
                "in parts of {part_bytes}: {}",
                seed.escape_ascii(),
            );
        }
    }
}

/// Whether the connection closes on a line of `first` and so many bytes more, ended or not.
fn closes(first: &[u8], line_bytes: usize, ended: bool) -> bool {
    let mut input = first.to_vec();
    input.resize(line_bytes, b'k');
    input.extend(ended.then_some(b'\n'));
    let mut model = Model::default();
    let mut session = Session::new();
    session.receive(&mut model, &input, START);
    session.is_closed()
}

#[test]
fn a_line_that_is_too_long_closes_whether_or_not_it_has_ended() {
    for ended in [false, true] {
        for (command, most) in [
            (b"delete ".as_slice(), 2048),
            (b"mg ", 2048),
            (b"getter ", 2048),
            (b"get ", 1 << 20),
            (b"gets ", 1 << 20),
            (b"gat 0 ", 1 << 20),
            (b"gats 0 ", 1 << 20),
        ] {
            assert!(!closes(command, most, ended), "{command:?} {most} {ended}");
            assert!(
                closes(command, most + 1, ended),
                "{command:?} {most} {ended}"
            );
        }
    }
}

#[test]
fn a_long_line_or_block_may_come_byte_by_byte() {
    let mut line = b"get ".to_vec();
    line.resize(900_000, b' ');
    line.extend_from_slice(b"k\r\nset k 0 0 1000000\r\n");
    line.resize(1_900_000 + 20, b'x');
    let mut model = Model::default();
    let mut session = Session::new();
    let rulings = line
        .iter()
        .flat_map(|byte| session.receive(&mut model, &[*byte], START));
    assert_eq!(rulings.count(), 1);
}

#[test]
fn a_closed_connection_answers_nothing_more() {
    let mut model = Model::default();
    let mut session = Session::new();
    session.receive(&mut model, b"mn\r\nquit\r\nmn\r\n", START);
    assert!(session.is_closed());
    assert!(session.receive(&mut model, b"mn\r\n", START).is_empty());
    assert!(session.is_closed());
}
