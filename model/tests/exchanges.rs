//! Every exchange of the law, replayed on the model: it must pass, and the model must say why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::{Host, Model, Options, Time};
use spec::exchange::{Exchange, examples, replay};
use spec::{Dialect, Standing};

/// A time well past the first month, so that relative and absolute exptimes differ.
const START: Time = Time(1_800_000_000);

/// Plays an exchange on a fresh model; nothing when it passes and cites its rule.
fn problem(exchange: &Exchange, dialect: &Dialect) -> Option<String> {
    let options = match Options::of(&exchange.header) {
        Ok(options) => options,
        Err(problem) => return Some(problem),
    };
    let mut host = Host::new(Model::new(options, dialect.clone()), START);
    match replay(exchange, &mut host) {
        Err(failure) => Some(format!(
            "{}:{}: expected `{}`, received `{}`",
            exchange.file,
            failure.line,
            failure.expected,
            failure.received.escape_ascii(),
        )),
        Ok(_) if host.cited().contains(&exchange.requirement) => None,
        Ok(_) => Some(format!(
            "{}:{}: passed, but no ruling cited the rule; cited: {:?}",
            exchange.file,
            exchange.line,
            host.cited()
                .iter()
                .map(|rule| rule.name)
                .collect::<Vec<_>>(),
        )),
    }
}

/// Replays all that holds for a dialect, and reports every rule that is not obeyed and cited.
fn replay_all(dialect: &Dialect) {
    let mut report = String::new();
    let mut excused: BTreeMap<&str, bool> = BTreeMap::new();
    let mut played = 0;
    for exchange in examples().expect("the prose is in the grammar") {
        let requirement = exchange.requirement;
        let standing = dialect.standing(requirement);
        if !exchange.header.holds_for(dialect.name()) || standing == Standing::NotElected {
            continue;
        }
        played += 1;
        let problem = problem(&exchange, dialect);
        if let Standing::Excused(_) = standing {
            *excused.entry(requirement.name).or_default() |= problem.is_some();
        } else if let Some(problem) = problem {
            let _ = writeln!(report, "{requirement}\n    {problem}");
        }
    }
    for (name, _) in excused.iter().filter(|(_, failed)| !**failed) {
        let _ = writeln!(
            report,
            "{name}\n    passes, although {} excuses it",
            dialect.name()
        );
    }
    println!("{played} exchanges replayed as {}", dialect.name());
    assert!(played > 0, "nothing was replayed");
    assert!(report.is_empty(), "as {}:\n{report}", dialect.name());
}

#[test]
fn the_model_obeys_the_law_and_cites_it() {
    replay_all(&Dialect::default());
}

#[test]
fn the_model_can_follow_memcached_1_6_45() {
    replay_all(&Dialect::shipped("memcached-1.6.45").expect("it ships"));
}

#[test]
fn the_model_can_follow_memcached_1_6_18() {
    replay_all(&Dialect::shipped("memcached-1.6.18").expect("it ships"));
}
