//! The rules of concurrent clients, tried on the memcached in PATH by threads on contended keys.
//!
//! Each test lets clients loose on one server, keeps what they were answered, and then judges that.
//! Where there is no memcached it says SKIPPED, and fails on a build server.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "only tests are here"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use common::{Client, memcached};
use conformance::target::process::Process;
use spec::req;

const CLIENTS: usize = 8;

/// Runs so many clients at once; what each of them made of it, in their order.
fn at_once<T: Send>(
    server: &Process,
    clients: usize,
    work: impl Fn(usize, &mut Client) -> T + Sync,
) -> Vec<T> {
    let start = Barrier::new(clients);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|number| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    let mut client = Client::of(server);
                    start.wait();
                    work(number, &mut client)
                })
            })
            .collect();
        let join =
            |thread: thread::ScopedJoinHandle<'_, T>| thread.join().expect("no client fails");
        threads.into_iter().map(join).collect()
    })
}

#[test]
fn no_count_is_lost_and_none_told_twice() {
    const COUNTS: usize = 500;
    let Some(server) = memcached(&[req!("concurrency.counter")], "") else {
        return;
    };
    Client::of(&server).set("n", b"0");
    let told = at_once(&server, CLIENTS, |_, client| {
        let sums = (0..COUNTS).map(|_| client.ask("incr n 1").parse::<usize>());
        sums.collect::<Result<Vec<_>, _>>().expect("numbers")
    });
    for sums in &told {
        assert!(sums.is_sorted(), "a client counts upwards");
    }
    let all: BTreeSet<usize> = told.into_iter().flatten().collect();
    assert!(all.into_iter().eq(1..=CLIENTS * COUNTS));
}

#[test]
fn no_appended_block_is_lost_or_torn() {
    const BLOCKS: usize = 200;
    let Some(server) = memcached(&[req!("concurrency.append")], "") else {
        return;
    };
    Client::of(&server).set("log", b"");
    at_once(&server, CLIENTS, |number, client| {
        for block in 0..BLOCKS {
            let text = format!("<{number}:{block}>");
            assert_eq!(client.store("append log 0 0", text.as_bytes()), "STORED");
        }
    });
    let log = Client::of(&server).get("log").expect("it stays").data;
    let log = String::from_utf8(log).expect("whole blocks");
    for number in 0..CLIENTS {
        let places: Vec<_> = (0..BLOCKS)
            .map(|block| log.find(&format!("<{number}:{block}>")).expect("kept"))
            .collect();
        assert!(places.is_sorted(), "each client's blocks in its order");
    }
    let expected: usize = (0..CLIENTS * BLOCKS)
        .map(|at| format!("<{}:{}>", at / BLOCKS, at % BLOCKS).len())
        .sum();
    assert_eq!(log.len(), expected, "each block once");
}

#[test]
fn of_many_cas_with_one_unique_exactly_one_wins() {
    let Some(server) = memcached(&[req!("concurrency.cas")], "") else {
        return;
    };
    contest(&server, "EXISTS", |key, setup| {
        setup.set(key, b"start");
        let unique = setup.get(key).expect("just stored").unique;
        (format!("cas {key} 0 0"), format!(" {unique}"))
    });
}

#[test]
fn of_many_adds_of_one_key_exactly_one_wins() {
    let Some(server) = memcached(&[req!("concurrency.add")], "") else {
        return;
    };
    contest(&server, "NOT_STORED", |key, _| {
        (format!("add {key} 0 0"), String::new())
    });
}

