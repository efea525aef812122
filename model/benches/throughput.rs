//! How fast the model rules, in commands per second: it judges histories of millions of them.
//!
//! Each round plays many whole commands through a session; what is printed is the median of the
//! rounds, with the slowest and the fastest. No figure is asserted: a machine under load is no defect.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::{Model, Options, Session, Time};
use spec::Dialect;

const ROUNDS: usize = 11;
const COMMANDS: u32 = 50_000;

fn main() {
    println!("{COMMANDS} commands a round, {ROUNDS} rounds; million commands a second");
    println!("{:<12} {:>8} {:>8} {:>8}", "", "median", "min", "max");
    measure("get hit", b"get key\r\n", usize::MAX);
    measure("get miss", b"get missing\r\n", usize::MAX);
    measure("set", b"set key 0 0 8\r\n12345678\r\n", usize::MAX);
    measure("cas", b"cas key 0 0 8 7\r\n12345678\r\n", usize::MAX);
    measure("incr", b"incr number 1\r\n", usize::MAX);
    measure("mg v", b"mg key v\r\n", usize::MAX);
    measure("ms", b"ms key 8\r\n12345678\r\n", usize::MAX);
    measure("get by byte", b"get key\r\n", 1);
    measure("set by byte", b"set key 0 0 8\r\n12345678\r\n", 1);
}

/// Plays a command over and over, so many bytes at a time, and prints how often a second.
fn measure(name: &str, command: &[u8], split: usize) {
    let now = start();
    let (mut model, mut session) = (
        Model::new(Options::default(), Dialect::default()),
        Session::new(),
    );
    session.receive(
        &mut model,
        b"set key 0 0 8\r\n12345678\r\nset number 0 0 1\r\n0\r\n",
        now,
    );
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut printed = 0;
            let seconds = timed(|| {
                for _ in 0..COMMANDS {
                    for part in command.chunks(split.min(command.len())) {
                        let rulings = session.receive(&mut model, part, now);
                        printed += rulings
                            .iter()
                            .map(|ruling| ruling.bytes().len())
                            .sum::<usize>();
                    }
                }
            });
            assert!(printed > 0, "every command is answered");
            f64::from(COMMANDS) / seconds / 1e6
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let [slowest, .., fastest] = rates.as_slice() else {
        return;
    };
    let median = rates.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("{name:<12} {median:>8.2} {slowest:>8.2} {fastest:>8.2}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock: that is what it is for"
)]
fn timed(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the model is told the time once, before the rounds"
)]
fn start() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Time(since.map_or(0, |since| since.as_secs()))
}
