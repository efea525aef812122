//! The suite against whatever is here: the model in each dialect, and the memcached in PATH.

use std::process::Command;

use conformance::baseline::Baseline;
use conformance::cases;
use conformance::check::Trial;
use conformance::report;
use conformance::target::Target;
use conformance::target::shape::Shape;
use conformance::verdict::Conclusion;
use spec::Dialect;

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

#[test]
fn the_model_conforms_however_the_bytes_are_cut() {
    let law = Dialect::default();
    try_all(Target::Model(Box::default()), &law, Shape::Split);
    try_all(Target::Model(Box::default()), &law, Shape::Coalesced);
}

/// Its absence is an error in CI, and a loud skip elsewhere.
#[test]
fn the_memcached_in_path_conforms_to_its_dialect() {
    let Ok(output) = Command::new("memcached").arg("-V").output() else {
        #[expect(clippy::disallowed_methods, reason = "CI says so in its environment")]
        let required = std::env::var("CI").is_ok();
        assert!(!required, "no memcached in PATH, and CI requires one");
        eprintln!("SKIPPED the memcached in PATH: there is none (apt-get install memcached)");
        return;
    };
    let version = String::from_utf8_lossy(&output.stdout)
        .trim()
        .replace(' ', "-");
    let Some(dialect) = Dialect::shipped(&version) else {
        eprintln!("SKIPPED the memcached in PATH: no dialect is written for {version}");
        return;
    };
    let command = "memcached -u root -l 127.0.0.1 -p {port}".to_owned();
    try_all(Target::Spawn(command), &dialect, Shape::Written);
}
