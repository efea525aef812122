//! Dialects: what they elect, where they deviate, and what they refuse to be.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use spec::{Dialect, Kind, REQUIREMENTS, Standing};

fn refused(text: &str) -> String {
    Dialect::parse("test", text).unwrap_err().to_string()
}

#[test]
fn the_law_elects_what_stands_first_and_deviates_nowhere() {
    let law = Dialect::default();
    let mut first = true;
    for requirement in REQUIREMENTS.iter() {
        match requirement.kind {
            Kind::Rule => {
                first = true;
                assert_eq!(law.standing(requirement), Standing::Held, "{requirement}");
            }
            Kind::Alternative => {
                assert_eq!(law.has(requirement), first, "{requirement}");
                first = false;
            }
            Kind::Deviation => assert!(!law.has(requirement), "{requirement}"),
        }
    }
}

#[test]
fn electing_one_alternative_drops_the_others_of_its_rule() {
    let mut pairs = 0;
    let all: Vec<_> = REQUIREMENTS.iter().collect();
    for pair in all.windows(2) {
        if pair
            .iter()
            .all(|requirement| requirement.kind == Kind::Alternative)
        {
            let elected = Dialect::parse("test", &format!("elect {}", pair[1])).unwrap();
            assert!(
                elected.has(pair[1]) && !elected.has(pair[0]),
                "{} over {}",
                pair[1],
                pair[0]
            );
            assert_eq!(elected.standing(pair[0]), Standing::NotElected);
            pairs += 1;
        }
    }
    assert!(pairs > 0, "the law has no alternatives");
}

#[test]
fn a_deviation_excuses_its_rule() {
    let deviation = REQUIREMENTS
        .iter()
        .find(|named| named.kind == Kind::Deviation)
        .unwrap();
    let (rule, _) = deviation.name.rsplit_once('.').unwrap();
    let dialect = Dialect::parse("test", &format!("deviate {deviation}")).unwrap();
    let rule = spec::find(rule).unwrap();
    assert_eq!(dialect.standing(rule), Standing::Excused(deviation.name));
    assert_eq!(dialect.standing(deviation), Standing::Held);
    assert_eq!(dialect.excuses().count(), 1);
}

#[test]
fn a_line_that_says_nothing_the_law_knows_is_refused() {
    assert!(refused("elect storage.nothing").starts_with("line 1: the law has no name"));
    assert!(refused("# fine\n\nelect storage.cas.exists").starts_with("line 3: "));
    assert!(refused("deviate storage.cas.exists").contains("is not a deviation"));
    assert!(refused("likes storage.cas.exists").contains("`elect NAME`"));
    assert!(
        refused("fails storage.cas.exists because storage.cas.stored").contains("name it above")
    );
}

#[test]
fn no_dialect_is_shipped_under_an_unknown_name() {
    assert!(Dialect::shipped("memcached-0").is_none());
    for name in Dialect::shipped_names() {
        assert_eq!(Dialect::shipped(name).unwrap().name(), name);
    }
}