/// Round after round all clients send the same command at once: one is told `STORED`, the others
/// that they lost, and the winner's value stays.
fn contest(server: &Process, lost: &str, prepare: impl Fn(&str, &mut Client) -> (String, String)) {
    const ROUNDS: usize = 100;
    let mut setup = Client::of(server);
    let keys: Vec<String> = (0..ROUNDS).map(|round| format!("round{round}")).collect();
    let commands: Vec<_> = keys.iter().map(|key| prepare(key, &mut setup)).collect();
    let starts: Vec<Barrier> = keys.iter().map(|_| Barrier::new(CLIENTS)).collect();
    let told = at_once(server, CLIENTS, |number, client| {
        let rounds = commands
            .iter()
            .zip(&starts)
            .map(|((command, unique), start)| {
                let line = format!("{command} 1{unique}\r\n{number}");
                start.wait();
                client.ask(&line)
            });
        rounds.collect::<Vec<String>>()
    });
    for (round, key) in keys.iter().enumerate() {
        let winners: Vec<usize> = (0..CLIENTS)
            .filter(|n| told[*n][round] == "STORED")
            .collect();
        assert_eq!(winners.len(), 1, "{key}: {winners:?} were told STORED");
        assert_eq!(
            (0..CLIENTS).filter(|n| told[*n][round] == lost).count(),
            CLIENTS - 1
        );
        let stays = setup.get(key).expect("the winner's item").data;
        assert_eq!(stays, winners[0].to_string().into_bytes());
    }
}

#[test]
fn uniques_of_a_key_only_grow() {
    let Some(server) = memcached(&[req!("concurrency.unique")], "") else {
        return;
    };
    Client::of(&server).set("k", b"start");
    let writing = AtomicBool::new(true);
    let seen = at_once(&server, CLIENTS, |number, client| {
        let mut seen = Vec::new();
        if number < CLIENTS / 2 {
            for round in 0..300 {
                client.set("k", format!("{number}:{round}").as_bytes());
                seen.push(client.get("k").expect("it stays"));
            }
            writing.store(false, Ordering::Relaxed);
        } else {
            while writing.load(Ordering::Relaxed) {
                seen.push(client.get("k").expect("it stays"));
            }
        }
        seen
    });
    let mut values = BTreeMap::new();
    for history in &seen {
        assert!(history.is_sorted_by_key(|found| found.unique));
        for found in history {
            let value = values.entry(found.unique).or_insert(&found.data);
            assert_eq!(*value, &found.data, "one unique, one value");
        }
    }
}

#[test]
fn a_large_value_is_never_read_in_parts_of_two() {
    let Some(server) = memcached(&[req!("concurrency.whole")], "") else {
        return;
    };
    let value = |number: usize| vec![b'a' + u8::try_from(number).unwrap(); 100_000 + 1000 * number];
    Client::of(&server).store("set k 0 0", &value(0));
    at_once(&server, CLIENTS, |number, client| {
        for _ in 0..50 {
            if number < CLIENTS / 2 {
                let line = format!("set k {number} 0");
                assert_eq!(client.store(&line, &value(number)), "STORED");
            } else {
                let found = client.get("k").expect("it stays");
                let whole = value(usize::try_from(found.flags).unwrap());
                assert!(
                    found.data == whole,
                    "a value of flags {} is torn",
                    found.flags
                );
            }
        }
    });
}

#[test]
fn keys_of_one_get_are_each_seen_at_a_moment_of_their_own() {
    let Some(server) = memcached(&[req!("concurrency.many")], "") else {
        return;
    };
    let mut setup = Client::of(&server);
    setup.set("a", b"0");
    setup.set("b", b"0");
    const ROUNDS: u64 = 500;
    let number = |data: &[u8]| std::str::from_utf8(data).unwrap().parse::<u64>().unwrap();
    at_once(&server, CLIENTS, |client_number, client| {
        let mut last = [0, 0];
        for round in 1..=ROUNDS {
            if client_number == 0 {
                client.set("a", round.to_string().as_bytes());
                client.set("b", round.to_string().as_bytes());
            } else {
                let found = client.gets("a b");
                let [a, b] = found.as_slice() else {
                    panic!("both stay");
                };
                let now = [number(&a.data), number(&b.data)];
                assert!(now[0] >= last[0] && now[1] >= last[1], "no key goes back");
                last = now;
            }
        }
    });
}

#[test]
fn an_item_stored_during_a_flush_stays_or_goes_for_good() {
    let Some(server) = memcached(&[req!("concurrency.flush")], "") else {
        return;
    };
    const ROUNDS: usize = 200;
    at_once(&server, CLIENTS, |number, client| {
        for round in 0..ROUNDS {
            if number == 0 {
                assert_eq!(client.ask("flush_all"), "OK");
                continue;
            }
            let key = format!("{number}:{round}");
            client.set(&key, b"once");
            let looks: Vec<bool> = (0..4).map(|_| client.get(&key).is_some()).collect();
            assert!(
                looks.is_sorted_by(|a, b| a >= b),
                "{key} came back: {looks:?}"
            );
        }
    });
    let mut client = Client::of(&server);
    client.set("after", b"kept");
    assert!(client.get("after").is_some());
}

