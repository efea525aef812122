//! The house: which crate may know which, how long a file and a function may be, and what a comment
//! may not say. A rule of style that no test holds is a wish.

mod common;

use common::{files, none, root};

const LINES_MAX: usize = 600;
const LINES_SOFT: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;
const COLUMNS_MAX: usize = 100;

const CRATES: [&str; 5] = ["spec", "model", "server", "conformance", "fuzz"];

/// What stands at the top, beside version control and build output.
const TOP: [&str; 14] = [
    ".ci",
    ".clippy.toml",
    ".clusterfuzzlite",
    ".config",
    ".github",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "conformance",
    "fuzz",
    "model",
    "server",
];

#[test]
fn nothing_stands_at_the_top_but_the_argument() {
    let entries = std::fs::read_dir(root()).expect("the root can be listed");
    none(entries.filter_map(|entry| {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        let known =
            TOP.contains(&name.as_str()) || ["spec", "target", ".git"].contains(&name.as_str());
        (!known).then(|| format!("`{name}` has no place at the top"))
    }));
}

#[test]
fn numbers_that_overflow_are_noticed_in_a_release_too() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("it is there");
    let release = manifest
        .split("[profile.")
        .find(|part| part.starts_with("release]"));
    let is_held = release.is_some_and(|part| part.contains("\noverflow-checks = true\n"));
    assert!(is_held, "[profile.release] has no `overflow-checks = true`");
}

#[test]
fn the_crates_know_only_whom_they_may() {
    let may: [(&str, &[&str]); 5] = [
        ("spec", &[]),
        ("model", &["spec"]),
        ("server", &[]),
        ("conformance", &["spec", "model", "server"]),
        ("fuzz", &["spec", "model", "server", "conformance"]),
    ];
    none(may.iter().flat_map(|(krate, allowed)| {
        let known = dependencies(krate, "[dependencies]");
        known.into_iter().filter_map(move |dependency| {
            let ours = CRATES.contains(&dependency.as_str());
            (ours && !allowed.contains(&dependency.as_str()))
                .then(|| format!("{krate}/Cargo.toml: {krate} may not know {dependency}"))
        })
    }));
}

#[test]
fn the_law_and_the_model_depend_on_nobody_else() {
    assert_eq!(dependencies("spec", "[dependencies]"), Vec::<String>::new());
    assert_eq!(
        dependencies("spec", "[dev-dependencies]"),
        Vec::<String>::new()
    );
    assert_eq!(dependencies("model", "[dependencies]"), ["spec"]);
}

#[test]
fn the_accused_does_not_consult_the_judge() {
    for section in [
        "[dependencies]",
        "[dev-dependencies]",
        "[build-dependencies]",
    ] {
        let known = dependencies("server", section);
        let judges = ["spec", "model", "conformance"].into_iter();
        none(
            judges
                .filter(|judge| known.iter().any(|name| name == judge))
                .map(|judge| format!("server knows {judge}: {section}")),
        );
    }
}

#[test]
fn the_judge_sees_the_server_through_one_window() {
    none(
        files("conformance/src", &[".rs"])
            .into_iter()
            .filter_map(|(path, text)| {
                let looks = text.contains("server::") && !path.ends_with("target/embedded.rs");
                looks.then(|| format!("{path}: only target/embedded.rs may name the server"))
            }),
    );
}

#[test]
fn the_layers_of_the_server_look_down_only() {
    let never: [(&str, &[&str]); 4] = [
        (
            "server/src/store",
            &[
                "crate::protocol",
                "crate::session",
                "crate::net",
                "tokio",
                "async ",
            ],
        ),
        (
            "server/src/protocol",
            &[
                "crate::store",
                "crate::session",
                "crate::net",
                "tokio",
                ".await",
            ],
        ),
        (
            "server/src/command",
            &["crate::net", "crate::session", "tokio", ".await"],
        ),
        ("server/src/session", &["crate::net", "tokio", ".await"]),
    ];
    none(never.iter().flat_map(|(folder, words)| {
        files(folder, &[".rs"])
            .into_iter()
            .flat_map(move |(path, text)| {
                let code = |line: &&str| !line.trim_start().starts_with("//");
                let named = words.iter().filter(move |word| {
                    text.lines().filter(code).any(|line| line.contains(**word))
                });
                named
                    .map(move |word| format!("{path}: may not name `{word}`"))
                    .collect::<Vec<_>>()
            })
    }));
}

#[test]
fn no_fuzz_target_is_a_test_target() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("fuzz exists");
    let bins: Vec<&str> = manifest.split("[[bin]]").skip(1).collect();
    assert!(!bins.is_empty(), "fuzz has no target");
    none(bins.iter().flat_map(|bin| {
        let own = bin.split("\n[").next().unwrap_or_default();
        ["test = false", "bench = false", "doc = false"]
            .into_iter()
            .filter(|line| !own.contains(line))
            .map(move |line| format!("fuzz/Cargo.toml: a target without `{line}`:{own}"))
    }));
}

