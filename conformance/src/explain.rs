//! One rule in full: its sentence, its place, its variants, its examples.

use std::fmt::Write as _;

use spec::exchange::Exchange;
use spec::{CHAPTERS, Dialect, Requirement, find};

/// Everything the law says of this name; nothing when it has no such name.
#[must_use]
pub fn explain(name: &str, exchanges: &[Exchange]) -> Option<String> {
    let requirement = find(name)?;
    let Requirement {
        level,
        kind,
        chapter,
        line,
        sentence,
        class,
        ..
    } = requirement;
    let class = class.map_or(String::new(), |class| format!(" ({class})"));
    let mut text = format!("{name}  ({level}, {kind:?}{class}, spec/{chapter}.md:{line})\n\n");
    for line in sentence.trim().lines() {
        let _ = writeln!(text, "    {line}");
    }
    for dialect in Dialect::shipped_names()
        .into_iter()
        .filter_map(Dialect::shipped)
    {
        if let Some(excuse) = dialect.excuse(requirement) {
            let _ = writeln!(text, "\n{} breaks it: {excuse}", dialect.name());
        }
    }
    for variant in variants(requirement) {
        let what = variant.sentence.trim().replace('\n', " ");
        let kind = variant.class.map_or_else(
            || format!("{:?}", variant.kind),
            |class| format!("{:?} ({class})", variant.kind),
        );
        let _ = writeln!(text, "\n{kind} {}\n    {what}", variant.name);
    }
    for exchange in exchanges
        .iter()
        .filter(|exchange| exchange.requirement == requirement)
    {
        let _ = writeln!(text, "\n{}:{}", exchange.file, exchange.line);
        for step in &exchange.steps {
            let _ = writeln!(text, "    {}", step.text);
        }
    }
    Some(text)
}

/// The alternatives and deviations below a rule.
fn variants(rule: &'static Requirement) -> impl Iterator<Item = &'static Requirement> {
    let below = format!("{}.", rule.name);
    let chapter = CHAPTERS.iter().find(|chapter| chapter.name == rule.chapter);
    chapter
        .into_iter()
        .flat_map(|chapter| chapter.requirements)
        .filter(move |named| named.kind != spec::Kind::Rule && named.name.starts_with(&below))
}