/// One request on a register: the value it wrote or read, and between which moments.
#[derive(Clone, Copy, Debug)]
struct Op {
    writes: bool,
    value: u64,
    sent: u64,
    answered: u64,
}

/// Whether one order of the requests, each at a moment between its being sent and its being
/// answered, explains every read, where no value is written twice.
///
/// The requests of one value form a zone, from the first answer to the last sending. Such an order
/// exists exactly when no read is answered before its write is sent, no two zones that run forward
/// overlap, and none that runs backward lies inside one that runs forward (Gibbons and Korach).
fn is_linearizable(history: &[Op]) -> bool {
    let mut values: BTreeMap<u64, Vec<Op>> = BTreeMap::new();
    for op in history {
        values.entry(op.value).or_default().push(*op);
    }
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    for ops in values.values() {
        let Some(write) = ops.iter().find(|op| op.writes) else {
            return false;
        };
        let first_answer = ops.iter().map(|op| op.answered).min().unwrap_or_default();
        let last_sending = ops.iter().map(|op| op.sent).max().unwrap_or_default();
        if first_answer < write.sent {
            return false;
        }
        if first_answer < last_sending {
            forward.push((first_answer, last_sending));
        } else {
            backward.push((last_sending, first_answer));
        }
    }
    forward.sort_unstable();
    let apart = forward.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    let inside = |zone: &(u64, u64)| forward.iter().any(|f| f.0 < zone.0 && zone.1 < f.1);
    apart && !backward.iter().any(inside)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a history is of real time")]
fn requests_for_one_key_take_effect_one_after_the_other() {
    let Some(server) = memcached(&[req!("concurrency.key")], "") else {
        return;
    };
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_nanos()).expect("a short test");
    let number = |data: &[u8]| std::str::from_utf8(data).unwrap().parse::<u64>().unwrap();
    Client::of(&server).set("k", b"0");
    let mut history = vec![Op {
        writes: true,
        value: 0,
        sent: 0,
        answered: now(),
    }];
    let recorded = at_once(&server, CLIENTS, |client_number, client| {
        let request = |round: u64| {
            let (writes, sent) = (client_number < CLIENTS / 2, now());
            let value = if writes {
                let value = round * CLIENTS as u64 + client_number as u64;
                client.set("k", value.to_string().as_bytes());
                value
            } else {
                number(&client.get("k").expect("it stays").data)
            };
            Op {
                writes,
                value,
                sent,
                answered: now(),
            }
        };
        (1..=500).map(request).collect::<Vec<Op>>()
    });
    history.extend(recorded.into_iter().flatten());
    assert!(history.iter().any(|op| !op.writes && op.value > 0));
    assert!(is_linearizable(&history));
}

#[test]
fn a_history_in_which_an_old_value_comes_back_is_found() {
    let op = |writes, value, sent, answered| Op {
        writes,
        value,
        sent,
        answered,
    };
    let writes = [op(true, 1, 0, 10), op(true, 2, 20, 30)];
    let with = |reads: &[Op]| [&writes, reads].concat();
    assert!(is_linearizable(&with(&[
        op(false, 1, 12, 15),
        op(false, 2, 25, 40)
    ])));
    // While the second write is under way a read may find either value, but not the old one last.
    assert!(is_linearizable(&with(&[
        op(false, 1, 21, 22),
        op(false, 2, 23, 24)
    ])));
    assert!(!is_linearizable(&with(&[
        op(false, 2, 21, 22),
        op(false, 1, 23, 24)
    ])));
    assert!(!is_linearizable(&with(&[op(false, 1, 31, 40)])));
    assert!(!is_linearizable(&with(&[op(false, 2, 11, 15)])));
    assert!(!is_linearizable(&with(&[op(false, 3, 11, 15)])));
}
