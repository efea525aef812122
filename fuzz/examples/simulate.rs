//! Simulates a server for so many seconds, and tells what was done to it.
//!
//! `cargo run --profile simulation -p fuzz --example simulate -- --seed N --seconds N`, or
//! `--commands N` for so many, or `--round N` for one round again.

#[cfg(not(debug_assertions))]
fn main() -> std::process::ExitCode {
    eprintln!("a release has nothing that a simulation could hold on to: --profile simulation");
    std::process::ExitCode::from(2)
}

#[cfg(debug_assertions)]
fn main() -> std::process::ExitCode {
    simulate::main()
}

#[cfg(debug_assertions)]
mod simulate {
    use std::process::ExitCode;
    use std::time::Instant;

    use fuzz::simulation::{Tally, round};

    struct Plan {
        seed: u64,
        seconds: Option<u64>,
        commands: Option<u64>,
        round: Option<u64>,
    }

    pub(crate) fn main() -> ExitCode {
        let plan = match plan() {
            Ok(plan) => plan,
            Err(problem) => {
                eprintln!("{problem}: --seed N, and --seconds N, --commands N or --round N");
                return ExitCode::from(2);
            }
        };
        let began = now();
        let mut tally = Tally::default();
        let mut number = plan.round.unwrap_or(0);
        loop {
            match round(plan.seed, number) {
                Ok(more) => tally.merge(&more),
                Err(failure) => {
                    println!("{}", failure.transcript());
                    return ExitCode::FAILURE;
                }
            }
            number += 1;
            let is_over = plan
                .seconds
                .is_some_and(|most| began.elapsed().as_secs() >= most)
                || plan.commands.is_some_and(|most| tally.commands >= most);
            if is_over || plan.round.is_some() {
                break;
            }
        }
        let minutes = began.elapsed().as_secs_f64() / 60.0;
        println!("seed {}, {number} rounds\n{tally}", plan.seed);
        println!(
            "{:>12.0} commands a minute",
            tally.commands as f64 / minutes
        );
        let missing = tally.missing();
        if plan.round.is_none() && !missing.is_empty() {
            eprintln!("never done: {missing:?}");
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }

    fn plan() -> Result<Plan, String> {
        let mut plan = Plan {
            seed: 1,
            seconds: None,
            commands: None,
            round: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse().ok());
            let number = number.ok_or_else(|| format!("{word} wants a number"))?;
            match word.as_str() {
                "--seed" => plan.seed = number,
                "--seconds" => plan.seconds = Some(number),
                "--commands" => plan.commands = Some(number),
                "--round" => plan.round = Some(number),
                _ => return Err(format!("{word} is not known")),
            }
        }
        let ends = plan.seconds.or(plan.commands).or(plan.round);
        ends.map(|_| plan)
            .ok_or_else(|| "there is no end to it".to_owned())
    }

    #[expect(clippy::disallowed_methods, reason = "a run is timed")]
    fn now() -> Instant {
        Instant::now()
    }
}
