//! How fast histories are judged, in operations a second: over many keys, and on one hot key.
//!
//! The histories are a right server's: each operation takes effect in the middle of its time, up
//! to sixteen at once. What is printed is the median of the rounds, with the slowest and the
//! fastest. No figure is asserted: a busy machine is no defect. `-- whole` adds ten million.

#![allow(clippy::disallowed_methods, reason = "a bench reads a clock")]

use std::fs;
use std::time::Instant;

use conformance::linear::history::{History, Op, Reply, Request, Value};
use conformance::linear::{Verdict, judge};

const ROUNDS: usize = 7;
const CLIENTS: u64 = 16;

fn main() {
    println!("{CLIENTS} clients, {ROUNDS} rounds, thousand operations a second");
    println!("{:<34} {:>8} {:>8} {:>8}", "", "median", "min", "max");
    measure("1 M operations, 10 k keys", 1_000_000, 10_000, false);
    measure("200 k operations, one hot key", 200_000, 1, false);
    measure("200 k counts, one hot key", 200_000, 1, true);
    if std::env::args().any(|argument| argument == "whole") {
        let mut history = history(10_000_000, 10_000, false);
        let begin = Instant::now();
        let verdict = judge(&mut history);
        assert!(matches!(verdict, Verdict::Linearizable), "{verdict:?}");
        println!(
            "10 M operations, 10 k keys: {:.2} s",
            begin.elapsed().as_secs_f64()
        );
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("memory at most: {}", peak.unwrap_or("unknown"));
    }
}

fn measure(name: &str, count: u64, keys: u64, counts: bool) {
    let mut history = history(count, keys, counts);
    let mut rates: Vec<u64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            let verdict = judge(&mut history);
            assert!(matches!(verdict, Verdict::Linearizable), "{verdict:?}");
            let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            count * 1000 / micros.max(1)
        })
        .collect();
    rates.sort_unstable();
    if let (Some(min), Some(median), Some(max)) =
        (rates.first(), rates.get(ROUNDS / 2), rates.last())
    {
        println!("{name:<34} {median:>8} {min:>8} {max:>8}");
    }
}

/// A history that a right server made: an operation takes effect every ten ticks.
fn history(count: u64, keys: u64, counts: bool) -> History {
    let mut history = History::default();
    history
        .ops
        .reserve_exact(usize::try_from(count).unwrap_or(0));
    let mut items: Vec<Option<(Value, u64)>> = (0..keys).map(|_| None).collect();
    let mut chance = 7_u64;
    let mut below = |bound: u64| {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (chance >> 33) % bound
    };
    for moment in 1..=count {
        let client = moment % CLIENTS;
        let at = CLIENTS * 10 + moment * 10;
        // A client's operations do not overlap: it has sixteen turns of ten ticks for each.
        let (sent, answered) = (at - below(78), at + below(78));
        let key = below(keys);
        let Some(item) = items.get_mut(usize::try_from(key).unwrap_or(0)) else {
            continue;
        };
        let fresh = history.values.number(moment);
        let (request, reply) = match (below(10), *item) {
            (0..=4, None) if !counts => (Request::Get, Reply::Miss),
            (0..=4, Some((value, unique))) if !counts => {
                (Request::Get, Reply::Found(value, unique))
            }
            (9, Some(_)) if !counts => {
                *item = None;
                (Request::Delete, Reply::Done)
            }
            (8, Some(_)) if !counts => (Request::Add(fresh), Reply::NotStored),
            (_, Some((value, _))) if counts => {
                let number = history.values.counted(value).unwrap_or(0) + 1;
                *item = Some((history.values.number(number), moment));
                (Request::Incr(1), Reply::Number(number))
            }
            _ => {
                *item = Some((fresh, moment));
                (Request::Set(fresh), Reply::Stored)
            }
        };
        let key = u32::try_from(key).unwrap_or(0);
        let client = u16::try_from(client).unwrap_or(0);
        history.ops.push(Op {
            key,
            client,
            sent,
            answered,
            request,
            reply,
        });
    }
    history
}