#[test]
fn every_dependency_has_a_home_and_a_reason() {
    let reasons = std::fs::read_to_string(root().join(".ci/deny.toml")).expect("deny.toml exists");
    let housed = |name: &str, krate: &str| {
        reasons.lines().any(|line| {
            line.contains(&format!("crate = \"{name}\""))
                && line.contains(&format!("\"{krate}\""))
                && line.contains("reason = \"")
        })
    };
    let sections = [
        "[dependencies]",
        "[dev-dependencies]",
        "[build-dependencies]",
    ];
    let mut homeless = Vec::new();
    for krate in CRATES {
        for name in sections
            .iter()
            .flat_map(|section| dependencies(krate, section))
        {
            if !CRATES.contains(&name.as_str()) && !housed(&name, krate) {
                homeless.push(format!(
                    "{krate}: `{name}` has no home and reason in .ci/deny.toml"
                ));
            }
        }
    }
    none(homeless);
}

#[test]
fn every_file_is_one_idea() {
    none(sources().into_iter().flat_map(|(path, text)| {
        let lines = text.lines().count();
        if lines > LINES_SOFT {
            println!("{path}: {lines} lines, more than {LINES_SOFT}");
        }
        let long =
            (lines > LINES_MAX).then(|| format!("{path}: {lines} lines, at most {LINES_MAX}"));
        let opening = text.lines().find(|line| !line.starts_with("#!"));
        let mute = (!opening.is_some_and(|line| line.starts_with("//!")))
            .then(|| format!("{path}: begins without saying what it is (`//!`)"));
        [long, mute].into_iter().flatten()
    }));
}

#[test]
fn every_function_fits_a_screen() {
    none(sources().into_iter().flat_map(|(path, text)| {
        let lines: Vec<&str> = text.lines().collect();
        let mut long = Vec::new();
        for (start, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let indent = line.len() - code.len();
            if !opens_function(code) || declares_only(&lines, start) {
                continue;
            }
            let closing = format!("{}}}", " ".repeat(indent));
            let length = lines.iter().skip(start).position(|line| *line == closing);
            if let Some(length) = length.filter(|length| length + 1 > FUNCTION_LINES_MAX) {
                long.push(format!(
                    "{path}:{}: {} lines, at most {FUNCTION_LINES_MAX}",
                    start + 1,
                    length + 1
                ));
            }
        }
        long
    }));
}

#[test]
fn every_line_is_clean() {
    let prose = files("", &[".rs", ".md", ".exchange", ".dialect", ".toml"]);
    none(prose.into_iter().flat_map(|(path, text)| {
        let code = path.ends_with(".rs");
        let mut unclean = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.ends_with([' ', '\t']) {
                unclean.push(format!("{path}:{number}: white space at the end"));
            }
            if code && line.chars().count() > COLUMNS_MAX {
                unclean.push(format!(
                    "{path}:{number}: longer than {COLUMNS_MAX} columns"
                ));
            }
            if let Some(word) = code.then(|| unfinished(line)).flatten() {
                unclean.push(format!("{path}:{number}: `{word}` is for another place"));
            }
        }
        unclean
    }));
}

/// Our own Rust, apart from this test, whose subject the forbidden words are.
fn sources() -> Vec<(String, String)> {
    files("", &[".rs"])
}

/// A word that says the work is not done, or tells its history.
fn unfinished(line: &str) -> Option<&'static str> {
    // Spelled in halves, so that this file does not accuse itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
        concat!("#[ig", "nore"),
    ];
    words.into_iter().find(|word| line.contains(word))
}

fn opens_function(code: &str) -> bool {
    let words = [
        "pub ",
        "pub(crate) ",
        "pub(super) ",
        "const ",
        "async ",
        "unsafe ",
    ];
    let mut rest = code;
    while let Some(after) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = after;
    }
    rest.starts_with("fn ")
}

/// Whether the function that begins here has no body, as in a trait, or none of many lines.
fn declares_only(lines: &[&str], start: usize) -> bool {
    let end = lines
        .iter()
        .skip(start)
        .find(|line| line.ends_with([';', '{', '}']));
    end.is_some_and(|line| line.ends_with([';', '}']))
}

/// The names in one section of a crate's manifest.
fn dependencies(krate: &str, section: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml"))
        .unwrap_or_else(|error| panic!("{krate}/Cargo.toml: {error}"));
    let Some((_, rest)) = manifest.split_once(&format!("{section}\n")) else {
        return Vec::new();
    };
    rest.lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}
