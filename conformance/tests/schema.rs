//! The published schema of the JSON report, held against reports: `report.schema.json`.

use conformance::cases;
use conformance::check::Trial;
use conformance::liars;
use conformance::report;
use conformance::target::Target;
use serde_json::{Map, Value};

fn schema() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/report.schema.json");
    let text = std::fs::read_to_string(file).expect("it is published");
    serde_json::from_str(&text).expect("it is JSON")
}

fn reported(target: Target) -> Value {
    let trial = Trial {
        target,
        select: vec!["storage".to_owned(), "binary.sasl".to_owned()],
        ..Trial::default()
    };
    let exchanges = cases::all().expect("the law can be read");
    let report = trial.run(&exchanges, &[]);
    serde_json::from_str(&report::json(&report)).expect("it is JSON")
}

/// What is wrong with the value, by the words of JSON Schema that ours uses, and no others.
fn problems(at: &str, value: &Value, schema: &Value) -> Vec<String> {
    let schema = schema.as_object().expect("a schema is an object");
    let mut problems: Vec<String> = Vec::new();
    for (word, demand) in schema {
        let holds = match word.as_str() {
            "$schema" | "title" | "description" | "additionalProperties" => true,
            "type" => is_of_type(value, demand),
            "enum" => demand.as_array().is_some_and(|words| words.contains(value)),
            "minimum" => value.as_u64() >= demand.as_u64(),
            "pattern" => demand == "^[0-9a-f]{16}$" && value.as_str().is_some_and(is_hash),
            "minItems" => value.as_array().map(Vec::len) >= length(demand),
            "maxItems" => value.as_array().map(Vec::len) <= length(demand),
            "required" => has_all(value, demand),
            "properties" => {
                problems.extend(fields(at, value, schema));
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    problems.extend(self::problems(&format!("{at}/{index}"), item, demand));
                }
                true
            }
            _ => false,
        };
        if !holds {
            problems.push(format!("{at}: {word} {demand}"));
        }
    }
    problems
}

fn fields(at: &str, value: &Value, schema: &Map<String, Value>) -> Vec<String> {
    let known = schema.get("properties").and_then(Value::as_object);
    let known = known.expect("they are an object");
    let open = schema.get("additionalProperties") != Some(&Value::Bool(false));
    let mut wrong = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        match known.get(name) {
            Some(schema) => wrong.extend(problems(&at, value, schema)),
            None if open => {}
            None => wrong.push(format!("{at}: the schema has no such field")),
        }
    }
    wrong
}

fn is_of_type(value: &Value, demand: &Value) -> bool {
    match demand.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        _ => false,
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn length(demand: &Value) -> Option<usize> {
    demand.as_u64().and_then(|length| length.try_into().ok())
}

fn has_all(value: &Value, demand: &Value) -> bool {
    let mut names = demand.as_array().into_iter().flatten();
    names.all(|name| name.as_str().is_some_and(|name| value.get(name).is_some()))
}

#[test]
fn reports_are_as_the_schema_says() {
    let liars = liars::liars().filter(|liar| liar.is_content_free());
    let targets = liars.map(Target::Liar).chain([Target::Honest]);
    let schema = schema();
    for target in targets.chain([Target::Spawn("/bin/false {port}".to_owned())]) {
        let found = problems("", &reported(target), &schema);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let schema = schema();
    let report = reported(Target::Honest);
    let refused = |change: fn(&mut Map<String, Value>)| {
        let mut report = report.clone();
        change(report.as_object_mut().expect("it is an object"));
        !problems("", &report, &schema).is_empty()
    };
    assert!(!refused(|_| {}));
    assert!(refused(|report| drop(report.remove("seed"))));
    assert!(refused(|report| drop(
        report.insert("time".into(), 1.into())
    )));
    assert!(refused(|report| drop(
        report.insert("seed".into(), (-1).into())
    )));
    assert!(refused(|report| drop(
        report.insert("law".into(), "x".into())
    )));
    assert!(refused(|report| drop(
        report.insert("results".into(), Value::from(vec![1]))
    )));
}
