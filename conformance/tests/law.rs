//! The suite against whatever is here: the model in each dialect, our server, and a memcached.

mod common;

use conformance::baseline::Baseline;
use conformance::cases;
use conformance::check::Trial;
use conformance::report;
use conformance::target::shape::Shape;
use conformance::target::{START, Target};
use conformance::verdict::Conclusion;
use model::{Host, Model, Options};
use spec::exchange::{Exchange, replay};
use spec::{Dialect, Standing};

/// Tries a target, and fails with the report unless it conforms.
fn try_all(target: Target, dialect: &Dialect, shape: Shape) {
    let exchanges = cases::all().unwrap_or_else(|error| panic!("{error}"));
    let trial = Trial {
        target,
        dialect: dialect.clone(),
        baseline: Baseline::default(),
        shape,
        select: Vec::new(),
        jobs: 32,
        ..Trial::default()
    };
    let report = trial.run(&exchanges, &[]);
    let text = report::text(&report, true);
    assert_eq!(report.conclusion(), Conclusion::Conforms, "{text}");
    println!("{}", text.lines().last().unwrap_or_default());
}

fn shipped() -> impl Iterator<Item = Dialect> {
    Dialect::shipped_names()
        .into_iter()
        .filter_map(Dialect::shipped)
}

#[test]
fn the_model_conforms_in_every_dialect() {
    for dialect in shipped() {
        try_all(
            Target::Model(Box::new(dialect.clone())),
            &dialect,
            Shape::Written,
        );
    }
}

/// A case that the model passes for another reason than its rule shows nothing of that rule.
#[test]
fn the_model_cites_the_rule_of_every_case() {
    let law = Dialect::default();
    let exchanges = cases::all().unwrap_or_else(|error| panic!("{error}"));
    // The examples of the prose are held to the same in the model's own tests.
    let held = exchanges.iter().filter(|exchange| {
        exchange.file.starts_with("conformance/")
            && exchange.header.holds_for(law.name())
            && law.standing(exchange.requirement) == Standing::Held
    });
    let uncited: Vec<String> = held.filter_map(uncited).collect();
    assert!(uncited.is_empty(), "not cited:\n{}", uncited.join("\n"));
}

/// Where this exchange stands, if no ruling of it cites its rule.
fn uncited(exchange: &Exchange) -> Option<String> {
    let options = Options::parse(&exchange.header.options).expect("the model knows its options");
    let mut host = Host::new(Model::new(options, Dialect::default()), START);
    let passes = replay(exchange, &mut host).is_ok();
    let cites = host.cited().contains(&exchange.requirement);
    let Exchange {
        requirement,
        file,
        line,
        ..
    } = exchange;
    (!passes || !cites).then(|| format!("{requirement} ({file}:{line})"))
}

#[test]
fn the_model_conforms_however_the_bytes_are_cut() {
    let law = Dialect::default();
    try_all(Target::Model(Box::default()), &law, Shape::Split);
    try_all(Target::Model(Box::default()), &law, Shape::Coalesced);
}

#[test]
fn our_server_conforms_however_the_bytes_are_cut() {
    for shape in [Shape::Written, Shape::Split, Shape::Coalesced] {
        try_all(Target::Embedded, &Dialect::default(), shape);
    }
}

#[test]
fn the_memcached_in_path_conforms_to_its_dialect() {
    if let Some((memcached, dialect)) = common::memcached_and_dialect() {
        try_all(memcached, &dialect, Shape::Written);
    }
}
