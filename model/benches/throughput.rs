//! How fast the model rules on one core, in commands a second: it judges histories of millions.
//!
//! Each round plays a command once for each of many keys; what is printed is the median of the
//! rounds, with the slowest and the fastest. No figure is asserted: a busy machine is no defect.

use std::hint::black_box;
use std::time::Instant;

use model::{Model, Options, Session, Time};
use spec::Dialect;

const ROUNDS: usize = 15;
const KEYS: u32 = 10_000;
const NOW: Time = Time(1_800_000_000);

fn main() {
    println!("{KEYS} keys, {ROUNDS} rounds, million commands a second");
    println!("{:<14} {:>8} {:>8} {:>8}", "", "median", "min", "max");
    let whole = usize::MAX;
    measure("get hit", whole, |key| format!("get key:{key}\r\n"));
    measure("get miss", whole, |key| format!("get none:{key}\r\n"));
    measure("set", whole, |key| {
        format!("set key:{key} 0 0 8\r\n12345678\r\n")
    });
    measure("cas", whole, |key| {
        format!("cas key:{key} 0 0 8 0\r\n12345678\r\n")
    });
    measure("incr", whole, |key| format!("incr key:{key} 1\r\n"));
    measure("mg v", whole, |key| format!("mg key:{key} v\r\n"));
    measure("ms", whole, |key| format!("ms key:{key} 8\r\n12345678\r\n"));
    measure("get by bytes", 1, |key| format!("get key:{key}\r\n"));
    measure("set by bytes", 1, |key| {
        format!("set key:{key} 0 0 8\r\n12345678\r\n")
    });
}

/// Plays a command for each key, so many bytes at a time, and prints how often a second.
fn measure(name: &str, split: usize, command: impl Fn(u32) -> String) {
    let mut model = Model::new(Options::default(), Dialect::default());
    let mut session = Session::new();
    for key in 0..KEYS {
        let stored = format!("set key:{key} 0 0 8\r\n12345678\r\n");
        session.receive(&mut model, stored.as_bytes(), NOW);
    }
    let commands: Vec<String> = (0..KEYS).map(command).collect();
    let mut rates = [0.0; ROUNDS];
    for rate in &mut rates {
        let seconds = timed(|| {
            for command in &commands {
                for part in command.as_bytes().chunks(split.min(command.len())) {
                    for ruling in session.receive(&mut model, part, NOW) {
                        black_box(ruling.bytes());
                    }
                }
            }
        });
        *rate = f64::from(KEYS) / seconds / 1e6;
    }
    rates.sort_by(f64::total_cmp);
    let [slowest, .., fastest] = rates;
    let median = rates[ROUNDS / 2];
    println!("{name:<14} {median:>8.2} {slowest:>8.2} {fastest:>8.2}");
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64()
}
